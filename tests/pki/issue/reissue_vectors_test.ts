/**
 * Certificates of the offline CA against Go's own, byte for byte, by the frozen
 * vectors of tests/testdata/offline.
 */
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { parseCertificate } from "../../../src/pki/certificate/certificate.ts";
import { readLeadingDer } from "../../../src/pki/asn1/der.ts";
import {
  loadPrivateKey,
  type PrivateKey,
} from "../../../src/pki/keys/private_key.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import {
  reissue,
  ReissueError,
  unreadableExtension,
} from "../../../src/pki/issue/reissue.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import {
  computeVectors,
  readVectorKeys,
  readVectors,
  type Vector,
  type Vectors,
} from "../../support/go_vectors.ts";
import { goMissing } from "../../support/go_program.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";

const vectors = readVectors();
const keys = readVectorKeys();
const loaded = new Map<string, Promise<PrivateKey>>();

function keyOf(name: string): Promise<PrivateKey> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const pem = toPem("PRIVATE KEY", Uint8Array.fromHex(keys[name] ?? ""));
  const key = loadPrivateKey(
    new TextEncoder().encode(pem),
    () => Promise.reject(new Error("the keys of tests are not encrypted")),
  ).then(({ key }) => key);
  loaded.set(name, key);
  return key;
}

function certificateOf(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(vectors.certificates[name] ?? "");
}

/** The new certificate, or why there is none. */
async function outcome(row: Vector) {
  try {
    const previous = parseCertificate(certificateOf(row.old));
    const extension = unreadableExtension(previous);
    if (extension !== undefined) return { error: `invalid ${extension}` };
    return await reissue({
      previous,
      publicKey: (await keyOf(row.newKey)).publicKey,
      issuer: parseCertificate(certificateOf(row.issuer)),
      issuerKey: await keyOf(row.issuerKey),
      backdate: BigInt(row.backdate),
      now: new Date(Number(BigInt(row.now) / 1_000_000n)),
      serial: Uint8Array.fromHex(row.serial),
    });
  } catch (error) {
    if (error instanceof ReissueError || error instanceof MalformedError) {
      return { error: error.message };
    }
    throw error;
  }
}

/** Refused in other words, as a reader of all DER has only few. */
const OTHER_WORDS: ReadonlySet<string> = new Set([
  "x509: trailing data",
  "x509: empty name constraints extension",
  "x509: invalid RDNSequence: invalid attribute value: invalid UTF-8 string",
]);

for (const row of vectors.rows) {
  const { name, error: refusal } = row;
  if (refusal === undefined) {
    Deno.test(`reissue() makes what Go makes: ${name}`, async () => {
      const result = await outcome(row);
      assert(!("error" in result), `refused: ${JSON.stringify(result)}`);
      assertEquals(result.tbs.toHex(), row.tbs);
      if (name.startsWith("issuer ")) await assertVerifies(row, result.der);
    });
  } else {
    Deno.test(`reissue() refuses what Go refuses: ${name}`, async () => {
      const result = await outcome(row);
      assert("error" in result, "issued");
      if (OTHER_WORDS.has(refusal)) return;
      const text = refusal.replace(/^x509: /, "");
      assert(result.error.endsWith(text), `${result.error}, not ${refusal}`);
    });
  }
}

/** Another judge of the signature. */
async function assertVerifies(row: Vector, der: Uint8Array): Promise<void> {
  await using dir = await tempDir();
  await Deno.writeFile(dir.file("leaf"), der);
  await Deno.writeFile(dir.file("issuer"), certificateOf(row.issuer));
  const seconds = BigInt(row.now) / 1_000_000_000n;
  await runOk("openssl", [
    ...["verify", "-partial_chain", "-attime", String(seconds)],
    ...["-trusted", dir.file("issuer"), dir.file("leaf")],
  ]);
}

Deno.test({
  name: `the frozen vectors are what Go makes of the keys today${
    goMissing === undefined ? "" : ` (${goMissing})`
  }`,
  ignore: goMissing !== undefined,
  async fn() {
    const now = await computeVectors();
    assertEquals(signedParts(now), signedParts(vectors));
    assertEquals(now.rows, vectors.rows);
    assertEquals(judgements(now), judgements(vectors));
  },
});

/** Without the signatures, which are random. */
function signedParts({ certificates }: Vectors) {
  return Object.entries(certificates).map(([name, hex]) => [
    name,
    readLeadingDer(Uint8Array.fromHex(hex)).children[0]?.der.toHex(),
  ]);
}

/**
 * Without the texts and the judgement of wildcards, which differ between
 * versions of Go.
 */
function judgements({ constraints }: Vectors) {
  return constraints.filter(({ name }) => !name.startsWith('DNS "*.'))
    .map(({ name, refusal }) => [name, refusal === undefined]);
}
