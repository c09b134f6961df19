/**
 * One-time tokens, each good for one request: what they say, and how one is
 * made with the key of a JWK provisioner.
 *
 * A token is as good as the certificate that it gets: it must be in no message
 * and in no log.
 */
import { formatDurationMs } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import type { ProvisionerChoice } from "../../base/options.ts";
import {
  type Claims,
  type ProvisionerKey,
  readClaims,
  signToken,
} from "../../pki/keys/json_web_token.ts";

/** Who vouches for what a token says; smallstep/cli token/parse.go (Type). */
export type TokenType =
  /** Of step itself, also with a certificate in its header (X5C). */
  | "JWK"
  | "OIDC"
  | "AWS"
  | "GCP"
  | "Azure"
  | "K8sSA"
  | "unknown";

/** What a token says of itself. Nothing of it is verified: the CA does that. */
export interface OneTimeToken {
  readonly type: TokenType;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string | undefined;
  /** Of a root certificate, in lower-case hexadecimal. */
  readonly rootDigest: string | undefined;
  readonly names: readonly string[];
  readonly email: string | undefined;
}

/** How a request is allowed. */
export type TokenChoice =
  | {
    readonly from: "user";
    readonly text: string;
    readonly token: OneTimeToken;
  }
  | { readonly from: "provisioner"; readonly provisioner: ProvisionerChoice };

/** @throws {MalformedError} for what is no token */
export function readOneTimeToken(token: string): OneTimeToken {
  const claims = readClaims(token);
  const { aud } = claims;
  return {
    type: typeOf(claims),
    issuer: textOf(claims.iss) ?? "",
    subject: textOf(claims.sub) ?? "",
    audience: textOf(Array.isArray(aud) ? aud[0] : aud),
    rootDigest: textOf(claims.sha)?.toLowerCase(),
    names: Array.isArray(claims.sans)
      ? claims.sans.filter((name) => typeof name === "string")
      : [],
    email: textOf(claims.email),
  };
}

function typeOf(claims: Claims): TokenType {
  if (claims.google) return "GCP";
  if (claims.amazon) return "AWS";
  const issuer = textOf(claims.iss) ?? "";
  if (issuer.startsWith("https://sts.windows.net/") && claims.xms_mirid) {
    return "Azure";
  }
  if (issuer === "kubernetes/serviceaccount") return "K8sSA";
  const hasNames = Array.isArray(claims.sans) && claims.sans.length > 0;
  if (textOf(claims.sha) !== undefined || hasNames) return "JWK";
  return textOf(claims.email) === undefined ? "unknown" : "OIDC";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A JWK provisioner, opened. */
export interface TokenSigner {
  readonly name: string;
  readonly kid: string;
  readonly key: ProvisionerKey;
}

/** For which request a token is good. */
export type TokenPurpose = "sign" | "revoke";

export interface TokenRequest {
  /** `https://host[:port]`. */
  readonly url: string;
  readonly purpose: TokenPurpose;
  readonly subject: string;
  /** Of a token to sign; the subject when there are none. */
  readonly names: readonly string[];
  /** SHA-256 of the root, in lower-case hexadecimal. */
  readonly rootDigest: string;
  readonly now: Date;
  readonly validity: TokenValidity;
}

export interface TokenValidity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The original's limits, in ms (smallstep/cli token/token.go). */
const LIFETIME = { usual: 5 * 60_000, least: 10_000, most: 3_600_000 } as const;
const MOST_DELAY_MS = 30 * 60_000;

/**
 * When a token is good: from now on, for five minutes, unless said otherwise.
 *
 * @throws {RekeyError} kind `usage`
 */
export function tokenValidity(
  now: Date,
  { notBefore = now, notAfter }: {
    readonly notBefore?: Date | undefined;
    readonly notAfter?: Date | undefined;
  } = {},
): TokenValidity {
  const end = notAfter ?? new Date(notBefore.getTime() + LIFETIME.usual);
  const lifetimeMs = end.getTime() - notBefore.getTime();
  const delayMs = notBefore.getTime() - now.getTime();
  const fault = delayMs > MOST_DELAY_MS
    ? `requested validity delay is too long: it is ${
      formatDurationMs(delayMs)
    }, at most ${formatDurationMs(MOST_DELAY_MS)}`
    : lifetimeMs < LIFETIME.least
    ? `requested token validity is too short: it is ${
      formatDurationMs(lifetimeMs)
    }, at least ${formatDurationMs(LIFETIME.least)}`
    : lifetimeMs > LIFETIME.most
    ? `requested token validity is too long: it is ${
      formatDurationMs(lifetimeMs)
    }, at most ${formatDurationMs(LIFETIME.most)}`
    : undefined;
  if (fault !== undefined) throw new RekeyError("usage", fault);
  return { notBefore, notAfter: end };
}

/** 256 bits; a CA accepts an id once. */
const ID_BYTES = 32;

/**
 * Makes a token, claim by claim as the original does (smallstep/cli
 * utils/cautils/token_generator.go).
 *
 * @throws {MalformedError} when the key cannot sign
 */
export async function createOneTimeToken(
  request: TokenRequest,
  { name, kid, key }: TokenSigner,
): Promise<string> {
  const { url, purpose, subject, names, now, validity } = request;
  const sans = names.length === 0 ? [subject] : names;
  const claims = {
    aud: new URL(`/1.0/${purpose}`, url).href,
    exp: seconds(validity.notAfter),
    iat: seconds(now),
    iss: name,
    jti: crypto.getRandomValues(new Uint8Array(ID_BYTES)).toHex(),
    nbf: seconds(validity.notBefore),
    sans: purpose === "sign" ? sans : undefined,
    sha: request.rootDigest,
    sub: subject,
  };
  return await signToken(claims, { key, kid });
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** What the holder of a token asks for. */
export interface NameWish {
  /** As it was typed. */
  readonly subject: string;
  /** None: those of the token, or the subject. */
  readonly names: readonly string[];
}

/** Subject and names of a request, and who decides about those of the answer. */
export interface NameRequest {
  readonly commonName: string;
  readonly names: readonly string[];
  readonly namesFrom: "request" | "provisioner";
}

/**
 * What a request with this token has to ask for (smallstep/cli
 * utils/cautils/certificate_flow.go, CreateSignRequest).
 */
export function namesFor(
  { type, issuer, subject: holder, names: allowed, email }: OneTimeToken,
  { subject, names }: NameWish,
): NameRequest {
  if (type !== "OIDC") {
    const all = [...names, ...allowed];
    return {
      commonName: holder,
      names: all.length === 0 ? [holder] : all,
      namesFrom: "request",
    };
  }
  // The CA knows a user by the token, and an administrator by the request.
  const namesFrom = "provisioner";
  if (names.length > 0) return { commonName: subject, names, namesFrom };
  if (email?.toLowerCase() !== subject.toLowerCase()) {
    return { commonName: subject, names: [subject], namesFrom };
  }
  const identity = URL.canParse(issuer) ? [`${issuer}#${holder}`] : [];
  return { commonName: holder, names: [email, ...identity], namesFrom };
}
