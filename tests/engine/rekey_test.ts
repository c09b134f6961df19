/**
 * One pass, step by step: real files, a CA over real TLS, a real hook. Only
 * clock, chance, terminal and log are the test's own.
 */
import type { RekeyOptions } from "../../src/base/options.ts";
import type { LogEvent, Runtime, Terminal } from "../../src/base/runtime.ts";
import { createOnlineAuthority } from "../../src/ca/online/online.ts";
import { checkPair } from "../../src/engine/check_pair.ts";
import type { RekeyJob } from "../../src/engine/open_job.ts";
import { rekeyOnce } from "../../src/engine/once.ts";
import { replacePair } from "../../src/engine/rekey.ts";
import { openPair } from "../../src/files/open_pair.ts";
import { loadChain, loadKeyPair } from "../../src/files/pair/key_pair.ts";
import { PairChangedError } from "../../src/files/pair/seen_pair.ts";
import { createCsr } from "../../src/pki/keys/csr.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import { fakeClock } from "../daemon/fake_clock.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { daemonOptions } from "../support/daemon_options.ts";
import { fakeTerminal, noTerminal } from "../support/fake_terminal.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  type Answer,
  HOST,
  makeTestPki,
  rightAnswer,
  sendJson,
  startTestCa,
  type TestPki,
} from "../support/test_ca.ts";
import { keyPair } from "../support/test_pair.ts";

const NEVER = new AbortController().signal;

/** A pair, its CA, and a job that rekeys it. */
interface Place extends AsyncDisposable {
  readonly files: { readonly certificate: string; readonly key: string };
  readonly runtime: Runtime;
  readonly events: LogEvent[];
  readonly job: RekeyJob;
  /** How often the CA was asked. */
  requests(): number;
  /** Serial number of the certificate on the disk; its key belongs to it. */
  serial(): Promise<string>;
  /** Hidden files beside the pair. */
  hidden(): readonly string[];
  /** Lines that the hook wrote. */
  told(): Promise<readonly string[]>;
}

