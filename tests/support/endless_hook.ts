/**
 * A hook that never ends by itself, with a child that does not either.
 */
import { assertEquals } from "./assert.ts";
import { fileHolds } from "./file_holds.ts";
import type { ReloadPlace } from "./reload_place.ts";
import { run } from "./run.ts";

/**
 * Most that a stop may take, in ms: 600 on an idle machine, and below the ten
 * seconds of a hook at its limit on a busy one.
 */
export const STOP_LIMIT_MS = 9_000;

/** Runs for ever in two processes, whose ids it writes to `pids`. */
export async function endlessHook(
  place: ReloadPlace,
  first = "",
): Promise<string> {
  const pids = place.dir.file("pids");
  return await place.script(
    "endless",
    `${first}
sleep 999 &
echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}
echo endless
sleep 999`,
  );
}

/** Both ids, as soon as it runs. */
export async function pidsOf(place: ReloadPlace): Promise<readonly number[]> {
  const text = await fileHolds(
    place.dir.file("pids"),
    (found) => found.endsWith("\n"),
  );
  return text.trim().split(" ").map(Number);
}

/** Fails while one of them, or of their session, lives. */
export async function assertAllGone(place: ReloadPlace): Promise<void> {
  const pids = await pidsOf(place);
  assertEquals(pids.length, 2);
  for (const pid of pids) await assertGone(pid);
  // Nor anybody else of their session.
  const { stdout } = await run("ps", ["-o", "pid=,stat=", "-s", `${pids[0]}`]);
  assertEquals(stdout.split("\n").filter((line) => /\d [^Z]/.test(line)), []);
}

/** Fails while a process lives; one that was killed may take a moment to go. */
async function assertGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 6_000; tries++) {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    // A zombie has ended; who reaps it is not our matter.
    if (stat === "" || /\) Z /.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(await Deno.readTextFile(`/proc/${pid}/stat`), "gone");
}
