/**
 * Every example of the manual, word for word, against the real step-ca.
 *
 * The words after `step` are the example's own; only the path of a root
 * certificate that exists on nobody's machine is replaced.
 */
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import { parseGoDuration } from "../../src/base/duration.ts";
import { splitCommand } from "../../src/reload/split_command.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { connectProxy } from "../support/tcp_peers.ts";
import { fileHolds } from "../support/file_holds.ts";
import { type ManualPlace, manualTests } from "../support/manual_place.ts";
import { nginxMissing, startNginx } from "../support/nginx_server.ts";
import { program } from "../support/program.ts";
import { CAN_DRIVE_TERMINAL } from "../support/pseudo_terminal.ts";
import { run, runOk } from "../support/run.ts";
import { startProgram } from "../support/running_program.ts";
import { STEP } from "../support/step_ca.ts";

const test = await manualTests();

/** One question for both files, where the manual's asks for the first. */
const PROMPT =
  "Would you like to overwrite internal.crt and internal.key [Y/n]: ";
const PROMPT_OF_ONE = "Would you like to overwrite internal.crt [Y/n]: ";
const PLAIN = "ca rekey internal.crt internal.key";
const ROOT_OF_THE_MANUAL = "/path/to/root_ca.crt";

interface Example {
  /** After `step`, on one line. */
  readonly words: string;
  readonly needs?: "terminal" | "nginx";
  readonly check: (place: ManualPlace, words: string) => Promise<void>;
}

const EXAMPLES: readonly Example[] = [
  { words: PLAIN, needs: "terminal", check: answeredYes },
  {
    words:
      "ca rekey --out-cert out.crt --out-key out.key internal.crt internal.key",
    check: (place, words) => writesTo(place, words, ["out.crt", "out.key"]),
  },
  { words: "ca rekey --force internal.crt internal.key", check: forced },
  {
    words:
      `ca rekey --ca-url https://ca.smallstep.com:9000 --root ${ROOT_OF_THE_MANUAL} internal.crt internal.key`,
    needs: "terminal",
    check: elsewhere,
  },
  {
    words: "ca rekey --expires-in 8h internal.crt internal.key",
    check: onlyWhenDue,
  },
  {
    words: "ca rekey --daemon internal.crt internal.key",
    // 24 of 25 h are left: less a third of 25 h, less jitter up to 1.25 h.
    check: (place, words) =>
      daemonRekeys(place, words, { firstH: [14.41, 15.67] }),
  },
  {
    words: "ca rekey --daemon --expires-in 8h30m internal.crt internal.key",
    check: (place, words) =>
      daemonRekeys(place, words, { firstH: [14.25, 15.5] }),
  },
  {
    words: "ca rekey --daemon --rekey-period 16h internal.crt internal.key",
    check: (place, words) => daemonRekeys(place, words, { firstH: [15.2, 16] }),
  },
  {
    words:
      'ca rekey --daemon --exec "nginx -s reload" internal.crt internal.key',
    needs: "nginx",
    check: reloadsNginx,
  },
  {
    words:
      'ca rekey --daemon --rekey-period 16h --exec "step certificate format --force --out internal.der internal.crt" internal.crt internal.key',
    check: convertsToDer,
  },
  {
    words: "ca rekey --offline internal.crt internal.key",
    needs: "terminal",
    check: offline,
  },
  {
    words:
      "ca rekey internal.crt internal.key --out-crt foo.crt --out-key foo.key",
    check: (place, words) => writesTo(place, words, ["foo.crt", "foo.key"]),
  },
  {
    words: "ca rekey internal.crt internal.key --private-key foo.key",
    needs: "terminal",
    check: givenKey,
  },
];

for (const { words, needs, check } of EXAMPLES) {
  const isMissing = needs === "terminal" && !CAN_DRIVE_TERMINAL ||
    needs === "nginx" && nginxMissing;
  test(
    `the manual's example works: ${words}`,
    (place) => check(place, words),
    isMissing,
  );
}

test("the manual's hook that converts to DER works with this program as step", async (place) => {
  const bin = place.dir.file("bin");
  await Deno.mkdir(bin);
  const { command, args } = program();
  const words = [command, ...args].map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(
    `${bin}/step`,
    `#!/bin/sh\nexec ${words} "$@"\n`,
    { mode: 0o755 },
  );
  const example = EXAMPLES.find(({ check }) => check === convertsToDer);
  await convertsToDer(place, example?.words ?? "", bin);
});

