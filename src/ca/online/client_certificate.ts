/**
 * The current pair as the client's side of mutual TLS: can TLS use it, and what
 * may be wrong with it when the CA does not take it.
 */
import { type Act, ACT_WORDS } from "../../base/act.ts";
import { RekeyError } from "../../base/errors.ts";
import { formatInstant } from "../../base/duration.ts";
import type { Hint } from "../../base/remedy.ts";
import {
  type Certificate,
  chainToPem,
  isSelfIssued,
} from "../../pki/certificate/certificate.ts";
import { extendedKeyUsage } from "../../pki/certificate/extensions.ts";
import { equalBytes } from "../../base/bytes.ts";
import { isSignedBy } from "../../pki/verify/certification_path.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { toPem } from "../../pki/asn1/pem.ts";
import { CannotRekeyError } from "../authority.ts";
import type { TlsIdentity } from "./trust.ts";

/** RFC 5280 §4.2.1.12: clientAuth, and anyExtendedKeyUsage. */
const CLIENT_USAGES: readonly string[] = ["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/** Smallest and largest RSA modulus that the runtime's TLS signs with, in bits. */
const RSA_BITS = { least: 2048, most: 8192 } as const;

/**
 * Largest chain that is sent, in bytes. The runtime (Deno 2.9.6) loses a
 * connection on which it has to send more than 64 KiB before the CA answers,
 * signature and request included; step-ca takes 256 KiB.
 */
const MOST_CHAIN_BYTES = 62 * 1024;

/**
 * The chain and the key, for createHttpClient; without certificates that have
 * nothing to do with the leaf.
 *
 * Checked first, because Deno 2.7 aborts the process where 2.9 throws.
 *
 * @throws {RekeyError} kind `pair` when TLS cannot use key or certificate
 */
export function tlsIdentity({ chain, key }: KeyPair): TlsIdentity {
  const { spec } = key;
  const { least, most } = RSA_BITS;
  if (spec.kty === "RSA" && (spec.bits < least || spec.bits > most)) {
    throw unusable(
      `an RSA key of ${spec.bits} bits instead of ${least} to ${most}`,
    );
  }
  const { version } = chain[0];
  if (version !== 3) throw unusable(`X.509 version ${version} instead of 3`);
  const path = pathOf(chain);
  const bytes = path.reduce((sum, { der }) => sum + der.length, 0);
  if (bytes > MOST_CHAIN_BYTES) {
    throw unusable(
      `with its issuers ${Math.ceil(bytes / 1024)} KiB instead of at most ${
        MOST_CHAIN_BYTES / 1024
      }`,
    );
  }
  return {
    certificatePem: chainToPem(path),
    keyPem: toPem("PRIVATE KEY", key.pkcs8),
  };
}

/** What may lead from the leaf to a root, by name, each once. */
function pathOf(
  [leaf, ...others]: KeyPair["chain"],
): readonly Certificate[] {
  const path = [leaf];
  // It grows while it is walked.
  for (const { issuerDer } of path) {
    for (const other of others) {
      const isIssuer = equalBytes(issuerDer, other.subjectDer) &&
        !path.some(({ der }) => equalBytes(der, other.der));
      if (isIssuer) path.push(other);
    }
  }
  return path;
}

function unusable(fault: string): RekeyError {
  return new RekeyError(
    "pair",
    `TLS cannot use the current certificate: ${fault}`,
    {
      hint: { remedy: "get a new certificate or rekey offline" },
      // A daemon finds out when another one is put there.
      retry: "slowly",
    },
  );
}

/**
 * Refuses a self-signed certificate, which no CA can take, before it is asked.
 *
 * @param roots a root of the CA may be self-signed
 * @throws {RekeyError} kind `pair`
 */
export async function refuseSelfSigned(
  certificate: Certificate,
  roots: readonly Certificate[],
  act: Act,
): Promise<void> {
  const isRoot = roots.some(({ der }) => equalBytes(der, certificate.der));
  if (isRoot || !await isSelfSigned(certificate)) return;
  throw new RekeyError(
    "pair",
    `error ${
      ACT_WORDS[act].doing
    } certificate: the current certificate is self-signed: no CA has issued it, so none can replace it`,
    { hint: { remedy: "get a new certificate" } },
  );
}

/** Whether no other certificate stands above it. */
export async function isSelfSigned(certificate: Certificate): Promise<boolean> {
  return isSelfIssued(certificate) &&
    await isSignedBy(certificate, certificate);
}

/**
 * Refuses a certificate that is not for clients, before the CA is asked: every
 * server of Go, step-ca among them, verifies the usage of client certificates.
 *
 * @throws {CannotRekeyError} kind `pair`: an older CA takes it in a token
 */
export function refuseServersOnly(certificate: Certificate, act: Act): void {
  if (isForClients(certificate)) return;
  const { doing } = ACT_WORDS[act];
  throw new CannotRekeyError(
    "pair",
    `error ${doing} certificate: the current certificate is not for client authentication (no clientAuth in its extended key usage), which ${doing} needs`,
    { hint: { remedy: "get a new certificate or rekey offline" } },
  );
}

/**
 * Whether TLS takes it from a client.
 *
 * @throws {RekeyError} kind `pair` where that cannot be read
 */
export function isForClients(certificate: Certificate): boolean {
  const usages = readUsages(certificate);
  return usages === undefined ||
    usages.some((oid) => CLIENT_USAGES.includes(oid));
}

/**
 * What a person should know of the current certificate before the CA is asked,
 * whose clock may be another.
 */
export function clockWarning(
  { notBefore }: Certificate,
  now: Date,
): string | undefined {
  if (notBefore <= now) return undefined;
  const [begin, present] = [notBefore, now].map(formatInstant);
  return `the current certificate is not valid before ${begin}, and it is ${present} by this machine's clock; the CA may refuse it`;
}

/**
 * What to look at when the CA ends the TLS handshake because of this
 * certificate. TLS itself says very little: Go's servers, step-ca among them,
 * send `bad certificate` for nearly everything.
 */
export function clientCertificateHint(
  certificate: Certificate,
  now: Date,
): Hint {
  return certificate.notBefore > now
    ? `the current certificate is not valid before ${
      formatInstant(certificate.notBefore)
    }; compare the clocks`
    : { remedy: "check the CA and the clocks" };
}

function readUsages(certificate: Certificate): readonly string[] | undefined {
  try {
    return extendedKeyUsage(certificate);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new RekeyError("pair", error.message, { cause: error });
  }
}
