/**
 * What extensions say that nothing in the program acts on, but people are shown.
 *
 * Each reader takes the content of the extension, and throws
 * {@linkcode MalformedError} when that is malformed.
 */
import { addressToText, plainAddress } from "../../base/ip_address.ts";
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readLeadingDer,
  requireTag,
} from "../asn1/der.ts";
import {
  decodeText,
  octetsToText,
  readObjectIdentifier,
} from "../asn1/der_values.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import {
  type GeneralName,
  generalNameToText,
  readAlternativeNames,
} from "../certificate/general_name.ts";
import { readStepProvisioner } from "../certificate/step_extension.ts";

/** Extensions that only this folder knows. */
export const FURTHER_OID = {
  issuerAltName: "2.5.29.18",
  informationAccess: "1.3.6.1.5.5.7.1.1",
  comment: "2.16.840.1.113730.1.13",
  /** RFC 6962 §3.3. */
  timestamps: "1.3.6.1.4.1.11129.2.4.2",
  registrationAuthority: "1.3.6.1.4.1.37476.9000.64.2",
} as const;

/** Names by their form, in their order. Texts are not safe to print. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly email: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  /** Names in the form of a subject. */
  readonly directory: readonly DerElement[];
  readonly registeredIds: readonly string[];
  readonly other: readonly {
    readonly oid: string;
    readonly value: Uint8Array;
  }[];
}

/** Reads a subjectAltName or issuerAltName (RFC 5280 §4.2.1.6). */
export function alternativeNames(value: Uint8Array): AlternativeNames {
  return explainMalformed(() => {
    const names = readAlternativeNames(value);
    // Proves what the readers below rely on.
    for (const name of names) generalNameToText(name);
    const texts = (form: GeneralName["form"]) =>
      names.filter((name) => name.form === form)
        .map(({ element }) => octetsToText(element.content));
    const elements = (tag: number) =>
      names.filter(({ element }) => element.tag === tag)
        .map(({ element }) => element);
    return {
      dns: texts("DNS"),
      email: texts("email"),
      ip: elements(0x87).map(({ content }) =>
        addressToText(plainAddress(content))
      ),
      uri: texts("URI"),
      directory: elements(0xa4).map((element) =>
        new DerFields(element, element.tag).take()
      ),
      registeredIds: elements(0x88).map((element) =>
        readObjectIdentifier({ ...element, tag: DER_TAG.objectIdentifier })
      ),
      other: elements(0xa0).map((element) => {
        const fields = new DerFields(element, element.tag);
        const oid = readObjectIdentifier(fields.take());
        return { oid, value: fields.take().content };
      }),
    };
  });
}

/** The addresses of cRLDistributionPoints (RFC 5280 §4.2.1.13). */
export function crlAddresses(value: Uint8Array): readonly string[] {
  return read(value, (list) =>
    list.children.flatMap((point) => {
      const name = new DerFields(point).takeOptional(0xa0);
      const full = name?.children.find(({ tag }) => tag === 0xa0);
      return (full?.children ?? []).flatMap(addressOf);
    }));
}

/** One policy and where its statement is. */
export interface Policy {
  readonly oid: string;
  readonly statements: readonly string[];
}

/** id-qt-cps (RFC 5280 §4.2.1.4). */
const STATEMENT = "1.3.6.1.5.5.7.2.1";

/** certificatePolicies (RFC 5280 §4.2.1.4), without the notices. */
export function policies(value: Uint8Array): readonly Policy[] {
  return read(value, (list) =>
    list.children.map((element) => {
      const fields = new DerFields(element);
      const oid = readObjectIdentifier(fields.take());
      const qualifiers = fields.takeOptional(DER_TAG.sequence)?.children ?? [];
      const statements = qualifiers.flatMap((qualifier) => {
        const parts = new DerFields(qualifier);
        const isStatement = readObjectIdentifier(parts.take()) === STATEMENT;
        return isStatement ? octetsToText(parts.take().content) : [];
      });
      return { oid, statements };
    }));
}

/** Where to ask about a certificate, and where its issuer's is. */
export interface InformationAccess {
  readonly ocsp: readonly string[];
  readonly issuers: readonly string[];
}

/** authorityInfoAccess (RFC 5280 §4.2.2.1). */
export function informationAccess(value: Uint8Array): InformationAccess {
  return read(value, (list) => {
    const entries = list.children.map((element) => {
      const fields = new DerFields(element);
      const method = readObjectIdentifier(fields.take());
      return { method, addresses: addressOf(fields.take()) };
    });
    const by = (oid: string) =>
      entries.filter(({ method }) => method === oid)
        .flatMap(({ addresses }) => addresses);
    return {
      ocsp: by("1.3.6.1.5.5.7.48.1"),
      issuers: by("1.3.6.1.5.5.7.48.2"),
    };
  });
}

