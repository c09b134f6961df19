import { hintWords } from "../support/hint.ts";
import fc from "fast-check";
import { RekeyError } from "../../src/base/errors.ts";
import { jsonLine } from "../../src/observe/json_line.ts";
import { jsonLog } from "../../src/observe/json_log.ts";
import type { LogEvent } from "../../src/base/runtime.ts";
import { assert, assertEquals } from "../support/assert.ts";

const NOW = new Date("2026-01-31T12:00:05.678Z");
const CERTIFICATE = {
  commonName: "internal",
  names: ["DNS:internal.example"],
  serial: "0A",
  notAfter: new Date("2026-02-01T00:00:00Z"),
};

const EVENTS: readonly LogEvent[] = [
  {
    event: "rekeyed",
    targets: { certificate: "a.crt", key: "a.key" },
    certificate: CERTIFICATE,
  },
  { event: "not-due", act: "rekey", expiresInMs: 60_000 },
  { event: "repaired", recovery: { kind: "undone" } },
  {
    event: "scheduled",
    act: "rekey",
    certificate: CERTIFICATE,
    waitMs: 60_000,
    first: true,
  },
  { event: "warning", message: "others can read it", hint: "chmod 600" },
  {
    event: "failed",
    error: new RekeyError("unreachable", "no answer", { hint: "wait" }),
    attempt: 3,
    nextAttemptMs: 90_000,
    certificate: CERTIFICATE,
    leftMs: 1,
  },
  {
    event: "reload-failed",
    error: new RekeyError("hook", "exit status 7"),
    attempt: 2,
    nextAttemptMs: 2_000,
  },
  { event: "reloaded" },
  { event: "woken", act: "rekey" },
  { event: "clock-stepped", byMs: -3_600_000 },
  { event: "replaced", certificate: CERTIFICATE },
  {
    event: "enrolled",
    targets: { certificate: "a.crt", key: "a.key" },
    certificate: CERTIFICATE,
  },
  { event: "command-started", program: "nginx", pid: 7 },
  { event: "command-ended", program: "nginx", exitCode: 3, signal: undefined },
  { event: "stopped" },
];

const KEYS = [
  "time",
  "level",
  "event",
  "file",
  "serial",
  "notAfter",
  "nextAttempt",
  "class",
  "attempt",
  "message",
];

function logged(event: LogEvent, run: "once" | "daemon" = "daemon") {
  const result = { out: "", err: "" };
  jsonLog({
    out: (text) => result.out += text,
    err: (text) => result.err += text,
    hintText: hintWords,
  }, { file: "a.crt", run, now: () => NOW }).write(event);
  return result;
}

for (const event of EVENTS) {
  Deno.test(`jsonLog() writes "${event.event}" as one object with the stable keys`, () => {
    const { out, err } = logged(event);
    const text = out + err;
    assertEquals(text.split("\n").length, 2, text);
    const line = JSON.parse(text);
    for (const key of KEYS) assert(key in line, `${key} in ${text}`);
    assertEquals(
      [line.event, line.file, line.time],
      [event.event, "a.crt", "2026-01-31T12:00:05.678Z"],
    );
  });
}

Deno.test("jsonLog() takes a warning that nobody has to mend for information, in a daemon", () => {
  const event: LogEvent = { event: "warning", message: "so", routine: true };
  assertEquals(JSON.parse(logged(event, "daemon").out).level, "info");
  assertEquals(JSON.parse(logged(event, "once").err).level, "warning");
});

Deno.test("jsonLog() writes a failure with class, attempt and both instants", () => {
  const failed = EVENTS.find(({ event }) => event === "failed");
  assert(failed !== undefined);
  const line = JSON.parse(logged(failed).err);
  assertEquals(line, {
    time: "2026-01-31T12:00:05.678Z",
    level: "error",
    event: "failed",
    file: "a.crt",
    serial: "0A",
    notAfter: "2026-02-01T00:00:00Z",
    nextAttempt: "2026-01-31T12:01:35Z",
    class: "later",
    attempt: 3,
    message: "no answer",
    hint: "wait",
    kind: "unreachable",
    exitCode: 69,
  });
});

Deno.test("jsonLog() names the certificate in force in what comes after it", () => {
  const lines: string[] = [];
  const sinks = { out: keep, err: keep, hintText: hintWords };
  function keep(text: string): void {
    lines.push(text);
  }
  const log = jsonLog(sinks, { file: "a.crt", run: "daemon", now: () => NOW });
  const rekeyed = EVENTS.find(({ event }) => event === "rekeyed");
  assert(rekeyed?.event === "rekeyed");
  log.write(rekeyed);
  log.write({ event: "reloaded" });
  log.write({ event: "woken", act: "rekey" });
  log.write({ event: "clock-stepped", byMs: 9e6, nextAttemptMs: 1_000 });
  for (const line of lines.map((line) => JSON.parse(line))) {
    assertEquals(line.serial, rekeyed.certificate.serial, line.event);
    assert(line.notAfter !== null);
  }
  assertEquals(
    JSON.parse(lines.at(-1) ?? "").nextAttempt,
    "2026-01-31T12:00:06Z",
  );
});

Deno.test("jsonLog() says what a daemon would repeat in each pass once", () => {
  const lines: string[] = [];
  const sinks = {
    out: () => {},
    err: (text: string) => lines.push(text),
    hintText: hintWords,
  };
  const log = jsonLog(sinks, { file: "a.crt", run: "daemon", now: () => NOW });
  for (const message of ["a", "a", "b"]) {
    log.write({ event: "warning", message, once: true });
  }
  assertEquals(lines.length, 2);
});

Deno.test("jsonLog() keeps to the streams of the text form", () => {
  const [rekeyed] = EVENTS;
  assert(rekeyed !== undefined);
  assertEquals(logged(rekeyed).err, "");
  assertEquals(logged(rekeyed, "once").out, "");
});

Deno.test("jsonLine() lets no character move a cursor or end the line", () => {
  const wild = "\x1b[31m\x9b1m\u2028\u202e\n\r\x7f\0\u{e0001}";
  const text = jsonLine({
    time: NOW,
    level: "error",
    event: "failed",
    file: wild,
    message: wild,
  });
  assert(/^[ -~]*\n$/.test(text), text);
  assertEquals(JSON.parse(text).message, wild);
});

Deno.test("jsonLine() is one line that reads back, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (message) => {
      const text = jsonLine({ time: NOW, level: "info", event: "x", message });
      assertEquals(text.indexOf("\n"), text.length - 1);
      assert(!/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text.slice(0, -1)));
      assertEquals(JSON.parse(text).message, message);
    }),
    { numRuns: 2_000 },
  );
});
