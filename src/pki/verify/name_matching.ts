/**
 * Whether a name falls under a name constraint, form by form, as step-ca decides
 * it (authority/internal/constraints/verify.go).
 */
import {
  addressToText,
  isInBlock,
  parseAddress,
  plainAddress,
} from "../../base/ip_address.ts";
import type {
  GeneralName,
  GeneralNameForm,
} from "../certificate/general_name.ts";
import { octetsToText } from "../asn1/der_values.ts";
import { readMailbox, reverseLabels } from "./mailbox.ts";

/** `matches`, or the reason why that cannot be told. */
export type MatchResult =
  | { readonly matches: boolean }
  | { readonly fault: string };

export interface Matcher {
  /** What step-ca calls names of this form. */
  readonly label: string;
  readonly match: (name: GeneralName, constraint: GeneralName) => MatchResult;
}

/** The forms that step-ca compares, in its order. */
export const MATCHERS: ReadonlyMap<GeneralNameForm, Matcher> = new Map([
  ["DNS", { label: "DNS name", match: matchDnsName }],
  ["IP", { label: "IP address", match: matchAddress }],
  ["email", { label: "Email address", match: matchEmail }],
  ["URI", { label: "URI", match: matchUri }],
]);

/** A name as step-ca's messages show it. */
export function nameText({ form, element: { content } }: GeneralName): string {
  if (form !== "IP") return octetsToText(content);
  // Go prints an IPv4-mapped address as the IPv4 address that it is.
  return addressToText(plainAddress(content));
}

/** A constraint as step-ca's messages show it: addresses in CIDR form. */
export function constraintText(
  { form, element: { content } }: GeneralName,
): string {
  if (form !== "IP") return octetsToText(content);
  const { address, mask } = addressRange(content);
  return `${addressToText(address)}/${prefixLength(mask)}`;
}

function matchDnsName(name: GeneralName, constraint: GeneralName): MatchResult {
  return matchDomain(
    octetsToText(name.element.content),
    octetsToText(constraint.element.content),
  );
}

/** By labels from the right; a dot in front asks for at least one more label. */
function matchDomain(domain: string, constraint: string): MatchResult {
  if (constraint === "") return { matches: true };
  const labels = reverseLabels(domain);
  const wanted = reverseLabels(constraint);
  if (labels === undefined || wanted === undefined) {
    const odd = quote(labels === undefined ? domain : constraint);
    return { fault: `internal error: cannot parse domain ${odd}` };
  }
  const atLeast = wanted.length + (constraint.startsWith(".") ? 1 : 0);
  const matches = labels.length >= atLeast &&
    wanted.every((label, index) =>
      label.toLowerCase() === labels[index]?.toLowerCase()
    );
  return { matches };
}

function matchAddress(name: GeneralName, constraint: GeneralName): MatchResult {
  const octets = plainAddress(name.element.content);
  return {
    matches: isInBlock(octets, addressRange(constraint.element.content)),
  };
}

function matchEmail(name: GeneralName, constraint: GeneralName): MatchResult {
  const mailbox = readMailbox(octetsToText(name.element.content));
  const text = octetsToText(constraint.element.content);
  if (mailbox === undefined) return { matches: false };
  if (!text.includes("@")) return matchDomain(mailbox.domain, text);
  const wanted = readMailbox(text);
  if (wanted === undefined) {
    return { fault: `internal error: cannot parse constraint ${quote(text)}` };
  }
  // The case of the local part counts, that of the domain does not.
  const matches = mailbox.local === wanted.local &&
    mailbox.domain.toLowerCase() === wanted.domain.toLowerCase();
  return { matches };
}

function matchUri(name: GeneralName, constraint: GeneralName): MatchResult {
  const uri = octetsToText(name.element.content);
  const host = uriHost(uri);
  const place = `(${quote(uri)}) cannot be matched against constraints`;
  if (host === undefined) return { fault: `URI with an odd host ${place}` };
  if (host === "") return { fault: `URI with empty host ${place}` };
  if (host.startsWith("[") || parseAddress(host) !== undefined) {
    return { fault: `URI with IP ${place}` };
  }
  return matchDomain(host, octetsToText(constraint.element.content));
}

/**
 * Host of the authority (RFC 3986 §3.2.2), without user and port; undefined for
 * one that readers of URIs take for different hosts, as they do with a backslash
 * or an escape.
 */
function uriHost(uri: string): string | undefined {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1] ??
    "";
  const host = authority.replace(/^[^]*@/, "").replace(/:\d*$/, "");
  // deno-lint-ignore no-control-regex
  const isOdd = /[\x00-\x20\x7f"<>\\^`{|}]/.test(authority);
  return isOdd || host.includes("%") ? undefined : host;
}

function addressRange(
  content: Uint8Array,
): { readonly address: Uint8Array; readonly mask: Uint8Array } {
  const half = content.length / 2;
  const address = plainAddress(content.subarray(0, half));
  return { address, mask: content.subarray(content.length - address.length) };
}

/**
 * Number of leading one bits of a mask.
 *
 * @throws {SyntaxError} when others follow behind a zero
 */
export function prefixLength(mask: Uint8Array): number {
  const bits = Array.from(
    mask,
    (octet) => octet.toString(2).padStart(8, "0"),
  ).join("");
  if (!/^1*0*$/.test(bits)) {
    throw new SyntaxError(
      `IP constraint contained invalid mask ${mask.toHex()}`,
    );
  }
  return bits.replace(/0+$/, "").length;
}

/** In double quotes, safe to print; what Go's %q makes of ASCII. */
export function quote(text: string): string {
  const escaped = text
    .replace(/["\\]/g, "\\$&")
    .replace(
      // deno-lint-ignore no-control-regex
      /[\x00-\x1f\x7f]/g,
      (character) =>
        `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  return `"${escaped}"`;
}
