/**
 * Damaged PEM files: blocks or a refusal, nothing else.
 */
import fc from "fast-check";
import { MalformedError } from "../../src/pki/asn1/malformed.ts";
import { isPem, parsePem, toPem } from "../../src/pki/asn1/pem.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { readVectorKeys, readVectors } from "../support/go_vectors.ts";
import { damagedOneOf, fuzzRuns, inTime } from "./mutation.ts";

const DER = Object.values(readVectors().certificates).slice(0, 6)
  .map((hex) => toPem("CERTIFICATE", Uint8Array.fromHex(hex)));
const KEYS = Object.values(readVectorKeys()).slice(0, 3)
  .map((hex) => toPem("PRIVATE KEY", Uint8Array.fromHex(hex)));
const HEADERS = new Map([
  ["Proc-Type", "4,ENCRYPTED"],
  ["DEK-Info", "AES-256-CBC,00112233445566778899AABBCCDDEEFF"],
]);
const TEXTS = [
  ...DER,
  ...KEYS,
  `text in front\n${DER.join("")}`,
  DER.join("").replaceAll("\n", "\r\n"),
  `\ufeff${DER[0]}`,
  toPem("EC PRIVATE KEY", new Uint8Array(48), HEADERS),
];

Deno.test("parsePem() reads or refuses any damaged file", async () => {
  const seeds = TEXTS.map((text) => new TextEncoder().encode(text));
  for (const seed of seeds) assert(parsePem(seed).length > 0);
  await fc.assert(
    fc.asyncProperty(damagedOneOf(seeds), async (content) => {
      await inTime(() => {
        isPem(content);
        try {
          // What was read can be written, and is then read the same.
          for (const { label, der, headers } of parsePem(content)) {
            if (headers.size > 0) continue;
            const text = toPem(label, der);
            const [again] = parsePem(new TextEncoder().encode(text));
            assertEquals(again?.der.toHex(), der.toHex());
          }
        } catch (error) {
          if (!(error instanceof MalformedError)) throw error;
          assert(error.message.length < 400, "the message quotes the file");
        }
      });
    }),
    { numRuns: fuzzRuns(500) },
  );
});
