/**
 * How much of a long test a run does.
 *
 * The suite takes a sample that changes from run to run. REKEY_TEST_SWEEP=N, as
 * `deno task sweep --sample=N` sets it, takes N times as much, and
 * REKEY_TEST_SWEEP=all everything. REKEY_TEST_SEED repeats a sample.
 */

const SHARE = shareOf(Deno.env.get("REKEY_TEST_SWEEP"));

function shareOf(text: string | undefined): number {
  return text === "all" ? Infinity : Number(text ?? "1");
}

/** Whether everything is to be done. */
export const IS_WHOLE: boolean = SHARE === Infinity;

/** What the order of the files and all samples of a run depend on. */
export const SEED: number = Number(
  Deno.env.get("REKEY_TEST_SEED") ?? newSeed(),
);

function newSeed(): number {
  const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
  if (!IS_WHOLE) {
    console.error(`REKEY_TEST_SEED=${seed} repeats order and samples`);
  }
  return seed;
}

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

/** `count` of the items in their order, as many times as much, or all. */
export function sample<T>(
  name: string,
  items: readonly T[],
  count: number,
): readonly T[] {
  if (items.length <= count * SHARE) return items;
  const random = seeded(name);
  const chosen = new Set(
    items.map((_, index) => ({ index, rank: random() }))
      .sort((left, right) => left.rank - right.rank)
      .slice(0, count * SHARE).map(({ index }) => index),
  );
  return items.filter((_, index) => chosen.has(index));
}

/** How often to do what can be done without end: `count`, or `whole` at most. */
export function howMany(count: number, whole: number): number {
  return Math.min(count * SHARE, whole);
}

/**
 * The whole numbers from `start` to in front of `end`, or one of each `every`
 * of them, the first by chance.
 */
export function* spread(
  { start = 0, end }: { readonly start?: number; readonly end: number },
  every: number,
): Generator<number> {
  const step = Math.max(1, Math.ceil(every / SHARE));
  const first = Math.floor(seeded(`${start} ${end}`)() * step);
  for (let number = start + first; number < end; number += step) yield number;
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
    `${failures.length} of ${items.length} cases failed (REKEY_TEST_SEED=${SEED} repeats them):\n${
      failures.map((error) => error instanceof Error ? error.message : error)
        .join("\n")
    }`,
    { cause: failures[0] },
  );
}
