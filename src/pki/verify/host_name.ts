/**
 * Whether a certificate is for a host, as Go decides it (crypto/x509 verify.go,
 * VerifyHostname): by its alternative names alone, `*` for one whole first label.
 */
import { equalBytes } from "../../base/bytes.ts";
import { parseAddress, plainAddress } from "../../base/ip_address.ts";
import type { Certificate } from "../certificate/certificate.ts";

/** @returns what is wrong, in Go's words; undefined when it is for this host */
export function hostNameProblem(
  { names }: Certificate,
  host: string,
): string | undefined {
  const address = parseAddress(host.replace(/^\[(.*)\]$/, "$1"));
  const form = address === undefined ? "DNS:" : "IP:";
  const own = names.filter((name) => name.startsWith(form))
    .map((name) => name.slice(form.length));
  const isMatch = address === undefined
    ? own.some((pattern) => isHostIn(pattern, host))
    : own.some((text) => isSameAddress(text, address));
  if (isMatch) return undefined;
  if (names.length === 0) {
    return "certificate relies on legacy Common Name field, use SANs instead";
  }
  if (address !== undefined && own.length === 0) {
    return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  }
  return own.length === 0
    ? `certificate is not valid for any names, but wanted to match ${host}`
    : `certificate is valid for ${own.join(", ")}, not ${host}`;
}

function isHostIn(pattern: string, host: string): boolean {
  const wanted = host.toLowerCase().replace(/\.$/, "").split(".");
  const labels = pattern.toLowerCase().split(".");
  return wanted.length === labels.length &&
    wanted.every((label, at) =>
      label !== "" &&
      (label === labels[at] || (at === 0 && labels[0] === "*"))
    );
}

function isSameAddress(text: string, address: Uint8Array): boolean {
  const own = parseAddress(text);
  return own !== undefined &&
    equalBytes(plainAddress(own), plainAddress(address));
}