Deno.test("the manual has no other example than those tried here", async () => {
  const manual = await Deno.readTextFile(
    new URL("../support/manual_examples.txt", import.meta.url),
  );
  const commands = manual.replaceAll("\\\n", "").split("\n")
    .filter((line) => line.startsWith("$ step "))
    .map((line) => line.slice("$ step ".length));
  assertEquals(commands, EXAMPLES.map(({ words }) => words));
});

test(
  "the manual's prompt: Enter means yes",
  (place) => answered(place, { words: PLAIN, answer: "\n" }),
  !CAN_DRIVE_TERMINAL,
);

test("the manual's prompt: n leaves both files as they are", async (place) => {
  const before = await place.bytes();
  const session = await place.typed(PLAIN, [
    ["expect", PROMPT],
    ["send", "n\n"],
  ]);
  assertEquals(session.status, 1, session.output);
  assert(session.restored);
  assertEquals(await place.bytes(), before);
}, !CAN_DRIVE_TERMINAL);

test("the manual's prompt: without a terminal an error names --force", async ({ dir, env, bytes }) => {
  const before = await bytes();
  // A session of its own has no terminal, whatever the tests run on.
  const { command, args } = program();
  const result = await run("setsid", [
    ...["-w", command, ...args, ...splitCommand(PLAIN)],
  ], { cwd: dir.path, env });
  assertEquals(result.code, 64, result.stderr);
  assertStringIncludes(result.stderr, "--force");
  assertEquals(await bytes(), before);
});

async function answered(
  place: ManualPlace,
  { words, answer }: { readonly words: string; readonly answer: string },
): Promise<void> {
  const before = await place.bytes();
  const session = await place.typed(words, [
    ["expect", PROMPT],
    ["send", answer],
  ]);
  assertEquals(session.status, 0, session.output);
  await place.assertRekeyed(before);
}

function answeredYes(place: ManualPlace, words: string): Promise<void> {
  return answered(place, { words, answer: "y\n" });
}

async function writesTo(
  place: ManualPlace,
  words: string,
  [certificate, key]: readonly [string, string],
): Promise<void> {
  const before = await place.bytes();
  const result = await place.step(words);
  assertEquals(result.code, 0, result.stderr);
  assertEquals(result.stdout, "");
  assertEquals(
    result.stderr,
    `✔ Certificate: ${certificate}\n✔ Private Key: ${key}\n`,
  );
  await place.assertPair(certificate, key);
  assert(await place.serial(certificate) !== await place.serial());
  assertEquals(await place.bytes(), before);
}

async function forced(place: ManualPlace, words: string): Promise<void> {
  const before = await place.bytes();
  const result = await place.step(words);
  assertEquals(result.code, 0, result.stderr);
  assertEquals(result.stdout, "");
  assertEquals(
    result.stderr,
    "✔ Certificate: internal.crt\n✔ Private Key: internal.key\n",
  );
  await place.assertRekeyed(before);
}

async function elsewhere(place: ManualPlace, words: string): Promise<void> {
  const { ca, env } = place;
  await using proxy = connectProxy("200 OK", Number(new URL(ca.url).port));
  env["HTTPS_PROXY"] = `http://127.0.0.1:${proxy.port}`;
  // Nothing but the flags says where the CA is.
  env["STEPPATH"] = place.dir.file("empty");
  await answeredYes(place, words.replace(ROOT_OF_THE_MANUAL, ca.rootFile));
  assertEquals(proxy.heads.length, 1);
  assertMatch(proxy.heads[0] ?? "", /^CONNECT ca\.smallstep\.com:9000 /);
}

async function onlyWhenDue(place: ManualPlace, words: string): Promise<void> {
  const before = await place.bytes();
  const early = await place.step(words);
  assertEquals(early.code, 0, early.stderr);
  assertEquals(early.stdout, "");
  assertMatch(
    early.stderr,
    /^certificate not rekeyed: expires in 2[34]h\d+m\d+s\n$/,
  );
  assertEquals(await place.bytes(), before);

  const { certificate, key } = await place.ca.issue("due", "admin", {
    subject: "/CN=internal",
    names: "DNS:internal",
    notAfter: new Date(Date.now() + 7.5 * 3_600_000),
  });
  await Deno.writeTextFile(place.dir.file("internal.crt"), certificate);
  await Deno.writeTextFile(place.dir.file("internal.key"), key);
  const old = await place.bytes();
  const due = await place.step(words.replace("rekey ", "rekey --force "));
  assertEquals(due.code, 0, due.stderr);
  await place.assertRekeyed(old);
}

