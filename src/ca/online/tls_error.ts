/**
 * What rustls says about a server's certificate, or a server about ours, in Go's
 * words and with what to look at.
 */
import { formatInstant } from "../../base/duration.ts";
import { shortened } from "../../base/printable.ts";
import type { Hint } from "../../base/remedy.ts";

/** The reason of a failure in the field's words, and what helps. */
export interface Explanation {
  readonly reason: string;
  readonly hint?: Hint | undefined;
}

export interface TlsPeer {
  readonly url: URL;
  /** The files of the roots. */
  readonly root: string;
  /** What to look at when the CA refuses the client certificate. */
  readonly clientCertificateHint: Hint;
}

/** Undefined when the text is not about TLS. */
export function explainTls(
  text: string,
  peer: TlsPeer,
): Explanation | undefined {
  return explainServerCertificate(text, peer) ?? explainAlert(text, peer);
}

/** The text of a server certificate that rustls rejected. */
function explainServerCertificate(
  text: string,
  { url, root }: TlsPeer,
): Explanation | undefined {
  const problem = /invalid peer certificate: (.+)$/.exec(text)?.[1]
    ?.replace(/^Other\(OtherError\((.+)\)\)$/, "$1");
  if (problem === undefined) return undefined;
  const reason = (x509: string) =>
    `tls: failed to verify certificate: x509: ${x509}`;
  // A self-signed one that is a CA fails as such, before its issuer matters.
  const isCa = problem.startsWith("CaUsedAsEndEntity");
  if (isCa || /^(UnknownIssuer|BadSignature|EndEntityUsedAsCa)/.test(problem)) {
    return {
      reason: reason(
        isCa
          ? "a CA certificate in the place of a server's"
          : "certificate signed by unknown authority",
      ),
      hint:
        `the server's certificate does not chain to ${root}: is it the root of this CA, and is ${url.host} the CA?`,
    };
  }
  const expired = /^certificate (?:expired|not valid yet)/.test(problem);
  if (expired || /^(Expired|NotValidYet)/.test(problem)) {
    return {
      reason: reason(
        `certificate has expired or is not yet valid: ${datesOf(problem)}`,
      ),
      hint:
        "compare this machine's clock with the CA's; the CA renews its own certificate when it restarts",
    };
  }
  const names =
    /not valid for name "?([^";]+)"?(?:; certificate is (?:only )?valid for (.+))?/
      .exec(problem);
  if (names !== null || problem.startsWith("NotValidForName")) {
    const valid = shortened(namesIn(names?.[2] ?? ""));
    const host = url.hostname.replace(/^\[|\]$/g, "");
    return {
      reason: reason(
        valid === ""
          ? `certificate is not valid for ${host}`
          : `certificate is valid for ${valid}, not ${host}`,
      ),
      hint: { remedy: "address the CA by a certified name" },
    };
  }
  if (/extended key usage/.test(problem)) {
    return {
      reason: reason(
        "certificate specifies an incompatible key usage: not for servers",
      ),
    };
  }
  return { reason: reason(shortened(problem)) };
}

/** rustls: `verification time 1795 (UNIX), but certificate is not valid after 1609 …`. */
function datesOf(problem: string): string {
  const [now, limit] = [...problem.matchAll(/\b\d{6,12}\b/g)]
    .map(([seconds]) => formatInstant(new Date(Number(seconds) * 1000)));
  if (now === undefined || limit === undefined) return problem;
  const order = /not valid after/.test(problem) ? "after" : "before";
  return `current time ${now} is ${order} ${limit}`;
}

/** rustls: `DnsName("a") or IpAddress(127.0.0.1)`. */
function namesIn(text: string): string {
  return [...text.matchAll(/(?:DnsName\("([^"]*)"\)|IpAddress\(([^)]*)\))/g)]
    .map(([, dns, ip]) => dns ?? ip).join(", ");
}

/** rustls' names of alerts about our certificate, in Go's words (crypto/tls alert.go). */
const CLIENT_CERTIFICATE_ALERTS: Readonly<Record<string, string>> = {
  BadCertificate: "bad certificate",
  UnsupportedCertificate: "unsupported certificate",
  CertificateRevoked: "revoked certificate",
  CertificateExpired: "expired certificate",
  CertificateUnknown: "unknown certificate",
  UnknownCA: "unknown certificate authority",
  CertificateRequired: "certificate required",
  AccessDenied: "access denied",
  DecryptError: "error decrypting message",
};

function explainAlert(
  text: string,
  { clientCertificateHint }: TlsPeer,
): Explanation | undefined {
  const alert = /received fatal alert: (\w+)/.exec(text)?.[1];
  if (alert === undefined) {
    return /InvalidContentType/.test(text)
      ? {
        reason: "tls: first record does not look like a TLS handshake",
        hint: { remedy: "check the CA's port" },
      }
      : undefined;
  }
  const known = CLIENT_CERTIFICATE_ALERTS[alert];
  if (known !== undefined) {
    return {
      reason: `remote error: tls: ${known}`,
      hint: clientCertificateHint,
    };
  }
  if (alert === "ProtocolVersion") {
    return {
      reason: "remote error: tls: protocol version not supported",
      hint: "the server has to speak TLS 1.2 or 1.3",
    };
  }
  const words = alert.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  return { reason: `remote error: tls: ${words}` };
}
