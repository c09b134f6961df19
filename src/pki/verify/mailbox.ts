/**
 * Domains and mailboxes as name constraints compare them.
 *
 * The rules, odd ones included, are those of Go's crypto/x509/verify.go, which
 * step-ca uses (authority/internal/constraints/verify.go): what the CA accepts
 * and what is accepted here must not differ.
 */

/** `local@domain` of an rfc822Name, unescaped. */
export interface Mailbox {
  readonly local: string;
  readonly domain: string;
}

/**
 * The labels of a domain, the last one first; undefined when it is none (empty
 * labels, a dot at the end, characters outside 33..126). The empty domain has
 * no labels; one dot in front is ignored.
 */
export function reverseLabels(domain: string): readonly string[] | undefined {
  if (domain === "") return [];
  const labels = domain.replace(/^\./, "").split(".");
  const isDomain = labels.every((label) => /^[\x21-\x7e]+$/.test(label));
  return isDomain ? labels.reverse() : undefined;
}

// RFC 2821 §4.1.2, Quoted-string: qtext (with the space that RFC 3696 shows)
// or any character behind a backslash.
const QUOTED_MAILBOX =
  // deno-lint-ignore no-control-regex
  /^"((?:[\x01-\x08\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*)"@([^]*)$/;

// Atoms of RFC 2822 §3.2.4 and dots; RFC 3696 §3 escapes outside of quotes too.
const PLAIN_MAILBOX = /^((?:[0-9A-Za-z!#$%&'*+\-/=?^_`{|}~.]|\\[^])+)@([^]*)$/;

/** Splits an rfc822Name (RFC 2821 §4.1.2); undefined when it is none. */
export function readMailbox(text: string): Mailbox | undefined {
  const isQuoted = text.startsWith('"');
  const match = (isQuoted ? QUOTED_MAILBOX : PLAIN_MAILBOX).exec(text);
  if (match === null) return undefined;
  const [, escaped = "", domain = ""] = match;
  const local = escaped.replace(/\\([^])/g, "$1");
  const hasStrayDot = local.startsWith(".") || local.endsWith(".") ||
    local.includes("..");
  if (!isQuoted && hasStrayDot) return undefined;
  return reverseLabels(domain) && { local, domain };
}
