/**
 * `ca rollback` and `ca layout`: their command lines.
 */
import { SETTING_NAMES } from "../../src/cli/remedies.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";

const PAIR = { certificate: "a.crt", key: "a.key" };

Deno.test("ca rollback takes the pair and the way to tell the service", async () => {
  const { rollback, code } = await runLine([
    "ca",
    "rollback",
    "a.crt",
    "a.key",
    "--exec",
    "nginx -s reload",
    "--pid-file=n.pid",
    "--lock-timeout=5s",
    "--exec-timeout=1m",
    "--password-file=p",
    "-f",
  ]);
  assertEquals([code, rollback], [0, {
    pair: PAIR,
    passwordFile: "p",
    allowExpired: true,
    lockTimeoutMs: 5000,
    reload: {
      signal: { target: { pidFile: "n.pid" }, number: 1 },
      exec: ["nginx", "-s", "reload"],
      execTimeoutMs: 60_000,
    },
    names: SETTING_NAMES,
  }]);
});

Deno.test("ca rollback refuses an expired pair unless it is told otherwise", async () => {
  const { rollback } = await runLine(["ca", "rollback", "a.crt", "a.key"]);
  assertEquals(rollback, {
    pair: PAIR,
    allowExpired: false,
    lockTimeoutMs: 0,
    reload: {},
    names: SETTING_NAMES,
  });
});

for (const layout of ["plain", "versioned"] as const) {
  Deno.test(`ca layout takes ${layout}`, async () => {
    const line = ["ca", "layout", layout, "a.crt", "a.key"];
    const result = await runLine(line);
    assertEquals(result.layout, { layout, pair: PAIR, lockTimeoutMs: 0 });
  });
}

const MISTAKES: readonly (readonly [line: string, pattern: RegExp])[] = [
  ["rollback a.crt", /^not enough positional arguments .* ca rollback/],
  ["rollback a.crt a.key b", /^too many positional arguments/],
  ["rollback a.crt a.crt", /name the same file .a.crt.$/m],
  ["rollback - a.key", /^argument <crt-file> can be standard input only/],
  ["rollback a.crt a.key --signal 99", /invalid value '99' .*--signal/],
  ["rollback a.crt a.key --pid 1 --pid-file x", /mutually exclusive/],
  ["rollback a.crt a.key --lock-timeout -1s", /must not be negative/],
  ["rollback a.crt a.key --daemon", /flag provided but not defined: -daemon/],
  ["layout a.crt a.key", /^not enough positional arguments .* ca layout/],
  ["layout Plain a.crt a.key", /must be plain or versioned, not "Plain"/],
  ["layout plain a.crt -", /^argument <key-file> cannot be standard input/],
  ["layout plain a.crt a.key --lock-timeout soon", /'soon' .*--lock-timeout/],
];

for (const [line, pattern] of MISTAKES) {
  Deno.test(`ca ${line} is refused before anything is touched`, async () => {
    const result = await runLine(["ca", ...line.split(" ")]);
    assertEquals(
      [result.code, result.rollback, result.layout],
      [64, undefined, undefined],
    );
    assertMatch(result.stderr, pattern);
  });
}
