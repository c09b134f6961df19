/**
 * The units that the program writes: systemd takes them, thinks well of them,
 * and rekeys with them against the real CA.
 */
import { unitFiles } from "../../scripts/debian_package.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runProgram } from "../support/program.ts";
import { run, runOk } from "../support/run.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { bootSystem, systemdMissing } from "../support/systemd.ts";
import { tempDir } from "../support/temp_dir.ts";

const missing = await systemdMissing() ?? stepCaMissing;
const why = missing === undefined ? "" : ` (${missing})`;

const binary = Deno.env.get("REKEY_TEST_BINARY");
// A service sees no home, so neither Deno nor its cache.
const isCompiled = binary !== undefined && !binary.endsWith(".js");
const notRun = missing ??
  (isCompiled ? undefined : "runs on the compiled program");

for (const extra of [[], ["--timer"], ["--user", "daemon"]]) {
  const how = extra.join(" ");
  Deno.test({
    name:
      `systemd install ${how} writes units that systemd-analyze likes${why}`,
    ignore: missing !== undefined,
    async fn() {
      await using dir = await tempDir();
      const result = await runProgram([
        ...["systemd", "install", "--directory", dir.path, ...extra],
        ...["--binary", "/bin/true", "--root", "/etc/tls/root.crt"],
        ...["--ca-url", "https://ca.example", "--exec", 'sh -c "true $0"'],
        ...["/etc/tls/host.crt", "/etc/tls/the key.pem"],
      ]);
      assertEquals(result.code, 0, result.stderr);
      const units = [...Deno.readDirSync(dir.path)].map(({ name }) => name)
        .filter((name) => /\.(service|timer)$/.test(name));
      assertEquals(units.length, how === "--timer" ? 2 : 1);
      for (const unit of units) {
        const path = dir.file(unit);
        const verified = await run("systemd-analyze", [
          ...["verify", "--man=no", path],
        ]);
        assertEquals([verified.code, verified.stderr], [0, ""]);
        if (!unit.endsWith(".service")) continue;
        const { stdout } = await run("systemd-analyze", [
          ...["security", "--offline=true", "--no-pager", path],
        ]);
        const score = /level for .*: ([\d.]+) OK/.exec(stdout)?.[1];
        assert(Number(score) <= 2, `${unit}: ${score ?? stdout}`);
      }
    },
  });
}

Deno.test("systemd install writes no unit where another one cannot be", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("step-rekey@host.timer"));
  const { code } = await runProgram([
    ...["systemd", "install", "--timer", "--directory", dir.path],
    ...["--binary", "/bin/true", "--root", "/etc/tls/root.crt"],
    ...["--ca-url", "https://ca.example", "/etc/tls/host.crt", "/etc/host.key"],
  ]);
  const names = (await Array.fromAsync(Deno.readDir(dir.path)))
    .map(({ name }) => name);
  assertEquals([code, names], [73, ["step-rekey@host.timer"]]);
});

