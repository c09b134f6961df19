/**
 * The certificates that a server shows in a TLS handshake. Nothing is sent to it.
 */
import { RekeyError } from "../base/errors.ts";
import { formatDurationMs } from "../base/duration.ts";
import { equalBytes } from "../base/bytes.ts";
import { parseAddress } from "../base/ip_address.ts";
import { readRoots } from "./roots.ts";
import { anchorFault } from "../ca/trust_anchor.ts";
import { explainTls } from "../ca/online/tls_error.ts";
import { pinTrust } from "../ca/online/trust.ts";
import {
  type Certificate,
  type CertificateChain,
  chainToPem,
  parseCertificate,
} from "../pki/certificate/certificate.ts";
import { MalformedError } from "../pki/asn1/malformed.ts";
import type { PeerAddress, PeerOptions } from "./peer_address.ts";

/** The longest handshake, connection included, in ms. */
const HANDSHAKE_MS = 30_000;

/**
 * The chain as the server sent it, verified with the roots unless that is not
 * wanted.
 *
 * @throws {RekeyError} kind `unreachable`; kind `untrusted` when it does not
 *   verify; kind `config` for roots that cannot be read, and where the runtime
 *   does not tell the issuers
 */
export async function readPeerCertificates(
  address: PeerAddress,
  options: PeerOptions,
): Promise<CertificateChain> {
  if (options.insecure) return await shownBy(address, options, undefined);
  const pool = await readRoots(options.roots);
  const anchors = pool.filter((each) => anchorFault(each) === undefined);
  // A host's certificate vouches for itself alone, and for no other.
  const trusted = anchors.length > 0 ? anchors : pool;
  const chain = await shownBy(address, options, trusted);
  const isTrusted = ({ der }: Certificate) =>
    trusted.some((each) => equalBytes(each.der, der));
  if (anchors.length === 0 && !isTrusted(chain[0])) {
    throw untrusted("x509: certificate signed by unknown authority");
  }
  // The runtime adds the root that it found.
  const [leaf, ...issuers] = chain;
  const last = issuers.at(-1);
  return last !== undefined && isTrusted(last)
    ? [leaf, ...issuers.slice(0, -1)]
    : chain;
}

async function shownBy(
  { hostname, port }: PeerAddress,
  { servername, needsIssuers, roots }: PeerOptions,
  trusted: readonly Certificate[] | undefined,
): Promise<CertificateChain> {
  // Deno 2.7 adds its own roots to those that are given, 2.9 does not.
  pinTrust();
  const { connect } = await import("node:tls");
  const { promise, resolve, reject } = Promise.withResolvers<
    CertificateChain
  >();
  const name = servername ?? hostname;
  const socket = connect({
    host: hostname,
    port,
    // An address is no name to ask for, but the one to compare with.
    ...(servername !== undefined && { servername }),
    rejectUnauthorized: trusted !== undefined,
    // Without any, Deno 2.9.6 rejects all the same where its store is empty.
    ca: trusted === undefined ? [] : chainToPem(trusted),
  });
  const limit = setTimeout(() => {
    socket.destroy(
      new Error(`no handshake within ${formatDurationMs(HANDSHAKE_MS)}`),
    );
  }, HANDSHAKE_MS);
  socket.on("close", () => clearTimeout(limit));
  socket.on("error", (error: NodeError) => {
    const peer = { name, address: `${hostname}:${port}`, roots };
    reject(handshakeError(error, peer));
  });
  socket.on("secureConnect", () => {
    const shown: Shown | null = socket.getPeerCertificate(true);
    // Deno 2.7 says so of a handshake that failed, too; the error comes next.
    if (shown?.raw === undefined) return;
    // It has no such method either, and tells the first certificate alone.
    const isWhole = "getPeerX509Certificate" in socket;
    try {
      if (needsIssuers && !isWhole) throw withoutIssuers();
      resolve(chainOf(shown));
    } catch (error) {
      reject(error);
    }
    socket.destroy();
  });
  return await promise;
}

/** The least that a runtime must tell of a certificate. */
interface Shown {
  readonly raw?: Uint8Array;
  readonly issuerCertificate?: Shown;
}

function chainOf(shown: Shown): CertificateChain {
  const ders: Uint8Array[] = [];
  const seen = new Set<Shown>();
  for (let at: Shown | undefined = shown; at; at = at.issuerCertificate) {
    // A root names itself as its issuer.
    if (at.raw === undefined || seen.has(at)) break;
    seen.add(at);
    ders.push(at.raw);
  }
  try {
    const [leaf, ...issuers] = ders.map((der) =>
      parseCertificate(new Uint8Array(der))
    );
    if (leaf === undefined) throw new MalformedError("no certificate");
    return [leaf, ...issuers];
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw untrusted(`x509: ${error.message}`);
  }
}

function withoutIssuers(): RekeyError {
  return new RekeyError(
    "config",
    `Deno ${Deno.version.deno} does not tell the issuers of a server's certificate`,
    { hint: "ask without them, or use a newer Deno" },
  );
}

/** What node:tls adds to an error. */
interface NodeError extends Error {
  readonly code?: string;
}

interface Peer {
  /** What the certificate has to be for. */
  readonly name: string;
  readonly address: string;
  readonly roots: readonly string[];
}

/** Go's words for OpenSSL's names, which node:tls uses since Deno 2.9. */
const UNVERIFIED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "certificate has expired or is not yet valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate signed by unknown authority",
};

/** Go's words for what a system says of a connection. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ENOTFOUND: "no such host",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
  ECONNRESET: "the server closed the connection during TLS",
};

function handshakeError(error: NodeError, peer: Peer): RekeyError {
  const { code = "", message } = error;
  const { name, address, roots } = peer;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const own = parseAddress(name) === undefined
      ? /DNS:([^, ]+)/g
      : /IP Address:([^, ]+)/g;
    const valid = [...message.matchAll(own)].map(([, each]) => each).join(", ");
    return untrusted(
      `x509: certificate is ${
        valid === "" ? "not valid for" : `valid for ${valid}, not`
      } ${name}`,
    );
  }
  if (Object.hasOwn(UNVERIFIED, code)) {
    return untrusted(`x509: ${UNVERIFIED[code]}`);
  }
  const tls = explainTls(message, {
    url: new URL(`https://${name.includes(":") ? `[${name}]` : name}`),
    root: roots.join(", "),
    clientCertificateHint: "the server asks for a client certificate",
  });
  if (tls !== undefined) {
    return /x509:/.test(tls.reason)
      ? untrusted(tls.reason)
      : unreachable(tls.reason, error);
  }
  return Object.hasOwn(UNREACHABLE, code)
    ? unreachable(`dial tcp ${address}: ${UNREACHABLE[code]}`, error)
    : unreachable(message, error);
}

function untrusted(reason: string): RekeyError {
  const inGo = reason.replace(
    /^(?!tls: )/,
    "tls: failed to verify certificate: ",
  );
  return new RekeyError("untrusted", `failed to connect: ${inGo}`);
}

function unreachable(reason: string, cause: Error): RekeyError {
  return new RekeyError("unreachable", `failed to connect: ${reason}`, {
    cause,
  });
}
