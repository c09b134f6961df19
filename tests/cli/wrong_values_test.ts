/**
 * Odd values of each flag of each command, as a whole line: taken or refused,
 * in words, by the flag's name, with a hint that can be followed.
 */
import { COMMANDS } from "../../src/cli/commands/catalogue.ts";
import {
  type CommandDefinition,
  spellingsOf,
} from "../../src/cli/grammar/command.ts";
import { placesIn } from "../../src/cli/grammar/route.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";

const ODD = [
  "",
  " ",
  "-",
  "--",
  "-1",
  "0",
  "1e400",
  "99999999999999999999999999",
  "nonsense",
  "/nonexistent/file",
  "a\0b",
  "\u202e\x1b[31m",
  "x".repeat(100_000),
];

/** Mistakes, and what a file or setting is refused with. */
const CODES: readonly number[] = [0, 64, 65, 78];

for (const { path, entry } of placesIn({ path: [], entry: COMMANDS })) {
  if (typeof entry !== "function" || path[0] === "rekey") continue;
  Deno.test(`${path.join(" ")} takes or refuses odd values of each flag`, async () => {
    const { command } = await entry();
    const words = Object.keys(command.positionals).map((name) => `/no/${name}`);
    for (const [name, flag] of Object.entries(command.flags)) {
      for (const value of ODD) {
        for (const spelling of spellingsOf(name, flag)) {
          await tryLine([...path, ...words, `--${spelling}=${value}`], command);
        }
      }
      if (flag.kind === "boolean") continue;
      const line = [...path, ...words, `--${name}`];
      const { code, stderr } = await tryLine(line, command);
      assertEquals(code, command.exitCodeOf ? code : 64);
      assert(stderr.startsWith("flag needs an argument: -"), stderr);
    }
  });
}

async function tryLine(
  line: readonly string[],
  command: CommandDefinition,
): Promise<{ readonly code: number; readonly stderr: string }> {
  const { code, stdout, stderr } = await runLine(line, {
    env: { STEP_CA_URL: "https://ca.example", HOME: "/nonexistent" },
  });
  const shown = line.join(" ").slice(0, 200);
  if (code === 0) return { code, stderr };
  assert(command.exitCodeOf || CODES.includes(code), `${code}: ${shown}`);
  assertEquals(stdout, "", shown);
  assert(stderr.length < 3_000, `${stderr.length}: ${shown}`);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00\x1b\u202e]| at .*\.ts:/.test(stderr), stderr);
  const known = Object.entries({
    ...command.flags,
    config: undefined,
    help: undefined,
  })
    .flatMap(([name, flag]) => flag ? spellingsOf(name, flag) : [name]);
  const [, hint = ""] = /^hint: (.*)$/m.exec(stderr) ?? [];
  const own = hint.replaceAll(/Smallstep's step[^,;]*/g, "");
  for (const [, flag = ""] of own.matchAll(/--([a-z][a-z-]*)/g)) {
    assert(known.includes(flag), `${shown}: ${hint}`);
  }
  return { code, stderr };
}
