/**
 * DER elements (X.690) as plain data, decoded by the ASN.1 library.
 *
 * The library's schemas build one object per field and re-encode what they
 * read; certificates are compared and verified by their original bytes, and
 * they are on the path of every run. So only the decoder of the library is
 * used here, and each element keeps its bytes. What is not DER is refused: two
 * readers must never see different certificates in the same bytes.
 */
import { asn1Schema } from "./x509.ts";

/** One decoded element; every array is a view into one private copy. */
export interface DerElement {
  /** First identifier octet: class, constructed bit and number in one. */
  readonly tag: number;
  /** Identifier, length and content. */
  readonly der: Uint8Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
  /** Empty for a primitive element. */
  readonly children: readonly DerElement[];
}

/** Identifier octets of the universal types in use (X.680 §8.6). */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/**
 * Decodes bytes that hold exactly one DER element.
 *
 * @throws {SyntaxError} with an empty message: not DER, or bytes behind it
 */
export function readDer(bytes: Uint8Array): DerElement {
  const element = readLeadingDer(bytes);
  if (element.der.length !== bytes.length) throw new SyntaxError();
  return element;
}

/**
 * Decodes the DER element at the start of `bytes`; what follows is not looked
 * at. For places where Go, which step-ca is written in, ignores the rest.
 *
 * @throws {SyntaxError} with an empty message: not DER
 */
export function readLeadingDer(bytes: Uint8Array): DerElement {
  return toElement(decode(bytes));
}

/** What we read of the library's decoded objects. */
interface DecodedBlock {
  readonly idBlock: {
    readonly blockLength: number;
    readonly isConstructed: boolean;
  };
  readonly lenBlock: {
    readonly blockLength: number;
    /** What the element claims; 0 for the indefinite form. */
    readonly length: number;
  };
  readonly valueBeforeDecodeView: Uint8Array<ArrayBuffer>;
  readonly valueBlock: { readonly value?: unknown };
}

/** Takes the decoded tree over from the library's converter as it is. */
class DecodedTree {
  root: DecodedBlock | undefined;

  fromASN(root: DecodedBlock): this {
    this.root = root;
    return this;
  }

  // The library knows a converter by having both directions.
  toASN(): never {
    throw new TypeError("a decoded tree is never encoded");
  }
}

function decode(bytes: Uint8Array): DecodedBlock {
  try {
    const tree: DecodedTree = asn1Schema.AsnConvert.parse(
      bytes,
      DecodedTree,
      DECODER_OPTIONS,
    );
    if (tree.root !== undefined) return tree.root;
  } catch (error) {
    throw new SyntaxError("", { cause: error });
  }
  throw new SyntaxError();
}

// Octet strings are not decoded inside: most of them are never looked into. The
// node limit is above what the largest accepted answer (1 MiB) can hold.
const DECODER_OPTIONS = {
  berOptions: { parseEmbedded: false, maxNodes: 1_000_000 },
};

function toElement(block: DecodedBlock): DerElement {
  const der = block.valueBeforeDecodeView;
  const headerLength = block.idBlock.blockLength + block.lenBlock.blockLength;
  const content = der.subarray(headerLength);
  const tag = der[0];
  const { lenBlock } = block;
  // The decoder takes an element to be as long as its members are, and goes on
  // when the length says something else.
  const isDer = lenBlock.length === content.length &&
    lenBlock.blockLength === lengthOctets(content.length);
  if (tag === undefined || !isDer) throw new SyntaxError();
  if (!block.idBlock.isConstructed) {
    return { tag, der, content, children: [] };
  }
  const value = block.valueBlock.value;
  const children = Array.isArray(value) ? value.map(toElement) : [];
  return { tag, der, content, children };
}

/** How many octets DER takes for a length (X.690 §10.1: as few as possible). */
function lengthOctets(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x100) return 2;
  if (length < 0x10000) return 3;
  if (length < 0x1000000) return 4;
  return 5;
}

/** Reads the members of a constructed element one after the other. */
export class DerFields {
  readonly #elements: readonly DerElement[];
  #next = 0;

  /** @throws {SyntaxError} unless `element` has the tag `tag` */
  constructor(element: DerElement, tag: number = DER_TAG.sequence) {
    this.#elements = requireTag(element, tag).children;
  }

  /**
   * The next member.
   *
   * @throws {SyntaxError} when there is none, or one with another tag
   */
  take(tag?: number): DerElement {
    const element = this.#elements[this.#next];
    if (element === undefined) throw new SyntaxError();
    if (tag !== undefined) requireTag(element, tag);
    this.#next++;
    return element;
  }

  /** The next member if it has the tag `tag`, else undefined. */
  takeOptional(tag: number): DerElement | undefined {
    return this.#elements[this.#next]?.tag === tag ? this.take() : undefined;
  }

  /**
   * The one member of the next element, if that has the tag `tag`.
   *
   * @throws {SyntaxError} when it has another number of members
   */
  takeExplicit(tag: number): DerElement | undefined {
    const tagged = this.takeOptional(tag);
    if (tagged === undefined) return undefined;
    const [member, ...others] = tagged.children;
    if (member === undefined || others.length > 0) throw new SyntaxError();
    return member;
  }

  /** Whether every member was taken. */
  get isAtEnd(): boolean {
    return this.#next === this.#elements.length;
  }

  /** @throws {SyntaxError} when members are left */
  end(): void {
    if (!this.isAtEnd) throw new SyntaxError();
  }
}

/**
 * `element` itself.
 *
 * @throws {SyntaxError} when it has another tag than `tag`
 */
export function requireTag(element: DerElement, tag: number): DerElement {
  if (element.tag !== tag) throw new SyntaxError();
  return element;
}

/** Whether two byte strings are the same; not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
