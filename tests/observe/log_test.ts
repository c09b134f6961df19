import { hintWords } from "../support/hint.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { jsonLog } from "../../src/observe/json_log.ts";
import { daemonLog, type LogSinks, oneShotLog } from "../../src/observe/log.ts";
import type { Log, LogEvent } from "../../src/base/runtime.ts";
import { assertEquals } from "../support/assert.ts";

const CERTIFICATE = {
  commonName: "internal",
  names: ["DNS:internal.example"],
  serial: "0A",
  notAfter: new Date(0),
};

/** What a log prints for one event. */
function printed(
  make: (sinks: LogSinks) => Log,
  event: LogEvent,
): { out: string; err: string } {
  const result = { out: "", err: "" };
  make({
    out: (text) => result.out += text,
    err: (text) => result.err += text,
    hintText: hintWords,
  }).write(event);
  return result;
}

const REKEYED: LogEvent = {
  event: "rekeyed",
  targets: { certificate: "a.crt", key: "a.key" },
  certificate: CERTIFICATE,
};

const RENEWED = {
  event: "renewed",
  targets: { certificate: "a.crt" },
  certificate: CERTIFICATE,
  isFallback: false,
} as const;

Deno.test("oneShotLog() prints one result line a file, on stderr", () => {
  assertEquals(printed((sinks) => oneShotLog(sinks, false), REKEYED), {
    out: "",
    err: "✔ Certificate: a.crt\n✔ Private Key: a.key\n",
  });
});

Deno.test("oneShotLog() names no key when none was written", () => {
  const event: LogEvent = { ...REKEYED, targets: { certificate: "a.crt" } };
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), event).err,
    "✔ Certificate: a.crt\n",
  );
});

Deno.test("oneShotLog() colours the result lines byte for byte as the original", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, true), REKEYED).err.split("\n")[0],
    "\x1b[32m\x1b[32m✔\x1b[0m \x1b[1mCertificate\x1b[0m\x1b[1m:\x1b[0m a.crt",
  );
});

Deno.test("oneShotLog() says how long a certificate that is not due lives", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), {
      event: "not-due",
      act: "rekey",
      expiresInMs: 39_125_000,
    }).err,
    "certificate not rekeyed: expires in 10h52m5s\n",
  );
});

Deno.test("oneShotLog() says that a certificate was renewed in the original's words", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, true), RENEWED).err,
    "Your certificate has been saved in a.crt.\n",
  );
});

Deno.test("oneShotLog() says that no rekey was possible, and the key is the old one", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), {
      ...RENEWED,
      targets: { certificate: "a.crt", key: "a.key" },
      isFallback: true,
    }).err,
    "✔ Certificate: a.crt\nthe private key was NOT rotated: a.key is the old one\n",
  );
});

Deno.test("daemonLog() says what it does to a certificate", () => {
  const now = () => new Date(2026, 0, 31, 12, 0, 5);
  const event = { event: "scheduled", act: "renew", waitMs: 5e6 } as const;
  for (const first of [true, false]) {
    const text = first
      ? "first renewal in"
      : "internal certificate renewed, next in";
    assertEquals(
      printed((sinks) => daemonLog(sinks, now), {
        ...event,
        certificate: CERTIFICATE,
        first,
      }).out,
      `INFO: 2026/01/31 12:00:05 ${text} 1h23m20s\n`,
    );
  }
});

Deno.test("oneShotLog() prints a warning and its hint", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), {
      event: "warning",
      message: "others can read it",
      hint: "chmod 600",
    }).err,
    "warning: others can read it\nhint: chmod 600\n",
  );
});

Deno.test("oneShotLog() prints the advice of a warning on its line", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), {
      event: "warning",
      message: "others can read it",
      advice: "chmod 600",
    }).err,
    "warning: others can read it; chmod 600\n",
  );
});