async function place(
  { answer = rightAnswer, change = {}, hook, terminal = noTerminal() }: {
    readonly answer?: (pki: TestPki) => Answer;
    readonly change?: Partial<RekeyOptions>;
    /** Shell script in which `$told` is the file of what was told. */
    readonly hook?: string;
    readonly terminal?: Terminal;
  } = {},
): Promise<Place> {
  await using undo = new AsyncDisposableStack();
  const dir = undo.use(await tempDir());
  const pki = await makeTestPki(dir.path);
  const ca = undo.use(await startTestCa(pki, answer(pki)));
  const files = {
    certificate: pki.host.certificateFile,
    key: pki.host.keyFile,
  };
  const script = `told=${dir.file("told")}; ${hook}`;
  const options: RekeyOptions = {
    ...daemonOptions(files, {
      exec: hook === undefined ? undefined : ["/bin/sh", "-c", script],
    }),
    mode: { run: "once" },
    ...change,
  };
  const clock = fakeClock(new Date());
  const events: LogEvent[] = [];
  const log = { write: (event: LogEvent) => void events.push(event) };
  const root = pki.root.certificateFile;
  const limits = { connectTimeoutMs: 5_000, timeoutMs: 5_000 };
  const folder = files.certificate.replace(/[^/]*$/, "");
  const held = undo.move();
  return {
    files,
    runtime: { clock, random: () => 0.5, terminal, log },
    events,
    job: {
      options,
      openAuthority: () =>
        createOnlineAuthority({ url: ca.url, root, ...limits, clock, log }),
      reloader: createReloader(options, { files }),
    },
    requests: () => ca.requests.length,
    async serial() {
      const source = { terminal: noTerminal(), signal: NEVER };
      const chain = await loadChain(files.certificate);
      await loadKeyPair(chain, files, source);
      return chain[0].serial;
    },
    hidden: () =>
      [...Deno.readDirSync(folder)].map(({ name }) => name)
        .filter((name) => name.startsWith(".")),
    told: async () => {
      const text = await Deno.readTextFile(dir.file("told")).catch(() => "");
      return text.split("\n").slice(0, -1);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const TELL = 'echo "$STEP_REKEY_ATTEMPT $STEP_REKEY_SERIAL" >> $told';

Deno.test("rekeyOnce() replaces the pair, tells the service, and leaves nothing else", async () => {
  await using here = await place({ hook: TELL });
  const before = await here.serial();
  const outcome = await rekeyOnce(here.job, here.runtime, NEVER);
  const serial = await here.serial();
  assert(outcome.kind === "rekeyed" && outcome.certificate.serial === serial);
  assert(serial !== before);
  assertEquals(here.events.map(({ event }) => event), ["rekeyed"]);
  assertEquals(await here.told(), [`1 ${serial}`]);
  assertEquals([here.requests(), here.hidden()], [1, []]);
});

Deno.test("replacePair() opens the pair only when nobody else works on it", async () => {
  await using here = await place();
  const { clock, log } = here.runtime;
  const lock = { lockTimeoutMs: 0, clock, log, signal: NEVER };
  using _held = await openPair(here.files, lock);
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "busy",
  );
  assertEquals(here.requests(), 0);
});

Deno.test("replacePair() closes the prepared connection when there is no new key", async () => {
  const path = "/nonexistent/given.key";
  await using here = await place({
    change: { newKey: { from: "file", path, writeCopy: true } },
  });
  using clients = countClients();
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "pair",
    /given\.key/,
  );
  assertEquals([clients.made, clients.open, here.requests()], [1, 0, 0]);
});

Deno.test("replacePair() asks by the prepared connection and makes no other", async () => {
  await using here = await place();
  using clients = countClients();
  await replacePair(here.job, here.runtime, NEVER);
  assertEquals([clients.made, clients.open, here.requests()], [1, 0, 1]);
});

/** Counts what createHttpClient makes, and what of it is open, until it is disposed. */
function countClients(): Disposable & { readonly made: number; open: number } {
  const { createHttpClient } = Deno;
  const count = { made: 0, open: 0 };
  Deno.createHttpClient = (options) => {
    const client = createHttpClient(options);
    count.made++;
    count.open++;
    const close = client.close.bind(client);
    client.close = client[Symbol.dispose] = () => {
      count.open--;
      close();
    };
    return client;
  };
  return Object.assign(count, {
    [Symbol.dispose]: () => void (Deno.createHttpClient = createHttpClient),
  });
}

Deno.test("replacePair() repairs before it loads", async () => {
  await using here = await place();
  const key = here.files.key.replace(/.*\//, "");
  const folder = here.files.certificate.replace(/[^/]*$/, "");
  const leftover = `.${key}.0123456789abcdef.new`;
  await Deno.writeTextFile(folder + leftover, "half of a key");
  await replacePair(here.job, here.runtime, NEVER);
  assertEquals(here.hidden(), []);
});

Deno.test("replacePair() does not ask the CA before it is time, and gives what is pending", async () => {
  const notDue = { mode: { run: "once", onlyIfExpiresInMs: 1 } } as const;
  await using here = await place({ hook: TELL, change: notDue });
  const serial = await here.serial();
  const first = await replacePair(
    { ...here.job, options: { ...here.job.options, mode: { run: "once" } } },
    here.runtime,
    NEVER,
  );
  // Never delivered: as when the process is killed here.
  first.pending?.[Symbol.dispose]();
  const again = await replacePair(here.job, here.runtime, NEVER);
  using pending = again.pending;
  assertEquals(again.outcome.kind, "not-due");
  assertEquals(pending?.facts.attempts, 2);
  assertEquals(pending?.facts.previousSerial, serial);
  assertEquals(here.requests(), 1);
});

Deno.test("replacePair() asks before it overwrites, and before the CA is asked", async () => {
  const change = { overwrite: "ask" } as const;
  await using here = await place({ change, terminal: fakeTerminal(false) });
  const before = await here.serial();
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "declined",
  );
  assertEquals([await here.serial(), here.requests()], [before, 0]);
});

Deno.test("replacePair() finds out that it cannot write before the CA is asked", async () => {
  await using here = await place();
  const write = { ...here.job.options.write, attributes: { owner: "nobody-" } };
  const options = { ...here.job.options, write };
  await assertRejects(
    () => replacePair({ ...here.job, options }, here.runtime, NEVER),
    "usage",
  );
  assertEquals([here.requests(), here.hidden()], [0, []]);
});

Deno.test("replacePair() leaves the pair as it was when the CA refuses", async () => {
  const answer = (): Answer => (_request, response) =>
    sendJson(response, { status: 403, message: "no" }, 403);
  await using here = await place({ answer, hook: TELL });
  const before = await here.serial();
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "refused",
  );
  assertEquals([await here.serial(), here.hidden()], [before, []]);
});

