import {
  type ClaimedReload,
  claimOwedReload,
  draftOwedReload,
  type OwedCertificate,
} from "../../../src/files/reload_note/pending_reload.ts";
import type { ReloadPart } from "../../../src/base/options.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const OLD = certificate("old", "0A");
const NEW = certificate("new", "0B");
const BOTH: readonly ReloadPart[] = ["signal", "exec"];

/** Only its bytes are looked at. */
function certificate(text: string, serial: string): OwedCertificate {
  return {
    der: new TextEncoder().encode(text),
    serial,
    notAfter: new Date("2030-01-02T03:04:05Z"),
  };
}

async function owe(dir: TempDir, parts = BOTH): Promise<ClaimedReload> {
  using draft = draftOwedReload(dir.file("a.crt"));
  await draft.write(NEW, { previousSerial: OLD.serial, owed: parts });
  return draft.claim();
}

async function claim(
  dir: TempDir,
  current: OwedCertificate = NEW,
  parts = BOTH,
): Promise<ClaimedReload | undefined> {
  const claimed = await claimOwedReload(dir.file("a.crt"), {
    load: () => Promise.resolve(current),
    parts,
  });
  assert(claimed !== "elsewhere", "is free");
  return claimed;
}

async function namesIn(dir: TempDir): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(dir.path)))
    .map(({ name }) => name).sort();
}

Deno.test("draftOwedReload() leaves no trace when nothing came of it", async () => {
  await using dir = await tempDir();
  draftOwedReload(dir.file("a.crt"))[Symbol.dispose]();
  assertEquals(await namesIn(dir), []);
});

Deno.test("draftOwedReload() takes the note back when the swap failed", async () => {
  await using dir = await tempDir();
  {
    using draft = draftOwedReload(dir.file("a.crt"));
    await draft.write(NEW, { previousSerial: "0A", owed: BOTH });
    assertEquals((await namesIn(dir)).length, 1);
  }
  assertEquals(await namesIn(dir), []);
});

Deno.test("draftOwedReload() keeps the note when a journal says that the swap may yet happen", async () => {
  await using dir = await tempDir();
  {
    using draft = draftOwedReload(dir.file("a.crt"));
    await draft.write(NEW, { previousSerial: "0A", owed: BOTH });
    await Deno.writeTextFile(dir.file(".a.crt.rekey"), "{}");
  }
  assertEquals((await namesIn(dir)).length, 2);
});

Deno.test("draftOwedReload() writes the note for its owner only", async () => {
  await using dir = await tempDir();
  (await owe(dir))[Symbol.dispose]();
  const [name = ""] = await namesIn(dir);
  const { mode } = await Deno.stat(dir.file(name));
  assertEquals((mode ?? 0) & 0o777, 0o600);
});

for (const name of ["nothing", "a directory", "a FIFO"]) {
  Deno.test(`claim() tells the service all the same when ${name} is in the note's place`, async () => {
    await using dir = await tempDir();
    using draft = draftOwedReload(dir.file("a.crt"));
    await draft.write(NEW, { owed: BOTH });
    const [note = ""] = await namesIn(dir);
    await Deno.remove(dir.file(note));
    if (name === "a directory") await Deno.mkdir(dir.file(note));
    if (name === "a FIFO") {
      await new Deno.Command("mkfifo", { args: [dir.file(note)] }).output();
    }
    using claimed = draft.claim();
    assertEquals(claimed.note.owed, BOTH);
    claimed.settle(["exec"]);
  });
}

Deno.test("draftOwedReload() says that the directory is missing", async () => {
  await using dir = await tempDir();
  await assertRejects(
    () => Promise.try(() => draftOwedReload(dir.file("none/a.crt"))),
    "install",
  );
});

Deno.test("claimOwedReload() finds what is owed, one attempt further", async () => {
  await using dir = await tempDir();
  (await owe(dir))[Symbol.dispose]();
  for (const attempts of [2, 3]) {
    using claimed = await claim(dir);
    assertEquals(claimed?.note.attempts, attempts);
    assertEquals(claimed?.note.owed, BOTH);
    assertEquals(claimed?.note.serial, "0B");
    assertEquals(claimed?.note.previousSerial, "0A");
  }
});

Deno.test("claimOwedReload() does not read the certificate when there is no note", async () => {
  await using dir = await tempDir();
  const found = await claimOwedReload(dir.file("a.crt"), {
    load: () => Promise.reject(new Error("was read")),
    parts: BOTH,
  });
  assertEquals(found, undefined);
});

