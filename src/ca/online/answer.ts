/**
 * Reads the CA's answer to a successful request: JSON with PEM certificates.
 *
 * It does not verify them: {@linkcode verifyAnswer} of verified_answer.ts does.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  type Certificate,
  parseChain,
} from "../../pki/certificate/certificate.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { pemPieces } from "../../pki/asn1/pem.ts";
import { purposeOf, type RequestName } from "./connection.ts";

/** Longest chain that is read; real ones have two or three certificates. */
export const MAX_CERTIFICATES = 32;

/**
 * The chain of an answer: `certChain`, else `crt` and `ca` (certificates
 * api/sign.go). Members are matched in any case, as Go does; of a PEM string
 * the first block counts.
 *
 * @param name what the answer is to, as in messages of its request
 * @returns leaf first, not empty, unverified
 * @throws {RekeyError} kind `untrusted`
 */
export function parseAnswer(
  body: string,
  name: AnswerName = {},
): readonly Certificate[] {
  const members = readMembers(body);
  const fail = (fault: string) => unusableAnswer(fault, name);
  if (typeof members === "string") throw fail(`it is ${members}`);
  const chain = members.get("certchain");
  if (!isAbsent(chain) && !Array.isArray(chain)) {
    throw fail('"certChain" is not a list');
  }
  if (Array.isArray(chain) && chain.length > 0) {
    if (chain.length > MAX_CERTIFICATES) {
      throw fail(`"certChain" has ${chain.length} certificates`);
    }
    return chain.map((pem, at) =>
      certificateIn(pem, `"certChain"[${at}]`, name)
    );
  }
  const leaf = members.get("crt");
  const issuer = members.get("ca");
  if (isAbsent(leaf)) throw fail("it holds no certificate");
  const chainOfOne = [certificateIn(leaf, '"crt"', name)];
  if (isAbsent(issuer)) return chainOfOne;
  return [...chainOfOne, certificateIn(issuer, '"ca"', name)];
}

/**
 * The members of a JSON object by their names in lower case, as Go matches them;
 * of equal names the last one counts. Else what the text is instead.
 */
export function readMembers(
  text: string,
): ReadonlyMap<string, unknown> | "empty" | "not JSON" | "not a JSON object" {
  if (text.trim() === "") return "empty";
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // What V8 says of it helps nobody.
    return "not JSON";
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    return "not a JSON object";
  }
  return new Map(
    Object.entries(parsed).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "" ||
    value === "null";
}

/**
 * The certificate of a PEM string, of which the first block counts.
 *
 * @param name what the answer is to, as in messages of its request
 * @throws {RekeyError} kind `untrusted`
 */
export function certificateIn(
  value: unknown,
  member: string,
  name: AnswerName = {},
): Certificate {
  const fail = (fault: string, cause?: unknown) =>
    unusableAnswer(`${member} ${fault}`, { ...name, cause });
  if (typeof value !== "string") throw fail("is not a string");
  const [first] = pemPieces(value);
  if (first === undefined) throw fail("is not PEM");
  try {
    return parseChain(new TextEncoder().encode(first))[0];
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw fail(`is no certificate: ${error.message}`, error);
  }
}

type AnswerName = Pick<RequestName, "purpose">;

/** @returns kind `untrusted` */
export function unusableAnswer(
  fault: string,
  { cause, ...name }: AnswerName & { readonly cause?: unknown } = {},
): RekeyError {
  return new RekeyError(
    "untrusted",
    `${purposeOf(name)}the CA's answer is unusable: ${fault}`,
    { hint: { remedy: "look for a proxy" }, cause },
  );
}