Deno.test("replacePair() writes nothing that does not verify", async () => {
  const answer = (pki: TestPki): Answer => (_request, response) =>
    sendJson(response, {
      crt: pki.server.certificate,
      ca: pki.intermediate.certificate,
      certChain: [pki.server.certificate, pki.intermediate.certificate],
    });
  await using here = await place({ answer, hook: TELL });
  const before = await here.serial();
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "untrusted",
  );
  assertEquals([await here.serial(), here.hidden()], [before, []]);
});

Deno.test("replacePair() swaps with the note on the disk, and releases the pair", async () => {
  await using here = await place({ hook: TELL });
  const { pending } = await replacePair(here.job, here.runtime, NEVER);
  using held = pending;
  assertEquals(held?.facts.serial, await here.serial());
  assertEquals(held?.facts.undelivered, ["exec"]);
  assertEquals(here.hidden().map((name) => name.split(".").at(-1)), ["reload"]);
  assertEquals(await here.told(), []);
});

Deno.test("rekeyOnce() reports a service that was not told, and the next run tells it", async () => {
  const hook = `${TELL}; [ $(wc -l < $told) -gt 1 ] || exit 7`;
  await using here = await place({ hook });
  await assertRejects(() => rekeyOnce(here.job, here.runtime, NEVER), "hook");
  const serial = await here.serial();
  const options: RekeyOptions = {
    ...here.job.options,
    mode: { run: "once", onlyIfExpiresInMs: 1 },
  };
  await rekeyOnce({ ...here.job, options }, here.runtime, NEVER);
  assertEquals(await here.told(), [`1 ${serial}`, `2 ${serial}`]);
  assertEquals([here.requests(), here.hidden()], [1, []]);
});

Deno.test("rekeyOnce() ends at once on a signal before the swap", async () => {
  const stop = new AbortController();
  const answer = (pki: TestPki): Answer => async (request, response) => {
    await rightAnswer(pki)(request, response);
    stop.abort(new Error("stopped"));
  };
  await using here = await place({ answer });
  const before = await here.serial();
  await assertRejects(() => rekeyOnce(here.job, here.runtime, stop.signal));
  assertEquals([await here.serial(), here.hidden()], [before, []]);
});

for (const layout of ["plain", "versioned", "in place"] as const) {
  for (const roles of [["certificate"], ["key"], ["certificate", "key"]]) {
    Deno.test(`replacePair() installs nothing over a ${roles.join(" and ")} that somebody puts there while the CA is asked: ${layout}`, async () => {
      const put: { files?: Place["files"] } = {};
      const answer = (pki: TestPki): Answer => async (request, response) => {
        for (const role of roles) {
          const file = put.files?.[role as "certificate" | "key"] ?? "";
          await Deno.writeTextFile(`${file}~`, `somebody's ${role}`);
          await Deno.rename(`${file}~`, file);
        }
        await rightAnswer(pki)(request, response);
      };
      await using here = await place({ answer });
      put.files = here.files;
      const { write } = here.job.options;
      const options: RekeyOptions = {
        ...here.job.options,
        write: {
          ...write,
          inPlace: layout === "in place",
          layout: layout === "versioned" ? "versioned" : undefined,
        },
      };
      const before = {
        certificate: await Deno.readTextFile(here.files.certificate),
        key: await Deno.readTextFile(here.files.key),
      };
      const error = await assertRejects(
        () => replacePair({ ...here.job, options }, here.runtime, NEVER),
        "install",
        /^nothing was installed: .* was changed by somebody else at .*, after it was read; the new certificate with serial [0-9A-F]+ and its key are dropped$/,
      );
      assert(error instanceof PairChangedError);
      for (const role of ["certificate", "key"] as const) {
        assertEquals(
          await Deno.readTextFile(here.files[role]),
          roles.includes(role) ? `somebody's ${role}` : before[role],
        );
        if (roles.includes(role)) {
          assert(error.message.includes(here.files[role]));
        }
      }
      const left = here.hidden().filter((name) => !name.endsWith(".versions"));
      assertEquals(left, []);
    });
  }
}

