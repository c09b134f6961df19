/**
 * What a hook may do, and what becomes of all that it starts.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { CAN_DRIVE_TERMINAL, onTerminal } from "../support/pseudo_terminal.ts";
import {
  assertAllGone,
  endlessHook,
  pidsOf,
  STOP_LIMIT_MS,
} from "../support/endless_hook.ts";
import { programWords, reloadTest as test } from "../support/reload_place.ts";
import { program } from "../support/program.ts";
import { run } from "../support/run.ts";

const NOT_DUE = ["--expires-in", "1ns"];

test("a hook is ended at its limit with all that it started", async (place) => {
  const hook = await endlessHook(place);
  const result = await place.once("--exec", hook, "--exec-timeout", "300ms");
  assertEquals(result.code, 255);
  assertStringIncludes(
    result.stderr,
    "--exec did not end within 300ms: ended it and all that it started",
  );
  await assertAllGone(place);
  assertEquals((await place.leftovers()).length, 1);
});

for (const [how, first] of [["at once", ""], ["not at all", "trap '' TERM"]]) {
  test(`a daemon that is stopped ends soon with the hook, that obeys ${how}`, async (place) => {
    await using daemon = place.daemon(
      "--exec",
      await endlessHook(place, first),
    );
    await daemon.says("first rekey in");
    daemon.kill("SIGHUP");
    await pidsOf(place);
    const begin = performance.now();
    daemon.kill("SIGTERM");
    assertEquals(await daemon.ended, 0);
    const tookMs = performance.now() - begin;
    assert(tookMs < STOP_LIMIT_MS, `it took ${tookMs} ms`);
    await assertAllGone(place);
  });
}

test("a single run that is interrupted during the hook says that the pair is new", async (place) => {
  const { command, args } = program();
  const child = new Deno.Command(command, {
    args: [
      ...args,
      ...place.words("--force", "--exec", await endlessHook(place)),
    ],
    env: place.env,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await pidsOf(place);
  child.kill("SIGINT");
  const { code, stderr } = await output;
  assertEquals(code, 130);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    "the new pair is installed, but telling the service failed: stopped by SIGINT during --exec; still pending: --exec, delivered by the next run with the same flags",
  );
  await assertAllGone(place);
  assertEquals((await place.leftovers()).length, 1);
});

test("what a hook leaves running on purpose lives on, and is not waited for", async (place) => {
  const pid = place.dir.file("pids");
  const hook = await place.script(
    "hook",
    `sleep 99 &\necho $! > ${pid}.new; mv ${pid}.new ${pid}`,
  );
  // To files: the output of a run is complete when nobody holds the pipe.
  const { command, args } = program();
  const child = new Deno.Command(command, {
    args: [...args, ...place.words("--force", "--exec", hook)],
    env: place.env,
    stdout: "null",
    stderr: "null",
  }).spawn();
  assertEquals((await child.status).code, 0);
  const [service = 0] = await pidsOf(place);
  Deno.kill(service, 0);
  Deno.kill(service, "SIGKILL");
});

test("a hook may call this program on the same pair, with the same words", async (place) => {
  // As long as the pair is locked, the inner run would exit with 75; and as
  // long as it delivers the same reload, it would call the hook without end.
  const log = place.dir.file("log");
  const self = place.dir.file("hook");
  await place.script(
    "hook",
    `echo in >> ${log}
${programWords(place.words("--exec", self, ...NOT_DUE))} || exit
${programWords(place.words("--force"))} || exit
echo out >> ${log}`,
  );
  const before = await place.serial();
  const result = await place.once("--exec", self);
  assertEquals(result.code, 0, result.stderr);
  assertEquals(await Deno.readTextFile(log), "in\nout\n");
  assertEquals(place.ca.requests.length, 2);
  assert(await place.serial() !== before);
});

test("a hook has the environment that we were started with", async (place) => {
  const hook = await place.script("hook", `env > ${place.dir.file("env")}`);
  const { command, args } = program();
  const inherited = {
    PATH: Deno.env.get("PATH") ?? "",
    HOME: place.dir.path,
    DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
    DENO_NO_UPDATE_CHECK: "1",
    DENO_CERT: place.pki.root.certificateFile,
    NODE_EXTRA_CA_CERTS: place.pki.root.certificateFile,
    NO_PROXY: "localhost",
    WITH_A_LINE: "a\nb=c",
  };
  const result = await run("env", [
    "-i",
    ...Object.entries(inherited).map(([name, value]) => `${name}=${value}`),
    ...[command, ...args, ...place.words("--force", "--exec", hook)],
  ], { cwd: place.dir.path });
  assertEquals(result.code, 0, result.stderr);
  const found = await Deno.readTextFile(place.dir.file("env"));
  for (const [name, value] of Object.entries(inherited)) {
    assertStringIncludes(`\n${found}`, `\n${name}=${value}\n`);
  }
  const added = [...found.matchAll(/^(\w+)=/gm)].map(([, name = ""]) => name)
    .filter((name) => !Object.hasOwn(inherited, name));
  assertEquals(added.filter((name) => /^(DENO|NODE)/.test(name)), []);
});

test("a hook finds absolute paths, though the words are relative", async (place) => {
  const hook = await place.script(
    "hook",
    `cd / && openssl x509 -in "$STEP_REKEY_CERT" -noout -checkend 0 && test -s "$STEP_REKEY_KEY"
echo "$STEP_REKEY_CERT $STEP_REKEY_KEY $STEP_REKEY_NOT_AFTER" > ${
      place.dir.file("told")
    }`,
  );
  const { command, args } = program();
  const words = place.words("--force", "--exec", hook).slice(0, -2);
  const result = await run(command, [
    ...args,
    ...[...words, "host.crt", "./host.key"],
  ], { cwd: place.dir.file("tls"), env: place.env });
  assertEquals(result.code, 0, result.stderr);
  assertMatch(
    await Deno.readTextFile(place.dir.file("told")),
    new RegExp(
      `^${place.pair[0]} ${
        place.pair[1]
      } \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ\n$`,
    ),
  );
});

test("a hook reads the terminal that we were started on", async (place) => {
  const hook = await place.script(
    "hook",
    `printf 'restart? '; read answer; echo "$answer" > ${
      place.dir.file("answer")
    }`,
  );
  const { command, args } = program();
  const { status, output } = await onTerminal(
    [command, ...args, ...place.words("--force", "--exec", hook)],
    [["expect", "restart? "], ["send", "yes\n"]],
  );
  assertEquals(status, 0, output);
  assertEquals(await Deno.readTextFile(place.dir.file("answer")), "yes\n");
}, !CAN_DRIVE_TERMINAL);

test("Ctrl-C on the terminal ends the hook", async (place) => {
  const { command, args } = program();
  const hook = await endlessHook(place);
  const { status, output } = await onTerminal(
    [command, ...args, ...place.words("--force", "--exec", hook)],
    [["expect", "endless"], ["send", "\x03"]],
  );
  assertEquals(status, 130, output);
  await assertAllGone(place);
}, !CAN_DRIVE_TERMINAL);
