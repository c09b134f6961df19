/**
 * The reader of DER beside the library's decoder and openssl, on every
 * certificate, key and request that Go and openssl made, whole and damaged.
 */
import fc from "fast-check";
import { asn1Schema } from "../../src/pki/asn1/x509.ts";
import { type DerElement, readDer } from "../../src/pki/asn1/der.ts";
import { createCsr } from "../../src/pki/keys/csr.ts";
import { loadPrivateKey } from "../../src/pki/keys/private_key.ts";
import { parsePem, toPem } from "../../src/pki/asn1/pem.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { readVectorKeys, readVectors } from "../support/go_vectors.ts";
import { traditional } from "../pki/keys/key_files.ts";
import { run, runOk } from "../support/run.ts";
import { damagedOneOf, fuzzRuns, inTime } from "./mutation.ts";

/** What both readers say about an element. */
interface Element {
  readonly der: Uint8Array;
  readonly children: readonly Element[];
}

/** The library's decoder, and on top of it that lengths are those of DER. */
function readByLibrary(bytes: Uint8Array): Element | undefined {
  try {
    const { root } = asn1Schema.AsnConvert.parse(bytes, Tree, {
      berOptions: { parseEmbedded: false },
    });
    const element = root && elementOf(root);
    return element?.der.length === bytes.length ? element : undefined;
  } catch {
    // Whatever it throws means the same.
    return undefined;
  }
}

interface Block {
  readonly idBlock: { readonly blockLength: number };
  readonly lenBlock: { readonly blockLength: number; readonly length: number };
  readonly valueBeforeDecodeView: Uint8Array;
  readonly valueBlock: { readonly value?: unknown };
}

class Tree {
  root: Block | undefined;

  fromASN(root: Block): this {
    this.root = root;
    return this;
  }

  // The library knows a converter by having both directions.
  toASN(): never {
    throw new TypeError("a decoded tree is never encoded");
  }
}

function elementOf(block: Block): Element {
  const der = block.valueBeforeDecodeView;
  const { idBlock, lenBlock } = block;
  const length = der.length - idBlock.blockLength - lenBlock.blockLength;
  const octets = length < 0x80
    ? 1
    : 1 + Math.ceil(length.toString(16).length / 2);
  if (lenBlock.length !== length || lenBlock.blockLength !== octets) {
    throw new SyntaxError();
  }
  const isConstructed = ((der[0] ?? 0) & 0x20) !== 0;
  const { value } = block.valueBlock;
  const children = isConstructed && Array.isArray(value)
    ? value.map(elementOf)
    : [];
  return { der, children };
}

/** Whether every element is of a form that DER has (see isDerTag()). */
function hasDerTags({ der, children }: Element): boolean {
  const [tag = 0] = der;
  const number = tag & 0x1f;
  const isCollection = number === 0x10 || number === 0x11;
  const isForm = tag >= 0x40 || tag !== 0 && (tag >= 0x20) === isCollection;
  return number !== 0x1f && isForm && children.every(hasDerTags);
}

function readByUs(bytes: Uint8Array): DerElement | undefined {
  try {
    return readDer(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    assertEquals(error.message, "");
    return undefined;
  }
}

/**
 * The bytes with another tag at every primitive element, one that says nothing
 * of the value: the library decodes values at once, and refuses wrong ones.
 */
function withoutValueTypes(root: DerElement): Uint8Array {
  const bytes = root.der.slice();
  const visit = ({ der, tag, children }: DerElement) => {
    const at = der.byteOffset - root.der.byteOffset;
    if ((tag & 0x20) === 0) bytes[at] = 0x80;
    children.forEach(visit);
  };
  visit(root);
  return bytes;
}

/** Every element with its bytes, outer ones first. */
function listed({ der, children }: Element): readonly string[] {
  return [der.toHex(), ...children.flatMap(listed)];
}

async function makeCorpus(): Promise<readonly Uint8Array[]> {
  const certificates = Object.values(readVectors().certificates)
    .map((hex) => Uint8Array.fromHex(hex));
  const keys = Object.values(readVectorKeys())
    .map((hex) => Uint8Array.fromHex(hex));
  const others: Uint8Array[] = [];
  for (const pkcs8 of keys.slice(0, 6)) {
    const stdin = toPem("PRIVATE KEY", pkcs8);
    const { stdout: encrypted } = await runOk("openssl", [
      ...["pkcs8", "-topk8", "-iter", "20", "-passout", "pass:a password"],
    ], { stdin });
    const text = new TextEncoder().encode(await traditional(stdin) + encrypted);
    others.push(...parsePem(text).map(({ der }) => der));
    const { key } = await loadPrivateKey(
      new TextEncoder().encode(stdin),
      () => Promise.reject(new Error("the key is plain")),
    );
    const { pem } = await createCsr(key);
    const [request] = parsePem(new TextEncoder().encode(pem));
    if (request !== undefined) others.push(request.der, key.publicKey);
  }
  return [...certificates, ...keys, ...others];
}

const CORPUS = await makeCorpus();

/** Go's vectors have certificates that nobody reads. */
const SOUND = CORPUS.filter((bytes) => readByUs(bytes) !== undefined);

Deno.test("readDer() reads the whole corpus as the library does", () => {
  assert(SOUND.length > 100, `${SOUND.length} inputs`);
  for (const bytes of CORPUS) {
    const ours = readByUs(bytes);
    const theirs = readByLibrary(bytes);
    assertEquals(ours && listed(ours), theirs && listed(theirs));
  }
});

Deno.test("readDer() finds the elements of the corpus that openssl finds", async () => {
  for (const bytes of SOUND) {
    const { stdout } = await runOk(
      "openssl",
      ["asn1parse", "-inform", "DER"],
      { stdin: bytes },
    );
    const lengths = stdout.trim().split("\n").map((line) => {
      const [, header, content] = /hl=(\d+) +l= *(\d+)/.exec(line) ?? [];
      return Number(header) + Number(content);
    });
    assertEquals(listed(readDer(bytes)).map((hex) => hex.length / 2), lengths);
  }
});

Deno.test("readDer() agrees with the library about any damaged input", async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(damagedOneOf(CORPUS), async (bytes) => {
      await inTime(() => {
        const ours = readByUs(bytes);
        if (ours === undefined) {
          const theirs = readByLibrary(bytes);
          assert(theirs === undefined || !hasDerTags(theirs), bytes.toHex());
          return;
        }
        read++;
        assertEquals(ours.der.toHex(), bytes.toHex());
        const masked = withoutValueTypes(ours);
        const theirs = readByLibrary(masked);
        assert(theirs !== undefined, bytes.toHex());
        assertEquals(listed(readDer(masked)), listed(theirs));
      });
    }),
    { numRuns: fuzzRuns(2000) },
  );
  assert(read > 0, "every input was refused");
});

Deno.test("readDer() accepts no damaged input that openssl refuses", async () => {
  const inputs = fc.sample(damagedOneOf(CORPUS), fuzzRuns(2000) / 20);
  for (const bytes of inputs) {
    if (readByUs(bytes) === undefined) continue;
    const { code } = await run("openssl", ["asn1parse", "-inform", "DER"], {
      stdin: bytes,
    });
    assertEquals(code, 0, bytes.toHex());
  }
});
