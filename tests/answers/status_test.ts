import { type Status, statusOf } from "../../src/answers/status.ts";
import { statusJson, statusText } from "../../src/answers/status_text.ts";
import type { Schedule } from "../../src/base/options.ts";
import { openPair } from "../../src/files/open_pair.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { listing } from "../support/listing.ts";
import { OpensslCa, type OpensslPair } from "../support/openssl_ca.ts";
import { runOk } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const HOUR = 3_600_000;
const ca = await OpensslCa.root(`${directory}/root`, "Test Root");
const notBefore = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-01-04T00:00:00Z");
const issue = (name: string) =>
  ca.issue(name, {
    subject: `/CN=${name}`,
    names: "DNS:a",
    notBefore,
    notAfter,
  });
const host = await issue("host");
const stranger = await issue("stranger");
const NOW = new Date("2026-01-01T12:00:00Z");

/** Asks about files in `dir`, and proves that asking changed nothing. */
async function ask(
  dir: TempDir,
  { now = NOW, passwordFile, schedule = { rule: "two-thirds" } }: {
    readonly now?: Date;
    readonly passwordFile?: string;
    readonly schedule?: Schedule;
  } = {},
): Promise<Status> {
  const before = listing(dir.path);
  const status = await statusOf({
    files: filesIn(dir),
    passwordFile,
    schedule,
    stateFolders: [],
    now,
    signal: new AbortController().signal,
  });
  assertEquals(listing(dir.path), before);
  return status;
}

const filesIn = (dir: TempDir) => ({
  certificate: dir.file("a.crt"),
  key: dir.file("a.key"),
});

function write(
  dir: TempDir,
  { certificate, key }: Partial<Pick<OpensslPair, "certificate" | "key">>,
): void {
  const files = filesIn(dir);
  if (certificate !== undefined) {
    Deno.writeTextFileSync(files.certificate, certificate);
  }
  if (key !== undefined) Deno.writeTextFileSync(files.key, key);
}

Deno.test("statusOf() says that a pair is usable, and when it is due", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const { verdict, problem, key, due, disk } = await ask(dir);
  assertEquals([verdict, problem], ["usable", undefined]);
  assertEquals(key, {
    state: "matches",
    spec: { kty: "EC", curve: "P-256" },
  });
  // Two thirds of three days, and a twentieth of them less.
  assertEquals(due, {
    from: new Date("2026-01-02T20:24:00Z"),
    to: new Date("2026-01-03T00:00:00Z"),
  });
  assertEquals(disk, {
    isThere: true,
    layout: "plain",
    version: undefined,
    versions: [],
    isInterrupted: false,
    isLocked: false,
    pendingReload: undefined,
  });
});

const TIMES: readonly (readonly [now: string, verdict: string])[] = [
  ["2025-12-31T23:59:59Z", "not yet valid"],
  ["2026-01-01T00:00:00Z", "usable"],
  ["2026-01-02T23:59:59Z", "usable"],
  ["2026-01-03T00:00:00Z", "due"],
  ["2026-01-04T00:00:00Z", "due"],
  ["2026-01-04T00:00:01Z", "expired"],
];

for (const [now, verdict] of TIMES) {
  Deno.test(`statusOf() says ${verdict} at ${now}`, async () => {
    await using dir = await tempDir();
    write(dir, host);
    const status = await ask(dir, { now: new Date(now) });
    assertEquals(status.verdict, verdict);
  });
}

Deno.test("statusOf() goes by a time before expiry", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const schedule = { rule: "before-expiry", beforeMs: 60 * HOUR } as const;
  assertEquals((await ask(dir, { schedule })).verdict, "due");
});

const BROKEN: Readonly<
  Record<string, readonly [Parameters<typeof write>[1], RegExp]>
> = {
  "no file": [{}, /a\.crt failed: no such file/],
  "no certificate": [{ key: host.key }, /a\.crt failed: no such file/],
  "no key": [{ certificate: host.certificate }, /a\.key failed: no such file/],
  "another key": [
    { certificate: host.certificate, key: stranger.key },
    /a\.key is not the key of the certificate in .*a\.crt$/,
  ],
  "two keys": [
    { certificate: host.key, key: host.key },
    /certificate and the key look swapped$/,
  ],
  "a damaged key": [{ ...host, key: "x" }, /error loading private key/],
};

for (const [what, [files, pattern]] of Object.entries(BROKEN)) {
  Deno.test(`statusOf() says that a pair with ${what} is broken`, async () => {
    await using dir = await tempDir();
    write(dir, files);
    const { verdict, problem } = await ask(dir);
    assertEquals(verdict, "broken");
    assertMatch(problem ?? "", pattern);
  });
}

Deno.test("statusOf() checks an encrypted key only with its password", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const files = filesIn(dir);
  const passwordFile = dir.file("password");
  await Deno.writeTextFile(passwordFile, "secret");
  await runOk("openssl", [
    ...["pkcs8", "-topk8", "-in", host.keyFile, "-out", files.key],
    ...["-passout", `file:${passwordFile}`],
  ]);
  const sealed = await ask(dir);
  assertEquals([sealed.verdict, sealed.key.state], ["usable", "encrypted"]);
  const opened = await ask(dir, { passwordFile });
  assertEquals([opened.verdict, opened.key.state], ["usable", "matches"]);
  await Deno.writeTextFile(passwordFile, "wrong");
  const wrong = await ask(dir, { passwordFile });
  assertEquals(wrong.verdict, "broken");
  assert(!wrong.problem?.includes("wrong\n"));
});

