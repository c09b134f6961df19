import { RekeyError } from "../../../src/base/errors.ts";
import { confirmOverwrite } from "../../../src/files/pair/confirm_overwrite.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { fakeTerminal, noTerminal } from "../../support/fake_terminal.ts";
import { hintOf } from "../../support/hint.ts";
import { tempDir } from "../../support/temp_dir.ts";

const { signal } = new AbortController();

Deno.test("confirmOverwrite() asks once for both files, by the names that the user gave", async () => {
  await using dir = await tempDir();
  const targets = { certificate: dir.file("a.crt"), key: dir.file("a.key") };
  for (const file of Object.values(targets)) await Deno.writeTextFile(file, "");
  const terminal = fakeTerminal(true);
  await confirmOverwrite(targets, terminal, signal);
  assertEquals(terminal.questions, [
    `Would you like to overwrite ${targets.certificate} and ${targets.key} [Y/n]: `,
  ]);
});

Deno.test("confirmOverwrite() asks for the file that exists", async () => {
  await using dir = await tempDir();
  const targets = { certificate: dir.file("a.crt"), key: dir.file("a.key") };
  await Deno.writeTextFile(targets.key, "");
  const terminal = fakeTerminal(true);
  await confirmOverwrite(targets, terminal, signal);
  assertEquals(terminal.questions, [
    `Would you like to overwrite ${targets.key} [Y/n]: `,
  ]);
});

Deno.test("confirmOverwrite() asks for the certificate alone when no key is written", async () => {
  await using dir = await tempDir();
  const certificate = dir.file("a.crt");
  await Deno.writeTextFile(certificate, "");
  const terminal = fakeTerminal(true);
  await confirmOverwrite({ certificate }, terminal, signal);
  assertEquals(terminal.questions, [
    `Would you like to overwrite ${certificate} [Y/n]: `,
  ]);
});

Deno.test("confirmOverwrite() asks nothing for new files and dangling links", async () => {
  await using dir = await tempDir();
  await Deno.symlink("nowhere", dir.file("a.crt"));
  const targets = { certificate: dir.file("a.crt"), key: dir.file("a.key") };
  await confirmOverwrite(targets, fakeTerminal(), signal);
});

Deno.test("confirmOverwrite() says that nothing happened when the answer is no", async () => {
  await using dir = await tempDir();
  const certificate = dir.file("a.crt");
  await Deno.writeTextFile(certificate, "");
  const error = await assertRejects(
    () => confirmOverwrite({ certificate }, fakeTerminal(false), signal),
    "declined",
    /nothing was requested or changed$/,
  );
  assert(
    error.message.startsWith(`unexpected error on ${certificate}: file exists`),
  );
});

Deno.test("confirmOverwrite() names --force when nobody can be asked", async () => {
  await using dir = await tempDir();
  const targets = { certificate: dir.file("a.crt"), key: dir.file("a.key") };
  for (const file of Object.values(targets)) await Deno.writeTextFile(file, "");
  const error = await assertRejects(
    () => confirmOverwrite(targets, noTerminal(), signal),
    "usage",
    /a\.crt and .*a\.key: open \/dev\/tty failed: no such device or address$/,
  );
  assertEquals(hintOf(error), "use --force to overwrite without asking");
});

Deno.test("confirmOverwrite() refuses a directory without asking", async () => {
  await using dir = await tempDir();
  await assertRejects(
    () => confirmOverwrite({ certificate: dir.path }, fakeTerminal(), signal),
    "install",
    / is a directory$/,
  );
});

Deno.test("confirmOverwrite() refuses a path through a file", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("a"), "");
  await assertRejects(
    () =>
      confirmOverwrite(
        { certificate: dir.file("a/b") },
        fakeTerminal(),
        signal,
      ),
    "install",
    /failed: not a directory$/,
  );
});

Deno.test("confirmOverwrite() passes on that the question was interrupted", async () => {
  await using dir = await tempDir();
  const certificate = dir.file("a.crt");
  await Deno.writeTextFile(certificate, "");
  const terminal = fakeTerminal(new RekeyError("interrupted", "stopped"));
  await assertRejects(
    () => confirmOverwrite({ certificate }, terminal, signal),
    "interrupted",
  );
});
