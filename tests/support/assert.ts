/**
 * The assertions of the suite. Small on purpose: failures print both values.
 */
import { type ErrorKind, RekeyError } from "../../src/base/errors.ts";

/** A failed assertion. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Fails unless `condition` holds. */
export function assert(
  condition: unknown,
  message = "assertion failed",
): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Fails unless both are deeply equal. */
export function assertEquals(
  actual: unknown,
  expected: unknown,
  message = "",
): void {
  const left = Deno.inspect(actual, INSPECT);
  const right = Deno.inspect(expected, INSPECT);
  if (left === right) return;
  throw new AssertionError(
    `${message}\n  actual:   ${left}\n  expected: ${right}`,
  );
}

// Text with sorted keys is equality enough for plain data, and it is what a
// failure has to show anyway.
const INSPECT: Deno.InspectOptions = {
  depth: 20,
  sorted: true,
  strAbbreviateSize: Number.MAX_SAFE_INTEGER,
  iterableLimit: Number.MAX_SAFE_INTEGER,
  compact: true,
  breakLength: Number.MAX_SAFE_INTEGER,
};

/** Fails unless `text` matches. */
export function assertMatch(text: string, pattern: RegExp): void {
  if (!pattern.test(text)) {
    throw new AssertionError(`${Deno.inspect(text)} does not match ${pattern}`);
  }
}

/** Fails unless `text` contains `part`. */
export function assertStringIncludes(text: string, part: string): void {
  if (!text.includes(part)) {
    throw new AssertionError(
      `${Deno.inspect(text)} does not contain ${Deno.inspect(part)}`,
    );
  }
}

/** The kind of a RekeyError, or another class of errors. */
type Expected = ErrorKind | (new (...args: never[]) => Error);

/** Runs `action` and returns its error, which must have the kind and match the pattern. */
export async function assertRejects(
  action: () => Promise<unknown>,
  kind?: Expected,
  pattern?: RegExp,
): Promise<Error> {
  let result: unknown;
  try {
    result = await action();
  } catch (error) {
    return checkError(error, kind, pattern);
  }
  throw new AssertionError(
    `expected a failure, got ${Deno.inspect(result)}`,
  );
}

/** As {@linkcode assertRejects}, for functions that return at once. */
export function assertThrows(
  action: () => unknown,
  kind?: Expected,
  pattern?: RegExp,
): Error {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    return checkError(error, kind, pattern);
  }
  throw new AssertionError(`expected a failure, got ${Deno.inspect(result)}`);
}

function checkError(
  error: unknown,
  kind: Expected | undefined,
  pattern: RegExp | undefined,
): Error {
  if (!(error instanceof Error)) {
    throw new AssertionError(`not an Error: ${Deno.inspect(error)}`);
  }
  if (typeof kind === "function") {
    if (!(error instanceof kind)) throw error;
  } else if (kind !== undefined) {
    if (!(error instanceof RekeyError)) throw error;
    assertEquals(error.kind, kind, error.message);
  }
  if (pattern !== undefined) assertMatch(error.message, pattern);
  return error;
}
