/**
 * The token that renews a certificate without mutual TLS (smallstep/certificates
 * authority/authorize.go, AuthorizeRenewToken): a JWT that carries the chain and
 * is signed by its key. The only way to the CA once the certificate has expired.
 *
 * Web Crypto signs in the very formats of JOSE, so that no library is needed;
 * one that had to be downloaded would load other roots than `--root` into the
 * process (trust.ts). Tests let a library judge the tokens.
 */
import { RekeyError } from "../../base/errors.ts";
import type { KeySpec } from "../../base/options.ts";
import { CURVES, signingParameters } from "../../pki/keys/algorithms.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import type { PrivateKey } from "../../pki/keys/private_key.ts";

/** How long the token may be used, in s; the original's value. */
const LIFETIME_S = 300;

export interface RenewTokenClaims {
  /** `<ca-url>/renew`. */
  readonly audience: string;
  readonly now: Date;
}

/**
 * Makes a token for `POST /renew`. A CA accepts it once.
 *
 * @throws {RekeyError} kind `pair` when the certificate has no common name, which
 *   the CA compares with the token's subject
 */
export async function createRenewToken(
  { chain, key }: KeyPair,
  { audience, now }: RenewTokenClaims,
): Promise<string> {
  const subject = chain[0].commonName;
  if (!subject) {
    throw new RekeyError(
      "pair",
      "a certificate without common name cannot be renewed by token",
    );
  }
  const seconds = Math.floor(now.getTime() / 1000);
  const header = {
    alg: joseAlgorithm(key.spec),
    typ: "JWT",
    kid: await thumbprint(key),
    x5cInsecure: chain.map(({ der }) => der.toBase64()),
  };
  const claims = {
    iss: "step-ca-client/1.0",
    sub: subject,
    aud: audience,
    iat: seconds,
    nbf: seconds,
    exp: seconds + LIFETIME_S,
  };
  return await signCompact(`${encodePart(header)}.${encodePart(claims)}`, key);
}

/** JWS compact serialisation (RFC 7515 §7.1). */
async function signCompact(text: string, key: PrivateKey): Promise<string> {
  const signature = await crypto.subtle.sign(
    signingParameters(key.spec),
    key.signingKey,
    new TextEncoder().encode(text),
  );
  return `${text}.${base64url(new Uint8Array(signature))}`;
}

/** RFC 7518 §3.1 and RFC 8037 §3.1. */
function joseAlgorithm(spec: KeySpec): string {
  switch (spec.kty) {
    case "RSA":
      return "RS256";
    case "OKP":
      return "EdDSA";
    case "EC":
      return CURVES[spec.curve].jose;
  }
}

/** Members that RFC 7638 §3.2 and RFC 8037 §2 hash, in lexical order. */
const THUMBPRINT_MEMBERS = {
  RSA: ["e", "kty", "n"],
  OKP: ["crv", "kty", "x"],
  EC: ["crv", "kty", "x", "y"],
} as const;

/** The JWK thumbprint of the public key (RFC 7638). */
async function thumbprint(key: PrivateKey): Promise<string> {
  const jwk = await crypto.subtle.exportKey("jwk", key.signingKey);
  const members = THUMBPRINT_MEMBERS[key.spec.kty];
  const canonical = JSON.stringify(
    Object.fromEntries(members.map((name) => [name, jwk[name]])),
  );
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(canonical),
  );
  return base64url(new Uint8Array(digest));
}

function encodePart(part: Readonly<Record<string, unknown>>): string {
  return base64url(new TextEncoder().encode(JSON.stringify(part)));
}

/** Without padding (RFC 7515 §2). */
function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
