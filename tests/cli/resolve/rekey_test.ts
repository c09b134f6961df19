/**
 * Whole command lines to RekeyOptions: every rule about combinations, in its
 * order and with its text.
 */
import { SETTING_NAMES } from "../../../src/cli/remedies.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../../support/assert.ts";
import { NO_SETTINGS, runLine } from "../../support/command_line.ts";
import { tempDir } from "../../support/temp_dir.ts";

const PAIR = ["a.crt", "a.key"];

/** What every line without flags but --ca-url becomes. */
const DEFAULTS = {
  input: { certificate: "a.crt", key: "a.key" },
  output: { certificate: "a.crt", key: "a.key" },
  newKey: { from: "generate", spec: { kty: "EC", curve: "P-256" } },
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
  write: { inPlace: false, attributes: {}, lockTimeoutMs: 0 },
  reload: {},
  mode: { run: "once" },
  names: SETTING_NAMES,
};

const OFFLINE = {
  authority: {
    mode: "offline",
    ignoreDatabase: false,
    config: `${NO_SETTINGS}/config/ca.json`,
  },
};

const DAEMON = {
  overwrite: "always",
  mode: { run: "daemon", schedule: { rule: "two-thirds" } },
};

/** What a line with these changes is written like. */
function written(change: object): object {
  return {
    write: { inPlace: false, attributes: {}, lockTimeoutMs: 0, ...change },
  };
}

