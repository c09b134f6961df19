import { rememberPasswords } from "../../src/daemon/passwords.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { fakeTerminal } from "../support/fake_terminal.ts";

const { signal } = new AbortController();

Deno.test("rememberPasswords() asks once for each file", async () => {
  const asked = fakeTerminal("first", "second");
  const terminal = rememberPasswords(asked);
  const answers = [];
  for (const label of ["a.key: ", "ca.key: ", "a.key: ", "ca.key: "]) {
    answers.push(await terminal.readPassword(label, signal));
  }
  assertEquals(answers, ["first", "second", "first", "second"]);
  assertEquals(asked.questions, ["a.key: ", "ca.key: "]);
});

Deno.test("rememberPasswords() does not remember that nobody answered", async () => {
  const declined = new RekeyError("declined", "no password");
  const terminal = rememberPasswords(fakeTerminal(declined, "secret"));
  await assertRejects(() => terminal.readPassword("a: ", signal), "declined");
  assertEquals(await terminal.readPassword("a: ", signal), "secret");
});
