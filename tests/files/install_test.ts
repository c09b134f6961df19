import type { Pair } from "../../src/files/transaction.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../support/assert.ts";
import { run } from "../support/run.ts";
import {
  generation,
  modeOf,
  type PairFixture,
  pairFixture,
  writePair,
} from "./pair_fixture.ts";
import { prepareInstall } from "./pair_steps.ts";

const IS_ROOT = Deno.build.os !== "windows" && Deno.uid() === 0;
const OLD = generation(1);
const NEW = generation(2);

async function install(
  targets: Pair<string>,
  contents: Pair<string> = NEW,
): Promise<readonly string[]> {
  await using transaction = await prepareInstall(targets);
  await transaction.commit(contents);
  return transaction.warnings;
}

function assertUntouched(pair: PairFixture): void {
  assertEquals(pair.read(), OLD);
  assertEquals(pair.hidden(), []);
}

for (const layout of ["one directory", "two directories"] as const) {
  Deno.test(`commit() replaces both files in ${layout}`, async () => {
    await using pair = await pairFixture(layout);
    writePair(pair, OLD);
    await install(pair.targets);
    assertEquals(pair.read(), NEW);
    assertEquals(pair.hidden(), []);
  });

  Deno.test(`commit() makes both files in ${layout}`, async () => {
    await using pair = await pairFixture(layout);
    await install(pair.targets);
    assertEquals(pair.read(), NEW);
    assertEquals(modeOf(pair.targets.certificate), "600");
    assertEquals(modeOf(pair.targets.key), "600");
    assertEquals(pair.hidden(), []);
  });
}

Deno.test("commit() replaces the certificate alone", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  const { certificate } = pair.targets;
  await install({ certificate }, { certificate: NEW.certificate });
  assertEquals(pair.read(), { ...OLD, certificate: NEW.certificate });
  assertEquals(pair.hidden(), []);
});

Deno.test("commit() replaces one file and makes the other", async () => {
  await using pair = await pairFixture();
  await Deno.writeTextFile(pair.targets.certificate, OLD.certificate);
  await install(pair.targets);
  assertEquals(pair.read(), NEW);
});

Deno.test("commit() writes contents far larger than the old ones", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  const large = {
    certificate: "c".repeat(1_000_000),
    key: "k".repeat(100_000),
  };
  await install(pair.targets, large);
  assertEquals(pair.read(), large);
});

Deno.test("commit() works again and again on the same pair", async () => {
  await using pair = await pairFixture();
  for (let number = 1; number <= 5; number++) {
    await install(pair.targets, generation(number));
    assertEquals(pair.read(), generation(number));
  }
  assertEquals(pair.hidden(), []);
});

Deno.test("commit() keeps modes, but for setuid, setgid and sticky bits", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.chmod(pair.targets.certificate, 0o2754);
  await Deno.chmod(pair.targets.key, 0o400);
  await install(pair.targets);
  assertEquals(modeOf(pair.targets.certificate), "754");
  assertEquals(modeOf(pair.targets.key), "400");
});

Deno.test({
  name: "commit() keeps owner and group (needs root)",
  ignore: !IS_ROOT,
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    Deno.chownSync(pair.targets.certificate, 1234, 2345);
    Deno.chownSync(pair.targets.key, 0, 3456);
    Deno.chmodSync(pair.targets.key, 0o4640);
    await install(pair.targets);
    const [certificate, key] = [pair.targets.certificate, pair.targets.key]
      .map((file) => Deno.statSync(file));
    assertEquals([certificate?.uid, certificate?.gid], [1234, 2345]);
    assertEquals([key?.uid, key?.gid], [0, 3456]);
    assertEquals(modeOf(pair.targets.key), "640");
  },
});

for (const mask of ["000", "027", "777"]) {
  Deno.test(`commit() makes a key of mode 0600 under umask ${mask}`, async () => {
    await using pair = await pairFixture();
    const child = new URL("../support/install_child.ts", import.meta.url);
    const { certificate, key } = pair.targets;
    const script = `umask ${mask}; exec "$0" run -A --no-config "$@"`;
    const { stdout } = await run("sh", [
      "-c",
      script,
      Deno.execPath(),
      child.href,
      certificate,
      key,
      "2",
      "1",
    ], { stdin: "\n" });
    assertMatch(stdout, /^installed 2$/m);
    assertEquals([modeOf(certificate), modeOf(key)], ["600", "600"]);
  });
}

Deno.test("prepareInstall() stages nothing that others may read", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.chmod(pair.targets.key, 0o644);
  await using _transaction = await prepareInstall(pair.targets);
  const modes = pair.hidden().map((name) =>
    modeOf(pair.dir.file(`tls/${name}`))
  );
  assertEquals(modes, ["600", "600", "600"]);
});

