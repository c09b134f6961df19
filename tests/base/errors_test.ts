import {
  ERROR_KINDS,
  type ErrorKind,
  RekeyError,
} from "../../src/base/errors.ts";
import { ERROR_MEANINGS } from "../../src/cli/exit_codes.ts";
import { assertEquals } from "../support/assert.ts";
import { ROOT } from "../../scripts/paths.ts";

/** The codes of kinds whose exit code is not one number. */
const OPEN_CODES: Readonly<Record<string, string>> = {
  hook: "its own",
  interrupted: "128 + n",
};

Deno.test("README's table of exit codes is the one of ERROR_KINDS and ERROR_MEANINGS", async () => {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const section = readme.split("## Exit codes")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| "))
    .slice(3)
    .map((line) => line.split("|").slice(1, 4).map((cell) => cell.trim()));
  assertEquals(
    rows,
    Object.entries(ERROR_MEANINGS).map(([kind, when]) => [
      OPEN_CODES[kind] ?? String(ERROR_KINDS[kind as ErrorKind].exitCode),
      kind,
      when,
    ]),
  );
});

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
