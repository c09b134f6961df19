/**
 * The hosts of the frozen vectors, with dates of today, through the original
 * and through ours.
 */
import { createDevCa, type DevCa } from "../../../scripts/dev_ca.ts";
import { createOfflineAuthority } from "../../../src/ca/offline/offline_authority.ts";
import {
  type Certificate,
  chainToPem,
  parseCertificate,
} from "../../../src/pki/certificate/certificate.ts";
import {
  encodeTbsCertificate,
} from "../../../src/pki/issue/certificate_encoding.ts";
import { issuerSigner } from "../../../src/pki/issue/issuer_signature.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import {
  readVectorKeys,
  readVectors,
  type Vector,
} from "../../support/go_vectors.ts";
import { noTerminal } from "../../support/fake_terminal.ts";
import { sample } from "../../support/sweep.ts";
import { rekeyRequest } from "../../support/test_pair.ts";
import { stepCaMissing } from "../../support/step_ca.ts";
import { comparable, parityTest, rekeyBy } from "./beside_step.ts";

const { certificates, rows } = readVectors();
const keys = readVectorKeys();
const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const ca = stepCaMissing === undefined
  // The provisioner that the vectors name, and its other sides.
  ? await createDevCa(directory, {
    authority: { provisioners: [{ type: "ACME", name: "admin" }] },
  })
  : undefined;

/**
 * Hosts that the original of this version makes something else of, or that the
 * dates and the CA of today do not leave as they are.
 */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ["host with a malformed provisioner", "both refuse it"],
  ["host with a subject of mixed strings", "it encodes names anew"],
  ["host with the subject of the issuer", "it encodes names anew"],
  ["host of version 1", "the copy is of version 3"],
  ["host with unique identifiers", "the copy has none"],
  ["host with the names 30038a0161", "openssl does not read it"],
  [
    "host with the names 30128a0161820d612e6578616d706c652e636f6d",
    "openssl does not read it",
  ],
  ["host with the names 30020500", "openssl does not read it"],
]);

function isComparable({ name, tbs, old }: Vector): boolean {
  return tbs !== undefined && name.startsWith("a host ") && !OTHERS.has(old);
}

/** The original encodes others anew: as a PrintableString, as this one is. */
const USUAL_SUBJECT = parseCertificate(
  Uint8Array.fromHex(
    certificates["host with a PrintableString subject"] ?? "",
  ),
).subjectDer;

/** The host of a vector, below this CA and valid now. */
async function freshHost(
  { intermediate, intermediateKey }: DevCa,
  vector: Certificate,
): Promise<Certificate> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const { algorithmDer, signed } = issuerSigner(intermediateKey, intermediate);
  const tbs = encodeTbsCertificate({
    serial: crypto.getRandomValues(new Uint8Array(15)),
    signatureAlgorithm: algorithmDer,
    issuer: intermediate.subjectDer,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 86_400_000),
    subject: vector.subject === "" ? vector.subjectDer : USUAL_SUBJECT,
    publicKey: vector.publicKey,
    extensions: vector.extensions,
  });
  return parseCertificate(await signed(tbs));
}

/** In this process: what a child would add is the same for every host. */
async function rekeyHere(
  { configFile, passwordFile }: DevCa,
  pair: { readonly certificateFile: string; readonly keyFile: string },
): Promise<readonly Certificate[]> {
  const authority = createOfflineAuthority({
    configFile,
    password: async () => (await Deno.readTextFile(passwordFile)).trim(),
    terminal: noTerminal(),
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: { write() {} },
    signal: new AbortController().signal,
  });
  return await authority.rekey(
    await rekeyRequest({
      certificate: await Deno.readTextFile(pair.certificateFile),
      key: await Deno.readTextFile(pair.keyFile),
    }),
  );
}

/** The key of a vector's host. */
function keyOf({ publicKey }: Certificate): string {
  const type = publicKey.length > 200 ? "old RSA-2048" : "old P-256";
  return toPem("PRIVATE KEY", Uint8Array.fromHex(keys[type] ?? ""));
}

for (const row of sample("parity", rows.filter(isComparable), 15)) {
  parityTest(`the original and ours agree on ${row.name}`, async () => {
    assert(ca !== undefined);
    const der = Uint8Array.fromHex(certificates[row.old] ?? "");
    const vector = parseCertificate(der);
    const host = await freshHost(ca, vector);
    const base = `${directory}/${row.old.replaceAll(/\W/g, "_")}`;
    const pair = {
      certificateFile: `${base}.crt`,
      keyFile: `${base}.key`,
    };
    await Deno.writeTextFile(
      pair.certificateFile,
      chainToPem([host, ca.intermediate]),
    );
    await Deno.writeTextFile(pair.keyFile, keyOf(vector));
    const into = { ...ca, directory: base };
    await Deno.mkdir(base);
    const theirs = await rekeyBy("theirs", into, pair);
    const ours = await rekeyHere(ca, pair);
    assertEquals(
      ours.map(comparable).slice(0, 1),
      theirs.map(comparable).slice(0, 1),
    );
    assertEquals(ours.length, theirs.length);
  });
}
