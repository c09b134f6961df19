import fc from "fast-check";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import { loadPrivateKey } from "../../../src/pki/keys/private_key.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  derOf,
  encode,
  KEY_TYPE_NAMES,
  keyOf,
  type KeyType,
  openssl,
  publicKeyOf,
} from "./key_files.ts";

/** One valid file, in parts that can be damaged. */
interface Seed {
  readonly label: string;
  readonly der: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  readonly publicKey: string;
}

function seedOf(pem: string, publicKey: string): Seed {
  const [begin = "", ...rest] = pem.trimEnd().split("\n");
  const headers = new Map<string, string>();
  while (rest[0]?.includes(":")) {
    const [name = "", value = ""] = (rest.shift() ?? "").split(": ");
    headers.set(name, value);
  }
  const label = begin.slice("-----BEGIN ".length, -"-----".length);
  const der = derOf([begin, ...rest.filter((line) => line !== "")].join("\n"));
  return { label, der, headers, publicKey };
}

async function seedsOf(type: KeyType): Promise<Seed[]> {
  const pkcs8 = await keyOf(type);
  const publicKey = await publicKeyOf(pkcs8);
  const texts = [pkcs8];
  const password = ["-passout", "pass:secret"];
  texts.push(
    await openssl(
      ["pkcs8", "-topk8", "-iter", "20", ...password],
      pkcs8,
    ),
  );
  if (type !== "Ed25519") {
    texts.push(await openssl(["pkey", "-traditional"], pkcs8));
    texts.push(
      await openssl(
        ["pkey", "-traditional", "-aes-128-cbc", ...password],
        pkcs8,
      ),
    );
    texts.push(await inOpenSshFormat(pkcs8));
  }
  return texts.map((text) => seedOf(text, publicKey));
}

async function inOpenSshFormat(pkcs8: string): Promise<string> {
  await using dir = await tempDir();
  const file = dir.file("key");
  await Deno.writeTextFile(file, pkcs8, { mode: 0o600 });
  await runOk("ssh-keygen", ["-q", "-p", "-P", "", "-N", "", "-f", file]);
  return await Deno.readTextFile(file);
}

/** What happens to the bytes, one after the other. */
const DAMAGE = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: byteChange() },
    fc.record({ cutTo: fc.nat(2000) }),
    fc.record({ insertAt: fc.nat(2000), byte: fc.nat(255) }),
    fc.record({
      repeatFrom: fc.nat(2000),
      bytes: fc.integer({ min: 1, max: 64 }),
    }),
  ),
  { minLength: 1, maxLength: 4 },
);

function byteChange() {
  // Mostly near the start: there are the tags, lengths and versions.
  const at = fc.oneof(fc.nat(60), fc.nat(2000));
  return fc.record({ at, xor: fc.integer({ min: 1, max: 255 }) });
}

type Damage = typeof DAMAGE extends fc.Arbitrary<infer T> ? T : never;

function damaged(der: Uint8Array, damage: Damage): Uint8Array {
  let bytes = [...der];
  for (const step of damage) {
    if ("xor" in step) {
      const at = step.at % Math.max(1, bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ step.xor;
    } else if ("cutTo" in step) {
      bytes = bytes.slice(0, step.cutTo);
    } else if ("insertAt" in step) {
      bytes.splice(step.insertAt, 0, step.byte);
    } else {
      const piece = bytes.slice(step.repeatFrom, step.repeatFrom + step.bytes);
      bytes.splice(step.repeatFrom, 0, ...piece);
    }
  }
  return Uint8Array.from(bytes);
}

/** The public key of the file, or undefined when it is refused as it should. */
async function outcome(content: Uint8Array): Promise<string | undefined> {
  try {
    const password = () => Promise.resolve("secret");
    const { key } = await loadPrivateKey(content, password);
    return key.publicKey.toHex();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    assert(error.message.length < 300, "the message quotes the file");
    return undefined;
  }
}

for (const type of KEY_TYPE_NAMES) {
  Deno.test(`loadPrivateKey() loads a damaged ${type} file rightly or refuses it with a MalformedError`, async () => {
    const seeds = await seedsOf(type);
    for (const { label, der, headers, publicKey } of seeds) {
      const text = toPem(label, der, headers);
      assertEquals(await outcome(encode(text)), publicKey);
    }
    const property = fc.asyncProperty(
      fc.constantFrom(...seeds),
      DAMAGE,
      async ({ label, der, headers }, damage) => {
        await outcome(encode(toPem(label, damaged(der, damage), headers)));
      },
    );
    await fc.assert(property, { numRuns: 1500 });
  });
}

Deno.test("loadPrivateKey() never loads an EC key with one bit of its numbers changed", async () => {
  for (const type of ["P-256", "P-384", "P-521"] as const) {
    const pkcs8 = await keyOf(type);
    const publicKey = await publicKeyOf(pkcs8);
    const der = derOf(pkcs8);
    for (let at = 0; at < der.length; at++) {
      const changed = der.slice();
      changed.set([(der[at] ?? 0) ^ (1 << (at % 8))], at);
      const result = await outcome(encode(toPem("PRIVATE KEY", changed)));
      // What is left readable must be the same key: other tags, same numbers.
      assert(result === undefined || result === publicKey);
    }
  }
});

Deno.test("loadPrivateKey() refuses random bytes under every label with a MalformedError", async () => {
  const label = fc.constantFrom(
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "EC PARAMETERS",
  );
  const headers = fc.constantFrom(
    [],
    [["Proc-Type", "4,ENCRYPTED"]] as const,
    [["DEK-Info", "DES-EDE3-CBC,0011223344556677"]] as const,
  );
  const property = fc.asyncProperty(
    label,
    fc.uint8Array({ maxLength: 64 }),
    headers,
    async (name, der, list) => {
      const text = toPem(name, der, new Map(list));
      assertEquals(await outcome(encode(text)), undefined);
      assertEquals(await outcome(der), undefined);
    },
  );
  await fc.assert(property, { numRuns: 2000 });
});

Deno.test("loadPrivateKey() refuses ASN.1 nested 100,000 deep", async () => {
  const der = new Uint8Array(200_000);
  for (let at = 0; at < der.length; at += 2) der.set([0x30, 0x80], at);
  for (const label of ["EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]) {
    assertEquals(await outcome(encode(toPem(label, der))), undefined);
  }
});