Deno.test("statusOf() sees versions, locks and what is unfinished", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const files = filesIn(dir);
  const clock = { now: () => NOW, sleep: () => Promise.resolve() };
  const { signal } = new AbortController();
  const options = { lockTimeoutMs: 0, clock, log: { write() {} }, signal };
  {
    using pair = await openPair(files, options);
    assertEquals((await ask(dir)).disk?.isLocked, true);
    await pair.changeLayout("versioned");
  }
  const { disk } = await ask(dir);
  assertEquals(
    [disk?.layout, disk?.version, disk?.versions, disk?.isLocked],
    ["versioned", 1, [1], false],
  );
  await Deno.writeTextFile(dir.file(".a.crt.rekey"), "");
  assertEquals((await ask(dir)).disk?.isInterrupted, true);
});

Deno.test("statusOf() does not take a lock file that a killed process left for a lock", async () => {
  await using dir = await tempDir();
  write(dir, host);
  await Deno.writeTextFile(dir.file(".a.crt.rekey-lock"), "");
  assertEquals((await ask(dir)).disk?.isLocked, false);
});

Deno.test("statusOf() sees a reload that is pending", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const files = filesIn(dir);
  const clock = { now: () => NOW, sleep: () => Promise.resolve() };
  const { signal } = new AbortController();
  const options = { lockTimeoutMs: 0, clock, log: { write() {} }, signal };
  {
    using pair = await openPair(files, options);
    const { chain } = await ask(dir);
    const [certificate] = chain ?? [];
    if (certificate === undefined) throw new Error("no certificate");
    using draft = pair.draftReload(["exec", "signal"]);
    using _pending = await draft.around(() => {}, { certificate });
  }
  const status = await ask(dir);
  assertEquals(status.disk?.pendingReload?.undelivered, ["signal", "exec"]);
  assertMatch(
    statusText(status, { files, now: NOW, columns: undefined }),
    /^reload +pending since .*: signal and exec$/m,
  );
});

Deno.test("statusText() has a line for each fact, and a picture for terminals", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const status = await ask(dir);
  const files = { certificate: "a.crt", key: "a.key" };
  const plain = statusText(status, { files, now: NOW, columns: undefined });
  assertEquals(
    plain.replace(/serial +[0-9A-F]+/, "serial     S"),
    `certificate  a.crt
  subject    CN=host
  names      DNS:a
  issuer     CN=Test Root
  serial     S
  valid      2026-01-01T00:00:00Z to 2026-01-04T00:00:00Z
  chain      1 certificate
key          a.key: EC P-256, belongs to the certificate
due          2026-01-03T00:00:00Z, in 36h0m0s, by jitter from 2026-01-02T20:24:00Z on
layout       plain
status       usable
`,
  );
  const drawn = statusText(status, { files, now: NOW, columns: 80 });
  assertStringIncludes(drawn, `${plain}lifetime     [`);
});

Deno.test("statusText() draws what is over, now, when it is due, and the end", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const status = await ask(dir);
  const files = { certificate: "a.crt", key: "a.key" };
  const bar = (now: Date, columns = 43) =>
    /^lifetime +(.*)$/m.exec(statusText(status, { files, now, columns }))?.[1];
  assertMatch(bar(NOW) ?? "", /^\[={3,4}>-{8,12}\|\.{6,8}\] 16 %$/);
  assertMatch(bar(notAfter) ?? "", /^\[=+>\] 100 %$/);
  assertMatch(bar(new Date("2027-01-01T00:00:00Z")) ?? "", /^\[=+>\] 100 %$/);
  assertMatch(
    bar(new Date("2020-01-01T00:00:00Z")) ?? "",
    /^\[>-+\|\.+\] 0 %$/,
  );
  assertEquals(bar(NOW, 33), undefined);
});

Deno.test("statusText() shows no control of a name in a certificate", async () => {
  await using dir = await tempDir();
  write(dir, host);
  const status = await ask(dir);
  const [leaf] = status.chain ?? [];
  assert(leaf !== undefined);
  const subject = "CN=a\u202etxt.exe\x1b[31m";
  const text = statusText({
    ...status,
    chain: [{ ...leaf, subject, issuer: subject }],
  }, {
    files: { certificate: "a.crt", key: "a.key" },
    now: NOW,
    columns: undefined,
  });
  assertStringIncludes(text, "subject    CN=a\\u202etxt.exe\\x1b[31m\n");
  assertStringIncludes(text, "issuer     CN=a\\u202etxt.exe\\x1b[31m\n");
});

Deno.test("statusJson() holds the same, null where nothing is known", async () => {
  await using dir = await tempDir();
  const files = { certificate: "a.crt", key: "a.key" };
  const nothing = { ...statusJson(await ask(dir), { files }), problem: null };
  assertEquals(nothing, {
    status: "broken",
    problem: null,
    certificate: {
      file: "a.crt",
      subject: null,
      names: null,
      issuer: null,
      serial: null,
      notBefore: null,
      notAfter: null,
      chain: null,
    },
    key: { file: "a.key", state: "unusable", type: null },
    due: null,
    layout: "plain",
    version: null,
    versions: [],
    interrupted: false,
    locked: false,
    pendingReload: null,
  });
});