Deno.test("prepareInstall() sets modes before the CA is asked, whatever the umask", async () => {
  await using pair = await pairFixture();
  const umask = Deno.umask(0o777);
  try {
    await using _transaction = await prepareInstall(pair.targets);
    const modes = pair.hidden().map((name) =>
      modeOf(pair.dir.file(`tls/${name}`))
    );
    assertEquals(modes, ["600", "600", "600"]);
  } finally {
    Deno.umask(umask);
  }
});

Deno.test("prepareInstall() holds space for both files", async () => {
  await using pair = await pairFixture();
  await using _transaction = await prepareInstall(pair.targets);
  const sizes = pair.hidden().map((name) =>
    Deno.statSync(pair.dir.file(`tls/${name}`)).size
  );
  assertEquals(sizes.toSorted((a, b) => a - b), [8192, 8192, 16384]);
});

Deno.test("disposing without commit() leaves no trace", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  {
    await using _transaction = await prepareInstall(pair.targets);
    assert(pair.hidden().length > 0);
  }
  assertUntouched(pair);
});

Deno.test("commit() cannot be called twice", async () => {
  await using pair = await pairFixture();
  await using transaction = await prepareInstall(pair.targets);
  await transaction.commit(NEW);
  await assertRejects(() => transaction.commit(OLD), undefined, /spent/);
  assertEquals(pair.read(), NEW);
});

Deno.test("commit() without the key's content changes nothing", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await using transaction = await prepareInstall(pair.targets);
  await assertRejects(() =>
    transaction.commit({ certificate: NEW.certificate })
  );
  assertUntouched(pair);
});

Deno.test("commit() follows links and leaves them", async () => {
  await using pair = await pairFixture("two directories");
  writePair(pair, OLD);
  const link = pair.dir.file("link.crt");
  await Deno.symlink("tls/internal.crt", link);
  await install({ certificate: link, key: pair.targets.key });
  assert((await Deno.lstat(link)).isSymlink);
  assert((await Deno.lstat(pair.targets.certificate)).isFile);
  assertEquals(pair.read(), NEW);
});

Deno.test("commit() makes the file of a dangling link", async () => {
  await using pair = await pairFixture();
  const link = pair.dir.file("link.crt");
  await Deno.symlink("tls/internal.crt", link);
  await install({ certificate: link, key: pair.targets.key });
  assert((await Deno.lstat(link)).isSymlink);
  assertEquals(pair.read(), NEW);
});

Deno.test("commit() leaves the old content to whoever has the file open", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  using opened = await Deno.open(pair.targets.key);
  await install(pair.targets);
  const text = await new Response(opened.readable).text();
  assertEquals(text, OLD.key);
});

Deno.test("commit() refuses when somebody replaced the staged file", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await using transaction = await prepareInstall(pair.targets);
  const staged = pair.hidden().find((name) => /key.*\.new$/.test(name));
  await Deno.remove(pair.dir.file(`tls/${staged}`));
  await assertRejects(
    () => transaction.commit(NEW),
    "install",
    /internal\.key failed: .* removed or replaced/,
  );
  assertUntouched(pair);
});

Deno.test("commit() refuses a target that became a directory", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await using transaction = await prepareInstall(pair.targets);
  await Deno.remove(pair.targets.certificate);
  await Deno.mkdir(pair.targets.certificate);
  await assertRejects(
    () => transaction.commit(NEW),
    "install",
    /internal\.crt/,
  );
  assertEquals(await Deno.readTextFile(pair.targets.key), OLD.key);
  assertEquals(pair.hidden(), []);
});

Deno.test("prepareInstall() warns of a key that is open to others, and of no other", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.chmod(pair.targets.certificate, 0o644);
  assertEquals(await install(pair.targets), []);
  await Deno.chmod(pair.targets.key, 0o640);
  const [warning, ...others] = await install(pair.targets);
  assertMatch(warning ?? "", /internal\.key is open to others \(mode 0640\)/);
  assertEquals(others, []);
  assertEquals(modeOf(pair.targets.key), "640");
});

Deno.test("prepareInstall() warns of other hard links", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.link(pair.targets.certificate, pair.dir.file("other.crt"));
  const [warning] = await install(pair.targets);
  assertMatch(warning ?? "", /internal\.crt has other hard links/);
  assertEquals(
    await Deno.readTextFile(pair.dir.file("other.crt")),
    OLD.certificate,
  );
});

for (const layout of ["plain", "versioned"] as const) {
  for (const kib of [32, 33, 100, 1024]) {
    Deno.test(`commit() replaces a certificate file of ${kib} KiB, ${layout}`, async () => {
      await using pair = await pairFixture();
      const certificate = "0123456789abcde\n".repeat(64 * kib);
      writePair(pair, { ...generation(1), certificate });
      for (const inPlace of layout === "plain" ? [false, true] : [false]) {
        const next = { ...generation(2), certificate: `${certificate}more` };
        using install = await prepareInstall(pair.targets, { layout, inPlace });
        await install.commit(next);
        assertEquals(pair.read(), next);
      }
    });
  }
}
