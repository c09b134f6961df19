import {
  findPendingReload,
  type PendingReload,
  type ReloadCertificate,
  ReloadDraft,
} from "../../../src/files/reload_note/pending_reload.ts";
import { resolveTarget, type Target } from "../../../src/files/disk/target.ts";
import type { ReloadPart } from "../../../src/base/options.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const OLD = certificate("old", "0A");
const NEW = certificate("new", "0B");
const BOTH: readonly ReloadPart[] = ["signal", "exec"];

/** Only its bytes are looked at. */
function certificate(text: string, serial: string): ReloadCertificate {
  return {
    der: new TextEncoder().encode(text),
    serial,
    notAfter: new Date("2030-01-02T03:04:05Z"),
  };
}

function targetIn(dir: TempDir): Target {
  return resolveTarget(dir.file("a.crt"));
}

async function swap(
  dir: TempDir,
  {
    parts = BOTH,
    certificate = NEW,
    previousSerial = OLD.serial,
    during = () => {},
  }: {
    readonly parts?: readonly ReloadPart[];
    readonly certificate?: ReloadCertificate;
    readonly previousSerial?: string;
    readonly during?: () => void | Promise<void>;
  } = {},
): Promise<PendingReload> {
  using draft = new ReloadDraft(targetIn(dir), parts);
  const about = { certificate, previousSerial };
  const pending = await draft.around(during, about);
  assert(pending !== undefined);
  return pending;
}

async function find(
  dir: TempDir,
  current: ReloadCertificate = NEW,
  parts = BOTH,
): Promise<PendingReload | undefined> {
  const found = await findPendingReload(targetIn(dir), {
    load: () => Promise.resolve(current),
    parts,
  });
  assert(found !== "elsewhere", "is free");
  return found;
}

async function namesIn(dir: TempDir): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(dir.path)))
    .map(({ name }) => name).sort();
}

Deno.test("ReloadDraft leaves no trace when nothing came of it", async () => {
  await using dir = await tempDir();
  new ReloadDraft(targetIn(dir), BOTH)[Symbol.dispose]();
  assertEquals(await namesIn(dir), []);
});

Deno.test("around() writes nothing when nobody has to be told", async () => {
  await using dir = await tempDir();
  using draft = new ReloadDraft(targetIn(dir), []);
  const names: string[] = [];
  const pending = await draft.around(
    async () => void names.push("swapped", ...await namesIn(dir)),
    { certificate: NEW },
  );
  assertEquals([pending, names], [undefined, ["swapped"]]);
});

Deno.test("around() takes the note back when the swap failed", async () => {
  await using dir = await tempDir();
  const names: string[] = [];
  await assertRejects(() =>
    swap(dir, {
      during: async () => {
        names.push(...await namesIn(dir));
        throw new Error("no swap");
      },
    })
  );
  assertEquals(names.length, 1);
  assertEquals(await namesIn(dir), []);
});

Deno.test("around() keeps the note when a journal says that the swap may yet happen", async () => {
  await using dir = await tempDir();
  await assertRejects(() =>
    swap(dir, {
      during: async () => {
        await Deno.writeTextFile(dir.file(".a.crt.rekey"), "{}");
        throw new Error("no swap");
      },
    })
  );
  assertEquals((await namesIn(dir)).length, 2);
});

Deno.test("around() writes the note for its owner only", async () => {
  await using dir = await tempDir();
  (await swap(dir))[Symbol.dispose]();
  const [name = ""] = await namesIn(dir);
  const { mode } = await Deno.stat(dir.file(name));
  assertEquals((mode ?? 0) & 0o777, 0o600);
});

for (const name of ["nothing", "a directory", "a FIFO"]) {
  Deno.test(`around() has the service told all the same when ${name} is in the note's place`, async () => {
    await using dir = await tempDir();
    using pending = await swap(dir, {
      during: async () => {
        const [note = ""] = await namesIn(dir);
        await Deno.remove(dir.file(note));
        if (name === "a directory") await Deno.mkdir(dir.file(note));
        if (name === "a FIFO") {
          await new Deno.Command("mkfifo", { args: [dir.file(note)] }).output();
        }
      },
    });
    assertEquals(pending.facts.undelivered, BOTH);
    pending.delivered(["signal"]);
  });
}

Deno.test("ReloadDraft says that the directory is missing", async () => {
  await using dir = await tempDir();
  await assertRejects(
    () =>
      Promise.try(() => {
        const target = { ...targetIn(dir), directory: dir.file("none") };
        return new ReloadDraft(target, BOTH);
      }),
    "install",
  );
});

Deno.test("findPendingReload() finds what is pending, one attempt further", async () => {
  await using dir = await tempDir();
  (await swap(dir))[Symbol.dispose]();
  for (const attempts of [2, 3]) {
    using pending = await find(dir);
    assertEquals(pending?.facts.attempts, attempts);
    assertEquals(pending?.facts.undelivered, BOTH);
    assertEquals(pending?.facts.serial, "0B");
    assertEquals(pending?.facts.previousSerial, "0A");
  }
});

Deno.test("findPendingReload() does not read the certificate when there is no note", async () => {
  await using dir = await tempDir();
  const found = await findPendingReload(targetIn(dir), {
    load: () => Promise.reject(new Error("was read")),
    parts: BOTH,
  });
  assertEquals(found, undefined);
});

