/**
 * Planned kills of one run, each proven by the tracer's log.
 */
import { assertEquals } from "./assert.ts";
import {
  assertNoPlainKey,
  type CrashBench,
  type Specimen,
} from "./crash_bench.ts";
import { describePoint, type Point } from "./tracer/tracer.ts";

/** One planned kill. */
export interface Kill {
  readonly point: Point;
  readonly action: "kill-before" | "kill-after";
}

/** A kill before and one after each point. */
export function killsAt(points: readonly Point[]): Kill[] {
  return points.flatMap((point) => [
    { point, action: "kill-before" } as const,
    { point, action: "kill-after" } as const,
  ]);
}

/** In words, without the random tag that differs from run to run. */
export function describeKill({ point, action }: Kill): string {
  return `${action} ${describePoint(point)}`
    .replaceAll(/[0-9a-f]{16}/g, "TAG");
}

/**
 * Runs the program on the specimen until the kill.
 *
 * Fails unless the log says that it was done there, and when a key that was
 * encrypted stands anywhere in plain text.
 */
export async function killAt(
  bench: CrashBench,
  specimen: Specimen,
  kill: Kill,
): Promise<void> {
  const trace = await bench.traced(specimen, {
    point: kill.point.point,
    action: kill.action,
  });
  const context = `${specimen.layout.name}, ${describeKill(kill)}`;
  assertEquals(trace.hit?.hit, kill.action, `${context}: was not hit`);
  const hit = trace.hit ?? kill.point;
  assertEquals(describeKill({ ...kill, point: hit }), describeKill(kill));
  assertEquals(trace.points.length, kill.point.point, context);
  assertEquals(trace.code, 128 + 9, context);
  await assertNoPlainKey(specimen, trace);
}