Deno.test("claimOwedReload() leaves a note alone that somebody is paying", async () => {
  await using dir = await tempDir();
  const paying = await owe(dir);
  const found = await claimOwedReload(dir.file("a.crt"), {
    load: () => Promise.resolve(NEW),
    parts: BOTH,
  });
  assertEquals(found, "elsewhere");
  paying[Symbol.dispose]();
  using claimed = await claim(dir);
  assertEquals(claimed?.note.attempts, 2);
});

Deno.test("claimOwedReload() leaves what others have to pay, and counts no try of it", async () => {
  await using dir = await tempDir();
  (await owe(dir, ["exec"]))[Symbol.dispose]();
  assertEquals(await claim(dir, NEW, ["signal"]), undefined);
  using claimed = await claim(dir, NEW, ["signal", "exec"]);
  assertEquals([claimed?.note.owed, claimed?.note.attempts], [["exec"], 2]);
});

Deno.test("claimOwedReload() removes the note of a certificate that is not there", async () => {
  await using dir = await tempDir();
  (await owe(dir))[Symbol.dispose]();
  assertEquals(await claim(dir, OLD), undefined);
  assertEquals(await namesIn(dir), []);
});

Deno.test("claimOwedReload() does not touch notes of other files", async () => {
  await using dir = await tempDir();
  const others = [
    ".b.crt.0123456789abcdef.owed",
    ".a.crt.0123456789abcdef.new",
    ".a.crt.0123456789ABCDEF.owed",
    "a.crt.0123456789abcdef.owed",
  ];
  for (const name of others) await Deno.writeTextFile(dir.file(name), "x");
  assertEquals(await claim(dir), undefined);
  assertEquals(await namesIn(dir), others.toSorted());
});

for (const content of ["", "{", "x".repeat(2000), "\0".repeat(512)]) {
  Deno.test(`claimOwedReload() takes a note of ${content.length} wrong bytes to owe all`, async () => {
    await using dir = await tempDir();
    (await owe(dir, ["exec"]))[Symbol.dispose]();
    const [name = ""] = await namesIn(dir);
    await Deno.writeTextFile(dir.file(name), content);
    {
      using claimed = await claim(dir);
      assertEquals(claimed?.note.owed, BOTH);
      assertEquals(claimed?.note.attempts, 1);
      assertEquals(claimed?.note.serial, "0B");
    }
    using again = await claim(dir);
    assertEquals(again?.note.attempts, 2);
  });
}

for (const kind of ["symlink", "directory", "fifo"] as const) {
  Deno.test(`claimOwedReload() takes a ${kind} for no note, and does not hang`, async () => {
    await using dir = await tempDir();
    (await owe(dir))[Symbol.dispose]();
    const [name = ""] = await namesIn(dir);
    await Deno.rename(dir.file(name), dir.file("moved"));
    if (kind === "symlink") await Deno.symlink("moved", dir.file(name));
    if (kind === "directory") await Deno.mkdir(dir.file(name));
    if (kind === "fifo") {
      await new Deno.Command("mkfifo", { args: [dir.file(name)] }).output();
    }
    const before = await Deno.readTextFile(dir.file("moved"));
    assertEquals(await claim(dir), undefined);
    assertEquals(await Deno.readTextFile(dir.file("moved")), before);
  });
}

Deno.test("settle() removes the note when all is paid", async () => {
  await using dir = await tempDir();
  using claimed = await owe(dir);
  claimed.settle([]);
  assertEquals(await namesIn(dir), []);
});

Deno.test("settle() keeps what is still owed", async () => {
  await using dir = await tempDir();
  {
    using claimed = await owe(dir);
    claimed.settle(["exec"]);
  }
  using claimed = await claim(dir);
  assertEquals(claimed?.note.owed, ["exec"]);
  assertEquals(claimed?.note.previousSerial, "0A");
});

Deno.test("settle() leaves the note of a later certificate alone", async () => {
  await using dir = await tempDir();
  using first = await owe(dir);
  using draft = draftOwedReload(dir.file("a.crt"));
  await draft.write(OLD, { previousSerial: NEW.serial, owed: BOTH });
  using second = draft.claim();
  first.settle([]);
  first.settle(["exec"]);
  const names = await namesIn(dir);
  assertEquals(names.length, 1);
  second.settle([]);
  assert((await namesIn(dir)).length === 0);
});

Deno.test("notes stand beside the file that a link leads to", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("real"));
  await Deno.symlink("real/b.crt", dir.file("a.crt"));
  (await owe(dir))[Symbol.dispose]();
  assertEquals(await namesIn(dir), ["a.crt", "real"]);
  using claimed = await claim(dir);
  assertEquals(claimed?.note.attempts, 2);
});
