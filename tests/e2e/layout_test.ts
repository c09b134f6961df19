/**
 * Every command and option on the versioned layout, against the real step-ca:
 * into it, in it, back to the pair before, out of it.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { type ManualPlace, manualTests } from "../support/manual_place.ts";
import { run, runOk, type RunResult } from "../support/run.ts";
import { STEP } from "../support/step_ca.ts";

const test = await manualTests();

const PAIR = "internal.crt internal.key";

async function ok(place: ManualPlace, words: string): Promise<RunResult> {
  const result = await place.step(words);
  assertEquals(result.code, 0, result.stderr);
  return result;
}

/** Hidden names in the working directory. */
function hidden({ dir }: ManualPlace): readonly string[] {
  return [...Deno.readDirSync(dir.path)].map(({ name }) => name)
    .filter((name) => name.startsWith("."));
}

function isLink({ dir }: ManualPlace, name: string): boolean {
  return Deno.lstatSync(dir.file(name)).isSymlink;
}

/** A new key, a certificate of the CA for it, and no trace but the versions. */
async function assertVersioned(place: ManualPlace): Promise<void> {
  await place.assertPair();
  assert(isLink(place, "internal.crt") && isLink(place, "internal.key"));
  assertEquals(hidden(place), [".internal.crt.versions"]);
}

test("ca rekey --layout versioned moves a pair into versions and rekeys it", async (place) => {
  const before = await place.bytes();
  await ok(place, `ca rekey --force --layout versioned ${PAIR}`);
  await place.assertRekeyed(before);
  await assertVersioned(place);
});

test("ca rekey stays in versions, and its pair authenticates the next one", async (place) => {
  await ok(place, `ca layout versioned ${PAIR}`);
  for (let number = 0; number < 3; number++) {
    const before = await place.bytes();
    await ok(place, `ca rekey --force ${PAIR}`);
    await place.assertRekeyed(before);
    await assertVersioned(place);
  }
});

test("ca rollback returns to the pair before, which still authenticates, and tells the service", async (place) => {
  await ok(place, `ca layout versioned ${PAIR}`);
  const serials = [await place.serial()];
  for (let number = 0; number < 2; number++) {
    await ok(place, `ca rekey --force ${PAIR}`);
    serials.push(await place.serial());
  }
  const told = place.dir.file("told");
  const { stderr } = await ok(
    place,
    `ca rollback --exec "touch ${told}" ${PAIR}`,
  );
  assertEquals(await place.serial(), serials[1]);
  assertMatch(stderr, /^rolled back to the certificate with serial /m);
  assert((await Deno.stat(told)).isFile);
  await ok(place, `ca rollback ${PAIR}`);
  assertEquals(await place.serial(), serials[0]);
  await assertVersioned(place);

  const last = await place.step(`ca rollback ${PAIR}`);
  assertEquals(last.code, 65);
  assertStringIncludes(last.stderr, "no pair before the current one is kept");

  const before = await place.bytes();
  await ok(place, `ca rekey --force ${PAIR}`);
  await place.assertRekeyed(before);
});

test("a reload that failed is noted beside the link, and delivered by the next run", async (place) => {
  await ok(place, `ca rekey --force --layout versioned ${PAIR}`);
  for (const words of ["ca rekey --force", "ca rollback"]) {
    const failed = await place.step(`${words} --exec false ${PAIR}`);
    assertEquals(failed.code, 1);
    const told = place.dir.file("told");
    await ok(
      place,
      `ca rekey --force --expires-in 1ns --exec "touch ${told}" ${PAIR}`,
    );
    await Deno.remove(told);
    assertEquals(hidden(place).filter((name) => name.endsWith("reload")), []);
  }
});

test("ca rollback refuses plain files, and leaves them", async (place) => {
  const before = await place.bytes();
  const { code, stderr } = await place.step(`ca rollback ${PAIR}`);
  assertEquals([code, await place.bytes()], [65, before]);
  assertStringIncludes(stderr, "does not stand in the versioned layout");
  assertStringIncludes(stderr, "hint: begin with: ca layout versioned");
});

test("ca rollback refuses a pair that does not belong together", async (place) => {
  await ok(place, `ca rekey --force --layout versioned ${PAIR}`);
  const serial = await place.serial();
  await runOk("openssl", [
    ...["genpkey", "-algorithm", "EC", "-pkeyopt"],
    ...["ec_paramgen_curve:P-256", "-out"],
    place.dir.file(".internal.crt.versions/1/key.pem"),
  ]);
  const { code, stderr } = await place.step(`ca rollback ${PAIR}`);
  assertEquals([code, await place.serial()], [65, serial]);
  assertStringIncludes(stderr, "their public keys differ");
});