for (const isTimer of [false, true]) {
  const kind = isTimer ? "a service for a timer" : "a daemon";
  Deno.test({
    name: `systemd print makes ${kind} that rekeys, hardened as it is${
      notRun === undefined ? "" : ` (${notRun})`
    }`,
    ignore: notRun !== undefined,
    async fn() {
      await using dir = await tempDir();
      await Deno.mkdir(dir.file("ca"));
      await Deno.copyFile(binary ?? "", dir.file("step-rekey"));
      await using ca = await startStepCa(dir.file("ca"));
      const { certificateFile, keyFile } = await ca.issue("unit", "admin");
      const password = dir.file("password");
      await Deno.writeTextFile(password, "secret");
      await runOk("openssl", [
        ...["pkey", "-in", keyFile, "-aes256", "-passout", "pass:secret"],
        ...["-out", dir.file("encrypted.key")],
      ]);
      await Deno.rename(dir.file("encrypted.key"), keyFile);
      const before = await Deno.readTextFile(certificateFile);
      // Beside the pair it may write, and nowhere else.
      const told = `${certificateFile}.told`;
      const hook = `sh -c 'touch "$0"; touch "$1"; true' ${told} ${
        dir.file("no")
      }`;
      const { stdout, stderr, code } = await runProgram([
        ...["systemd", "print", "--binary", dir.file("step-rekey")],
        ...["--ca-url", ca.url, "--root", ca.rootFile],
        ...["--password-file", password, "--exec", hook],
        ...isTimer ? ["--timer", "--expires-in", "100h"] : [],
        ...[certificateFile, keyFile],
      ]);
      assertEquals(code, 0, stderr);
      const [service = ""] = stdout.split(/^# .*\.timer$/m);
      await using system = await bootSystem(dir.path, alone(service));
      if (!isTimer) {
        await until(() => system.show("StatusText"), /^next rekey at 20/);
        assertEquals((await system.systemctl("reload", "probe")).code, 0);
      }
      await until(
        () => Deno.stat(told).then(() => "told", () => "not told"),
        /^told$/,
      );
      const after = await Deno.readTextFile(certificateFile);
      assert(after !== before, "it is not rekeyed");
      assertMatch(await Deno.readTextFile(keyFile), /ENCRYPTED/);
      assertEquals(await Deno.stat(dir.file("no")).catch(() => "none"), "none");
    },
  });
}

Deno.test({
  name: `the unit of the Debian package finds its pair and its settings${
    notRun === undefined ? "" : ` (${notRun})`
  }`,
  ignore: notRun !== undefined,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("ca"));
    await Deno.mkdir(dir.file("etc/config"), { recursive: true });
    await Deno.copyFile(binary ?? "", dir.file("step-rekey"));
    await using ca = await startStepCa(dir.file("ca"));
    const issued = await ca.issue("unit", "admin");
    const before = await Deno.readTextFile(issued.certificateFile);
    await Deno.rename(issued.certificateFile, dir.file("etc/unit.crt"));
    await Deno.rename(issued.keyFile, dir.file("etc/unit.key"));
    await Deno.writeTextFile(
      dir.file("etc/config/defaults.json"),
      JSON.stringify({ "ca-url": ca.url, "root": ca.rootFile }),
    );
    await Deno.writeTextFile(
      dir.file("etc/unit.env"),
      `STEP_EXEC=touch ${dir.file("etc/told")}\n`,
    );
    const [{ text } = { text: "" }] = unitFiles(dir.file("step-rekey"));
    await using system = await bootSystem(
      dir.path,
      // The instance `unit`, in a folder of the test.
      alone(text)
        .replaceAll("/etc/step-rekey", dir.file("etc"))
        .replaceAll("%i", "unit")
        .replace("PrivateTmp=yes", "PrivateTmp=no"),
    );
    await until(() => system.show("StatusText"), /^next rekey at 20/);
    assertEquals((await system.systemctl("reload", "probe")).code, 0);
    await until(
      () =>
        Deno.stat(dir.file("etc/told")).then(() => "told", () => "not told"),
      /^told$/,
    );
    const after = await Deno.readTextFile(dir.file("etc/unit.crt"));
    assert(after !== before, "it is not rekeyed");
  },
});

/** Without what only a whole system has. */
function alone(service: string): string {
  return service
    .replace("[Unit]", "[Unit]\nDefaultDependencies=no")
    .replace(/^(Wants|After)=.*$/gm, "");
}

/** Longest time for anything to happen here, in ms. */
const LIMIT_MS = 300_000;

/** Asks again and again, since systemd tells nobody of its own accord. */
async function until(
  ask: () => Promise<string>,
  wanted: RegExp,
): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  let answer = "";
  while (performance.now() < end) {
    answer = await ask();
    if (wanted.test(answer)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it is ${answer}, not ${wanted}`);
}
