/**
 * JSON Web Tokens that a CA's provisioner signs (RFC 7519), and the key that
 * signs them: the door to jose, and the only file that imports it.
 *
 * Behind a dynamic import: most commands have no token. No error text may hold
 * anything of a key, a password or a token.
 */
import { MalformedError } from "../asn1/malformed.ts";
// @ts-types="./vendor/entry.ts"
import {
  compactDecrypt,
  decodeJwt,
  errors,
  importJWK,
  SignJWT,
} from "./vendor/jose.js";

/** RFC 7518 §4.8: how a password seals a provisioner's key. */
const PASSWORD_ALGORITHMS = [
  "PBES2-HS256+A128KW",
  "PBES2-HS384+A192KW",
  "PBES2-HS512+A256KW",
];

/** Some seconds of computing; step-ca's own keys have 100,000 to 600,000. */
const MAX_ROUNDS = 10_000_000;

/** A private key as JSON (RFC 7517), not looked into yet. */
export type ProvisionerKey = Readonly<Record<string, unknown>>;

/**
 * Opens the private key of a provisioner.
 *
 * @param sealed JWE in compact form
 * @throws {MalformedError}
 */
export async function openProvisionerKey(
  sealed: string,
  password: string,
): Promise<ProvisionerKey> {
  const key = parseJson(await decrypt(sealed, password));
  if (isObject(key) && typeof key.d === "string") return key;
  throw new MalformedError("error unmarshalling provisioning key");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What V8 says of it would quote the key.
    return undefined;
  }
}

async function decrypt(sealed: string, password: string): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(
      sealed,
      new TextEncoder().encode(password),
      {
        keyManagementAlgorithms: PASSWORD_ALGORITHMS,
        maxPBES2Count: MAX_ROUNDS,
      },
    );
    return new TextDecoder().decode(plaintext);
  } catch (error) {
    if (error instanceof errors.JWEDecryptionFailed) {
      throw new MalformedError("failed to decrypt JWE: invalid password");
    }
    throw new MalformedError("failed to parse JWE: it is no key under PBES2", {
      cause: error,
    });
  }
}

/** What a token says, in the order in which it is written. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * A signed token in compact form.
 *
 * @param kid the id of the key, by which the CA finds the provisioner
 * @throws {MalformedError} when the key cannot sign
 */
export async function signToken(
  claims: Claims,
  { key, kid }: { readonly key: ProvisionerKey; readonly kid: string },
): Promise<string> {
  const alg = algorithmOf(key);
  try {
    return await new SignJWT(claims)
      .setProtectedHeader({ alg, kid, typ: "JWT" })
      .sign(await importJWK(key, alg));
  } catch {
    // Its text may quote the key.
    throw new MalformedError(`the provisioner's key cannot sign by "${alg}"`);
  }
}

/** RFC 7518 §3.1, RFC 8037 §3.1; as a rule the key says it. */
const ALGORITHM_BY_CURVE: ReadonlyMap<unknown, string> = new Map([
  ["P-256", "ES256"],
  ["P-384", "ES384"],
  ["P-521", "ES512"],
  ["Ed25519", "EdDSA"],
]);

function algorithmOf({ alg, crv }: ProvisionerKey): string {
  if (typeof alg === "string" && /^[A-Za-z0-9-]{1,20}$/.test(alg)) return alg;
  return ALGORITHM_BY_CURVE.get(crv) ?? "RS256";
}

/**
 * What a token says. Whether it is true, the CA decides.
 *
 * @throws {MalformedError} in the original's words
 */
export function readClaims(token: string): Claims {
  if (token.split(".").length !== 3) {
    throw new MalformedError(
      "error parsing token: compact JWS format must have three parts",
    );
  }
  try {
    return decodeJwt(token);
  } catch {
    // Its text may quote the token.
    throw new MalformedError("error parsing token claims");
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
