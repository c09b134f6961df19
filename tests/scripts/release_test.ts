/**
 * A whole release, made twice: bytes, sums, and the package in a system. Takes a
 * minute, so `deno task release_test` runs it and the suite does not.
 */
import { type Release, release } from "../../scripts/release.ts";
import { VERSION } from "../../src/cli/grammar/command.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { baseRuntime } from "../support/base_runtime.ts";
import { changedRootMissing, inChangedRoot } from "../support/changed_root.ts";
import { run, runOk } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const runtime = Deno.env.get("REKEY_TEST_RELEASE") === "1"
  ? await baseRuntime()
  : "deno task release_test runs it";
const missing = typeof runtime === "string"
  ? runtime
  : await changedRootMissing();

async function releaseIn(dir: TempDir): Promise<Release> {
  if (typeof runtime === "string") throw new Error(runtime);
  return await release(dir.path, {
    DENO_BIN: runtime.deno,
    DENORT_BIN: runtime.denort,
    commit: COMMIT,
    date: new Date("2026-11-30T00:00:00Z"),
    compression: ["-Zgzip", "-z1"],
    targets: [Deno.build.target, "sparc-sun-solaris"],
    isStrict: true,
  });
}

Deno.test({
  name: `release() twice${missing === undefined ? "" : ` (${missing})`}`,
  ignore: missing !== undefined,
  async fn(t) {
    await using one = await tempDir();
    await using two = await tempDir();
    // What an earlier version left is not part of this one.
    await Deno.writeTextFile(one.file("step-rekey-0.0.1.js"), "");
    const { files, missing, unfit } = await releaseIn(one);
    const debianFile = files.find((name) => name.endsWith(".deb")) ?? "";

    await t.step("makes the same bytes", async () => {
      assertEquals(await releaseIn(two), { files, missing, unfit });
      const [sums, others] = await Promise.all(
        [one, two].map((dir) => Deno.readTextFile(dir.file("SHA256SUMS"))),
      );
      assertEquals(sums, others);
      await runOk("sha256sum", ["--check", "--ignore-missing", "SHA256SUMS"], {
        cwd: one.path,
      });
      const found = await Array.fromAsync(Deno.readDir(one.path));
      assertEquals(found.map(({ name }) => name).sort(), [...files].sort());
    });
    await t.step("names the platform that it cannot make, and why", () => {
      assertEquals([...missing.keys()], ["sparc-sun-solaris"]);
      assertMatch(missing.get("sparc-sun-solaris") ?? "", /sparc-sun-solaris/);
      assertEquals(unfit.size, 0);
    });
    await t.step("makes a package that lintian likes", async () => {
      const { code, stdout } = await run("lintian", [
        ...["--allow-root", "--fail-on", "error,warning"],
        one.file(debianFile),
      ]);
      assertEquals([code, stdout], [0, ""]);
    });
    await t.step("makes a package that installs the program", async () => {
      const { code, stdout, stderr } = await inChangedRoot(
        one.path,
        `dpkg --no-triggers -i /input/${debianFile}
        echo pair >/etc/step-rekey/host.crt
        step-rekey --version
        step-rekey ca rekey --help | head -2
        dpkg -P step-rekey
        ls /etc/step-rekey`,
      );
      assertEquals(code, 0, stderr);
      assertMatch(
        stdout,
        new RegExp(
          `\nVersion: step-rekey/${VERSION} .*\nCommit: ${COMMIT}, Deno .*\nNAME\n  step-rekey ca rekey`,
        ),
      );
      assertMatch(stdout, /\nhost\.crt\n$/);
    });
  },
});