const RESOLVED: readonly (readonly [line: string, change: object])[] = [
  ["", {}],
  ["--force", { overwrite: "always" }],
  ["-f", { overwrite: "always" }],
  ["--force=false", {}],
  ["--out-cert b.crt", { output: { certificate: "b.crt", key: "a.key" } }],
  ["--out-crt b.crt --out-key b.key", {
    output: { certificate: "b.crt", key: "b.key" },
  }],
  ["--out-cert= --out-key=", {}],
  ["--private-key foo.key", {
    newKey: { from: "file", path: "foo.key", writeCopy: false },
  }],
  ["--private-key foo.key --out-key b.key", {
    newKey: { from: "file", path: "foo.key", writeCopy: true },
    output: { certificate: "a.crt", key: "b.key" },
  }],
  // Set, though empty: the key is written to <key-file>.
  ["--private-key foo.key --out-key=", {
    newKey: { from: "file", path: "foo.key", writeCopy: true },
  }],
  ["--private-key=", {}],
  ["--private-key a.key", {
    newKey: { from: "file", path: "a.key", writeCopy: false },
  }],
  ["--private-key foo.key --out-key foo.key", {
    newKey: { from: "file", path: "foo.key", writeCopy: true },
    output: { certificate: "a.crt", key: "foo.key" },
  }],
  ["--layout versioned", written({ layout: "versioned" })],
  ["--layout plain --in-place", written({ layout: "plain", inPlace: true })],
  ["--layout=", {}],
  ["--in-place=false", {}],
  ["--key-mode 640 --cert-mode 0644", {
    ...written({ attributes: { keyMode: 0o640, certificateMode: 0o644 } }),
  }],
  [
    "--key-mode 0o400 --owner app --group 101",
    written({ attributes: { keyMode: 0o400, owner: "app", group: "101" } }),
  ],
  ["--lock-timeout 1m30s", written({ lockTimeoutMs: 90_000 })],
  ["--lock-timeout 0", {}],
  ["--kty RSA --size 0x1000", {
    newKey: { from: "generate", spec: { kty: "RSA", bits: 4096 } },
  }],
  ["--crv P-384", {
    newKey: { from: "generate", spec: { kty: "EC", curve: "P-384" } },
  }],
  ["--curve Ed25519", {
    newKey: { from: "generate", spec: { kty: "OKP", curve: "Ed25519" } },
  }],
  ["--expires-in 8h30m", {
    mode: { run: "once", onlyIfExpiresInMs: 30_600_000 },
  }],
  ["--expires-in 300ns", { mode: { run: "once", onlyIfExpiresInMs: 0.0003 } }],
  ["--expires-in 2562047h", {
    mode: { run: "once", onlyIfExpiresInMs: 9_223_369_200_000 },
  }],
  ["--expires-in -1.5h", {}],
  ["--expires-in 0", {}],
  ["--expires-in=", {}],
  ["--rekey-period=", {}],
  ["--rekey-period 0s", {}],
  ["--daemon", DAEMON],
  ["--daemon --force=false", DAEMON],
  ["--daemon --expires-in 0", DAEMON],
  ["--daemon --expires-in 8h30m", {
    ...DAEMON,
    mode: {
      run: "daemon",
      schedule: { rule: "before-expiry", beforeMs: 30_600_000 },
    },
  }],
  ["--daemon --rekey-period 16h", {
    ...DAEMON,
    mode: {
      run: "daemon",
      schedule: { rule: "period", periodMs: 57_600_000 },
    },
  }],
  ["--daemon --rekey-period 16h --expires-in 0", {
    ...DAEMON,
    mode: {
      run: "daemon",
      schedule: { rule: "period", periodMs: 57_600_000 },
    },
  }],
  ["--daemon --kty RSA --out-key b.key", {
    ...DAEMON,
    newKey: { from: "generate", spec: { kty: "RSA", bits: 2048 } },
    output: { certificate: "a.crt", key: "b.key" },
  }],
  ["--pid 0x10", { reload: { signal: { target: { pid: 16 }, number: 1 } } }],
  ["--pid 12 --signal 31", {
    reload: { signal: { target: { pid: 12 }, number: 31 } },
  }],
  ["--pid-file x.pid --signal 10", {
    reload: { signal: { target: { pidFile: "x.pid" }, number: 10 } },
  }],
  ["--pid-file=", {}],
  ["--signal 15", {}],
  ["--exec=", {}],
  ["--exec-timeout 90s --exec-on-failure mail", {
    reload: { execTimeoutMs: 90_000, onFailure: ["mail"] },
  }],
  ["--exec-timeout 0 --exec-on-failure=", { reload: { execTimeoutMs: 0 } }],
  ["--daemon --reload-attempts 0", { ...DAEMON, reload: { attempts: 0 } }],
  ["--root r.pem", { authority: { ...DEFAULTS.authority, root: "r.pem" } }],
  ["--root=", {}],
  ["--connect-timeout 1.5s --timeout 1m", {
    authority: {
      ...DEFAULTS.authority,
      connectTimeoutMs: 1500,
      timeoutMs: 60_000,
    },
  }],
  ["--timeout 24h", {
    authority: { ...DEFAULTS.authority, timeoutMs: 86_400_000 },
  }],
  ["--password-file p", {
    passwordFiles: { key: "p" },
    encryptNewKey: "always",
  }],
  ["--password-file=", {}],
  ["--password-file p --private-key foo.key", {
    newKey: { from: "file", path: "foo.key", writeCopy: false },
    passwordFiles: { key: "p", privateKey: "p" },
    encryptNewKey: "always",
  }],
  [
    "--password-file p --private-key foo.key --private-key-password-file q",
    {
      newKey: { from: "file", path: "foo.key", writeCopy: false },
      passwordFiles: { key: "p", privateKey: "q" },
      encryptNewKey: "always",
    },
  ],
  ["--private-key foo.key --private-key-password-file q", {
    newKey: { from: "file", path: "foo.key", writeCopy: false },
    passwordFiles: { privateKey: "q" },
  }],
  ["--offline", OFFLINE],
  ["--offline --ca-config x.json", {
    authority: { mode: "offline", config: "x.json", ignoreDatabase: false },
  }],
  ["--offline --ca-config -", {
    authority: { mode: "offline", config: "-", ignoreDatabase: false },
  }],
  ["--offline --timeout 1s --root r.pem", OFFLINE],
  ["--offline --ignore-database", {
    authority: { ...OFFLINE.authority, ignoreDatabase: true },
  }],
  ["--offline --ignore-database=false", OFFLINE],
  ["--ca-config x.json", {}],
  ["--offline --password-file p", {
    ...OFFLINE,
    passwordFiles: { key: "p", ca: "p" },
  }],
  ["--offline --password-file p --ca-password-file q", {
    ...OFFLINE,
    passwordFiles: { key: "p", ca: "q" },
    encryptNewKey: "always",
  }],
  ["--offline --ca-password-file q", {
    ...OFFLINE,
    passwordFiles: { ca: "q" },
  }],
  ["--password-file -", {
    passwordFiles: { key: "-" },
    encryptNewKey: "always",
  }],
  // One password for both, read from one place.
  ["--offline --password-file -", {
    ...OFFLINE,
    passwordFiles: { key: "-", ca: "-" },
  }],
];

