/**
 * What fails behind the swap: the first words say that the pair is installed,
 * then what failed, then what is pending and who delivers it; and a later run
 * that is not told how says so, too.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { endlessHook } from "../support/endless_hook.ts";
import {
  programWords,
  type ReloadPlace,
  reloadPlace,
} from "../support/reload_place.ts";
import { fileHolds } from "../support/file_holds.ts";
import { startProgram } from "../support/running_program.ts";
import { sample } from "../support/sweep.ts";
import { closedPort } from "../support/tcp_peers.ts";

/** No process has it: above the largest number of Linux. */
const NOBODY = "4194304";

const KILL = `kill ${NOBODY} with signal 1 failed: no such process`;

/** Ways to fail: flags, what is said of them, and what is pending then. */
const FAILURES: readonly {
  readonly what: string;
  flags(place: ReloadPlace): Promise<readonly string[]>;
  readonly reason: string;
  readonly pending: string;
}[] = [
  {
    what: "a signal",
    flags: () => Promise.resolve(["--pid", NOBODY]),
    reason: KILL,
    pending: "the signal",
  },
  {
    what: "a hook's status",
    flags: async (place) => ["--exec", await place.script("fail", "exit 7")],
    reason: "exit status 7",
    pending: "--exec",
  },
  {
    what: "a hook that a signal killed",
    flags: async (place) => ["--exec", await place.script("die", "kill $$")],
    reason: "signal: terminated",
    pending: "--exec",
  },
  {
    what: "a hook at its limit",
    flags: async (place) => [
      ...["--exec", await place.script("slow", "exec sleep 99")],
      ...["--exec-timeout", "100ms"],
    ],
    reason: "--exec did not end within 100ms: ended it and all that it started",
    pending: "--exec",
  },
  {
    what: "a hook that cannot start",
    async flags(place) {
      const file = place.dir.file("odd");
      await Deno.writeTextFile(file, "#!/none/such\n", { mode: 0o755 });
      return ["--exec", file];
    },
    reason: "fork/exec PLACE/odd: no such file or directory",
    pending: "--exec",
  },
  {
    what: "a signal and a hook",
    flags: async (place) => [
      ...["--pid", NOBODY, "--exec", await place.script("fail", "exit 7")],
    ],
    reason: `${KILL}; exit status 7`,
    pending: "the signal and --exec",
  },
  {
    what: "a signal, but no hook",
    flags: async (place) => [
      ...["--pid", NOBODY, "--exec", await place.script("well", "exit 0")],
    ],
    reason: KILL,
    pending: "the signal",
  },
];

const NEXT_RUN = ", delivered by the next run with the same flags";

/** The whole message. */
function message(
  { dir }: ReloadPlace,
  { reason, pending }: { readonly reason: string; readonly pending: string },
  [installed, by]: readonly [string, string],
): string {
  const what = reason.replace("PLACE", dir.path);
  return `${installed}, but telling the service failed: ${what}; still pending: ${pending}${by}`;
}

for (const failure of sample("behind the swap", FAILURES, 2)) {
  const { what } = failure;
  Deno.test(`ca rekey says behind the swap what is pending: ${what}`, async () => {
    await using place = await reloadPlace();
    const wanted = message(place, failure, [
      "the new pair is installed",
      NEXT_RUN,
    ]);
    const flags = await failure.flags(place);
    const { stderr, code } = await place.once(...flags);
    assert(code !== 0);
    assert(stderr.includes(`\n${wanted}\n`), stderr);
    const json = await place.once(...flags, "--log-format", "json");
    const last = json.stderr.trimEnd().split("\n").at(-1) ?? "";
    assertEquals(JSON.parse(last).message, wanted);
    // The next run delivers it, or says the same again.
    const again = await place.once(...flags, "--expires-in", "1ns");
    const still = wanted.replace("new pair", "pair of an earlier run");
    assert(again.stderr.includes(`${still}\n`), again.stderr);
  });

  Deno.test(`ca rekey --daemon says behind the swap what is pending: ${what}`, async () => {
    await using place = await reloadPlace();
    const wanted = message(place, failure, ["the new pair is installed", ""]);
    const flags = await failure.flags(place);
    await using daemon = place.daemon(...flags, "--reload-attempts", "1");
    await daemon.says("first rekey in");
    daemon.kill("SIGHUP");
    const end = await daemon.says("gave up telling the service after 1 try");
    assertEquals(
      end,
      "gave up telling the service after 1 try: it is tried again after a restart, and with the next certificate",
    );
    const line = daemon.text.split("\n").find((text) =>
      text.startsWith("ERROR: ")
    );
    assertEquals(line?.replace(/^ERROR: \S+ \S+ /, ""), wanted);
  });

  Deno.test(`ca rollback says behind the swap what is pending: ${what}`, async () => {
    await using place = await reloadPlace();
    for (let index = 0; index < 2; index++) {
      assertEquals((await place.once("--layout", "versioned")).code, 0);
    }
    const wanted = message(place, failure, [
      "the pair before is in force again",
      NEXT_RUN,
    ]);
    await using running = startProgram(
      ["ca", "rollback", ...await failure.flags(place), ...place.pair],
      { env: place.env, cwd: place.dir.path },
    );
    assert(await running.ended !== 0);
    assert(running.text.includes(`\n${wanted}\n`), running.text);
  });
}

