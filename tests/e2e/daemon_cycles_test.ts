/**
 * The daemon against a real step-ca: each cycle a new key, on every schedule,
 * with every flag that the one-shot takes.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { program } from "../support/program.ts";
import {
  CAN_DRIVE_TERMINAL,
  onTerminal,
  type TerminalStep,
} from "../support/pseudo_terminal.ts";
import { runOk } from "../support/run.ts";
import { howMany } from "../support/sweep.ts";
import { daemonTests, type Pair } from "../support/daemon_place.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";

const daemonTest = await daemonTests();

const CYCLES = howMany(2, 20);

daemonTest(
  "ca rekey --daemon makes a new key in each cycle, on every schedule",
  async ({ pair, daemon }) => {
    // Lives that a busy machine keeps: it may take 13 s for a start, and some
    // more for a pass. By default it is two thirds of a life, so one is enough.
    await Promise.all(([
      ["default", { seconds: 180, age: 108, cycles: 1 }, []],
      ["expires-in", { seconds: 90, cycles: CYCLES }, ["--expires-in", "85s"]],
      ["period", { seconds: 600, cycles: CYCLES }, ["--rekey-period", "2s"]],
    ] as const).map(async ([name, { seconds, cycles, ...rest }, args]) => {
      const files = await pair(name, seconds, rest);
      const keys = [await pairKeyOf(files)];
      await using running = daemon(files, args);
      await running.says("first rekey in ");
      for (let cycle = 1; cycle <= cycles; cycle++) {
        await running.says("host.example certificate rekeyed, next in ");
        keys.push(await pairKeyOf(files));
      }
      running.kill("SIGTERM");
      assertEquals(await running.ended, 0);
      assertEquals(new Set(keys).size, cycles + 1, name);
      assert(!/ERROR(?!.*the clock went)/.test(running.text), running.text);
    }));
  },
);

daemonTest(
  "ca renew --daemon keeps the key, tells the service, and goes on with what it wrote",
  async ({ pair, daemon }) => {
    const files = await pair("renewed", 600);
    const key = await pairKeyOf(files);
    const certificate = await Deno.readTextFile(files.certificateFile);
    const keyText = await Deno.readTextFile(files.keyFile);
    const out = `${files.certificateFile}.new`;
    await using running = daemon(files, [
      ...["--out", out, "--exec", "echo told"],
    ], { command: "renew" });
    await running.says("first renewal in ");
    for (let cycle = 0; cycle < 2; cycle++) {
      running.kill("SIGHUP");
      await running.says("host.example certificate renewed, next in ");
      await running.says("told");
    }
    running.kill("SIGTERM");
    assertEquals(await running.ended, 0);
    assertEquals(await pairKeyOf({ ...files, certificateFile: out }), key);
    assertEquals(await Deno.readTextFile(files.keyFile), keyText);
    assertEquals(await Deno.readTextFile(files.certificateFile), certificate);
    assert(!/rekey/.test(running.text), running.text);
  },
);

daemonTest(
  "ca rekey --daemon by default plans between 61.7 % and 66.7 % of a minute",
  async ({ pair, daemon }) => {
    const files = await pair("minute", 60);
    const { notBefore } = await datesOf(files);
    await using running = daemon(files, ["--log-format", "json"]);
    const line = JSON.parse(await lineWith(running, '"scheduled"'));
    const after = (Date.parse(line.nextAttempt) - notBefore.getTime()) / 1000;
    assert(after >= 36 && after <= 40, `${after} s`);
  },
);

daemonTest(
  "ca rekey --daemon goes on with a pair that somebody put in the place",
  async ({ pair, daemon }) => {
    const [files, other] = await Promise.all([
      pair("replaced", 60),
      pair("other", 60),
    ]);
    await using running = daemon(files, ["--log-format", "json"]);
    await running.says('"scheduled"');
    await Deno.copyFile(other.keyFile, files.keyFile);
    await Deno.copyFile(other.certificateFile, files.certificateFile);
    const before = await pairKeyOf(files);
    running.kill("SIGHUP");
    await running.says('"rekeyed"');
    assert(await pairKeyOf(files) !== before, "a new key");
  },
);

daemonTest(
  "ca rekey --daemon ends with 65 when the pair no longer belongs together",
  async ({ pair, daemon }) => {
    const [files, other] = await Promise.all([
      pair("torn", 60),
      pair("stranger", 60),
    ]);
    await using running = daemon(files, []);
    await running.says("first rekey in ");
    await Deno.copyFile(other.keyFile, files.keyFile);
    running.kill("SIGHUP");
    assertEquals(await running.ended, 65);
    assertMatch(running.text, /is not the key of the certificate/);
  },
);

daemonTest(
  "ca rekey --daemon keeps --kty, --curve and --size",
  async ({ pair, daemon }) => {
    await Promise.all(([
      [["--kty", "RSA", "--size", "2048"], /Public-Key: \(2048 bit\)/],
      [["--kty", "OKP"], /ED25519/i],
      [["--curve", "P-384"], /P-384/],
    ] as const).map(async ([args, shown], index) => {
      const files = await pair(`kind${index}`, 60);
      await using running = daemon(files, args);
      await running.says("first rekey in ");
      for (let cycle = 0; cycle < 2; cycle++) {
        running.kill("SIGHUP");
        await running.says("certificate rekeyed, next in ");
      }
      const { stdout } = await runOk("openssl", [
        ...["x509", "-noout", "-text", "-in", files.certificateFile],
      ]);
      assertMatch(stdout, shown);
      await pairKeyOf(files);
    }));
  },
);

daemonTest(
  "ca rekey --daemon goes on with what it wrote to --out-cert and --out-key, encrypted",
  async ({ ca, pair, daemon }) => {
    const files = await pair("given", 60);
    const given = await pairKeyOf(files);
    const out = {
      certificateFile: `${ca.directory}/written.crt`,
      keyFile: `${ca.directory}/written.key`,
    };
    await using running = daemon(files, [
      ...["--out-cert", out.certificateFile, "--out-key", out.keyFile],
      ...["--password-file", ca.passwordFile],
    ]);
    await running.says("first rekey in ");
    const keys = [given];
    for (let cycle = 0; cycle < 2; cycle++) {
      running.kill("SIGHUP");
      await running.says("certificate rekeyed, next in ");
      keys.push(await pairKeyOf(out, "test password"));
    }
    assertEquals(new Set(keys).size, 3);
    assertEquals(await pairKeyOf(files), given);
    assertMatch(await Deno.readTextFile(out.keyFile), /ENCRYPTED/);
  },
);

daemonTest(
  "ca rekey --daemon --offline signs with the CA's files",
  async ({ ca, pair, daemon }) => {
    const files = await pair("offline", 60);
    const config = JSON.parse(await Deno.readTextFile(ca.configFile));
    delete config.db;
    const configFile = `${ca.directory}/config/without_database.json`;
    await Deno.writeTextFile(configFile, JSON.stringify(config));
    const before = await pairKeyOf(files);
    await using running = daemon(files, [
      ...["--offline", "--ca-config", configFile],
      ...["--ca-password-file", ca.passwordFile],
    ]);
    await running.says("first rekey in ");
    running.kill("SIGHUP");
    await running.says("certificate rekeyed, next in ");
    assert(await pairKeyOf(files) !== before);
  },
);

daemonTest(
  "ca rekey --daemon refuses at its start what would fail in hours",
  async ({ ca, pair, daemon }) => {
    const files = await pair("refused", 60);
    const encrypted = { ...files, keyFile: `${ca.directory}/encrypted.key` };
    await runOk("openssl", [
      ...["pkey", "-aes256", "-in", files.keyFile, "-out", encrypted.keyFile],
      ...["-passout", "pass:secret"],
    ]);
    const wrong = `${ca.directory}/wrong.password`;
    await Deno.writeTextFile(wrong, "not it");
    // One after the other: they lock the pair.
    for (
      const [on, args, code, says, under] of [
        // setsid: no terminal, so nobody can be asked.
        [encrypted, [], 65, /hint: use --password-file/, ["setsid", "-w"]],
        [encrypted, ["--password-file", wrong], 65, /encrypted/, []],
        [files, ["--root", `${ca.directory}/none.crt`], 78, /none\.crt/, []],
        [
          files,
          ["--expires-in", "1h"],
          64,
          /flag '--expires-in' must be within \(lower than\) the certificate validity period; expires-in=1h0m0s, cert-validity-period=1m0s/,
          [],
        ],
        [
          files,
          ["--rekey-period", "1m"],
          64,
          /flag '--rekey-period' must be within \(lower than\) the certificate validity period/,
          [],
        ],
      ] as const
    ) {
      await using running = daemon(on, args, { under });
      assertEquals(await running.ended, code, running.text);
      assertMatch(running.text, says);
    }
  },
);

daemonTest(
  "ca rekey --daemon asks for the password once, however many cycles follow",
  async ({ ca, pair }) => {
    if (!CAN_DRIVE_TERMINAL) return;
    const files = await pair("asked", 60);
    const keyFile = `${ca.directory}/asked_encrypted.key`;
    await runOk("openssl", [
      ...["pkey", "-aes256", "-in", files.keyFile, "-out", keyFile],
      ...["-passout", "pass:secret"],
    ]);
    const { command, args } = program();
    const cycle: readonly TerminalStep[] = [
      ["signal", "SIGHUP"],
      ["expect", "certificate rekeyed, next in"],
    ];
    const { output, status } = await onTerminal([
      ...[command, ...args, "ca", "rekey", "--daemon", "--ca-url", ca.url],
      ...["--root", ca.rootFile, files.certificateFile, keyFile],
    ], [
      ["expect", "password to decrypt"],
      // Rekeys when it can: nobody has answered yet.
      ["signal", "SIGHUP"],
      ["send", "secret\r"],
      ["expect", "first rekey in"],
      ["expect", "certificate rekeyed, next in"],
      ...cycle,
      ["signal", "SIGTERM"],
    ]);
    assertEquals(status, 0, output);
    assertEquals(output.split("password to decrypt").length, 2, output);
    await pairKeyOf({ ...files, keyFile }, "secret");
  },
);

/** The whole line that contains a text. */
async function lineWith(
  running: { says(text: string): Promise<string>; readonly text: string },
  text: string,
): Promise<string> {
  await running.says(text);
  const line = running.text.split("\n").find((line) => line.includes(text));
  return line ?? "";
}

async function datesOf(
  { certificateFile }: Pair,
): Promise<{ readonly notBefore: Date }> {
  const { stdout } = await runOk("openssl", [
    ...["x509", "-noout", "-startdate", "-in", certificateFile],
  ]);
  return { notBefore: new Date(stdout.replace(/^.*=/, "").trim()) };
}
