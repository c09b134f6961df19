/**
 * How much of a sweep a run of the suite does: a sample that rotates, or with
 * `STEP_REKEY_SWEEP=all`, as `deno task sweep` sets it, the whole.
 *
 * A sample is drawn with a seed that is printed; `STEP_REKEY_SEED` repeats it.
 */

/** Whether everything is to be done. */
export const IS_WHOLE: boolean = Deno.env.get("STEP_REKEY_SWEEP") === "all";

const SEED = Number(
  Deno.env.get("STEP_REKEY_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);

/** Numbers from 0 to below 1 that depend on the seed and `name` alone. */
export function seeded(name: string): () => number {
  let state = [...name].reduce(
    (hash, char) => Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193),
    SEED | 0,
  );
  // Mulberry32: only to spread a sample.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of the items in their order, or all of them in a whole sweep. */
export function sample<T>(
  name: string,
  items: readonly T[],
  count: number,
): readonly T[] {
  if (IS_WHOLE || items.length <= count) return items;
  const random = seeded(name);
  const chosen = new Set(
    items.map((_, index) => ({ index, rank: random() }))
      .sort((left, right) => left.rank - right.rank)
      .slice(0, count).map(({ index }) => index),
  );
  console.log(
    `${name}: ${count} of ${items.length} cases; STEP_REKEY_SEED=${SEED} repeats them`,
  );
  return items.filter((_, index) => chosen.has(index));
}

/** How many cases run at once. */
const WORKERS = 2;

/** Failures that are shown of one sweep. */
const MOST_FAILURES = 12;

/** Does all items, some at once; fails with what failed when all are done. */
export async function inParallel<T>(
  items: readonly T[],
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (const item of queue) {
        if (failures.length >= MOST_FAILURES) return;
        await action(item).catch((error) => failures.push(error));
      }
    }),
  );
  if (failures.length === 0) return;
  throw new Error(
    `${failures.length} of ${items.length} cases failed:\n${
      failures.map((error) => error instanceof Error ? error.message : error)
        .join("\n")
    }`,
    { cause: failures[0] },
  );
}
