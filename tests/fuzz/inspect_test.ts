/**
 * Damaged certificates and requests, looked at: shown, or refused as malformed,
 * and never with a control character.
 */
import fc from "fast-check";
import { x509 } from "../../src/pki/asn1/x509.ts";
import { MalformedError } from "../../src/pki/asn1/malformed.ts";
import {
  certificateJson,
  jsonText,
  requestJson,
} from "../../src/pki/inspect/certificate_json.ts";
import {
  certificateRequestText,
  certificateText,
} from "../../src/pki/inspect/certificate_text.ts";
import {
  type Document,
  readFirstDocument,
} from "../../src/pki/inspect/documents.ts";
import {
  shortCertificateText,
  shortRequestText,
} from "../../src/pki/inspect/short_text.ts";
import { assert } from "../support/assert.ts";
import { readVectors } from "../support/go_vectors.ts";
import { damagedOneOf, fuzzRuns, inTime } from "./mutation.ts";

async function requestSeed(): Promise<Uint8Array> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]);
  const { rawData } = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=a, O=b",
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "a" },
        { type: "ip", value: "10.0.0.1" },
        { type: "url", value: "https://a/" },
      ]),
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1", "1.2.3"]),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature),
    ],
  });
  return new Uint8Array(rawData);
}

type Show = (document: Document) => string | Promise<string>;

const SHOWS: readonly Show[] = [
  ({ kind, value }) =>
    kind === "certificate"
      ? certificateText(value)
      : certificateRequestText(value),
  ({ kind, value }) =>
    kind === "certificate"
      ? shortCertificateText(value)
      : shortRequestText(value),
  async ({ kind, value }) =>
    jsonText(
      kind === "certificate"
        ? await certificateJson(value)
        : requestJson(value),
    ),
];

async function unlessMalformed<T>(
  read: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return undefined;
  }
}

const SEEDS = {
  certificate: Object.values(readVectors().certificates)
    .map((hex) => Uint8Array.fromHex(hex)),
  request: [await requestSeed()],
};

for (const [kind, seeds] of Object.entries(SEEDS)) {
  Deno.test(`inspect shows or refuses any damaged ${kind}`, async () => {
    let shown = 0;
    await fc.assert(
      fc.asyncProperty(damagedOneOf(seeds), async (der) => {
        await inTime(async () => {
          const read = await unlessMalformed(() => readFirstDocument(der));
          if (read?.document.kind !== kind) return;
          for (const show of SHOWS) {
            const text = await unlessMalformed(() => show(read.document));
            if (text === undefined) continue;
            shown++;
            // deno-lint-ignore no-control-regex
            assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), text);
          }
        });
      }),
      { numRuns: fuzzRuns(1500) },
    );
    assert(shown > 0, "nothing was shown");
  });
}