/** At `/renew`, the certificate of the key that the host has. */
function renewal(pki: TestPki): Answer {
  return async (request, response) => {
    if (request.path !== "/renew") {
      return await rightAnswer(pki)(request, response);
    }
    const { key } = await keyPair({
      certificate: pki.host.certificate,
      key: await Deno.readTextFile(pki.host.keyFile),
    });
    const { pem } = await createCsr(key);
    const leaf = await pki.intermediate.sign(pem, HOST);
    sendJson(response, { certChain: [leaf, pki.intermediate.certificate] });
  };
}

const RENEW = { newKey: { from: "current", by: "certificate" } } as const;

Deno.test("rekeyOnce() renews for the key that is there, and leaves its file alone", async () => {
  await using here = await place({
    answer: renewal,
    hook: TELL,
    change: RENEW,
  });
  const [before, key, file] = [
    await here.serial(),
    await Deno.readTextFile(here.files.key),
    await Deno.stat(here.files.key),
  ];
  const outcome = await rekeyOnce(here.job, here.runtime, NEVER);
  const serial = await here.serial();
  assert(outcome.kind === "renewed" && outcome.certificate.serial === serial);
  assert(serial !== before);
  assertEquals(await Deno.readTextFile(here.files.key), key);
  const { ino, mtime } = await Deno.stat(here.files.key);
  assertEquals([ino, mtime], [file.ino, file.mtime]);
  assertEquals(here.events.map(({ event }) => event), ["renewed"]);
  assertEquals(await here.told(), [`1 ${serial}`]);
  assertEquals([here.requests(), here.hidden()], [1, []]);
});

Deno.test("replacePair() renews in the versioned layout: a version with the same key", async () => {
  await using here = await place({ answer: renewal, change: RENEW });
  const { clock, log } = here.runtime;
  const lock = { lockTimeoutMs: 0, clock, log, signal: NEVER };
  {
    using pair = await openPair(here.files, lock);
    await pair.changeLayout("versioned");
  }
  const [before, key, version] = [
    await here.serial(),
    await Deno.readTextFile(here.files.key),
    await Deno.realPath(here.files.key),
  ];
  await replacePair(here.job, here.runtime, NEVER);
  assert(await here.serial() !== before);
  assertEquals(await Deno.readTextFile(here.files.key), key);
  assert(await Deno.realPath(here.files.key) !== version);
  assert((await Deno.lstat(here.files.certificate)).isSymlink);
});

Deno.test("replacePair() renews nothing into another key", async () => {
  await using here = await place({
    answer: (pki) => async (_request, response) => {
      const { pem } = await createCsr((await keyPair(pki.server)).key);
      const leaf = await pki.intermediate.sign(pem, HOST);
      sendJson(response, { certChain: [leaf, pki.intermediate.certificate] });
    },
    change: RENEW,
  });
  const before = await here.serial();
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "untrusted",
  );
  assertEquals([await here.serial(), here.hidden()], [before, []]);
});

Deno.test("replacePair() refuses a limit longer than the life only of a renewal", async () => {
  const mode = { run: "once", onlyIfExpiresInMs: 1e12 } as const;
  await using here = await place({
    answer: renewal,
    change: { ...RENEW, mode },
  });
  await assertRejects(
    () => replacePair(here.job, here.runtime, NEVER),
    "usage",
    /^flag '--expires-in' must be within \(lower than\) the certificate validity period; expires-in=277777h46m40s, cert-validity-period=/,
  );
  assertEquals(here.requests(), 0);
  const { newKey } = daemonOptions(here.files, {});
  const options: RekeyOptions = { ...here.job.options, newKey };
  await replacePair({ ...here.job, options }, here.runtime, NEVER);
});

Deno.test("checkPair() makes, asks and writes nothing", async () => {
  await using here = await place({ hook: TELL });
  const { serial } = await checkPair(here.job, here.runtime, NEVER);
  assertEquals(serial, await here.serial());
  assertEquals([here.requests(), here.hidden(), await here.told()], [
    0,
    [],
    [],
  ]);
});