Deno.test("daemonLog() prints plans on stdout in the original's form", () => {
  const now = () => new Date(2026, 0, 31, 12, 0, 5);
  const event = { event: "scheduled", certificate: CERTIFICATE, waitMs: 5e6 };
  assertEquals(
    printed((sinks) => daemonLog(sinks, now), {
      ...event,
      event: "scheduled",
      act: "rekey",
      first: true,
    }),
    { out: "INFO: 2026/01/31 12:00:05 first rekey in 1h23m20s\n", err: "" },
  );
  assertEquals(
    printed((sinks) => daemonLog(sinks, now), {
      ...event,
      event: "scheduled",
      act: "rekey",
      first: false,
    }).out,
    "INFO: 2026/01/31 12:00:05 internal certificate rekeyed, next in 1h23m20s\n",
  );
});

Deno.test("daemonLog() prints failures on stderr with the next attempt", () => {
  const now = () => new Date(2026, 0, 31, 12, 0, 5);
  assertEquals(
    printed((sinks) => daemonLog(sinks, now), {
      event: "failed",
      error: new RekeyError("unreachable", "no answer", { hint: "wait" }),
      attempt: 2,
      nextAttemptMs: 60_000,
      certificate: CERTIFICATE,
      leftMs: 3_600_000,
    }),
    {
      out: "",
      err: "ERROR: 2026/01/31 12:00:05 no answer\n" +
        "ERROR: 2026/01/31 12:00:05 hint: wait\n" +
        "ERROR: 2026/01/31 12:00:05 next attempt in 1m0s, the certificate expires in 1h0m0s\n",
    },
  );
});

for (
  const [attempt, nextAttemptMs, lines] of [
    [2, 2_000, ["exit status 7", "next attempt to tell the service in 2s"]],
    [20, undefined, [
      "exit status 7",
      "gave up telling the service after 20 tries: it is tried again after a restart, and with the next certificate",
    ]],
  ] as const
) {
  Deno.test(`daemonLog() prints that a reload failed, ${attempt} times`, () => {
    const now = () => new Date(2026, 0, 31, 12, 0, 5);
    const error = new RekeyError("hook", "exit status 7");
    assertEquals(
      printed((sinks) => daemonLog(sinks, now), {
        event: "reload-failed",
        error,
        attempt,
        nextAttemptMs,
      }),
      {
        out: "",
        err: lines.map((line) => `ERROR: 2026/01/31 12:00:05 ${line}\n`)
          .join(""),
      },
    );
  });
}

Deno.test("daemonLog() prints that a reload succeeded at last", () => {
  const now = () => new Date(2026, 0, 31, 12, 0, 5);
  assertEquals(
    printed((sinks) => daemonLog(sinks, now), { event: "reloaded" }),
    {
      out: "INFO: 2026/01/31 12:00:05 the service was told at last\n",
      err: "",
    },
  );
});

Deno.test("oneShotLog() lets no file name paint the terminal or break a line", () => {
  const event: LogEvent = {
    ...REKEYED,
    targets: { certificate: "e\x1b[31m\nx.crt" },
  };
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), event).err,
    "✔ Certificate: e\\x1b[31m\\x0ax.crt\n",
  );
});

Deno.test("daemonLog() takes a warning that nobody has to mend for information", () => {
  const event: LogEvent = {
    event: "warning",
    message: "it is not recorded",
    routine: true,
  };
  const { out, err } = printed(
    (sinks) => daemonLog(sinks, () => new Date(2026, 0, 31, 12, 0, 5)),
    event,
  );
  assertEquals(out, "INFO: 2026/01/31 12:00:05 it is not recorded\n");
  assertEquals(err, "");
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), event).err,
    "warning: it is not recorded\n",
  );
});

