/**
 * A program of a hook that is missing is found before anything is done.
 */
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { type ReloadPlace, reloadPlace } from "../support/reload_place.ts";
import { runProgram } from "../support/program.ts";
import { rightAnswer, startTestCa } from "../support/test_ca.ts";

/** Names of programs that cannot be run, and what is said of them. */
const PROGRAMS: readonly (readonly [
  what: string,
  name: (place: ReloadPlace) => Promise<string>,
  problem: string,
])[] = [
  ["a name", () => Promise.resolve("no-such-program"), "not found in $PATH"],
  ["a path", () => Promise.resolve("/no/such/program"), "no file"],
  [
    "a folder",
    (place) => Promise.resolve(place.dir.path),
    "no executable file",
  ],
  ["a closed file", async (place) => {
    const hook = await place.script("closed", "true");
    await Deno.chmod(hook, 0o644);
    return hook;
  }, "no executable file"],
];

for (const [what, name, problem] of PROGRAMS) {
  Deno.test(`a single run refuses ${what} as --exec that is ${problem}, before the CA is asked`, async () => {
    await using place = await reloadPlace();
    const program = await name(place);
    const before = await place.serial();
    const { code, stderr } = await place.once("--exec", `${program} -s x`);
    assertEquals(
      [code, stderr],
      [
        64,
        `the program of --exec cannot be run: ${
          JSON.stringify(program)
        } is ${problem}\nhint: nothing was changed: install it, or correct its name\n`,
      ],
    );
    assertEquals(place.ca.requests.length, 0);
    assertEquals(await place.serial(), before);
    assertEquals(await place.leftovers(), []);
  });
}

Deno.test("a single run warns of an --exec-on-failure that cannot be run, and rekeys", async () => {
  await using place = await reloadPlace();
  const { code, stderr } = await place.once("--exec-on-failure", "no-such");
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    'warning: the program of --exec-on-failure cannot be run: "no-such" is not found in $PATH\n',
  );
});

Deno.test("a daemon warns of an --exec that cannot be run, and goes on", async () => {
  await using place = await reloadPlace();
  await using running = place.daemon("--exec", "no-such");
  await running.says(
    'the program of --exec cannot be run: "no-such" is not found in $PATH',
  );
  await running.says("first rekey in");
  running.kill("SIGTERM");
  assertEquals(await running.ended, 0);
});

Deno.test("ca rollback refuses an --exec that cannot be run before it goes back", async () => {
  await using place = await reloadPlace();
  const first = await place.once("--layout", "versioned");
  assertEquals(first.code, 0, first.stderr);
  assertEquals((await place.once()).code, 0);
  const before = await place.serial();
  const { code, stderr } = await runProgram(
    ["ca", "rollback", "--exec", "no-such", ...place.pair],
    { env: place.env },
  );
  assertEquals(code, 64, stderr);
  assertStringIncludes(stderr, "the program of --exec cannot be run");
  assertEquals(await place.serial(), before);
});

Deno.test("a hook that vanishes before it is needed ends the run with 127", async () => {
  await using place = await reloadPlace();
  const before = await place.serial();
  const hook = await place.script("hook", "true");
  await using ca = await startTestCa(place.pki, async (request, response) => {
    await Deno.remove(hook);
    await rightAnswer(place.pki)(request, response);
  });
  const { code, stderr } = await place.once("--ca-url", ca.url, "--exec", hook);
  assertEquals(code, 127, stderr);
  assertStringIncludes(stderr, "no such file or directory");
  assert(await place.serial() !== before);
});
