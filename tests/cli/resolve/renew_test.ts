/** Whole command lines of `ca renew` to the options of the same pipeline. */
import { SETTING_NAMES } from "../../../src/cli/remedies.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { NO_SETTINGS, runLine } from "../../support/command_line.ts";

const LINE = ["ca", "renew", "--ca-url", "ca"];
const PAIR = ["a.crt", "a.key"];

/** What every line without flags but --ca-url becomes. */
const DEFAULTS = {
  input: { certificate: "a.crt", key: "a.key" },
  output: { certificate: "a.crt", key: "a.key" },
  newKey: { from: "current", by: "certificate" },
  authority: {
    mode: "online",
    url: "https://ca",
    root: `${NO_SETTINGS}/certs/root_ca.crt`,
    connectTimeoutMs: 30_000,
    timeoutMs: 30_000,
  },
  passwordFiles: {},
  encryptNewKey: "as-current",
  overwrite: "ask",
  write: {
    inPlace: false,
    attributes: {},
    lockTimeoutMs: 0,
    stateFolders: [`${NO_SETTINGS}/step-rekey`],
  },
  reload: {},
  mode: { run: "once" },
  names: { ...SETTING_NAMES, period: "--renew-period" },
};

for (
  const [args, change] of [
    [[], {}],
    [["--force"], { overwrite: "always" }],
    [["--out=b"], { output: { certificate: "b", key: "a.key" } }],
    [["--output-file", "b"], { output: { certificate: "b", key: "a.key" } }],
    [["--mtls=false"], { newKey: { from: "current", by: "token" } }],
    [["--mtls"], {}],
    [["--expires-in=8h"], {
      mode: { run: "once", onlyIfExpiresInMs: 28_800_000 },
    }],
    [["--daemon", "--renew-period=16h"], {
      overwrite: "always",
      mode: {
        run: "daemon",
        schedule: { rule: "period", periodMs: 57_600_000 },
      },
    }],
    // It opens the key, which is written nowhere.
    [["--password-file=p"], { passwordFiles: { key: "p" } }],
  ] as const
) {
  Deno.test(`ca renew ${args.join(" ")} is understood`, async () => {
    const { code, options, stderr } = await runLine([
      ...[...LINE, ...args, ...PAIR],
    ]);
    assertEquals(code, 0, stderr);
    assertEquals(options, { ...DEFAULTS, ...change } as typeof options);
  });
}

for (
  const [args, message] of [
    [["--renew-period=1h"], "flag '--renew-period' requires the '--daemon'"],
    [["--daemon", "--renew-period=-1h"], "must not be negative"],
    [
      ["--daemon", "--renew-period=1h", "--expires-in=1h"],
      "flag '--expires-in' is incompatible with '--renew-period'",
    ],
    [["--rekey-period=1h"], "did you mean --renew-period?"],
    [["--kty=EC"], "flag provided but not defined: -kty"],
    [["--out-key=b"], "flag provided but not defined: -out-key"],
    [["--out=-"], "invalid value '-' for flag '--out'"],
    [["--out=a.key"], "flag '--out' and argument <key-file> name the same"],
    [["--root=a.crt"], "argument <crt-file> and flag '--root' name the same"],
    [["--pid=1", "--pid-file=x"], "mutually exclusive"],
    [["--mtls=maybe"], "-mtls"],
  ] as const
) {
  Deno.test(`ca renew ${args.join(" ")} is refused`, async () => {
    const { code, options, stderr } = await runLine([
      ...[...LINE, ...args, ...PAIR],
    ]);
    assertEquals([code, options], [64, undefined]);
    assertStringIncludes(stderr, message);
  });
}

Deno.test("ca renew takes standard input only with --out", async () => {
  const { code, stderr } = await runLine([...LINE, "-", "a.key"]);
  assertEquals(code, 64);
  assertStringIncludes(
    stderr,
    "<crt-file> can be standard input only with the '--out' flag",
  );
});

Deno.test("ca renew asks for the CA's address by its own name", async () => {
  const { code, stderr } = await runLine(["ca", "renew", ...PAIR]);
  assertEquals(code, 64);
  assertStringIncludes(stderr, "'step ca renew' requires the '--ca-url' flag");
});

Deno.test("--renew-fallback from a variable has no use beside --private-key", async () => {
  const line = ["ca", "rekey", "--ca-url=ca", ...PAIR];
  const env = { STEP_RENEW_FALLBACK: "true" };
  const { options } = await runLine(line, { env });
  assertEquals(options?.renewFallback, true);
  const given = await runLine([...line, "--private-key=k"], { env });
  assertEquals([given.code, given.options?.renewFallback], [0, undefined]);
});
