/**
 * `--log-format json`: whatever goes wrong, and however early, is one object.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { runProgram } from "../support/program.ts";
import { tempDir } from "../support/temp_dir.ts";

const KEYS = [
  ...["time", "level", "event", "file", "serial", "notAfter"],
  ...["nextAttempt", "class", "attempt", "message"],
];

const PAIR = ["none.crt", "none.key"] as const;
const URL = ["--ca-url", "https://127.0.0.1:9"] as const;
const JSON_LOG = ["--log-format", "json"] as const;

for (
  const [what, args, exitCode, env] of [
    ["a file that is missing", [...URL, ...JSON_LOG, ...PAIR], 65],
    ["the other spelling", [...URL, "-log-format=json", ...PAIR], 65],
    ["the variable", [...URL, ...PAIR], 65, { STEP_LOG_FORMAT: "json" }],
    ["a missing argument", [...URL, ...JSON_LOG], 64],
    ["a flag that does not exist", [...JSON_LOG, "--nonsense"], 64],
    ["a flag after the mistake", ["--nonsense", ...JSON_LOG], 64],
    ["a number that is none", [...URL, ...JSON_LOG, "--pid=x", ...PAIR], 64],
    ["a rule that is broken", [
      ...[...URL, ...JSON_LOG, ...PAIR, "--rekey-period", "1h"],
    ], 64],
    ["a daemon that cannot begin", [
      ...[...URL, ...JSON_LOG, "--daemon", ...PAIR],
    ], 65],
    ["a name with control characters", [
      ...[...URL, ...JSON_LOG, "e\x1b[31m\n.crt", "none.key"],
    ], 65],
  ] as const
) {
  Deno.test(`ca rekey --log-format json reports ${what} as one object`, async () => {
    await using dir = await tempDir();
    const result = await runProgram(["ca", "rekey", ...args], {
      cwd: dir.path,
      env: { STEPPATH: dir.path, ...env },
    });
    assertEquals([result.code, result.stdout], [exitCode, ""], result.stderr);
    assertEquals(result.stderr.split("\n").length, 2, result.stderr);
    assert(/^[ -~]*\n$/.test(result.stderr), result.stderr);
    const line = JSON.parse(result.stderr);
    for (const key of KEYS) assert(key in line, `${key}: ${result.stderr}`);
    assertEquals(
      [line.level, line.event, line.class, line.exitCode],
      ["error", "failed", "never", exitCode],
    );
  });
}

Deno.test("ca rekey --log-format json is read from defaults.json, too", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("config"));
  await Deno.writeTextFile(
    dir.file("config/defaults.json"),
    '{"log-format":"json","ca-url":"https://127.0.0.1:9"}',
  );
  const { stderr } = await runProgram(["ca", "rekey", ...PAIR], {
    cwd: dir.path,
    env: { STEPPATH: dir.path },
  });
  assertEquals(JSON.parse(stderr).file, "none.crt");
});

Deno.test("ca rekey refuses a --log-format that it does not know", async () => {
  await using dir = await tempDir();
  const { code, stderr } = await runProgram([
    ...["ca", "rekey", ...URL, "--log-format", "xml", ...PAIR],
  ], { cwd: dir.path, env: { STEPPATH: dir.path } });
  assertEquals(
    [code, stderr],
    [
      64,
      "invalid value 'xml' for flag '--log-format'; options are text, json\n",
    ],
  );
});
