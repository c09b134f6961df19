/**
 * --daemon beside every other flag: it works, or it is refused at the start.
 */
import { REKEY_FLAGS } from "../../src/cli/resolve/flags.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";

const LINE = [
  ...["ca", "rekey", "--daemon", "--ca-url", "ca"],
  ...["a.crt", "a.key"],
];

/** For each flag words that work beside --daemon, or why it is refused. */
const TABLE: Readonly<
  Record<string, readonly string[] | { readonly refused: string }>
> = {
  "out-cert": ["--out-cert=b.crt"],
  "out-key": ["--out-key=b.key"],
  "private-key": {
    refused: "flag '--private-key' is incompatible with flag '--daemon'",
  },
  "expires-in": ["--expires-in=8h"],
  "pid": ["--pid=1"],
  "pid-file": ["--pid-file=x.pid"],
  "signal": ["--signal=15"],
  "exec": ["--exec=true"],
  "exec-timeout": ["--exec-timeout=1m"],
  "exec-on-failure": ["--exec-on-failure=true"],
  "reload-attempts": ["--reload-attempts=3"],
  "daemon": ["--daemon=true"],
  "rekey-period": ["--rekey-period=16h"],
  "kty": ["--kty=RSA"],
  "curve": ["--curve=P-384"],
  "size": ["--size=3072"],
  "force": ["--force"],
  "offline": ["--offline"],
  "password-file": ["--password-file=x"],
  "private-key-password-file": {
    refused: "flag '--private-key-password-file'",
  },
  "ca-password-file": ["--offline", "--ca-password-file=x"],
  "root": ["--root=x"],
  "ca-url": ["--ca-url=other"],
  "connect-timeout": ["--connect-timeout=5s"],
  "timeout": ["--timeout=5s"],
  "ca-config": ["--offline", "--ca-config=x"],
  "ignore-database": ["--offline", "--ignore-database"],
  "layout": ["--layout=versioned"],
  "in-place": ["--in-place"],
  "state-dir": ["--state-dir=/var/lib/app"],
  "key-mode": ["--key-mode=0640"],
  "cert-mode": ["--cert-mode=0644"],
  "owner": ["--owner=root"],
  "group": ["--group=root"],
  "renew-fallback": ["--renew-fallback"],
  "lock-timeout": ["--lock-timeout=5s"],
  "log-format": ["--log-format=json"],
  "dry-run": ["--dry-run"],
  "json": ["--dry-run", "--json"],
};

/** Belongs to the settings: named contexts have to exist. */
const ELSEWHERE = new Set(["context"]);

for (const flag of Object.keys(REKEY_FLAGS)) {
  if (ELSEWHERE.has(flag)) continue;
  const row = TABLE[flag];
  if (row === undefined) {
    Deno.test(`--daemon with --${flag} has a row in this table`, () => {
      throw new Error("say whether it works or is refused");
    });
    continue;
  }
  if ("refused" in row) {
    Deno.test(`--daemon with --${flag} is refused at the start`, async () => {
      const { code, stderr, options } = await runLine([
        ...LINE,
        `--${flag}=x`,
      ]);
      assertEquals([code, options], [64, undefined]);
      assertStringIncludes(stderr, row.refused);
    });
    continue;
  }
  Deno.test(`--daemon with --${flag} is accepted`, async () => {
    const { code, stderr, options } = await runLine([...LINE, ...row]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(options?.mode.run, "daemon");
    assertEquals(options?.overwrite, "always");
  });
}

for (
  const [words, message] of [
    [["--expires-in=-1h"], "must not be negative"],
    [["--rekey-period=-1h"], "must not be negative"],
    [["--expires-in=1h", "--rekey-period=1h"], "is incompatible with"],
    [["--password-file=-"], "cannot be standard input with the '--daemon'"],
    [["--password-file=/dev/stdin"], "cannot be /dev/stdin"],
    [["--password-file=/dev/fd/63"], "cannot be /dev/fd/63 with the"],
    [["--offline", "--ca-config=-"], "cannot be standard input"],
  ] as const
) {
  Deno.test(`--daemon with ${words.join(" ")} is refused at the start`, async () => {
    const { code, stderr } = await runLine([...LINE, ...words]);
    assertEquals(code, 64);
    assertStringIncludes(stderr, message);
  });
}
