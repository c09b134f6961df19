/**
 * Name constraints: which names a CA may certify (RFC 5280 §4.2.1.10).
 *
 * One implementation for both uses: the offline CA asks before it signs, and
 * verification asks about what an online CA signed. The rules and texts are
 * those of step-ca (authority/internal/constraints).
 */
import { type Certificate, EXTENSION_OID } from "../certificate/certificate.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import { type DerElement, DerFields, readDer } from "../asn1/der.ts";
import {
  relativeNames,
  relativeNameText,
} from "../certificate/distinguished_name.ts";
import { type Extended, findExtension } from "../certificate/extensions.ts";
import {
  type GeneralName,
  readAlternativeNames,
  readAscii,
  readGeneralName,
} from "../certificate/general_name.ts";
import { readMailbox, reverseLabels } from "./mailbox.ts";
import {
  constraintText,
  type Matcher,
  MATCHERS,
  nameText,
  prefixLength,
  quote,
} from "./name_matching.ts";

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/**
 * Reads the nameConstraints of a certificate; undefined when it has none.
 *
 * @throws {MalformedError} when they are malformed, empty, or use the
 *   minimum and maximum that RFC 5280 forbids
 */
export function nameConstraints(
  certificate: Extended,
): NameConstraints | undefined {
  const extension = findExtension(certificate, EXTENSION_OID.nameConstraints);
  if (extension === undefined) return undefined;
  return explainMalformed(() => {
    const fields = new DerFields(readDer(extension.value));
    const permitted = readSubtrees(fields, 0xa0);
    const excluded = readSubtrees(fields, 0xa1);
    fields.end();
    if (permitted.length + excluded.length === 0) {
      throw new SyntaxError("empty name constraints extension");
    }
    return { permitted, excluded };
  });
}

function readSubtrees(fields: DerFields, tag: number): GeneralName[] {
  const subtrees = fields.takeOptional(tag);
  if (subtrees === undefined) return [];
  return subtrees.children.map((subtree) => {
    const base = new DerFields(subtree);
    const name = readGeneralName(base.take());
    // The minimum says how far below the base a name begins: RFC 5280 wants 0.
    const minimum = base.takeOptional(0x80);
    if (minimum?.content.some((octet) => octet !== 0)) throw new SyntaxError();
    base.end();
    checkBase(name);
    return name;
  });
}

/** Refuses constraints that could never be matched as they were meant. */
function checkBase({ form, element: { content } }: GeneralName): void {
  switch (form) {
    case "IP":
      if (content.length !== 8 && content.length !== 32) {
        throw new SyntaxError(
          `IP constraint contained value of length ${content.length}`,
        );
      }
      prefixLength(content.subarray(content.length / 2));
      return;
    case "DNS":
    case "URI":
    case "email": {
      const text = readAscii(content, form);
      const isUsable = form === "email" && text.includes("@")
        ? readMailbox(text) !== undefined
        : reverseLabels(text) !== undefined;
      if (!isUsable) {
        throw new SyntaxError(
          `failed to parse ${form} constraint ${quote(text)}`,
        );
      }
      return;
    }
    default:
      return;
  }
}

/**
 * Why the names of a certificate break the constraints of its issuers, or
 * undefined when they do not.
 *
 * As in step-ca, the lists of all `sources` are put together: a name must match
 * no excluded entry of any, and, where there are permitted entries of its type,
 * one of them. (RFC 5280 §6.1 wants that of each issuer by itself: ask once per
 * issuer for that.) DNS names, IP addresses, email addresses and URIs are
 * looked at, in this order; never the common name.
 *
 * @param certificate whose subject alternative names are in question
 * @param sources the certificates of the CAs that constrain
 * @returns step-ca's text, such as `DNS name "a.b" is not permitted by any
 *   constraint`. step-ca answers 403 with it, but 500 when it begins with
 *   `cannot parse rfc822Name`.
 * @throws {MalformedError} when a source's constraints are malformed
 */
