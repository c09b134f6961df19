/**
 * The original beside ours, on one CA's files: what both have to write the same.
 */
import type { DevCa } from "../../../scripts/dev_ca.ts";
import {
  type Certificate,
  parseChain,
} from "../../../src/pki/certificate/certificate.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { runProgram } from "../../support/program.ts";
import { runOk } from "../../support/run.ts";
import { STEP, stepCaMissing } from "../../support/step_ca.ts";

/** A test that needs the original. */
export function parityTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({
    name: stepCaMissing === undefined ? name : `${name} (${stepCaMissing})`,
    ignore: stepCaMissing !== undefined,
    fn,
  });
}

/** Rekeys with one of them into files of their own, which openssl verifies. */
export async function rekeyBy(
  who: "ours" | "theirs",
  ca: DevCa,
  host: { readonly certificateFile: string; readonly keyFile: string },
): Promise<readonly [Certificate, ...Certificate[]]> {
  const out = `${ca.directory}/${who}`;
  const words = [
    ...["ca", "rekey", "--offline", "--ca-config", ca.configFile],
    // The original reads it although it has no use for it.
    ...["--root", ca.rootFile, "--password-file", ca.passwordFile],
    ...["--out-cert", `${out}.crt`, "--out-key", `${out}.key`],
    ...[host.certificateFile, host.keyFile],
  ];
  const env = { STEPPATH: ca.directory, HOME: ca.directory };
  if (who === "theirs") {
    await runOk(STEP, words, { env });
  } else {
    const { code, stderr } = await runProgram(words, { env });
    assertEquals(code, 0, stderr);
  }
  await runOk("openssl", [
    ...["verify", "-CAfile", ca.rootFile, "-ignore_critical"],
    ...["-untrusted", `${out}.crt`, `${out}.crt`],
  ]);
  const [leaf, ...issuers] = parseChain(await Deno.readFile(`${out}.crt`));
  assert(leaf !== undefined);
  return [leaf, ...issuers];
}

const KEY_IDENTIFIER = "2.5.29.14";

/** What is the same, whoever signs: all but serial, dates, key, signature. */
export function comparable(
  certificate: Certificate,
): Readonly<Record<string, unknown>> {
  const { notAfter, notBefore, signatureAlgorithm } = certificate;
  return {
    version: certificate.version,
    subject: certificate.subjectDer.toHex(),
    issuer: certificate.issuerDer.toHex(),
    algorithm: signatureAlgorithm.oid,
    parameters: signatureAlgorithm.parameters?.toHex(),
    seconds: (notAfter.getTime() - notBefore.getTime()) / 1000,
    extensions: certificate.extensions.map(({ oid, critical, value }) => [
      oid,
      critical,
      oid === KEY_IDENTIFIER ? value.length : value.toHex(),
    ]),
  };
}