Deno.test("ca rekey and its daemon say that they were stopped behind the swap, and what is pending", async () => {
  for (const mode of ["--force", "--daemon"]) {
    await using place = await reloadPlace();
    await using running = startProgram(
      place.words(mode, "--exec", await endlessHook(place)),
      { env: place.env, cwd: place.dir.path },
    );
    if (mode === "--daemon") {
      await running.says("first rekey in");
      running.kill("SIGHUP");
    }
    await fileHolds(place.dir.file("pids"), (text) => text !== "");
    running.kill("SIGTERM");
    const code = await running.ended;
    assertEquals(code, mode === "--daemon" ? 0 : 143, running.text);
    const wanted = message(place, {
      reason: "stopped by SIGTERM during --exec",
      pending: "--exec",
    }, ["the new pair is installed", NEXT_RUN]);
    assert(running.text.includes(wanted), running.text);
  }
});

Deno.test("ca rekey does not call pending what a hook has replaced itself before it failed", async () => {
  await using place = await reloadPlace();
  const hook = await place.script(
    "hook",
    `${programWords(place.words("--force"))} || exit 3\nexit 7`,
  );
  const { code, stderr } = await place.once("--exec", hook);
  assertEquals(code, 7, stderr);
  assertMatch(
    stderr,
    /^the new pair is installed, but telling the service failed: exit status 7; another pair has replaced it meanwhile, so nothing of it is pending$/m,
  );
  assertEquals(place.ca.requests.length, 2);
  const { stderr: later } = await place.once("--expires-in", "1ns");
  assert(!later.includes("pending"), later);
});

for (
  const [what, deliverer, flags] of [
    ["the signal", "--pid or --pid-file", ["--pid", NOBODY]],
    ["--exec", "--exec", ["--exec", "false"]],
    ["the signal and --exec", "--pid or --pid-file, and --exec", [
      ...["--pid", NOBODY, "--exec", "false"],
    ]],
  ] as const
) {
  Deno.test(`a run without the flags says that ${what} is still pending, since when, and who delivers it`, async () => {
    await using place = await reloadPlace();
    assert((await place.once(...flags)).code !== 0);
    const words = new RegExp(
      `the service was not told of the certificate in force: still pending since \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z: ${what}, delivered by a run with ${deliverer}$`,
      "gm",
    );
    const idle = await place.once("--expires-in", "1ns");
    assertEquals(idle.code, 0, idle.stderr);
    assertEquals(idle.stderr.match(words)?.length, 1, idle.stderr);
    const nobody = `https://127.0.0.1:${closedPort()}`;
    const unreachable = await place.once("--ca-url", nobody);
    assertEquals(unreachable.code, 69, unreachable.stderr);
    assertEquals(unreachable.stderr.match(words)?.length, 1);
    {
      await using daemon = place.daemon();
      const line = await daemon.says("the service was not told of");
      assertMatch(line, words);
      assertMatch(daemon.text, /^WARN: \S+ \S+ the service was not told of/m);
    }
    // The note is as it was: with the flags it is tried again.
    assert((await place.once(...flags, "--expires-in", "1ns")).code !== 0);
    const due = await place.once();
    assertEquals(due.code, 0, due.stderr);
    assertEquals(due.stderr.match(words)?.length, 1, due.stderr);
    // The service knows the new certificate as little as the one before.
    const later = await place.once("--expires-in", "1ns");
    assertEquals(later.stderr.match(words)?.length, 1, later.stderr);
    assert((await place.once(...flags, "--expires-in", "1ns")).code !== 0);
  });
}

Deno.test("a run with one of two flags says what is still pending of the other", async () => {
  await using place = await reloadPlace();
  const well = await place.script("well", "exit 0");
  assert((await place.once("--pid", NOBODY, "--exec", well)).code !== 0);
  const { code, stderr } = await place.once(
    "--exec",
    well,
    "--expires-in",
    "1ns",
  );
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /still pending since \S+: the signal, delivered by/);
});
