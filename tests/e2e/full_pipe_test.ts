/**
 * Output that nobody reads: whatever the program has to say, the pair is
 * rekeyed, the service is told, and a signal ends it.
 */
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { fullPipe, redirected } from "../support/full_pipe.ts";
import { type ReloadPlace, reloadPlace } from "../support/reload_place.ts";
import { fileHolds } from "../support/file_holds.ts";
import { notifySocket } from "../support/notify_socket.ts";
import { startProgram } from "../support/running_program.ts";
import { watchStalls } from "../support/stalls.ts";

const FORMATS = ["text", "json"] as const;

/** How long the end of a single run waits for its reader, in ms, and some more. */
const MOST_ONCE_MS = 3_000 + 3_000;

for (const format of FORMATS) {
  for (const full of ["stdout", "stderr", "stdout and stderr"]) {
    Deno.test(`ca rekey --daemon --log-format ${format} rekeys, tells the service and ends while nobody reads ${full}`, async () => {
      await using place = await reloadPlace();
      const { dir, env, words } = place;
      using pipe = await fullPipe(dir.file("pipe"));
      // The first call fails, which is an error to log.
      const hook = await place.failingHook(1);
      const before = await place.serial();
      // By its log nobody learns when it listens.
      await using socket = await notifySocket(dir.file("notify"));
      await using running = startProgram(
        words("--daemon", "--exec", hook, "--log-format", format),
        {
          cwd: dir.path,
          env: { ...env, NOTIFY_SOCKET: socket.address },
          under: redirected({
            stdout: full.includes("stdout") ? pipe : undefined,
            stderr: full.includes("stderr") ? pipe : undefined,
          }),
        },
      );
      await socket.receives("READY=1");
      running.kill("SIGHUP");
      await calls(place, 2);
      const first = await place.serial();
      assert(first !== before);
      running.kill("SIGHUP");
      await calls(place, 3);
      assert(await place.serial() !== first);
      using stalls = watchStalls();
      const begin = performance.now();
      running.kill("SIGTERM");
      assertEquals(await running.ended, 0);
      const tookMs = performance.now() - begin;
      assert(tookMs < stalls.limitMs(1_000), `${tookMs} ms`);
    });
  }

  Deno.test(`ca rekey --log-format ${format} tells the service and ends while nobody reads stderr`, async () => {
    await using place = await reloadPlace();
    const { dir, env, words } = place;
    using pipe = await fullPipe(dir.file("pipe"));
    const before = await place.serial();
    await using running = startProgram(
      words("--force", "--exec", await place.failingHook(0), ...[
        "--log-format",
        format,
      ]),
      { ...{ env, cwd: dir.path }, under: redirected({ stderr: pipe }) },
    );
    await calls(place, 1);
    using stalls = watchStalls();
    const begin = performance.now();
    assertEquals(await running.ended, 0);
    const tookMs = performance.now() - begin;
    assert(tookMs < stalls.limitMs(MOST_ONCE_MS), `${tookMs} ms`);
    assert(await place.serial() !== before);
  });

  Deno.test(`ca rekey --log-format ${format} prints all before its end when the reader is slow`, async () => {
    await using place = await reloadPlace();
    const { dir, env, words } = place;
    using pipe = await fullPipe(dir.file("pipe"));
    const hook = await place.script("fail", "exit 7");
    await using running = startProgram(
      words("--force", "--exec", hook, "--log-format", format),
      { ...{ env, cwd: dir.path }, under: redirected({ stderr: pipe }) },
    );
    // Swapped, and the hook has failed: nothing is left but to say so.
    const before = place.pki.host.certificate;
    await fileHolds(place.pair[0], (text) => text !== before);
    const text = await pipe.readUntil("exit status 7");
    assertEquals(await running.ended, 7);
    assertStringIncludes(text, place.pair[1]);
    assert(text.indexOf(place.pair[1]) < text.indexOf("exit status 7"), text);
  });
}

Deno.test("ca rollback tells the service and ends while nobody reads stderr", async () => {
  await using place = await reloadPlace();
  const { dir, env, pair } = place;
  const before = await place.serial();
  for (const layout of ["versioned", "versioned"]) {
    const { code, stderr } = await place.once("--layout", layout);
    assertEquals(code, 0, stderr);
  }
  using pipe = await fullPipe(dir.file("pipe"));
  await using running = startProgram(
    ["ca", "rollback", "--exec", await place.failingHook(0), ...pair],
    { ...{ env, cwd: dir.path }, under: redirected({ stderr: pipe }) },
  );
  assertEquals(await running.ended, 0);
  await calls(place, 1);
  assert(await place.serial() !== before);
});

Deno.test("a mistake on the command line ends with its code while nobody reads stderr", async () => {
  await using place = await reloadPlace();
  const { dir, env, words } = place;
  using pipe = await fullPipe(dir.file("pipe"));
  for (const mistake of [["--nonsense"], ["--pid", "x"]]) {
    await using running = startProgram(words(...mistake), {
      ...{ env, cwd: dir.path },
      under: redirected({ stderr: pipe }),
    });
    assertEquals(await running.ended, 64);
  }
});

/** Waits until the hook was called so often. */
async function calls({ dir }: ReloadPlace, count: number): Promise<void> {
  await fileHolds(
    dir.file("calls"),
    (text) => text.split("\n").length > count,
  );
}
