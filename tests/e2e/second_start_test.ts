/**
 * A start from source in which the runtime used TLS first: because it was slow,
 * or because something was downloaded. One second start, which nobody notices.
 */
import { ERROR_KINDS } from "../../src/base/errors.ts";
import { ROOT } from "../../scripts/paths.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { notifySocket } from "../support/notify_socket.ts";
import { run, type RunOptions } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import {
  makeTestPki,
  rightAnswer,
  sendJson,
  startTestCa,
  type TestCa,
} from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);

/** Uses TLS, as downloads do, in the first process or in both. */
const LATE_ONCE =
  'if (!Deno.env.has("STEP_REKEY_SECOND_START")) Deno.createHttpClient({}).close();';
const LATE_ALWAYS = "Deno.createHttpClient({}).close();";
/** The runtime looks for a newer Deno meanwhile. */
const SLOW = "await new Promise((resolve) => setTimeout(resolve, 1_500));";

/** What a test needs of the place where it runs. */
interface Place {
  readonly dir: TempDir;
  /** The words to run, the program's own arguments included. */
  command(flags: readonly string[]): readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How many processes began. */
  starts(): Promise<number>;
}

/** The program, with `early` in front of its first line. */
async function place(
  dir: TempDir,
  ca: TestCa,
  early: string,
): Promise<Place> {
  const preload = dir.file("early.ts");
  const count = dir.file("starts");
  await Deno.writeTextFile(
    preload,
    `Deno.writeTextFileSync(${
      JSON.stringify(count)
    }, "x", { append: true });\n${early}\n`,
  );
  await Deno.writeTextFile(dir.file("host.crt"), pki.host.certificate);
  await Deno.writeTextFile(dir.file("host.key"), pki.host.key, { mode: 0o600 });
  return {
    dir,
    command: (flags) => [
      ...["env", "-u", "DENO_NO_UPDATE_CHECK", Deno.execPath(), "run"],
      ...["-A", "--no-prompt", "--preload", preload, `${ROOT}main.ts`],
      ...["ca", "rekey", dir.file("host.crt"), dir.file("host.key")],
      ...["--force", "--ca-url", ca.url, "--root", pki.root.certificateFile],
      ...flags,
    ],
    // A directory of its own: a Deno that looked lately does not look again.
    env: { STEPPATH: dir.file("none"), DENO_DIR: dir.file("deno") },
    starts: async () => (await Deno.readTextFile(count)).length,
  };
}

/** Runs it to its end. */
function rekey(
  { command, env }: Place,
  flags: readonly string[] = [],
  options: RunOptions = {},
) {
  const [program = "", ...args] = command(flags);
  return run(program, args, {
    ...options,
    env: { ...env, ...options.env },
  });
}

function sourceTest(name: string, fn: () => Promise<void>): void {
  // A compiled program neither downloads nor looks for updates.
  Deno.test({ name, ignore: Deno.env.has("REKEY_TEST_BINARY"), fn });
}

for (const [name, early] of Object.entries({ SLOW, LATE_ONCE })) {
  sourceTest(`ca rekey rekeys after a start that is ${name}`, async () => {
    await using dir = await tempDir();
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const here = await place(dir, ca, early);
    const { code, stderr } = await rekey(here);
    assertEquals(code, 0, stderr);
    assertEquals(await here.starts(), 2);
    assertEquals(ca.requests.length, 1);
    assertMatch(stderr, /^✔ Certificate: .*\n✔ Private Key: .*\n$/);
  });
}

sourceTest(
  "ca rekey has pinned its trust before it reads its settings",
  async () => {
    await using dir = await tempDir();
    await using ca = await startTestCa(pki, rightAnswer(pki));
    // Whatever used TLS from then on would come too late for us, too.
    const here = await place(
      dir,
      ca,
      `const read = Deno.readTextFile;
     Deno.readTextFile = (...args) => {
       Deno.createHttpClient({}).close();
       return read(...args);
     };`,
    );
    const settings = dir.file("defaults.json");
    await Deno.writeTextFile(settings, "{}");
    const [, unset = "", ...words] = here.command([]);
    const at = words.indexOf("ca");
    const { code, stderr } = await run("env", [
      // On a busy machine the runtime itself would be the first.
      ...[unset, "OTHER", "DENO_NO_UPDATE_CHECK=1", ...words.slice(1, at)],
      ...["--config", settings, ...words.slice(at)],
    ], { env: here.env });
    assertEquals([code, await here.starts()], [0, 1], stderr);
  },
);