/** Of a GeneralName that is a URI; of another, nothing. */
function addressOf({ tag, content }: DerElement): readonly string[] {
  return tag === 0x86 ? [octetsToText(content)] : [];
}

/** A string of any type, as of a comment. */
export function stringValue(value: Uint8Array): string {
  return read(value, ({ content }) => decodeText("utf-8", content));
}

/** That a log of certificate transparency has seen the certificate. */
export interface SignedTimestamp {
  /** 0 for version 1. */
  readonly version: number;
  readonly logId: Uint8Array;
  readonly time: Date;
  /** Such as `SHA256-ECDSA`. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/** The names of RFC 5246 §7.4.1.4.1, by their numbers. */
const TLS_HASHES = "None MD5 SHA1 SHA224 SHA256 SHA384 SHA512".split(" ");
const TLS_SIGNATURES = "Anonymous RSA DSA ECDSA".split(" ");

/** SignedCertificateTimestampList (RFC 6962 §3.3), a structure of TLS. */
export function signedTimestamps(
  value: Uint8Array,
): readonly SignedTimestamp[] {
  return read(value, (element) => {
    const { content } = requireTag(element, DER_TAG.octetString);
    const whole = new TlsReader(content);
    const list = new TlsReader(whole.vector());
    whole.end();
    const timestamps: SignedTimestamp[] = [];
    while (!list.isAtEnd) timestamps.push(signedTimestamp(list.vector()));
    return timestamps;
  });
}

function signedTimestamp(octets: Uint8Array): SignedTimestamp {
  const reader = new TlsReader(octets);
  const version = reader.number(1);
  const logId = reader.take(32);
  const time = new Date(reader.number(8));
  reader.vector(); // extensions, of which there are none yet
  const hash = reader.number(1);
  const scheme = reader.number(1);
  const signature = reader.vector();
  reader.end();
  if (Number.isNaN(time.getTime())) throw new SyntaxError();
  const algorithm = `${TLS_HASHES[hash] ?? hash}-${
    TLS_SIGNATURES[scheme] ?? scheme
  }`;
  return { version, logId, time, algorithm, signature };
}

/** Reads forward through a structure of TLS (RFC 5246 §4). */
class TlsReader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#octets.length;
  }

  /** @throws {SyntaxError} when there are not so many */
  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#octets.length) throw new SyntaxError();
    const taken = this.#octets.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(octets: number): number {
    return this.take(octets).reduce((sum, octet) => sum * 256 + octet, 0);
  }

  /** Octets behind their count, which takes two. */
  vector(): Uint8Array {
    return this.take(this.number(2));
  }

  /** @throws {SyntaxError} when something is left */
  end(): void {
    if (!this.isAtEnd) throw new SyntaxError();
  }
}

/** Names and their values. */
export type Details = readonly (readonly [name: string, value: string])[];

/** Which provisioner allowed the certificate. */
export interface Provisioner {
  /** Undefined for one that is not known here. */
  readonly type: string | undefined;
  readonly number: number;
  readonly name: string;
  /** The id of its key; may be empty. */
  readonly credentialId: string;
  readonly details: Details;
}

/** By their numbers (smallstep/certificates authority/provisioner/provisioner.go). */
const PROVISIONER_TYPES =
  "NOOP JWK OIDC GCP AWS Azure ACME X5C K8sSA SSHPOP SCEP Nebula".split(" ");

export function provisioner(value: Uint8Array): Provisioner {
  return explainMalformed(() => {
    const { type: number, details, ...facts } = readStepProvisioner(value);
    const type = PROVISIONER_TYPES[number];
    return { ...facts, type, number, details: inPairs(details) };
  });
}

/** Which registration authority asked for the certificate (smallstep/certificates). */
export interface RegistrationAuthority {
  readonly type: string;
  /** May be empty. */
  readonly certificateId: string;
  readonly details: Details;
}

export function registrationAuthority(
  value: Uint8Array,
): RegistrationAuthority {
  return read(value, (element) => {
    const text = ({ content }: DerElement) => decodeText("utf-8", content);
    const members = requireTag(element, DER_TAG.sequence).children;
    const list = members.find(({ tag }) => tag === DER_TAG.sequence);
    const [type, id] = members.filter((member) => member !== list).map(text);
    if (type === undefined) throw new SyntaxError();
    const details = inPairs((list?.children ?? []).map(text));
    return { type, certificateId: id ?? "", details };
  });
}

function inPairs(texts: readonly string[]): Details {
  return texts.filter((_, index) => index % 2 === 0)
    .map((name, index) => [name, texts[2 * index + 1] ?? "-"]);
}

function read<T>(value: Uint8Array, reader: (element: DerElement) => T): T {
  return explainMalformed(() => reader(readLeadingDer(value)));
}
