import {
  bestEffort,
  isOsError,
  osCode,
  osReason,
  retryInterrupted,
} from "../../src/base/os_error.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { tempDir } from "../support/temp_dir.ts";

function failureOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

Deno.test("osReason() says what strerror says, for files", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("file"), "");
  const reasons = [
    () => Deno.openSync(dir.file("missing")),
    () => Deno.openSync(dir.path, { write: true }),
    () => Deno.lstatSync(dir.file("file/x")),
    () => Deno.openSync(dir.file("a".repeat(300))),
    () => Deno.linkSync(dir.file("file"), dir.file("file")),
  ].map((call) => osReason(failureOf(call)));
  assertEquals(reasons, [
    "no such file or directory",
    "is a directory",
    "not a directory",
    "file name too long",
    "file exists",
  ]);
});

Deno.test("osReason() says what strerror says, for a file name with a colon", async () => {
  await using dir = await tempDir();
  const error = failureOf(() => Deno.openSync(dir.file("a: b (os error 1)")));
  assertEquals(osReason(error), "no such file or directory");
});

Deno.test("osReason() says what strerror says, for kill", () => {
  assertEquals(
    osReason(failureOf(() => Deno.kill(2 ** 31 - 1, 1))),
    "no such process",
  );
});

Deno.test("osReason() keeps the flag that a missing permission needs", () => {
  const error = new Deno.errors.NotCapable(
    "Requires run access, run again with the --allow-run flag",
  );
  assertEquals(
    osReason(error),
    "requires run access, run again with the --allow-run flag",
  );
});

Deno.test("osCode() is undefined for what is no system error", () => {
  assertEquals(osCode(new Error("x")), undefined);
  assertEquals(osCode("x"), undefined);
});

Deno.test("isOsError() tells system errors from bugs", () => {
  assert(isOsError(failureOf(() => Deno.openSync("/nonexistent/x"))));
  assertEquals(isOsError(new TypeError("x is not a function")), false);
});

Deno.test("retryInterrupted() calls again after an interruption", () => {
  let calls = 0;
  const result = retryInterrupted(() => {
    if (++calls < 3) throw new Deno.errors.Interrupted("interrupted");
    return calls;
  });
  assertEquals(result, 3);
});

Deno.test("retryInterrupted() gives up on endless interruption", () => {
  assertThrows(() =>
    retryInterrupted(() => {
      throw new Deno.errors.Interrupted("interrupted");
    })
  );
});

Deno.test("bestEffort() tries twice", () => {
  let calls = 0;
  const isDone = bestEffort(() => {
    if (++calls === 1) Deno.openSync("/nonexistent/x");
  });
  assertEquals([isDone, calls], [true, 2]);
});

Deno.test("bestEffort() says that the system refused", () => {
  assertEquals(bestEffort(() => void Deno.openSync("/nonexistent/x")), false);
});

Deno.test("bestEffort() hides no bug", () => {
  assertThrows(
    () =>
      bestEffort(() => {
        throw new TypeError("bug");
      }),
    undefined,
    /bug/,
  );
});