/** A daemon rekeys on SIGHUP, and ends with 0 on SIGTERM. */
async function daemonRekeys(
  place: ManualPlace,
  words: string,
  { firstH, afterwards }: {
    /** Least and greatest first wait, in hours. */
    readonly firstH?: readonly [number, number];
    readonly afterwards?: () => Promise<void>;
  },
): Promise<void> {
  const { dir, env } = place;
  await using daemon = startProgram(splitCommand(words), {
    cwd: dir.path,
    env,
  });
  const line = await daemon.says("first rekey in ");
  if (firstH !== undefined) {
    const text = line.slice("first rekey in ".length);
    const hours = Number(parseGoDuration(text) ?? NaN) / 3.6e12;
    // The program starts a moment after the certificate is made.
    const [least, greatest] = firstH;
    assert(hours >= least - 0.05 && hours <= greatest + 0.01, line);
  }
  for (let cycle = 0; cycle < 2; cycle++) {
    const before = await place.bytes();
    daemon.kill("SIGHUP");
    await daemon.says("internal certificate rekeyed, next in");
    await place.assertRekeyed(before);
    await afterwards?.();
  }
  daemon.kill("SIGTERM");
  assertEquals(await daemon.ended, 0);
}

async function reloadsNginx(place: ManualPlace, words: string): Promise<void> {
  await using server = await startNginx(place.dir.path);
  place.env["PATH"] = `${server.bin}:${Deno.env.get("PATH")}`;
  const shows = async () => await server.shows(await place.serial());
  await shows();
  await daemonRekeys(place, words, { afterwards: shows });
}

async function convertsToDer(
  place: ManualPlace,
  words: string,
  directory = STEP.replace(/\/step$/, ""),
): Promise<void> {
  const { dir, env } = place;
  env["PATH"] = `${directory}:${Deno.env.get("PATH")}`;
  await daemonRekeys(place, words, {
    async afterwards() {
      const [leaf] = parseChain(await Deno.readFile(dir.file("internal.crt")));
      const text = new TextDecoder().decode(leaf?.der);
      // The hook runs after the line that tells of the rekey.
      await fileHolds(dir.file("internal.der"), (found) => found === text);
      assertEquals(await Deno.readFile(dir.file("internal.der")), leaf?.der);
    },
  });
}

async function offline(place: ManualPlace, words: string): Promise<void> {
  const { dir, ca, env } = place;
  // The same CA without its database, in a step path of its own.
  const config = JSON.parse(await Deno.readTextFile(ca.configFile));
  delete config.db;
  await Deno.mkdir(dir.file("offline/config"), { recursive: true });
  await Deno.writeTextFile(
    dir.file("offline/config/ca.json"),
    JSON.stringify(config),
  );
  env["STEPPATH"] = dir.file("offline");
  const before = await place.bytes();
  const session = await place.typed(words, [
    ["expect", "Please enter the password to decrypt"],
    ["send", "test password\n"],
    ["expect", PROMPT],
    ["send", "y\n"],
  ]);
  assertEquals(session.status, 0, session.output);
  assert(session.restored);
  assert(!session.output.includes("test password"));
  await place.assertRekeyed(before);
  await runOk("openssl", [
    ...["verify", "-CAfile", ca.rootFile],
    ...["-untrusted", dir.file("internal.crt"), dir.file("internal.crt")],
  ]);
}

async function givenKey(place: ManualPlace, words: string): Promise<void> {
  const { dir } = place;
  await runOk("openssl", [
    ...["ecparam", "-name", "prime256v1", "-genkey", "-out"],
    dir.file("foo.key"),
  ]);
  const given = await Deno.readFile(dir.file("foo.key"));
  const [, key] = await place.bytes();
  const session = await place.typed(words, [
    ["expect", PROMPT_OF_ONE],
    ["send", "y\n"],
  ]);
  assertEquals(session.status, 0, session.output);
  assertStringIncludes(session.output, "warning: ");
  await place.assertPair("internal.crt", "foo.key");
  assertEquals(await Deno.readFile(dir.file("foo.key")), given);
  assertEquals((await place.bytes())[1], key);
}
