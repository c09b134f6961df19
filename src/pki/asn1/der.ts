/**
 * DER elements (X.690), read strictly into plain data.
 *
 * Our own reader: certificates are on the path of every run, and a library's
 * decoder alone adds 8 to 15 ms to it. tests/fuzz holds it against one, and
 * against openssl. What is not DER is refused: two readers must never see
 * different certificates in the same bytes.
 * No input makes it recurse or allocate without bound.
 */

/** One decoded element; the arrays are views into one private copy. */
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
 * Reads bytes that hold exactly one DER element.
 *
 * @throws {SyntaxError} with an empty message: not DER, or bytes behind it
 */
export function readDer(bytes: Uint8Array): DerElement {
  const element = readLeadingDer(bytes);
  if (element.der.length !== bytes.length) throw new SyntaxError();
  return element;
}

/**
 * Reads the DER element at the start of `bytes`; what follows is not looked
 * at. For places where Go, which step-ca is written in, ignores the rest.
 *
 * @throws {SyntaxError} with an empty message: not DER
 */
export function readLeadingDer(bytes: Uint8Array): DerElement {
  return new DerReader(bytes).read(bytes.length, 0);
}

/** Levels of nesting; those of certificates and keys are about ten. */
const MAX_DEPTH = 64;

/** A certificate has about a hundred; each takes some 200 bytes of memory. */
const MAX_ELEMENTS = 100_000;

/** Reads forward through one private copy of the bytes. */
class DerReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;
  #elements = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes);
  }

  /** The next element with all that it holds, none of it at `end` or behind. */
  read(end: number, depth: number): DerElement {
    this.#elements++;
    if (depth > MAX_DEPTH || this.#elements > MAX_ELEMENTS) {
      throw new SyntaxError();
    }
    const start = this.#at;
    const tag = this.#readOctet(end);
    if (!isDerTag(tag)) throw new SyntaxError();
    const length = this.#readLength(end);
    const contentStart = this.#at;
    const contentEnd = contentStart + length;
    if (contentEnd > end) throw new SyntaxError();
    const children: DerElement[] = [];
    if (isConstructed(tag)) {
      while (this.#at < contentEnd) {
        children.push(this.read(contentEnd, depth + 1));
      }
    }
    this.#at = contentEnd;
    return {
      tag,
      der: this.#bytes.subarray(start, contentEnd),
      content: this.#bytes.subarray(contentStart, contentEnd),
      children,
    };
  }

  #readOctet(end: number): number {
    const octet = this.#bytes[this.#at];
    if (octet === undefined || this.#at >= end) throw new SyntaxError();
    this.#at++;
    return octet;
  }

  /** X.690 §10.1: definite, and in as few octets as possible. */
  #readLength(end: number): number {
    const first = this.#readOctet(end);
    if (first < 0x80) return first;
    const octets = first - 0x80;
    // None is the indefinite form; four are gigabytes.
    if (octets < 1 || octets > 4) throw new SyntaxError();
    let length = 0;
    for (let octet = 0; octet < octets; octet++) {
      length = length * 0x100 + this.#readOctet(end);
    }
    const isShortest = length >= 0x80 && length >= 0x100 ** (octets - 1);
    if (!isShortest) throw new SyntaxError();
    return length;
  }
}

function isConstructed(tag: number): boolean {
  return (tag & 0x20) !== 0;
}

/**
 * Whether an element of DER can begin with this octet. Of the universal types,
 * sequences and sets are constructed and all others are not (X.690 §10.2); 0 is
 * BER's end of contents. Numbers of several octets (§8.1.2.4) are in nothing
 * that is read here, and Go refuses them as well.
 */
function isDerTag(tag: number): boolean {
  const number = tag & 0x1f;
  if (number === 0x1f) return false;
  if (tag >= 0x40) return true;
  const isCollection = number === 0x10 || number === 0x11;
  return tag !== 0 && isConstructed(tag) === isCollection;
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