test("an encrypted key stays encrypted in every version, and a rollback asks for its password", async (place) => {
  await Deno.writeTextFile(place.dir.file("password"), "secret");
  await runOk("openssl", [
    ...["pkcs8", "-topk8", "-in", place.dir.file("internal.key")],
    ...["-out", place.dir.file("encrypted.key"), "-passout", "pass:secret"],
  ]);
  await Deno.rename(
    place.dir.file("encrypted.key"),
    place.dir.file("internal.key"),
  );
  await ok(
    place,
    `ca rekey --force --layout versioned --password-file password ${PAIR}`,
  );
  for (const number of [1, 2]) {
    assertStringIncludes(
      await Deno.readTextFile(
        place.dir.file(`.internal.crt.versions/${number}/key.pem`),
      ),
      "BEGIN ENCRYPTED PRIVATE KEY",
    );
  }
  await ok(place, `ca rollback --password-file password ${PAIR}`);
});

test("ca layout plain returns to two files without a trace", async (place) => {
  await ok(place, `ca rekey --force --layout versioned ${PAIR}`);
  const before = await place.bytes();
  const { stderr } = await ok(place, `ca layout plain ${PAIR}`);
  assertEquals(await place.bytes(), before);
  assertMatch(stderr, /stand in the plain layout now$/m);
  assertEquals(hidden(place), []);
  assert(!isLink(place, "internal.crt") && !isLink(place, "internal.key"));
  const again = await ok(place, `ca layout plain ${PAIR}`);
  assertMatch(again.stderr, /already stand in the plain layout$/m);
});

test("ca rekey --layout plain returns to two files with a new pair", async (place) => {
  await ok(place, `ca layout versioned ${PAIR}`);
  const before = await place.bytes();
  await ok(place, `ca rekey --force --layout plain ${PAIR}`);
  await place.assertRekeyed(before);
  assertEquals(hidden(place), []);
});

test("options that read a pair work on versions", async (place) => {
  await ok(place, `ca layout versioned ${PAIR}`);
  const notDue = await ok(place, `ca rekey --expires-in 1h ${PAIR}`);
  assertStringIncludes(notDue.stderr, "certificate not rekeyed: expires in");
  await ok(place, `ca rekey --out-cert o.crt --out-key o.key ${PAIR}`);
  await place.assertPair("o.crt", "o.key");
  await ok(place, `ca rekey --force --private-key internal.key ${PAIR}`);
  await assertVersioned(place);
  await runOk("openssl", [
    ...["genpkey", "-algorithm", "ED25519", "-out"],
    place.dir.file("given.key"),
  ]);
  const elsewhere = await place.step(
    `ca rekey --force --private-key given.key ${PAIR}`,
  );
  assertEquals(elsewhere.code, 73);
  assertStringIncludes(elsewhere.stderr, "hint: name the file for the key");
  await ok(
    place,
    `ca rekey --force --private-key given.key --out-key internal.key ${PAIR}`,
  );
  await assertVersioned(place);
});

test("outputs that are new are made as versions when that is asked for", async (place) => {
  await ok(
    place,
    `ca rekey --layout versioned --out-cert o.crt --out-key o.key ${PAIR}`,
  );
  await place.assertPair("o.crt", "o.key");
  assertEquals(hidden(place), [".o.crt.versions"]);
  assert(!isLink(place, "internal.crt"));
});

test("the original reads and renews a pair in versions", async (place) => {
  await ok(place, `ca rekey --force --layout versioned ${PAIR}`);
  await runOk(STEP, ["ca", "renew", "--force", ...PAIR.split(" ")], {
    cwd: place.dir.path,
    env: place.env,
  });
  const before = await place.bytes();
  await ok(place, `ca rekey --force ${PAIR}`);
  await place.assertRekeyed(before);
});

test("--key-mode, --cert-mode and --lock-timeout reach the files", async (place) => {
  await ok(
    place,
    `ca rekey --force --key-mode 0640 --cert-mode 644 --lock-timeout 1s ${PAIR}`,
  );
  const modes = await run("stat", [
    "--format=%a",
    place.dir.file("internal.crt"),
    place.dir.file("internal.key"),
  ]);
  assertEquals(modes.stdout, "644\n640\n");
});

test("--in-place overwrites the files that are there", async (place) => {
  const { ino } = await Deno.stat(place.dir.file("internal.key"));
  const before = await place.bytes();
  await ok(place, `ca rekey --force --in-place ${PAIR}`);
  await place.assertRekeyed(before);
  const after = await Deno.stat(place.dir.file("internal.key"));
  assertEquals(after.ino, ino);
  assertEquals(hidden(place), []);
});
