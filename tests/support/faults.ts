/**
 * Planned failures of single system calls, and what must hold for a run that
 * meets one.
 */
import { ERROR_KINDS } from "../../src/base/errors.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import {
  assertNoPlainKey,
  type CrashBench,
  leftovers,
  type PairState,
  type Specimen,
  stateOf,
} from "./crash_bench.ts";
import {
  type Action,
  describePoint,
  ERRNO,
  type Point,
  type Trace,
} from "./tracer/tracer.ts";

/** One planned failure. */
export interface Fault {
  readonly point: Point;
  readonly action: Action;
  /** For people. */
  readonly name: string;
}

/** How a run with a fault ended. */
export interface FaultOutcome {
  readonly code: number;
  readonly state: PairState;
  readonly left: readonly string[];
}

/** Every error at every point, once and from then on, and short writes. */
export function faultsAt(points: readonly Point[]): Fault[] {
  return points.flatMap((point) => [
    ...Object.entries(ERRNO).flatMap(([error, number]) =>
      (["once", "on", "same"] as const).map((when) => ({
        point,
        action: `fail:${number}:${when}` as const,
        name: `${error} ${when} at ${describePoint(point)}`,
      }))
    ),
    ...[0, 1, 100].filter((bytes) => bytes < bytesOf(point)).map((bytes) => ({
      point,
      action: `short:${bytes}` as const,
      name: `write of ${bytes} bytes at ${describePoint(point)}`,
    })),
  ]);
}

/** What a write was to write; none for other calls. */
function bytesOf({ data = "" }: Point): number {
  return data.length / 2;
}

/** Runs the program with the fault and checks what holds for all of them. */
export async function meetFault(
  bench: CrashBench,
  specimen: Specimen,
  fault: Fault,
): Promise<FaultOutcome> {
  const trace = await bench.traced(specimen, {
    point: fault.point.point,
    action: fault.action,
  });
  const context =
    `${specimen.layout.name}, ${fault.name}: exit ${trace.code}, ${trace.stderr}`;
  assertEquals(trace.hit?.hit, fault.action, `${context} was not hit`);
  assertEquals(trace.hit?.point, fault.point.point, context);
  assertEquals(trace.hit?.call, fault.point.call, context);
  assertGoodMessage(specimen, trace, context);
  await assertNoPlainKey(specimen, trace);
  const outcome = {
    code: trace.code,
    state: await stateOf(specimen),
    left: await leftovers(specimen),
  };
  assertOutcome(outcome, { specimen, fault, trace, context });
  return outcome;
}

/** The code of a run that could not write. */
const INSTALL = ERROR_KINDS.install.exitCode;

function assertGoodMessage(
  { place, certificate, key }: Specimen,
  { code, stderr }: Trace,
  context: string,
): void {
  assert(code === 0 || code === INSTALL, context);
  assert(!/^\s+at /m.test(stderr), `a stack trace: ${context}`);
  assert(!stderr.includes("PRIVATE KEY"), `a key: ${context}`);
  if (code === 0) return;
  assertMatch(stderr, /failed: |cannot replace /);
  const names = [certificate, key, `${place}/tls/host.crt`];
  assert(
    names.some((name) => stderr.includes(name)),
    `names no file: ${context}`,
  );
}

function assertOutcome(
  { code, state, left }: FaultOutcome,
  { specimen, fault, trace, context }: {
    readonly specimen: Specimen;
    readonly fault: Fault;
    readonly trace: Trace;
    readonly context: string;
  },
): void {
  const isForEver = !fault.action.endsWith(":once") &&
    fault.action.startsWith("fail");
  const failed = trace.points.filter(({ hit }) => hit !== undefined);
  const keepsContent = specimen.layout.keepsContent === true;
  if (state === "mixed") {
    // Every way back was taken away as well, and the run says so.
    assert(isForEver, `a mixture: ${context}`);
    assertMatch(trace.stderr, /repairing the pair failed as well/);
    assertEquals(code, INSTALL, context);
    return;
  }
  if (/may not be on the disk|the new version is in force/.test(trace.stderr)) {
    // An fsync failed after the last rename: nobody knows, and both are kept.
    assert(failed.some(({ call }) => /^f(data)?sync/.test(call)), context);
    assertEquals(
      [state, code],
      [keepsContent ? "old" : "new", INSTALL],
      context,
    );
    return;
  }
  const isDone = code === 0 && !keepsContent;
  if (isDone || !isForEver) {
    assertEquals(state, isDone ? "new" : "old", context);
  }
  if (left.length === 0) return;
  // Only where removing itself failed, and not just once, or where the next
  // run has to repair the pair; or a change of layout that the next run goes on
  // with.
  const isLeftToNext = trace.stderr.includes("repairing the pair failed") ||
    ((isForEver || failed.some(({ call }) => /^f(data)?sync/.test(call))) &&
      code === INSTALL &&
      left.some((path) => path.endsWith(".rekey-layout")));
  const couldNotRemove = isForEver &&
    failed.some(({ call }) => /^(unlink|rmdir|rename)/.test(call));
  for (const path of left) {
    assert(
      isLeftToNext || couldNotRemove,
      `left ${path}: ${context}`,
    );
  }
}