for (const [line, change] of RESOLVED) {
  Deno.test(`resolveRekey() understands '${line}'`, async () => {
    const { options, stderr, stdout, code } = await runLine([
      "ca",
      "rekey",
      ...PAIR,
      "--ca-url",
      "ca",
      ...words(line),
    ]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    assertEquals(options, { ...DEFAULTS, ...change });
  });
}

/** Splits at spaces; no line has words of its own with spaces. */
function words(line: string): readonly string[] {
  return line === "" ? [] : line.split(" ");
}

const REFUSED: readonly (readonly [
  line: string,
  code: number,
  message: string,
])[] = [
  // 1: the number of arguments, before everything else.
  [
    "a.crt --expires-in 1d",
    64,
    "not enough positional arguments were provided in 'step ca rekey <crt-file> <key-file>'",
  ],
  [
    "--expires-in 1d",
    64,
    "not enough positional arguments were provided in 'step ca rekey <crt-file> <key-file>'",
  ],
  [
    "a b c --expires-in 1d",
    64,
    "too many positional arguments were provided in 'step ca rekey <crt-file> <key-file>'",
  ],
  // 5 to 7: the URL of the CA.
  [
    "a b --expires-in 1d",
    64,
    "'step ca rekey' requires the '--ca-url' flag",
  ],
  ["a b --ca-url=", 64, "'step ca rekey' requires the '--ca-url' flag"],
  [
    "a b --ca-url http://ca --expires-in 1d",
    78,
    "invalid value 'http://ca' for flag '--ca-url'; must have https scheme",
  ],
  [
    "a b --ca-url ca:x",
    78,
    "invalid value 'https://ca:x' for flag '--ca-url'; invalid URL",
  ],
  [
    "a b --offline --ca-url http://ca",
    78,
    "invalid value 'http://ca' for flag '--ca-url'; must have https scheme",
  ],
  // 8 and 9: durations.
  [
    "a b --ca-url ca --expires-in 1d --rekey-period 1d",
    64,
    "invalid value '1d' for flag '--expires-in'",
  ],
  [
    "a b --ca-url ca --rekey-period 1d --expires-in 1h",
    64,
    "invalid value '1d' for flag '--rekey-period'",
  ],
  [
    "a b --ca-url ca --expires-in 3000000h",
    64,
    "invalid value '3000000h' for flag '--expires-in'",
  ],
  [
    "a b --ca-url ca --rekey-period -1h",
    64,
    "invalid value '-1h' for flag '--rekey-period'; must not be negative",
  ],
  [
    "a b --ca-url ca --daemon --rekey-period -1h",
    64,
    "invalid value '-1h' for flag '--rekey-period'; must not be negative",
  ],
  [
    "a b --ca-url ca --daemon --expires-in -1h",
    64,
    "invalid value '-1h' for flag '--expires-in'; must not be negative with the '--daemon' flag",
  ],
  // 10 and 11: which of them.
  [
    "a b --ca-url ca --expires-in 1h --rekey-period 1h",
    64,
    "flag '--expires-in' is incompatible with '--rekey-period'",
  ],
  [
    "a b --ca-url ca --rekey-period 1h --pid 0",
    64,
    "flag '--rekey-period' requires the '--daemon' flag",
  ],
  // 12, 13 and 17: whom to signal.
  [
    "a b --ca-url ca --pid 0 --pid-file x",
    64,
    "flag '--pid' and flag '--pid-file' are mutually exclusive",
  ],
  [
    "a b --ca-url ca --pid 1 --pid-file=",
    64,
    "flag '--pid' and flag '--pid-file' are mutually exclusive",
  ],
  [
    "a b --ca-url ca --pid 0 --signal 0",
    64,
    "invalid value '0' for flag '--pid'",
  ],
  [
    "a b --ca-url ca --exec-timeout -1s",
    64,
    "invalid value '-1s' for flag '--exec-timeout'; must not be negative",
  ],
  [
    "a b --ca-url ca --exec-timeout=",
    64,
    "missing value for flag '--exec-timeout'",
  ],
  [
    "a b --ca-url ca --lock-timeout=",
    64,
    "missing value for flag '--lock-timeout'",
  ],
  [
    "a b --ca-url ca --lock-timeout 25h",
    64,
    "invalid value '25h' for flag '--lock-timeout'; must be at most 24h",
  ],
  [
    "a b --ca-url ca --log-format=",
    64,
    "missing value for flag '--log-format'; options are text, json",
  ],
  [
    "a b --ca-url ca --exec-timeout 25h",
    64,
    "invalid value '25h' for flag '--exec-timeout'; must be at most 24h",
  ],
  [
    "a b --ca-url ca --reload-attempts 3",
    64,
    "flag '--reload-attempts' requires the '--daemon' flag",
  ],
  [
    "a b --ca-url ca --daemon --reload-attempts -1",
    64,
    "invalid value '-1' for flag '--reload-attempts'",
  ],
  ["a b --ca-url ca --pid -7", 64, "invalid value '-7' for flag '--pid'"],
  [
    "a b --ca-url ca --pid 2147483648",
    64,
    "invalid value '2147483648' for flag '--pid'",
  ],
  ["a b --ca-url ca --signal 0", 64, "invalid value '0' for flag '--signal'"],
  ["a b --ca-url ca --signal -1", 64, "invalid value '-1' for flag '--signal'"],
  ["a b --ca-url ca --signal 32", 64, "invalid value '32' for flag '--signal'"],
  // 24 and 26: where the certificate comes from.
  [
    "a b --offline --ca-config=",
    64,
    "missing value for flag '--ca-config'",
  ],
  [
    "a b --ca-url https://",
    78,
    "error parsing endpoint: url 'https://' is not valid",
  ],
  [
    "a b --ca-url https:// --expires-in 1d",
    64,
    "invalid value '1d' for flag '--expires-in'",
  ],
  // Limits of time.
  [
    "a b --ca-url ca --timeout 0s",
    64,
    "invalid value '0s' for flag '--timeout'; must be greater than 0",
  ],
  [
    "a b --ca-url ca --connect-timeout -1s",
    64,
    "invalid value '-1s' for flag '--connect-timeout'; must be greater than 0",
  ],
  [
    "a b --ca-url ca --timeout 25h",
    64,
    "invalid value '25h' for flag '--timeout'; must be at most 24h",
  ],
  ["a b --ca-url ca --timeout=", 64, "missing value for flag '--timeout'"],
  ["a b --ca-url ca --timeout 5", 64, "invalid value '5' for flag '--timeout'"],
  // The new key.
  [
    "a b --ca-url ca --kty oct",
    64,
    "invalid value 'oct' for flag '--kty'; options are RSA, EC, OKP",
  ],
  [
    "a b --ca-url ca --kty EC --size 2048",
    64,
    "flag '--size' is incompatible with flag '--kty EC'",
  ],
  [
    "a b --ca-url ca --private-key k --kty EC",
    64,
    "flag '--kty' is incompatible with flag '--private-key'",
  ],
  [
    "a b --ca-url ca --private-key k --crv P-256",
    64,
    "flag '--curve' is incompatible with flag '--private-key'",
  ],
  [
    "a b --ca-url ca --private-key k --size 2048",
    64,
    "flag '--size' is incompatible with flag '--private-key'",
  ],
  [
    "a b --ca-url ca --private-key k --daemon",
    64,
    "flag '--private-key' is incompatible with flag '--daemon'",
  ],
  [
    "a b --ca-url ca --private-key -",
    64,
    "invalid value '-' for flag '--private-key'; a key cannot come from standard input",
  ],
  [
    "a b --ca-url ca --ignore-database",
    64,
    "flag '--ignore-database' requires the '--offline' flag",
  ],
  // Passwords that open nothing.
  [
    "a b --ca-url ca --ca-password-file p",
    64,
    "flag '--ca-password-file' requires the '--offline' flag",
  ],
  [
    "a b --ca-url ca --private-key-password-file p",
    64,
    "flag '--private-key-password-file' requires the '--private-key' flag",
  ],
  // Files that get in each other's way.
  [
    "a a --ca-url ca",
    64,
    "argument <crt-file> and argument <key-file> name the same file 'a'",
  ],
  [
    "a x/../a --ca-url ca --out-cert o --out-key p",
    64,
    "argument <crt-file> and argument <key-file> name the same file 'x/../a'",
  ],
  [
    "a b --ca-url ca --out-cert x --out-key x",
    64,
    "flag '--out-cert' and flag '--out-key' name the same file 'x'",
  ],
  [
    "a b --ca-url ca --out-cert ./x --out-key /home/user/x",
    64,
    "flag '--out-cert' and flag '--out-key' name the same file '/home/user/x'",
  ],
  [
    "a b --ca-url ca --out-cert .//b",
    64,
    "flag '--out-cert' and argument <key-file> name the same file 'b'",
  ],
  [
    "a b --ca-url ca --out-cert b --out-key c",
    64,
    "flag '--out-cert' and argument <key-file> name the same file 'b'",
  ],
  [
    "a b --ca-url ca --out-key a --out-cert c",
    64,
    "flag '--out-key' and argument <crt-file> name the same file 'a'",
  ],
  [
    "a b --ca-url ca --private-key k --out-cert k",
    64,
    "flag '--out-cert' and flag '--private-key' name the same file 'k'",
  ],
  [
    "a b --ca-url ca --password-file p --out-key p",
    64,
    "flag '--out-key' and flag '--password-file' name the same file 'p'",
  ],
  [
    "a b --ca-url ca --root r --out-cert r",
    64,
    "flag '--out-cert' and flag '--root' name the same file 'r'",
  ],
  [
    "a b --offline --ca-config c --out-cert c",
    64,
    "flag '--out-cert' and flag '--ca-config' name the same file 'c'",
  ],
  // Standard input.
  [
    "- b --ca-url ca",
    64,
    "argument <crt-file> can be standard input only with the '--out-cert' flag",
  ],
  ["a - --ca-url ca", 64, "argument <key-file> cannot be standard input"],
  [
    "a b --ca-url ca --out-cert -",
    64,
    "invalid value '-' for flag '--out-cert'; standard output cannot be replaced in one step",
  ],
  [
    "a b --ca-url ca --out-key -",
    64,
    "invalid value '-' for flag '--out-key'; standard output cannot be replaced in one step",
  ],
  [
    "- b --ca-url ca --out-cert c --password-file -",
    64,
    "argument <crt-file> and flag '--password-file' cannot both be standard input",
  ],
  [
    "a b --offline --ca-config - --password-file -",
    64,
    "flag '--password-file' and flag '--ca-config' cannot both be standard input",
  ],
  [
    "- b --ca-url ca --out-cert c --daemon",
    64,
    "argument <crt-file> cannot be standard input with the '--daemon' flag",
  ],
  [
    "a b --ca-url ca --password-file - --daemon",
    64,
    "flag '--password-file' cannot be standard input with the '--daemon' flag",
  ],
];

for (const [line, code, message] of REFUSED) {
  Deno.test(`resolveRekey() refuses '${line}'`, async () => {
    const result = await runLine(["ca", "rekey", ...words(line)]);
    const [first, ...more] = result.stderr
      .replace(/^usage: .*\n/m, "").split("\nhint: ");
    assertEquals(
      [first?.trimEnd(), result.code, result.stdout, result.options],
      [message, code, "", undefined],
    );
    assert(more.length <= 1);
  });
}

for (const line of [["", "b"], ["a", ""]]) {
  Deno.test(`resolveRekey() refuses an empty argument in ${JSON.stringify(line)}`, async () => {
    const { code, stderr } = await runLine([
      "ca",
      "rekey",
      "--ca-url=ca",
      ...line,
    ]);
    assertEquals(code, 64);
    assertStringIncludes(stderr, "must not be empty");
  });
}

Deno.test("resolveRekey() takes a certificate from standard input with --out-cert", async () => {
  const { options } = await runLine(
    ["ca", "rekey", "--ca-url=ca", "-", "b", "--out-cert", "c"],
  );
  assertEquals(options?.input, { certificate: "-", key: "b" });
  assertEquals(options?.output, { certificate: "c", key: "b" });
});

Deno.test("resolveRekey() splits --exec into words", async () => {
  const { options } = await runLine([
    "ca",
    "rekey",
    "--ca-url=ca",
    ...PAIR,
    "--exec",
    "sh -c 'echo  \"a b\"'",
  ]);
  assertEquals(options?.reload, { exec: ["sh", "-c", 'echo  "a b"'] });
});

Deno.test("resolveRekey() takes a blank --exec as none", async () => {
  const { options } = await runLine(
    ["ca", "rekey", "--ca-url=ca", ...PAIR, "--exec", " \t "],
  );
  assertEquals(options?.reload, {});
});

Deno.test("resolveRekey() refuses an unclosed quote in --exec before anything runs", async () => {
  const { code, options } = await runLine(
    ["ca", "rekey", "--ca-url=ca", ...PAIR, "--exec", "sh -c 'x"],
  );
  assertEquals([code, options], [64, undefined]);
});

for (const flag of ["exec", "exec-on-failure"] as const) {
  const variable = `STEP_${flag.toUpperCase().replaceAll("-", "_")}`;
  const command = "cat a.crt a.key > both.pem";
  const message =
    `the command of flag '--${flag}' has the word '>', which only a shell understands, and there is none\n`;
  const advice =
    `use --${flag} "sh -c '…'", or quote the word to pass it as it is\n`;

  Deno.test(`resolveRekey() refuses shell syntax in --${flag}, and says what to do`, async () => {
    for (const flags of [[`--${flag}`, command], [`-${flag}=${command}`]]) {
      const { code, options, stderr } = await runLine(
        ["ca", "rekey", "--ca-url=ca", ...PAIR, ...flags],
      );
      assertEquals([code, options], [64, undefined]);
      assertEquals(stderr, `${message}hint: ${advice}`);
    }
  });

  Deno.test(`resolveRekey() refuses shell syntax in ${variable}, and names it`, async () => {
    const { code, options, stderr } = await runLine(
      ["ca", "rekey", "--ca-url=ca", ...PAIR],
      { env: { [variable]: command } },
    );
    assertEquals([code, options], [64, undefined]);
    assertEquals(
      stderr,
      `${message}hint: --${flag} comes from the variable ${variable}; ${advice}`,
    );
  });

  Deno.test(`resolveRekey() refuses shell syntax of ${flag} in defaults.json, and names it`, async () => {
    await using dir = await tempDir();
    const file = dir.file("config/defaults.json");
    await Deno.mkdir(dir.file("config"));
    await Deno.writeTextFile(file, JSON.stringify({ [flag]: command }));
    const { code, options, stderr } = await runLine(
      ["ca", "rekey", "--ca-url=ca", ...PAIR],
      { env: { STEPPATH: dir.path } },
    );
    assertEquals([code, options], [64, undefined]);
    assertEquals(
      stderr,
      `${message}hint: --${flag} comes from "${file}"; ${advice}`,
    );
  });
}

Deno.test("ca rollback refuses shell syntax in --exec", async () => {
  const { code, rollback, stderr } = await runLine(
    ["ca", "rollback", ...PAIR, "--exec", "true && echo hi"],
  );
  assertEquals([code, rollback], [64, undefined]);
  assertStringIncludes(stderr, "has the word '&&'");
});

Deno.test("resolveRekey() does without a working directory that is gone", async () => {
  const { code } = await runLine(
    ["ca", "rekey", "--ca-url=ca", "--root=/r", ...PAIR],
    { cwd: "" },
  );
  assertEquals(code, 0);
});

for (
  const [env, flag, where] of [
    [{ STEP_PID: "0" }, "--pid", "STEP_PID"],
    [{ STEP_EXPIRES_IN: "66%" }, "--expires-in", "STEP_EXPIRES_IN"],
    [{ STEP_KTY: "oct" }, "--kty", "STEP_KTY"],
    [{ STEP_SIGNAL: "99" }, "--signal", "STEP_SIGNAL"],
    [{ STEP_REKEY_PERIOD: "1h" }, "--rekey-period", "STEP_REKEY_PERIOD"],
  ] as const
) {
  Deno.test(`resolveRekey() names the variable that breaks the rule of ${flag}`, async () => {
    const { code, stderr } = await runLine(
      ["ca", "rekey", "--ca-url=ca", ...PAIR],
      { env },
    );
    assertEquals(code, 64);
    assertStringIncludes(
      stderr,
      `hint: ${flag} comes from the variable ${where}`,
    );
  });
}

Deno.test("resolveRekey() ignores key defaults of the environment beside --private-key", async () => {
  const { options } = await runLine(
    ["ca", "rekey", "--ca-url=ca", ...PAIR, "--private-key", "k"],
    { env: { STEP_KTY: "RSA", STEP_SIZE: "4096", STEP_CA_PASSWORD_FILE: "p" } },
  );
  assertEquals(options?.newKey, {
    from: "file",
    path: "k",
    writeCopy: false,
  });
});

Deno.test("resolveRekey() takes a password file of the environment for keys that are encrypted already", async () => {
  for (const offline of [[], ["--offline", "--ca-password-file=q"]]) {
    const { options } = await runLine(
      ["ca", "rekey", "--ca-url=ca", ...PAIR, ...offline],
      { env: { STEP_PASSWORD_FILE: "p" } },
    );
    assertEquals(options?.passwordFiles.key, "p");
    assertEquals(options?.encryptNewKey, "as-current");
  }
});

Deno.test("resolveRekey() wants --ignore-database on the command line", async () => {
  const env = { STEP_IGNORE_DATABASE: "true" };
  const offline = await runLine(["rekey", "--offline", ...PAIR], { env });
  assertEquals([offline.code, offline.options], [64, undefined]);
  assertStringIncludes(
    offline.stderr,
    "flag '--ignore-database' has to stand on the command line",
  );
  const online = await runLine(["rekey", "--ca-url=ca", ...PAIR], { env });
  assertEquals(online.code, 0);
});

Deno.test("the command 'rekey' means the same as 'ca rekey'", async () => {
  const line = [...PAIR, "--ca-url=ca", "--kty", "RSA"];
  const short = await runLine(["rekey", ...line]);
  const long = await runLine(["ca", "rekey", ...line]);
  assert(short.options !== undefined);
  assertEquals(short.options, long.options);
});
