/**
 * A reload that failed stays pending, and is delivered: by the next run, by the
 * daemon again and again, after a restart; and never by another certificate.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { fileHolds } from "../support/file_holds.ts";
import { reloadTest as test } from "../support/reload_place.ts";
import { run } from "../support/run.ts";

const NOT_DUE = ["--expires-in", "1ns"];

test("a hook that fails is noted, and delivered by the next run that has nothing else to do", async (place) => {
  const hook = await place.failingHook(1);
  const before = await place.serial();
  const first = await place.once("--exec", hook);
  assertEquals([first.code, first.stderr.includes("exit status 7")], [7, true]);
  const serial = await place.serial();
  const [note, ...others] = await place.leftovers();
  assertMatch(note ?? "", /^\.host\.crt\.[0-9a-f]{16}\.reload$/);
  assertEquals(others, []);
  const { mode } = await Deno.stat(place.dir.file(`tls/${note}`));
  assertEquals((mode ?? 0) & 0o777, 0o600);

  const second = await place.once("--exec", hook, ...NOT_DUE);
  assertEquals(second.code, 0, second.stderr);
  assertEquals(await place.leftovers(), []);
  assertEquals(await place.calls(), [
    `1 ${serial} ${before}`,
    `2 ${serial} ${before}`,
  ]);
  assertEquals(await place.serial(), serial);
  assertEquals(place.ca.requests.length, 1);

  // Nothing is pending any more.
  assertEquals((await place.once("--exec", hook, ...NOT_DUE)).code, 0);
  assertEquals((await place.calls()).length, 2);
});

test("a run that is not due fails when it cannot deliver what is pending", async (place) => {
  const hook = await place.failingHook(2);
  assertEquals((await place.once("--exec", hook)).code, 7);
  const second = await place.once("--exec", hook, ...NOT_DUE);
  assertEquals([second.code, second.stderr.includes("exit status 7")], [
    7,
    true,
  ]);
  assertEquals((await place.once("--exec", hook, ...NOT_DUE)).code, 0);
  assertEquals(place.ca.requests.length, 1);
});

test("a run that rekeys delivers for the new certificate only", async (place) => {
  const hook = await place.failingHook(1);
  assertEquals((await place.once("--exec", hook)).code, 7);
  const previous = await place.serial();
  assertEquals((await place.once("--exec", hook)).code, 0);
  const serial = await place.serial();
  assertEquals((await place.calls()).slice(1), [`1 ${serial} ${previous}`]);
  assertEquals(await place.leftovers(), []);
});

test("a run that cannot reach the CA delivers what is pending, and fails as before", async (place) => {
  const hook = await place.failingHook(1);
  assertEquals((await place.once("--exec", hook)).code, 7);
  await place.ca[Symbol.asyncDispose]();
  const second = await place.once("--exec", hook);
  assertEquals(second.code, 69);
  assertEquals((await place.calls()).length, 2);
  assertEquals(await place.leftovers(), []);
});

test("a run without hook and signal leaves a note to those who have one", async (place) => {
  const hook = await place.failingHook(1);
  assertEquals((await place.once("--exec", hook)).code, 7);
  assertEquals((await place.once(...NOT_DUE)).code, 0);
  assertEquals((await place.leftovers()).length, 1);
});

test("a note that was damaged still says that a reload is pending", async (place) => {
  const hook = await place.failingHook(1);
  assertEquals((await place.once("--exec", hook)).code, 7);
  const [note = ""] = await place.leftovers();
  await Deno.writeTextFile(place.dir.file(`tls/${note}`), "{");
  assertEquals((await place.once("--exec", hook, ...NOT_DUE)).code, 0);
  assertEquals((await place.calls())[1], `1 ${await place.serial()}`);
  assertEquals(await place.leftovers(), []);
});

test("a swap that never happened leaves nothing to deliver", async (place) => {
  const hook = await place.failingHook(0);
  await Deno.writeTextFile(
    place.dir.file("tls/.host.crt.0123456789abcdef.reload"),
    "{}",
  );
  assertEquals((await place.once("--exec", hook, ...NOT_DUE)).code, 0);
  assertEquals(await place.leftovers(), []);
  assertEquals(
    await Deno.stat(place.dir.file("calls")).catch(() => "none"),
    "none",
  );
});

test("a link in the place of the note is not followed", async (place) => {
  const hook = await place.failingHook(1);
  assertEquals((await place.once("--exec", hook)).code, 7);
  const [note = ""] = await place.leftovers();
  const file = place.dir.file(`tls/${note}`);
  await Deno.rename(file, place.dir.file("victim"));
  await Deno.symlink(place.dir.file("victim"), file);
  const before = await Deno.readTextFile(place.dir.file("victim"));
  assertEquals((await place.once("--exec", hook, ...NOT_DUE)).code, 0);
  assertEquals((await place.calls()).length, 1);
  assertEquals(await Deno.readTextFile(place.dir.file("victim")), before);
});

test("the daemon runs a hook that fails three times four times, with one issuance", async (place) => {
  const hook = await place.failingHook(3);
  await using daemon = place.daemon("--exec", hook);
  await daemon.says("first rekey in");
  daemon.kill("SIGHUP");
  await daemon.says("the service was told at last");
  const serial = await place.serial();
  assertEquals(
    (await place.calls()).map((line) => line.split(" ").slice(0, 2)),
    [["1", serial], ["2", serial], ["3", serial], ["4", serial]],
  );
  assertEquals(place.ca.requests.length, 1);
  assertEquals(await place.leftovers(), []);
  daemon.kill("SIGTERM");
  assertEquals(await daemon.ended, 0);
});

test("the same, when the daemon is killed and started again in between", async (place) => {
  const hook = await place.failingHook(3);
  {
    await using daemon = place.daemon("--exec", hook);
    await daemon.says("first rekey in");
    daemon.kill("SIGHUP");
    await fileHolds(place.dir.file("calls"), (text) => text.startsWith("1 "));
    daemon.kill("SIGKILL");
    await daemon.ended;
  }
  const begun = (await place.calls()).length;
  await using daemon = place.daemon("--exec", hook);
  await daemon.says("the service was told at last");
  assertEquals((await place.calls()).length, 4);
  assert(begun < 4);
  assertEquals(place.ca.requests.length, 1);
  assertEquals(await place.leftovers(), []);
});

test("a killed hook is run again after a restart", async (place) => {
  const hook = await place.script(
    "hook",
    `echo run >> ${place.dir.file("calls")}
[ $(wc -l < ${place.dir.file("calls")}) -gt 1 ] || exec sleep 60`,
  );
  {
    await using daemon = place.daemon("--exec", hook);
    await daemon.says("first rekey in");
    daemon.kill("SIGHUP");
    await fileHolds(place.dir.file("calls"), (text) => text !== "");
    daemon.kill("SIGTERM");
    assertEquals(await daemon.ended, 0);
  }
  assertEquals((await place.leftovers()).length, 1);
  await using daemon = place.daemon("--exec", hook);
  await daemon.says("the service was told at last");
  assertEquals(await place.calls(), ["run", "run"]);
  assertEquals(place.ca.requests.length, 1);
});

test("the daemon gives up at the limit, and tries again after a restart", async (place) => {
  const hook = await place.failingHook(2);
  const words = ["--exec", hook, "--reload-attempts", "2"];
  {
    await using daemon = place.daemon(...words);
    await daemon.says("first rekey in");
    daemon.kill("SIGHUP");
    await daemon.says("gave up telling the service after 2 tries");
    assertEquals((await place.calls()).length, 2);
    assertEquals((await place.leftovers()).length, 1);
  }
  await using daemon = place.daemon(...words);
  await daemon.says("the service was told at last");
  assertEquals((await place.calls()).map((line) => line[0]), ["1", "2", "3"]);
});

test("a pid-file that is replaced in time is honoured, and the hook runs once", async (place) => {
  const hook = await place.failingHook(0);
  const { stdout } = await run("sh", ["-c", "echo $$"]);
  const pidFile = place.dir.file("service.pid");
  await Deno.writeTextFile(pidFile, stdout);
  await using daemon = place.daemon("--pid-file", pidFile, "--exec", hook);
  await daemon.says("first rekey in");
  daemon.kill("SIGHUP");
  await daemon.says("with signal 1 failed: no such process");
  // The service starts again, under another number.
  const service = new Deno.Command("sh", {
    args: [
      "-c",
      `trap 'exit 9' HUP; echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; while :; do sleep 0.05; done`,
    ],
  }).spawn();
  await daemon.says("the service was told at last");
  assertEquals((await service.status).code, 9);
  assertEquals((await place.calls()).length, 1);
  assertEquals(place.ca.requests.length, 1);
  assertEquals(await place.leftovers(), []);
});

test("a pid-file that cannot be used is refused before anything is done", async (place) => {
  const before = await place.serial();
  const missing = await place.once("--pid-file", place.dir.file("none"));
  assertEquals(missing.code, 64);
  assertStringIncludes(missing.stderr, "no such file or directory");
  assertEquals([await place.serial(), place.ca.requests.length], [before, 0]);
});
