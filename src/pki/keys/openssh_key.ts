/**
 * `OPENSSH PRIVATE KEY`: the format of ssh-keygen (openssh-portable
 * PROTOCOL.key; the numbers are laid out as in the SSH agent protocol §3.2).
 *
 * Read only, and only without a passphrase.
 */
import { MalformedError } from "../asn1/malformed.ts";
import { CURVES, ED25519_BYTES, nameOf } from "./algorithms.ts";
import {
  type KeyNumbers,
  MalformedKeyError,
  toBigInt,
  unsupportedKey,
} from "./key_numbers.ts";

const MAGIC = "openssh-key-v1\0";
const WHAT = "OpenSSH private key";
/** In front of the name of a curve (RFC 5656 §10.1). */
const ECDSA = "ecdsa-sha2-";

/**
 * Reads the content of an `OPENSSH PRIVATE KEY` block.
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} when it is encrypted, or of a type that is
 *   not supported
 */
export function decodeOpenSsh(content: Uint8Array): KeyNumbers {
  const file = new SshReader(content);
  if (file.text(MAGIC.length) !== MAGIC) throw new MalformedKeyError(WHAT);
  const cipher = file.name();
  const derivation = file.name();
  file.string();
  if (cipher !== "none" || derivation !== "none") {
    throw new MalformedError(
      "unsupported private key: found an encrypted OpenSSH key, supported are those without passphrase",
      { hint: "take the passphrase off: ssh-keygen -p -N '' -f <key-file>" },
    );
  }
  if (file.number() !== 1) throw new MalformedKeyError(WHAT);
  const outer = new SshReader(file.string());
  const secret = new SshReader(file.string());
  file.end();
  if (secret.number() !== secret.number()) throw new MalformedKeyError(WHAT);
  const numbers = readNumbers(secret, outer);
  outer.end();
  secret.string(); // the comment
  secret.padding();
  return numbers;
}

/** Both halves of the file name the public key; `key_import.ts` checks both. */
function readNumbers(secret: SshReader, outer: SshReader): KeyNumbers {
  const type = secret.name();
  if (outer.name() !== type) throw new MalformedKeyError(WHAT);
  switch (type) {
    case "ssh-ed25519":
      return readEd(secret, outer);
    case "ssh-rsa":
      return readRsa(secret, outer);
    default:
      if (type.startsWith(ECDSA)) {
        return readEc(secret, outer, type.slice(ECDSA.length));
      }
      throw unsupportedKey(`OpenSSH type ${type}`);
  }
}

function readEd(secret: SshReader, outer: SshReader): KeyNumbers {
  const claimed = [outer.string(), secret.string()];
  // RFC 8032 §5.1.5 calls the first half the private key; ssh adds the public.
  const both = secret.string();
  const seed = both.subarray(0, ED25519_BYTES);
  claimed.push(both.subarray(ED25519_BYTES));
  return { kty: "OKP", seed, claimed };
}

function readEc(
  secret: SshReader,
  outer: SshReader,
  name: string,
): KeyNumbers {
  const curve = nameOf(CURVES, { ssh: name });
  if (
    curve === undefined || secret.name() !== name || outer.name() !== name
  ) {
    throw new MalformedKeyError(WHAT);
  }
  const claimed = [outer.string(), secret.string()];
  return { kty: "EC", curve, scalar: secret.integer(), claimed };
}

function readRsa(secret: SshReader, outer: SshReader): KeyNumbers {
  const outerE = toBigInt(outer.integer());
  const outerN = toBigInt(outer.integer());
  const n = toBigInt(secret.integer());
  const e = toBigInt(secret.integer());
  const d = toBigInt(secret.integer());
  const qi = toBigInt(secret.integer());
  const p = toBigInt(secret.integer());
  const q = toBigInt(secret.integer());
  if (outerE !== e || outerN !== n || p < 2n || q < 2n) {
    throw new MalformedKeyError(WHAT);
  }
  return {
    kty: "RSA",
    n,
    e,
    d,
    p,
    q,
    qi,
    // ssh leaves these two to the reader (RFC 8017 §3.2).
    dp: d % (p - 1n),
    dq: d % (q - 1n),
  };
}

/** The data types of RFC 4251 §5, one after the other. */
class SshReader {
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    const bytes = this.#take(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  }

  string(): Uint8Array {
    return this.#take(this.number());
  }

  /** `mpint`, which no key has below zero. */
  integer(): Uint8Array {
    const bytes = this.string();
    if (((bytes[0] ?? 0) & 0x80) !== 0) throw new MalformedKeyError(WHAT);
    return bytes;
  }

  /** A string that may be shown: RFC 4251 §6 allows no other names. */
  name(): string {
    const name = new TextDecoder().decode(this.string());
    if (!/^[!-~]{1,64}$/.test(name)) throw new MalformedKeyError(WHAT);
    return name;
  }

  text(bytes: number): string {
    return new TextDecoder().decode(this.#take(bytes));
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedKeyError(WHAT);
  }

  /** The rest counts 1, 2, 3, … up to the block size. */
  padding(): void {
    const rest = this.#take(this.#bytes.length - this.#at);
    if (rest.some((byte, at) => byte !== ((at + 1) & 0xff))) {
      throw new MalformedKeyError(WHAT);
    }
  }

  #take(bytes: number): Uint8Array {
    const start = this.#at;
    if (bytes > this.#bytes.length - start) throw new MalformedKeyError(WHAT);
    this.#at = start + bytes;
    return this.#bytes.subarray(start, this.#at);
  }
}