export function nameConstraintViolation(
  certificate: Certificate,
  sources: readonly Certificate[],
): string | undefined {
  const all = sources.flatMap((source) => nameConstraints(source) ?? []);
  const permitted = all.flatMap((list) => list.permitted);
  const excluded = all.flatMap((list) => list.excluded);
  const isConstrained = [...permitted, ...excluded].some(({ form }) =>
    MATCHERS.has(form)
  );
  if (!isConstrained) return undefined;
  const names = alternativeNames(certificate);
  for (const [form, matcher] of MATCHERS) {
    const isForm = (name: GeneralName) => name.form === form;
    const lists = {
      permitted: permitted.filter(isForm),
      excluded: excluded.filter(isForm),
    };
    for (const name of names.filter(isForm)) {
      const violation = violationOf(name, { ...lists, ...matcher });
      if (violation !== undefined) return violation;
    }
  }
  return undefined;
}

function alternativeNames(certificate: Certificate): readonly GeneralName[] {
  const extension = findExtension(certificate, EXTENSION_OID.subjectAltName);
  if (extension === undefined) return [];
  return explainMalformed(() => readAlternativeNames(extension.value));
}

function violationOf(
  name: GeneralName,
  rules: Matcher & NameConstraints,
): string | undefined {
  const text = nameText(name);
  if (name.form === "email" && readMailbox(text) === undefined) {
    return `cannot parse rfc822Name ${quote(text)}`;
  }
  const described = `${rules.label} ${quote(text)}`;
  for (const constraint of rules.excluded) {
    const result = rules.match(name, constraint);
    if ("fault" in result) return result.fault;
    if (result.matches) {
      const entry = quote(constraintText(constraint));
      return `${described} is excluded by constraint ${entry}`;
    }
  }
  for (const constraint of rules.permitted) {
    const result = rules.match(name, constraint);
    if ("fault" in result) return result.fault;
    if (result.matches) return undefined;
  }
  if (rules.permitted.length === 0) return undefined;
  return `${described} is not permitted by any constraint`;
}

/**
 * Why the directory names of a certificate (its subject is one) break the
 * constraints of one issuer, or undefined. Names of forms that cannot be
 * compared, such as otherName, are not let through where they are constrained
 * (RFC 5280 §4.2.1.10: "process the constraint or reject the certificate").
 *
 * step-ca does not look at these.
 *
 * @throws {MalformedError} when the constraints are malformed
 */
export function directoryConstraintViolation(
  certificate: Certificate,
  issuer: Certificate,
): string | undefined {
  const constraints = nameConstraints(issuer);
  if (constraints === undefined) return undefined;
  const { permitted, excluded } = constraints;
  const others = [...permitted, ...excluded].filter(({ form }) =>
    form === "other"
  );
  const names = alternativeNames(certificate);
  for (const { element: { tag } } of others) {
    if (names.some(({ element }) => element.tag === tag)) {
      return "a name of a type that cannot be compared is constrained";
    }
  }
  return explainMalformed(() => {
    const allowed = directoryBases(permitted);
    const denied = directoryBases(excluded);
    for (const name of directoryNames(certificate, names)) {
      if (denied.some((base) => isBelow(name, base))) {
        return `the name ${quote(name.join(","))} is excluded`;
      }
      if (allowed.length > 0 && !allowed.some((base) => isBelow(name, base))) {
        return `the name ${quote(name.join(","))} is not permitted`;
      }
    }
    return undefined;
  });
}

/** The components of a name, folded as RFC 5280 §7.1 compares them. */
type FoldedName = readonly string[];

function directoryNames(
  certificate: Certificate,
  names: readonly GeneralName[],
): readonly FoldedName[] {
  const subject = foldName(readDer(certificate.subjectDer));
  return [subject, ...directoryBases(names)].filter((name) => name.length > 0);
}

function directoryBases(names: readonly GeneralName[]): readonly FoldedName[] {
  return names
    .filter(({ form }) => form === "directory")
    .map(({ element }) => foldName(new DerFields(element, element.tag).take()));
}

function foldName(name: DerElement): FoldedName {
  return relativeNames(name).map((component) =>
    relativeNameText(component).toLowerCase().replace(/\s+/g, " ")
  );
}

function isBelow(name: FoldedName, base: FoldedName): boolean {
  return base.every((component, index) => name[index] === component);
}