Deno.test("findPendingReload() leaves a note alone that somebody is delivering", async () => {
  await using dir = await tempDir();
  const other = await swap(dir);
  const found = await findPendingReload(targetIn(dir), {
    load: () => Promise.resolve(NEW),
    parts: BOTH,
  });
  assertEquals(found, "elsewhere");
  other[Symbol.dispose]();
  using pending = await find(dir);
  assertEquals(pending?.facts.attempts, 2);
});

Deno.test("findPendingReload() leaves what others have to deliver, and counts no try of it", async () => {
  await using dir = await tempDir();
  (await swap(dir, { parts: ["exec"] }))[Symbol.dispose]();
  assertEquals(await find(dir, NEW, ["signal"]), undefined);
  using pending = await find(dir, NEW, ["signal", "exec"]);
  assertEquals([pending?.facts.undelivered, pending?.facts.attempts], [
    ["exec"],
    2,
  ]);
});

Deno.test("findPendingReload() removes the note of a certificate that is not there", async () => {
  await using dir = await tempDir();
  (await swap(dir))[Symbol.dispose]();
  assertEquals(await find(dir, OLD), undefined);
  assertEquals(await namesIn(dir), []);
});

Deno.test("findPendingReload() does not touch notes of other files", async () => {
  await using dir = await tempDir();
  const others = [
    ".b.crt.0123456789abcdef.reload",
    ".a.crt.0123456789abcdef.new",
    ".a.crt.0123456789ABCDEF.reload",
    "a.crt.0123456789abcdef.reload",
  ];
  for (const name of others) await Deno.writeTextFile(dir.file(name), "x");
  assertEquals(await find(dir), undefined);
  assertEquals(await namesIn(dir), others.toSorted());
});

for (const content of ["", "{", "x".repeat(2000), "\0".repeat(512)]) {
  Deno.test(`findPendingReload() takes a note of ${content.length} wrong bytes to be about all`, async () => {
    await using dir = await tempDir();
    (await swap(dir, { parts: ["exec"] }))[Symbol.dispose]();
    const [name = ""] = await namesIn(dir);
    await Deno.writeTextFile(dir.file(name), content);
    {
      using pending = await find(dir);
      assertEquals(pending?.facts.undelivered, BOTH);
      assertEquals(pending?.facts.attempts, 1);
      assertEquals(pending?.facts.serial, "0B");
    }
    using again = await find(dir);
    assertEquals(again?.facts.attempts, 2);
  });
}

for (const kind of ["symlink", "directory", "fifo"] as const) {
  Deno.test(`findPendingReload() takes a ${kind} for no note, and does not hang`, async () => {
    await using dir = await tempDir();
    (await swap(dir))[Symbol.dispose]();
    const [name = ""] = await namesIn(dir);
    await Deno.rename(dir.file(name), dir.file("moved"));
    if (kind === "symlink") await Deno.symlink("moved", dir.file(name));
    if (kind === "directory") await Deno.mkdir(dir.file(name));
    if (kind === "fifo") {
      await new Deno.Command("mkfifo", { args: [dir.file(name)] }).output();
    }
    const before = await Deno.readTextFile(dir.file("moved"));
    assertEquals(await find(dir), undefined);
    assertEquals(await Deno.readTextFile(dir.file("moved")), before);
  });
}

Deno.test("delivered() removes the note with the last part", async () => {
  await using dir = await tempDir();
  using pending = await swap(dir);
  pending.delivered(BOTH);
  assertEquals(await namesIn(dir), []);
});

Deno.test("delivered() keeps what is still pending", async () => {
  await using dir = await tempDir();
  {
    using pending = await swap(dir);
    pending.delivered(["signal"]);
  }
  using pending = await find(dir);
  assertEquals(pending?.facts.undelivered, ["exec"]);
  assertEquals(pending?.facts.previousSerial, "0A");
});

Deno.test("delivered() leaves the note of a later certificate alone", async () => {
  await using dir = await tempDir();
  using first = await swap(dir);
  using second = await swap(dir, {
    certificate: OLD,
    previousSerial: NEW.serial,
  });
  first.delivered(BOTH);
  first.delivered(["signal"]);
  const names = await namesIn(dir);
  assertEquals(names.length, 1);
  second.delivered(BOTH);
  assert((await namesIn(dir)).length === 0);
});

Deno.test("notes stand beside the file that a link leads to", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("real"));
  await Deno.symlink("real/b.crt", dir.file("a.crt"));
  (await swap(dir))[Symbol.dispose]();
  assertEquals(await namesIn(dir), ["a.crt", "real"]);
  using pending = await find(dir);
  assertEquals(pending?.facts.attempts, 2);
});

Deno.test("findPendingReload() writes nothing to a note with a second name", async () => {
  await using dir = await tempDir();
  (await swap(dir))[Symbol.dispose]();
  const [name = ""] = (await namesIn(dir)).filter((found) =>
    found.endsWith(".reload")
  );
  const text = await Deno.readTextFile(dir.file(name));
  await Deno.link(dir.file(name), dir.file("mine"));
  using found = await find(dir);
  assertEquals(found, undefined);
  assertEquals(await Deno.readTextFile(dir.file("mine")), text);
});
