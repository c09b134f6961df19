/**
 * Opening a pair: what is locked, for how long, and what is repaired first.
 */
import type { LogEvent } from "../../src/base/runtime.ts";
import { openPair } from "../../src/files/open_pair.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { noTerminal } from "../support/fake_terminal.ts";
import { encodePair, open } from "../support/install_child.ts";
import {
  generation,
  type PairFixture,
  pairFixture,
  writePair,
} from "./pair_fixture.ts";

/** A change of layout that was interrupted before its first step. */
function interrupt(pair: PairFixture): void {
  writePair(pair, generation(1));
  Deno.writeTextFileSync(
    pair.dir.file("tls/.internal.crt.rekey-layout"),
    "versioned\ninternal.key\n.internal.crt.versions\n",
  );
}

function options(input: PairFixture, events: LogEvent[] = []) {
  return {
    input: input.targets,
    lockTimeoutMs: 0,
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: { write: (event: LogEvent) => void events.push(event) },
    signal: new AbortController().signal,
  };
}

Deno.test("openPair() repairs a pair that is only read, and leaves it unlocked", async () => {
  await using input = await pairFixture();
  await using output = await pairFixture();
  interrupt(input);
  const events: LogEvent[] = [];
  using _pair = await openPair(output.targets, options(input, events));
  assertEquals(events, [
    { event: "repaired", recovery: { kind: "layout changed" } },
  ]);
  assert((await Deno.lstat(input.targets.certificate)).isSymlink);
  assertEquals([input.locks(), output.locks().length], [[], 2]);
});

Deno.test("openPair() does not lock a pair that is only read and needs no repair", async () => {
  await using input = await pairFixture();
  await using output = await pairFixture();
  writePair(input, generation(1));
  using _held = await open(input.targets);
  using _pair = await openPair(output.targets, options(input));
});

Deno.test("openPair() waits for nobody who repairs the pair that is read", async () => {
  await using input = await pairFixture();
  await using output = await pairFixture();
  interrupt(input);
  using _held = await open(input.targets);
  interrupt(input);
  await assertRejects(
    () => openPair(output.targets, options(input)),
    "busy",
  );
  assertEquals(output.locks(), []);
});

Deno.test("a LockedPair loads what it saw when it was opened", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  using locked = await open(pair.targets);
  await Deno.remove(pair.targets.certificate);
  const files = { input: pair.targets, output: pair.targets };
  const newKey = {
    from: "generate",
    spec: { kty: "EC", curve: "P-256" },
  } as const;
  const { signal } = new AbortController();
  await assertRejects(
    () =>
      locked.load(
        { ...files, newKey, mode: { run: "once" }, passwordFiles: {} },
        { terminal: noTerminal(), signal },
        new Date(),
      ),
    "pair",
    /malformed certificate$/,
  );
});

Deno.test("a pair that could not be repaired is not locked any more", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await Deno.writeTextFile(pair.dir.file("tls/.internal.crt.rekey"), "no");
  await assertRejects(() => open(pair.targets), "install", /not a journal/);
  assertEquals(pair.locks(), []);
});

Deno.test("a LockedPair goes on with where its names lead after a change of layout", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  using locked = await open(pair.targets);
  for (const [index, layout] of (["versioned", "plain"] as const).entries()) {
    assert(await locked.changeLayout(layout));
    using install = await locked.prepareInstall();
    await install.commit(encodePair(generation(index + 2)));
    assertEquals(pair.read(), generation(index + 2));
  }
  assert((await Deno.lstat(pair.targets.key)).isFile);
});

for (const file of ["certificate", "key"] as const) {
  Deno.test(`a LockedPair puts no pair back over a ${file} that somebody put there meanwhile`, async () => {
    await using pair = await pairFixture();
    writePair(pair, generation(1));
    {
      using locked = await open(pair.targets);
      await locked.changeLayout("versioned");
      using install = await locked.prepareInstall();
      await install.commit(encodePair(generation(2)));
    }
    using locked = await open(pair.targets);
    const previous = locked.findPrevious();
    await Deno.remove(pair.targets[file]);
    await Deno.writeTextFile(pair.targets[file], "other");
    await assertRejects(
      async () => await previous.putBack(),
      "install",
      /^nothing was installed: \S+ was changed by somebody else/,
    );
    assertEquals(pair.read(), { ...generation(2), [file]: "other" });
  });
}

for (const inPlace of [false, true]) {
  Deno.test(`a LockedPair installs nothing where a file was moved and linked to meanwhile, in place: ${inPlace}`, async () => {
    await using pair = await pairFixture();
    writePair(pair, generation(1));
    using locked = await open(pair.targets);
    using install = await locked.prepareInstall({ inPlace });
    const moved = pair.dir.file("moved.key");
    await Deno.rename(pair.targets.key, moved);
    await Deno.symlink(moved, pair.targets.key);
    await assertRejects(
      () => install.commit(encodePair(generation(2))),
      "install",
      /^nothing was installed: \S+internal\.key was changed by somebody else/,
    );
    assertEquals(pair.read(), generation(1));
    assertEquals(await Deno.readLink(pair.targets.key), moved);
  });
}