Deno.test("daemonLog() puts a prefix in front of every line, whatever a path holds", () => {
  const now = () => new Date(2030, 0, 2, 3, 4, 5);
  const { err } = printed((sinks) => daemonLog(sinks, now), {
    event: "warning",
    message: "a\nINFO: forged",
    hint: "b\nc",
  });
  assertEquals(
    err.split("\n").map((line) => line.replace("2030/01/02 03:04:05 ", "")),
    [
      "WARN: a",
      "WARN: INFO: forged",
      "WARN: hint: b",
      "WARN: c",
      "",
    ],
  );
});

for (
  const [byMs, stream] of [[3_600_000, "out"], [-3_600_000, "err"]] as const
) {
  Deno.test(`daemonLog() tells of a clock that moved by ${byMs} ms on std${stream}`, () => {
    const event = { event: "clock-stepped", byMs } as const;
    const texts = printed((sinks) => daemonLog(sinks, () => new Date()), event);
    assertEquals(texts[stream].includes("the clock"), true);
    assertEquals(texts.out === "" || texts.err === "", true);
  });
}

const FAILURE = {
  error: new RekeyError("hook", "exit status 7"),
  attempt: 1,
  nextAttemptMs: 1_000,
  certificate: CERTIFICATE,
  leftMs: 1_000,
} as const;
const WARNING = { event: "warning", message: "mind this", hint: "do" } as const;

/** One event of each level, and of each kind that is a warning. */
const LEVELS: readonly (readonly [string, LogEvent])[] = [
  ["WARN", WARNING],
  ["WARN", { ...WARNING, once: true }],
  ["WARN", { event: "clock-stepped", byMs: -60_000 }],
  ["WARN", { event: "repaired", recovery: { kind: "finished" } }],
  ["WARN", { event: "repaired", recovery: { kind: "undone" } }],
  ["WARN", { event: "repaired", recovery: { kind: "layout changed" } }],
  ["WARN", { event: "repaired", recovery: { kind: "foreign", file: "a.crt" } }],
  ["INFO", { ...WARNING, routine: true }],
  ["INFO", { event: "clock-stepped", byMs: 60_000 }],
  ["INFO", { event: "reloaded" }],
  ["INFO", { event: "woken", act: "rekey" }],
  ["INFO", { event: "replaced", certificate: CERTIFICATE }],
  ["INFO", { event: "command-started", program: "nginx", pid: 7 }],
  ["INFO", {
    event: "command-ended",
    program: "nginx",
    exitCode: 143,
    signal: "SIGTERM",
  }],
  ["ERROR", { event: "failed", ...FAILURE }],
  ["ERROR", {
    event: "failed",
    ...FAILURE,
    certificate: undefined,
    leftMs: undefined,
  }],
  ["ERROR", { event: "reload-failed", ...FAILURE }],
];

for (const [index, [level, event]] of LEVELS.entries()) {
  Deno.test(`daemonLog() and jsonLog() agree on the level of ${event.event} ${index}: ${level}`, () => {
    const now = () => new Date(2030, 0, 2, 3, 4, 5);
    const text = printed((sinks) => daemonLog(sinks, now), event);
    const lines = (text.out + text.err).trimEnd().split("\n");
    for (const line of lines) {
      assertEquals(line.split(": ")[0], level);
      // The level says it; the word of a single run would say it twice.
      assertEquals(line.includes("warning:"), false, line);
    }
    assertEquals(text.out === "", level !== "INFO");
    const json = printed(
      (sinks) => jsonLog(sinks, { file: "a.crt", run: "daemon", now }),
      event,
    );
    const object = JSON.parse(json.out + json.err);
    const words = { info: "INFO", warning: "WARN", error: "ERROR" };
    assertEquals(words[object.level as keyof typeof words], level);
    assertEquals(object.message.includes("warning:"), false);
    assertEquals(json.out === "", text.out === "");
  });
}

Deno.test("oneShotLog() says that a repair is a warning", () => {
  assertEquals(
    printed((sinks) => oneShotLog(sinks, false), {
      event: "repaired",
      recovery: { kind: "undone" },
    }).err,
    "warning: an interrupted rekey was found and undone: the old pair is in place\n",
  );
});
