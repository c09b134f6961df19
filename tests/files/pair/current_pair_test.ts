import {
  currentCertificate,
  findCurrentPair,
} from "../../../src/files/pair/current_pair.ts";
import type { PasswordSource } from "../../../src/files/pair/key_pair.ts";
import type { RunMode } from "../../../src/base/options.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { fakeTerminal, noTerminal } from "../../support/fake_terminal.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { runOk } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const PASSWORD: PasswordSource = {
  terminal: noTerminal(),
  signal: new AbortController().signal,
};
const SOURCE = { password: PASSWORD };
const DAEMON: RunMode = { run: "daemon", schedule: { rule: "two-thirds" } };
const NOW = new Date();
const DAY = 86_400_000;

/** The rest of the options that a pair is found by. */
const GENERATED = {
  newKey: { from: "generate", spec: { kty: "EC", curve: "P-256" } },
  passwordFiles: {},
} as const;

/** Two pairs of one CA: what the daemon was given, and what it wrote. */
async function pairs(dir: TempDir) {
  const ca = await OpensslCa.root(dir.file("ca"), "Root");
  const issue = async (name: string, days: number) => {
    const pair = await ca.issue(name, {
      subject: `/CN=${name}`,
      notAfter: new Date(NOW.getTime() + days * DAY),
    });
    return { certificate: pair.certificateFile, key: pair.keyFile };
  };
  return {
    input: await issue("given", 3),
    output: await issue("written", 2),
  };
}

Deno.test("findCurrentPair() gives a one-shot run the files that it is given", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const choice = {
    ...GENERATED,
    input,
    output,
    mode: { run: "once" } as const,
  };
  assertEquals((await findCurrentPair(choice, SOURCE, NOW)).files, input);
});

Deno.test("findCurrentPair() gives a daemon what it wrote before", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const choice = { ...GENERATED, input, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, SOURCE, NOW)).files, output);
});

Deno.test("findCurrentPair() begins a daemon with the input when nothing is written yet", async () => {
  await using dir = await tempDir();
  const { input } = await pairs(dir);
  const output = { certificate: dir.file("none"), key: dir.file("none.key") };
  const choice = { ...GENERATED, input, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, SOURCE, NOW)).files, input);
});

Deno.test("findCurrentPair() passes over a written pair that has expired", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const later = new Date(NOW.getTime() + 2.5 * DAY);
  const choice = { ...GENERATED, input, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, SOURCE, later)).files, input);
});

Deno.test("findCurrentPair() passes over written files that do not belong together", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const mixed = { certificate: output.certificate, key: input.key };
  const choice = { ...GENERATED, input, output: mixed, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, SOURCE, NOW)).files, input);
});

Deno.test("findCurrentPair() goes on with the written pair when both have expired and the given one is torn", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const later = new Date(NOW.getTime() + 20 * DAY);
  // --out-cert alone: the key of the given certificate was overwritten.
  const torn = { certificate: input.certificate, key: output.key };
  const choice = { ...GENERATED, input: torn, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, SOURCE, later)).files, output);
});

Deno.test("findCurrentPair() opens an encrypted key once, however often it is asked for", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  for (const { key } of [input, output]) {
    await runOk("openssl", [
      ...["pkey", "-aes256", "-in", key, "-out", `${key}.encrypted`],
      ...["-passout", "pass:secret"],
    ]);
    await Deno.rename(`${key}.encrypted`, key);
  }
  const terminal = fakeTerminal("secret");
  const source = { ...PASSWORD, terminal };
  const choice = { ...GENERATED, input, output, mode: DAEMON };
  const pair = await findCurrentPair(choice, { password: source }, NOW);
  await pair.loadKeyPair();
  await pair.loadKeyPair();
  assertEquals(terminal.questions.length, 1);
});

Deno.test("currentCertificate() goes by what the daemon wrote, while that is valid", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const choice = { ...GENERATED, input, output, mode: DAEMON };
  const nameAt = async (days: number) =>
    (await currentCertificate(choice, new Date(NOW.getTime() + days * DAY)))
      .commonName;
  assertEquals([await nameAt(0), await nameAt(2.5)], ["written", "given"]);
});

Deno.test("findCurrentPair() takes the given key when the certificate belongs to it already", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const files = { certificate: input.certificate, key: output.key };
  const given = { from: "file", path: input.key, writeCopy: false } as const;
  const choice = {
    ...GENERATED,
    input: files,
    output: files,
    mode: { run: "once" } as const,
  };
  const pair = await findCurrentPair(
    { ...choice, newKey: given },
    SOURCE,
    NOW,
  );
  await pair.loadKeyPair();
  const generated = await findCurrentPair(choice, SOURCE, NOW);
  await assertRejects(
    () => generated.loadKeyPair(),
    "pair",
    /their public keys differ$/,
  );
  const copied = { ...choice, newKey: { ...given, writeCopy: true } };
  const other = await findCurrentPair(copied, SOURCE, NOW);
  await assertRejects(() => other.loadKeyPair(), "pair");
});
