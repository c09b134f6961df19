/**
 * Root works in a folder that another user may move: he wins nothing.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { CAN_CHANGE_USER, prepareNobody } from "../support/as_nobody.ts";
import { pin, unpin } from "../../src/files/disk/pinned.ts";
import { howMany } from "../support/sweep.ts";
import { tempDir } from "../support/temp_dir.ts";
import { generation, pairFixture, writePair } from "./pair_fixture.ts";
import { changePairLayout, prepareInstall } from "./pair_steps.ts";
import type { InstallOptions } from "../../src/files/transaction.ts";

const NOBODY = 65534;
/** How long each race goes on. */
const RACE_MS = howMany(1_500, 6_000);
const AS_ROOT = { ignore: !CAN_CHANGE_USER } as const;

/**
 * Swaps two names of a folder for links to elsewhere and back, at once, and then
 * leaves it for a moment: else no install ever finds it on a busy machine.
 */
const RACER = `
  const [moved, aside, elsewhere] = Deno.args;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(nothing, 0, 0, 4 * Math.random());
    try { Deno.renameSync(moved, aside); Deno.symlinkSync(elsewhere, moved); } catch {}
    try { Deno.removeSync(moved); } catch {}
    try { Deno.renameSync(aside, moved); } catch {}
  }
`;

/** Owner, mode and content of every file below a directory. */
function inventory(directory: string): readonly string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name }) => {
    const path = `${directory}/${name}`;
    const { uid, gid, mode, isDirectory, ino } = Deno.lstatSync(path);
    const facts = [name, uid, gid, mode, ino].join(" ");
    return isDirectory ? [facts, ...inventory(path)] : [facts];
  }).toSorted();
}

interface Race {
  readonly name: string;
  /** Which folder is swapped: that of the pair, or the one around it. */
  readonly moved: "around" | "around/tls";
  readonly layout: "plain" | "versioned";
  readonly options: InstallOptions;
}

const RACES: readonly Race[] = (["around/tls", "around"] as const).flatMap((
  moved,
) => [
  { name: `${moved}, plain`, moved, layout: "plain", options: {} },
  {
    name: `${moved}, in place`,
    moved,
    layout: "plain",
    options: { inPlace: true },
  },
  { name: `${moved}, versioned`, moved, layout: "versioned", options: {} },
]);

for (const { name, moved, layout, options } of RACES) {
  Deno.test({
    ...AS_ROOT,
    name: `whoever swaps ${name} while root installs wins nothing (needs root)`,
    async fn() {
      await using dir = await tempDir();
      const command = await prepareNobody(dir);
      const folder = dir.file("hostile");
      const tls = `${folder}/around/tls`;
      const files = {
        certificate: `${tls}/internal.crt`,
        key: `${tls}/internal.key`,
      };
      await Deno.mkdir(tls, { recursive: true });
      const { certificate, key } = generation(1);
      await Deno.writeTextFile(files.certificate, certificate);
      await Deno.writeTextFile(files.key, key);
      for (
        const path of [
          folder,
          `${folder}/around`,
          tls,
          files.certificate,
          files.key,
        ]
      ) {
        Deno.chownSync(path, NOBODY, NOBODY);
      }
      await changePairLayout(files, layout);
      // What root has elsewhere, with the names that it works with.
      const victim = dir.file("victim");
      const place = moved === "around" ? `${victim}/tls` : victim;
      await Deno.mkdir(`${place}/.internal.crt.versions/1`, {
        recursive: true,
      });
      for (
        const file of [
          "internal.crt",
          "internal.key",
          ".internal.crt.versions/1/key.pem",
        ]
      ) {
        await Deno.writeTextFile(`${place}/${file}`, "precious");
      }
      const before = inventory(victim);
      await Deno.writeTextFile(dir.file("checkout/racer.ts"), RACER);
      await Deno.chmod(dir.file("checkout/racer.ts"), 0o644);
      const { words: [first, ...words], env } = command("racer.ts", [
        `${folder}/${moved}`,
        `${folder}/aside`,
        victim,
      ]);
      const racer = new Deno.Command(first, {
        args: words,
        env: { ...env },
        stdout: "null",
        stderr: "null",
      }).spawn();
      let installed = 0;
      try {
        const start = performance.now();
        // Longer where no moment was found yet in which nothing was moved.
        const isDone = () =>
          performance.now() - start > (installed > 0 ? RACE_MS : 60_000);
        for (let number = 2; !isDone(); number++) {
          try {
            await using install = await prepareInstall(files, options);
            await install.commit(generation(number));
            installed++;
          } catch {
            // Refused, since it was moved.
          }
          assertEquals(
            inventory(victim).filter((line) => !line.includes("rekey-lock")),
            before,
            `${number}`,
          );
        }
      } finally {
        racer.kill("SIGKILL");
        await racer.status;
      }
      assert(installed > 0);
    },
  });
}

Deno.test({
  ...AS_ROOT,
  name: "pin() names what it reached, wherever that goes (needs root)",
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("own"));
    assertEquals(pin(dir.file("own")), dir.file("own"));
    Deno.chownSync(dir.file("own"), NOBODY, NOBODY);
    const pinned = pin(dir.file("own"));
    assert(pinned.startsWith("/proc/self/fd/"));
    assertEquals(pin(dir.file("own")), pinned);
    assertEquals(unpin(`${pinned}/a/b`), dir.file("own/a/b"));
    await Deno.rename(dir.file("own"), dir.file("moved"));
    await Deno.symlink("/etc", dir.file("own"));
    await Deno.writeTextFile(`${pinned}/a`, "");
    assertEquals((await Deno.stat(dir.file("moved/a"))).isFile, true);
  },
});

Deno.test({
  ...AS_ROOT,
  name: "nothing on disk and no message names a pin (needs root)",
  async fn() {
    await using pair = await pairFixture("two directories");
    writePair(pair, generation(1));
    for (const name of ["tls", "private"]) {
      Deno.chownSync(pair.dir.file(name), NOBODY, NOBODY);
    }
    await changePairLayout(pair.targets, "versioned");
    assertEquals(
      await Deno.readLink(pair.targets.key),
      pair.dir.file("tls/.internal.crt.versions/current/key.pem"),
    );
    {
      await using install = await prepareInstall(pair.targets);
      await install.commit(generation(2));
    }
    assertEquals(pair.read(), generation(2));
    await changePairLayout(pair.targets, "plain");
    assertEquals(pair.read(), generation(2));
    assertEquals([...pair.hidden(), ...pair.locks()], []);
    await Deno.writeTextFile(pair.dir.file("tls/.internal.crt.rekey"), "no");
    let message = "";
    try {
      using _install = await prepareInstall(pair.targets);
    } catch (error) {
      message = String(error);
    }
    assert(message.includes(pair.dir.file("tls/.internal.crt.rekey")), message);
  },
});
