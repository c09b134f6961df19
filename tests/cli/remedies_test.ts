import { hintText } from "../../src/cli/remedies.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("hintText() gives words back as they are", () => {
  assertEquals(hintText("chmod 600 it"), "chmod 600 it");
});

Deno.test("hintText() says by which flag a key is closed", () => {
  assertEquals(
    hintText({ remedy: "close the key" }),
    "to close it: --key-mode 0600",
  );
});

Deno.test("hintText() names --in-place only where it can be used", () => {
  const text = (allowsInPlace: boolean) =>
    hintText({ remedy: "mount the directory", allowsInPlace });
  assert(text(true).endsWith("by --in-place"));
  assertEquals(
    text(false),
    "mount the directory of the file instead of the file",
  );
});
