/**
 * Damaged keys, encrypted ones above all: a key or a refusal, and no hang on
 * parameters that would take for ever.
 */
import fc from "fast-check";
import { MalformedError } from "../../src/pki/asn1/malformed.ts";
import { isPem, parsePem, toPem } from "../../src/pki/asn1/pem.ts";
import { loadPrivateKey } from "../../src/pki/keys/private_key.ts";
import { assert } from "../support/assert.ts";
import { readVectorKeys } from "../support/go_vectors.ts";
import { runOk } from "../support/run.ts";
import { damagedOneOf, fuzzRuns, inTime } from "./mutation.ts";

const PASSWORD = "a password of a test";

/** Every way in which openssl encrypts a key. */
const FORMS: readonly (readonly string[])[] = [
  ...["aes-256-cbc", "aes-192-cbc", "aes-128-cbc", "des-ede3-cbc"]
    .flatMap((cipher) =>
      ["hmacWithSHA256", "hmacWithSHA1"].map((prf) => [
        ...["pkcs8", "-topk8", "-v2", cipher, "-v2prf", prf, "-iter", "20"],
      ])
    ),
  ...["aes-256-cbc", "aes-128-cbc", "des-ede3-cbc"]
    .map((cipher) => ["pkey", "-traditional", `-${cipher}`]),
];

async function encryptedKeys(): Promise<Uint8Array[]> {
  const keys = readVectorKeys();
  const files = [];
  for (const name of ["old P-256", "old RSA-2048"]) {
    const stdin = toPem("PRIVATE KEY", Uint8Array.fromHex(keys[name] ?? ""));
    for (const form of FORMS) {
      const { stdout } = await runOk("openssl", [
        ...[...form, "-passout", `pass:${PASSWORD}`],
      ], { stdin });
      files.push(new TextEncoder().encode(stdout));
    }
  }
  return files;
}

async function tryLoad(content: Uint8Array): Promise<boolean> {
  try {
    await loadPrivateKey(content, () => Promise.resolve(PASSWORD));
    return true;
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    assert(!error.message.includes(PASSWORD), "the password is quoted");
    assert(error.message.length < 400, "the message quotes the file");
    return false;
  }
}

const seeds = await encryptedKeys();

Deno.test("loadPrivateKey() opens or refuses any damaged encrypted file", async () => {
  for (const seed of seeds) assert(await tryLoad(seed));
  await fc.assert(
    fc.asyncProperty(
      damagedOneOf(seeds),
      (content) => inTime(async () => void await tryLoad(content)),
    ),
    { numRuns: fuzzRuns(300) },
  );
});

Deno.test("loadPrivateKey() opens or refuses damaged DER in whole PEM", async () => {
  const blocks = seeds.flatMap((seed) => isPem(seed) ? parsePem(seed) : []);
  const damaged = fc.constantFrom(...blocks).chain((block) =>
    damagedOneOf([block.der]).map((der) => ({ ...block, der }))
  );
  await fc.assert(
    fc.asyncProperty(damaged, ({ label, der, headers }) => {
      const text = toPem(label, der, headers);
      return inTime(async () =>
        void await tryLoad(new TextEncoder().encode(text))
      );
    }),
    { numRuns: fuzzRuns(300) },
  );
});
