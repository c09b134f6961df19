import { RekeyError } from "../../../src/base/errors.ts";
import {
  type LockOptions,
  lockPair,
} from "../../../src/files/lock/pair_lock.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { fileHolds } from "../../support/file_holds.ts";
import { callsOf, CAN_TRACE } from "../../support/strace.ts";
import { CAN_MOUNT, mount } from "../../support/mounts.ts";
import { run, runOk } from "../../support/run.ts";
import {
  generation,
  type PairFixture,
  pairFixture,
  writePair,
} from "../pair_fixture.ts";

/** A process that takes the lock, says so, and holds it until its input ends. */
const HOLDER = `
  const { lockPair } = await import(Deno.args[0]);
  const [certificate, key] = Deno.args.slice(1);
  try {
    const lock = await lockPair({ certificate, key });
    console.log("locked");
    await Deno.stdin.read(new Uint8Array(1));
    await lock[Symbol.dispose]();
  } catch (error) {
    console.log(error.kind);
  }
`;

interface Holder {
  readonly child: Deno.ChildProcess;
  /** `locked`, or the kind of its error. */
  readonly said: string;
  /** Lets it end by itself. */
  release(): Promise<void>;
}

async function startHolder(
  { targets, dir }: PairFixture,
  tracer: readonly string[] = [],
): Promise<Holder> {
  // One for each: the next one must not truncate what this one reads.
  const program = dir.file(`holder_${crypto.randomUUID()}.ts`);
  await Deno.writeTextFile(program, HOLDER);
  const module =
    new URL("../../../src/files/lock/pair_lock.ts", import.meta.url).href;
  const [command, ...args] = [
    ...tracer,
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "--no-config",
    program,
    module,
    targets.certificate,
    targets.key,
  ] as const;
  const child = new Deno.Command(command ?? "", {
    args,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return {
    child,
    said: new TextDecoder().decode(value).trim(),
    async release() {
      await child.stdin.close();
      await child.output();
    },
  };
}

async function isFree({ targets }: PairFixture): Promise<boolean> {
  try {
    await using _lock = await lockPair(targets);
    return true;
  } catch (error) {
    if (error instanceof RekeyError && error.kind === "busy") return false;
    throw error;
  }
}

Deno.test("lockPair() leaves nothing behind", async () => {
  await using pair = await pairFixture();
  {
    await using _lock = await lockPair(pair.targets);
    assertEquals(pair.locks().toSorted(), [
      ".internal.crt.rekey-lock",
      ".internal.key.rekey-lock",
    ]);
  }
  assertEquals(pair.locks(), []);
});

Deno.test("lockPair() refuses a second pass of the same process", async () => {
  await using pair = await pairFixture();
  await using _lock = await lockPair(pair.targets);
  const error = await assertRejects(
    () => lockPair(pair.targets),
    "busy",
    /another process is working on .*internal\.crt$/,
  );
  assert(error instanceof RekeyError && error.hint !== undefined);
});

Deno.test("lockPair() gives back what it has when it cannot have all", async () => {
  await using pair = await pairFixture();
  const { certificate, key } = pair.targets;
  await using _lock = await lockPair({ certificate: key });
  assertEquals(await isFree(pair), false);
  await using _other = await lockPair({ certificate });
});

Deno.test("lockPair() sees one file behind different names", async () => {
  await using pair = await pairFixture();
  await Deno.symlink("tls", pair.dir.file("link"));
  await using _lock = await lockPair(pair.targets);
  await assertRejects(
    () => lockPair({ certificate: pair.dir.file("link/internal.crt") }),
    "busy",
  );
});

Deno.test("lockPair() takes one lock when both names are one file", async () => {
  await using pair = await pairFixture();
  const { certificate } = pair.targets;
  await using _lock = await lockPair({ certificate, key: certificate });
  assertEquals(pair.locks().length, 1);
});

Deno.test("lockPair() lets other pairs in the directory alone", async () => {
  await using pair = await pairFixture();
  await using _lock = await lockPair(pair.targets);
  await using _other = await lockPair({
    certificate: pair.dir.file("tls/other.crt"),
    key: pair.dir.file("tls/other.key"),
  });
});

Deno.test("lockPair() is busy while another process holds it, and free when that ends", async () => {
  await using pair = await pairFixture();
  const holder = await startHolder(pair);
  assertEquals(holder.said, "locked");
  assertEquals(await isFree(pair), false);
  await holder.release();
  assertEquals(await isFree(pair), true);
  assertEquals(pair.locks(), []);
});

Deno.test("lockPair() is free when its holder was killed", async () => {
  await using pair = await pairFixture();
  const { child, said } = await startHolder(pair);
  assertEquals(said, "locked");
  child.kill("SIGKILL");
  await child.stdin.close().catch(() => {});
  await child.output();
  assertEquals(pair.locks().length, 2, "a killed holder cannot tidy up");
  assertEquals(await isFree(pair), true);
  assertEquals(pair.locks(), []);
});

Deno.test("lockPair() lets one of eight processes in", async () => {
  await using pair = await pairFixture();
  const holders = await Promise.all(
    Array.from({ length: 8 }, () => startHolder(pair)),
  );
  const said = holders.map((holder) => holder.said).toSorted();
  assertEquals(said, [...Array(7).fill("busy"), "locked"]);
  await Promise.all(holders.map((holder) => holder.release()));
  assertEquals(pair.locks(), []);
});

Deno.test("lockPair() never lets two in at once, whoever comes and goes", async () => {
  await using pair = await pairFixture();
  const child = new URL("../../support/install_child.ts", import.meta.url).href;
  writePair(pair, generation(1));
  const { certificate, key } = pair.targets;
  const outputs = await Promise.all(
    Array.from({ length: 4 }, (_, index) =>
      run(Deno.execPath(), [
        "run",
        "-A",
        "--no-config",
        child,
        certificate,
        key,
        `${1000 * (index + 1)}`,
        "30",
      ], { stdin: "\n" })),
  );
  const lines = outputs.flatMap(({ stdout }) => stdout.trim().split("\n"));
  const unexpected = lines.filter((line) =>
    !/^(ready|installed \d+|failed busy: .*)$/.test(line)
  );
  assertEquals(unexpected, []);
  assert(lines.some((line) => line.startsWith("installed")));
  const number = /generation (\d+)/.exec(pair.read().key ?? "")?.[1];
  assertEquals(pair.read(), generation(Number(number)));
  assertEquals(pair.locks(), []);
});

Deno.test({
  name:
    "lockPair() does not count a lock on a file that was removed meanwhile (needs strace)",
  ignore: !CAN_TRACE,
  async fn() {
    await using pair = await pairFixture();
    const first = await lockPair(pair.targets);
    // It opens the file that `first` holds, and then takes 4 s to lock it.
    const log = pair.dir.file("strace.log");
    const late = startHolder(pair, [
      "strace",
      "-f",
      "-o",
      log,
      "-e",
      "trace=openat,flock",
      "-e",
      "inject=flock:delay_enter=4000000:when=1",
    ]);
    const isOpened = /crt\.rekey-lock", O_RDWR\|O_CLOEXEC\) = \d/;
    await fileHolds(
      log,
      (text) => callsOf(text).some((call) => isOpened.test(call)),
    );
    first[Symbol.dispose]();
    await using _second = await lockPair(pair.targets);
    const { said, release } = await late;
    assertEquals(said, "busy");
    await release();
    assert(
      callsOf(await Deno.readTextFile(log)).some((call) =>
        /^flock\(.* = 0 \(DELAYED\)/.test(call)
      ),
    );
  },
});

Deno.test("lockPair() does not remove a lock file that became somebody else's", async () => {
  await using pair = await pairFixture();
  const { certificate } = pair.targets;
  const file = pair.dir.file("tls/.internal.crt.rekey-lock");
  const first = await lockPair({ certificate });
  await Deno.remove(file);
  await using _second = await lockPair({ certificate });
  await first[Symbol.dispose]();
  await assertRejects(() => lockPair({ certificate }), "busy");
});

Deno.test("lockPair() refuses a missing directory, as the original does", async () => {
  await using pair = await pairFixture();
  const certificate = pair.dir.file("missing/x.crt");
  const error = await assertRejects(() => lockPair({ certificate }), "install");
  assertEquals(
    error.message,
    `open ${certificate} failed: no such file or directory`,
  );
});

Deno.test("lockPair() does not hang on a lock file that is no file", async () => {
  await using pair = await pairFixture();
  await runOk("mkfifo", [pair.dir.file("tls/.internal.crt.rekey-lock")]);
  await assertRejects(
    () => lockPair(pair.targets),
    "install",
    /not a regular file$/,
  );
});

Deno.test("lockPair() follows no link in place of its lock file", async () => {
  await using pair = await pairFixture();
  const elsewhere = pair.dir.file("elsewhere");
  await Deno.symlink(elsewhere, pair.dir.file("tls/.internal.crt.rekey-lock"));
  await assertRejects(() => lockPair(pair.targets), "install");
  assertEquals(
    (await Array.fromAsync(Deno.readDir(pair.dir.path))).map(({ name }) =>
      name
    ),
    [
      "tls",
    ],
  );
});

for (const files of ["existing", "missing"] as const) {
  Deno.test({
    name:
      `lockPair() works for ${files} files on a read-only file system (needs mount)`,
    ignore: !CAN_MOUNT,
    async fn() {
      await using pair = await pairFixture();
      if (files === "existing") writePair(pair, generation(1));
      const directory = pair.dir.file("tls");
      await using _bind = await mount(directory, ["--bind", directory]);
      await runOk("mount", ["-o", "remount,ro,bind", directory]);
      await using _lock = await lockPair({
        certificate: pair.targets.certificate,
      });
      await assertRejects(() => lockPair(pair.targets), "busy");
    },
  });
}

Deno.test({
  name:
    "lockPair() works on a read-only file system beside another pair (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, generation(1));
    Deno.writeTextFileSync(pair.dir.file("tls/other.crt"), "");
    const directory = pair.dir.file("tls");
    await using _bind = await mount(directory, ["--bind", directory]);
    await runOk("mount", ["-o", "remount,ro,bind", directory]);
    await using _lock = await lockPair(pair.targets);
    await using _other = await lockPair({
      certificate: pair.dir.file("tls/other.crt"),
    });
  },
});

function waitOf(
  timeoutMs: number,
  onSleep: (ms: number) => void | Promise<void>,
  signal = new AbortController().signal,
): LockOptions {
  return {
    timeoutMs,
    signal,
    // A clock that stands still: only what was slept counts.
    clock: { now: () => new Date(0), sleep: async (ms) => await onSleep(ms) },
  };
}

Deno.test("lockPair() waits for a busy pair until it is free", async () => {
  await using pair = await pairFixture();
  const holder = await lockPair(pair.targets);
  let sleeps = 0;
  const wait = waitOf(10_000, async () => {
    if (++sleeps === 3) await holder[Symbol.dispose]();
  });
  await using _lock = await lockPair(pair.targets, wait);
  assertEquals(sleeps, 3);
});

Deno.test("lockPair() waits as long as it may, then is busy", async () => {
  await using pair = await pairFixture();
  await using _holder = await lockPair(pair.targets);
  let waited = 0;
  const wait = waitOf(1250, (ms) => {
    waited += ms;
  });
  await assertRejects(() => lockPair(pair.targets, wait), "busy");
  assertEquals(waited, 1250);
});

Deno.test("lockPair() holds nothing while it waits", async () => {
  await using pair = await pairFixture();
  const { certificate, key } = pair.targets;
  // Whichever of the two is taken first, one of the rounds sees it held.
  for (const busy of [certificate, key]) {
    const free = busy === key ? certificate : key;
    const holder = await lockPair({ certificate: busy });
    let sleeps = 0;
    const wait = waitOf(10_000, async () => {
      sleeps++;
      // Refused while it is held, and then the test fails.
      await using _free = await lockPair({ certificate: free });
      await holder[Symbol.dispose]();
    });
    await using _lock = await lockPair(pair.targets, wait);
    assertEquals(sleeps, 1);
  }
});

Deno.test("lockPair() ends its wait on a signal", async () => {
  await using pair = await pairFixture();
  await using _holder = await lockPair(pair.targets);
  const stop = new AbortController();
  const wait = waitOf(
    10_000,
    () => stop.abort(new RekeyError("interrupted", "stopped")),
    stop.signal,
  );
  await assertRejects(() => lockPair(pair.targets, wait), "interrupted");
});
