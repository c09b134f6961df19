import {
  currentCertificate,
  findCurrentPair,
} from "../../src/files/current_pair.ts";
import type { PasswordSource } from "../../src/files/key_pair.ts";
import type { RunMode } from "../../src/options.ts";
import { assertEquals } from "../support/assert.ts";
import { noTerminal } from "../support/fake_terminal.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const PASSWORD: PasswordSource = {
  terminal: noTerminal(),
  signal: new AbortController().signal,
};
const DAEMON: RunMode = { run: "daemon", schedule: { rule: "two-thirds" } };
const NOW = new Date();

/** Two pairs of one CA: what the daemon was given, and what it wrote. */
async function pairs(dir: TempDir) {
  const ca = await OpensslCa.root(dir.file("ca"), "Root");
  const issue = async (name: string) => {
    const pair = await ca.issue(name, { subject: `/CN=${name}` });
    return { certificate: pair.certificateFile, key: pair.keyFile };
  };
  return { input: await issue("given"), output: await issue("written") };
}

Deno.test("findCurrentPair() gives a one-shot run the files that it is given", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const choice = { input, output, mode: { run: "once" } as const };
  assertEquals((await findCurrentPair(choice, PASSWORD, NOW)).files, input);
});

Deno.test("findCurrentPair() gives a daemon what it wrote before", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const choice = { input, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, PASSWORD, NOW)).files, output);
});

Deno.test("findCurrentPair() begins a daemon with the input when nothing is written yet", async () => {
  await using dir = await tempDir();
  const { input } = await pairs(dir);
  const output = { certificate: dir.file("none"), key: dir.file("none.key") };
  const choice = { input, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, PASSWORD, NOW)).files, input);
});

Deno.test("findCurrentPair() passes over a written pair that has expired", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const later = new Date(NOW.getTime() + 20 * 365 * 86_400_000);
  const choice = { input, output, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, PASSWORD, later)).files, input);
});

Deno.test("findCurrentPair() passes over written files that do not belong together", async () => {
  await using dir = await tempDir();
  const { input, output } = await pairs(dir);
  const mixed = { certificate: output.certificate, key: input.key };
  const choice = { input, output: mixed, mode: DAEMON };
  assertEquals((await findCurrentPair(choice, PASSWORD, NOW)).files, input);
});
