/**
 * Killed at each rename of a swap: the next run tells the service exactly when
 * the pair is new.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { program } from "../support/program.ts";
import { reloadPlace } from "../support/reload_place.ts";
import { run } from "../support/run.ts";
import { CAN_TRACE } from "../support/strace.ts";

/** More than the note, the journal, the key and the certificate need. */
const MOST_RENAMES = 8;

/** Kills a run at a rename; undefined when it had fewer, else whether the pair is new. */
async function killedAt(rename: number): Promise<boolean | undefined> {
  await using place = await reloadPlace();
  const before = await place.serial();
  const { command, args } = program();
  const { signal } = await run("strace", [
    ...["-f", "-qq", "-o", "/dev/null", "-e", "trace=rename"],
    ...["-e", `inject=rename:signal=KILL:when=${rename}`, command, ...args],
    ...place.words("--force", "--exec", await place.failingHook(99)),
  ], { env: place.env, cwd: place.dir.path });
  if (signal !== "SIGKILL") return undefined;
  assertEquals(await place.calls().catch(() => []), []);

  const hook = await place.failingHook(0);
  const next = await place.once("--expires-in", "1ns", "--exec", hook);
  assertEquals(next.code, 0, next.stderr);
  const serial = await place.serial();
  const isNew = serial !== before;
  assertEquals(
    await place.calls().catch(() => []),
    isNew ? [`2 ${serial} ${before}`] : [],
  );
  assertEquals(await place.leftovers(), []);
  assertEquals(place.ca.requests.length, 1);
  return isNew;
}

Deno.test({
  name:
    "a rekey that is killed in its swap leaves a pending reload if the pair is new (needs strace)",
  ignore: !CAN_TRACE,
  async fn() {
    // In a new checkout the runtime renames files of its cache, too.
    assertEquals(await killedAt(MOST_RENAMES * 100), undefined);
    const seen: boolean[] = [];
    for (let rename = 1; rename <= MOST_RENAMES; rename++) {
      const isNew = await killedAt(rename);
      if (isNew === undefined) break;
      seen.push(isNew);
    }
    // Note and journal, then key and certificate.
    assertEquals(seen.length, 4);
    assert(!seen[0] && seen[2] && seen[3]);
  },
});
