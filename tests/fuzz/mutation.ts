/**
 * Damage to real files, as fast-check makes it up.
 *
 * The number of inputs of each test is a sample in the suite, and comes from
 * REKEY_TEST_FUZZ_RUNS in `deno task fuzz`.
 */
import fc from "fast-check";

/** How many inputs a test tries; `sample` without the variable. */
export function fuzzRuns(sample: number): number {
  return Number(Deno.env.get("REKEY_TEST_FUZZ_RUNS") ?? sample);
}

/** Far above what the slowest input takes on a busy machine. */
const SLOWEST_MS = 10_000;

/**
 * Runs `read` on an input, which has to come back soon.
 *
 * @throws {Error} when it took longer than an input may
 */
export async function inTime<T>(read: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await read();
  const took = performance.now() - start;
  if (took > SLOWEST_MS) throw new Error(`one input took ${took} ms`);
  return result;
}

/** Where something happens: a share of the length. */
const PLACE = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const BYTE = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  // Lengths and signs at their limits, structure of DER and JSON.
  fc.constantFrom(0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xfe, 0xff),
  fc.constantFrom(...'\n\r -:,"{}[]=\\'.split("").map((c) => c.charCodeAt(0))),
);

const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ set: PLACE, to: BYTE }) },
  { weight: 1, arbitrary: fc.record({ flip: PLACE, bit: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ cut: PLACE }) },
  { weight: 1, arbitrary: fc.record({ insert: PLACE, byte: BYTE }) },
  {
    weight: 1,
    arbitrary: fc.record({
      remove: PLACE,
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ copy: PLACE, onto: PLACE, count: fc.nat(200) }),
  },
);

type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** One of `seeds` after up to six steps of damage. */
export function damagedOneOf(
  seeds: readonly Uint8Array[],
): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.tuple(
    fc.constantFrom(...seeds),
    fc.array(STEP, { minLength: 1, maxLength: 6 }),
  ).map(([seed, steps]) => steps.reduce(damage, seed.slice()));
}

function damage(
  bytes: Uint8Array<ArrayBuffer>,
  step: Step,
): Uint8Array<ArrayBuffer> {
  const at = (share: number) => Math.floor(share * bytes.length);
  if (bytes.length === 0) return bytes;
  if ("set" in step) bytes[at(step.set)] = step.to;
  else if ("flip" in step) {
    const index = at(step.flip);
    bytes[index] = (bytes[index] ?? 0) ^ (1 << step.bit);
  } else if ("cut" in step) return bytes.slice(0, at(step.cut));
  else if ("insert" in step) {
    const index = at(step.insert);
    return joined(
      bytes.subarray(0, index),
      Uint8Array.of(step.byte),
      bytes.subarray(index),
    );
  } else if ("remove" in step) {
    const index = at(step.remove);
    return joined(
      bytes.subarray(0, index),
      bytes.subarray(index + step.count),
    );
  } else {
    const from = at(step.copy);
    const index = at(step.onto);
    return joined(
      bytes.subarray(0, index),
      bytes.subarray(from, from + step.count),
      bytes.subarray(index),
    );
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
