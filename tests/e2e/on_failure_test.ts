/**
 * Who is told of failures by --exec-on-failure, and what it must not change.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import {
  assertAllGone,
  endlessHook,
  pidsOf,
  STOP_LIMIT_MS,
} from "../support/endless_hook.ts";
import { fileHolds } from "../support/file_holds.ts";
import {
  type ReloadPlace,
  reloadTest as test,
} from "../support/reload_place.ts";

/** Writes what it is told to `told`, and fails. */
async function messenger(place: ReloadPlace): Promise<string> {
  return await place.script(
    "messenger",
    `echo "$STEP_REKEY_ERROR_CLASS $STEP_REKEY_ERROR_KIND $STEP_REKEY_ATTEMPT $STEP_REKEY_CERT $STEP_REKEY_NOT_AFTER|$STEP_REKEY_ERROR" >> ${
      place.dir.file("told")
    }
exit 99`,
  );
}

test("--exec-on-failure tells of a single run that failed, and leaves its exit code", async (place) => {
  await place.ca[Symbol.asyncDispose]();
  const result = await place.once(
    "--exec-on-failure",
    await messenger(place),
  );
  assertEquals(result.code, 69);
  assertStringIncludes(
    result.stderr,
    "--exec-on-failure failed: exit status 99",
  );
  const told = await Deno.readTextFile(place.dir.file("told"));
  assertMatch(told, /^later unreachable 1 \/\S+host\.crt \d{4}\S+Z\|.*refused/);
});

test("--exec-on-failure tells of a pid-file that is missing", async (place) => {
  const result = await place.once(
    ...["--pid-file", place.dir.file("none.pid")],
    ...["--exec-on-failure", await messenger(place)],
  );
  assertEquals(result.code, 64);
  const told = await Deno.readTextFile(place.dir.file("told"));
  assertMatch(told, /^never usage 1 .*none\.pid/);
});

test("--exec-on-failure tells of a hook that failed", async (place) => {
  const result = await place.once(
    ...["--exec", "false", "--exec-on-failure", await messenger(place)],
  );
  assertEquals(result.code, 1);
  const told = await Deno.readTextFile(place.dir.file("told"));
  assertMatch(
    told,
    /^reload hook 1 .*\|the new pair is installed, but .*: exit status 1; still pending: --exec, delivered by the next run with the same flags\n$/,
  );
});

test("--exec-on-failure is silent when nothing failed", async (place) => {
  const result = await place.once("--exec-on-failure", await messenger(place));
  assertEquals(result.code, 0);
  assertEquals(
    await Deno.stat(place.dir.file("told")).catch(() => "none"),
    "none",
  );
});

test("--exec-on-failure tells of a daemon that gave a reload up", async (place) => {
  await using daemon = place.daemon(
    ...["--exec", "false", "--reload-attempts", "1"],
    ...["--exec-on-failure", await messenger(place)],
  );
  await daemon.says("first rekey in");
  daemon.kill("SIGHUP");
  const told = await fileHolds(
    place.dir.file("told"),
    (text) => text.endsWith("\n"),
  );
  assertMatch(told, /^reload hook 1 /);
});

test("a daemon ends soon while it tells of a failure", async (place) => {
  await using daemon = place.daemon(
    ...["--exec", "false", "--reload-attempts", "1"],
    ...["--exec-on-failure", await endlessHook(place)],
  );
  await daemon.says("first rekey in");
  daemon.kill("SIGHUP");
  await pidsOf(place);
  const begin = performance.now();
  daemon.kill("SIGTERM");
  assertEquals(await daemon.ended, 0);
  assert(performance.now() - begin < STOP_LIMIT_MS);
  await assertAllGone(place);
});