sourceTest("ca rekey does not start a third time", async () => {
  await using dir = await tempDir();
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const here = await place(dir, ca, LATE_ALWAYS);
  const { code, stderr } = await rekey(here);
  assertEquals(code, ERROR_KINDS.config.exitCode);
  assertMatch(stderr, /^cannot make --root the only trust anchor/);
  assertEquals(await here.starts(), 2);
  assertEquals(ca.requests.length, 0);
});

sourceTest("ca rekey --offline starts once, whatever used TLS", async () => {
  await using dir = await tempDir();
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const here = await place(dir, ca, LATE_ALWAYS);
  const { stderr } = await rekey(here, [
    "--offline",
    ...["--ca-config", dir.file("no-ca.json")],
  ]);
  assertStringIncludes(stderr, "no-ca.json");
  assertEquals(await here.starts(), 1);
});

sourceTest(
  "a second start passes exit code, streams and environment through",
  async () => {
    await using dir = await tempDir();
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const here = await place(dir, ca, LATE_ONCE);
    const { code, stdout, stderr } = await rekey(here, [
      ...["--exec", `sh -c 'cat; env; exit 7'`],
    ], { stdin: "from stdin\n", env: { HTTPS_PROXY: "", OTHER: "as it was" } });
    assertEquals(code, 7, stderr);
    assert(stdout.startsWith("from stdin\n"), stdout);
    assertStringIncludes(stdout, "\nOTHER=as it was\n");
    assert(!stdout.includes("STEP_REKEY_SECOND_START"), stdout);
    assert(!stdout.includes("DENO_NO_UPDATE_CHECK"), stdout);
    assertStringIncludes(stderr, "exit status 7");
    assertEquals(await here.starts(), 2);
  },
);

for (
  const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const
) {
  sourceTest(`a second start gets ${signal} of the first`, async () => {
    await using dir = await tempDir();
    const asked = Promise.withResolvers<void>();
    const silent = Promise.withResolvers<void>();
    await using ca = await startTestCa(pki, async (_, response) => {
      asked.resolve();
      await silent.promise;
      sendJson(response, {});
    });
    const here = await place(dir, ca, LATE_ONCE);
    const [program = "", ...args] = here.command([]);
    const child = new Deno.Command(program, {
      args,
      env: here.env,
      stderr: "piped",
      stdout: "null",
    }).spawn();
    await asked.promise;
    child.kill(signal);
    const { code, stderr } = await child.output();
    silent.resolve();
    const said = new TextDecoder().decode(stderr);
    assertEquals([code, said], [expected, `stopped by ${signal}\n`]);
    assertEquals(
      await Deno.readTextFile(dir.file("host.key")),
      pki.host.key,
    );
  });
}

sourceTest(
  "a second start of a daemon reaches the service manager by the first",
  async () => {
    await using dir = await tempDir();
    await using ca = await startTestCa(pki, rightAnswer(pki));
    await using socket = await notifySocket(dir.file("notify"));
    const here = await place(dir, ca, LATE_ONCE);
    const [program = "", ...args] = here.command(["--daemon"]);
    const child = new Deno.Command(program, {
      args,
      env: {
        ...here.env,
        NOTIFY_SOCKET: socket.address,
        WATCHDOG_USEC: "200000",
      },
      stderr: "null",
      stdout: "null",
    }).spawn();
    await socket.receives("READY=1");
    await socket.receives("WATCHDOG=1");
    child.kill("SIGTERM");
    await socket.receives("STOPPING=1");
    assertEquals((await child.status).code, 0);
  },
);
