import { ERROR_KINDS, RekeyError } from "../../src/base/errors.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("ERROR_KINDS gives every kind but hook a code of its own", () => {
  const codes = Object.entries(ERROR_KINDS)
    .filter(([kind]) => kind !== "hook")
    .map(([, { exitCode }]) => exitCode);
  assertEquals(new Set(codes).size, codes.length);
});

Deno.test("RekeyError has the exit code of its kind unless told otherwise", () => {
  assertEquals(new RekeyError("pair", "x").exitCode, 65);
  assertEquals(new RekeyError("hook", "x", { exitCode: 7 }).exitCode, 7);
});
