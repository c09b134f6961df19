/**
 * `ca rekey --dry-run` and `status` against the real step-ca: what they say, and
 * that nothing has changed, neither the pair nor the CA's database.
 */
import { openPair } from "../../src/files/open_pair.ts";
import { CAN_CHANGE_USER, prepareNobody } from "../support/as_nobody.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { listing } from "../support/listing.ts";
import { type ManualPlace, manualTests } from "../support/manual_place.ts";
import { CAN_MOUNT, mount } from "../support/mounts.ts";
import { CAN_DRIVE_TERMINAL } from "../support/pseudo_terminal.ts";
import { run, runOk, type RunResult } from "../support/run.ts";
import { closedPort } from "../support/tcp_peers.ts";

const test = await manualTests();

const PAIR = "internal.crt internal.key";

/** Runs a line, and proves that it changed nothing. */
async function asked(place: ManualPlace, words: string): Promise<RunResult> {
  const places = [place.dir.path, `${place.ca.directory}/db`];
  const before = places.flatMap(listing);
  const result = await place.step(words);
  assertEquals(places.flatMap(listing), before);
  return result;
}

const OFFLINE = (place: ManualPlace) =>
  `--offline --ca-config ${place.ca.configFile} --ca-password-file ${place.ca.passwordFile}`;

test("ca rekey --dry-run says what a run would do, and changes nothing", async (place) => {
  const { code, stdout, stderr } = await asked(
    place,
    `ca rekey --dry-run --kty RSA --size 3072 --exec true ${PAIR}`,
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(
    stdout,
    /^would rekey now; nothing was changed\n {2}certificate +CN=internal, valid until [-0-9T:]+Z\n {2}new key +RSA 3072\n {2}authority +https:\S+ answers: ok\n {2}writes +internal.crt and internal.key \(plain layout; asks before it overwrites\)\n {2}afterwards +--exec\n$/,
  );
});

test("ca rekey --dry-run --json prints one object", async (place) => {
  const { code, stdout } = await asked(
    place,
    `ca rekey --dry-run --json --force --layout versioned ${PAIR}`,
  );
  const { due, certificate, authority, ...rest } = JSON.parse(stdout);
  assertEquals([code, stdout.trimEnd().includes("\n")], [0, false]);
  assertEquals(due.from, due.to);
  const { subject, file, serial } = certificate;
  assertEquals([subject, file, serial], [
    "CN=internal",
    "internal.crt",
    await place.serial(),
  ]);
  assertEquals(authority, { mode: "online", url: place.ca.url, health: "ok" });
  assertEquals(rest, {
    action: "rekey",
    newKey: "EC P-256",
    writes: { certificate: "internal.crt", key: "internal.key" },
    layout: "versioned",
    asks: false,
    repairs: false,
    tells: [],
  });
});

test("ca rekey --dry-run says when a certificate is due", async (place) => {
  const once = await asked(
    place,
    `ca rekey --dry-run --expires-in 1h ${PAIR}`,
  );
  assertMatch(
    once.stdout,
    /^would not rekey now: due between \S+Z and \S+Z, in at most 2[0-9]h/,
  );
  const daemon = await asked(place, `ca rekey --dry-run --daemon ${PAIR}`);
  assertEquals(daemon.code, 0);
  assertMatch(
    daemon.stdout,
    /^would rekey between \S+Z and \S+Z, in at most 1/,
  );
  const json = await asked(
    place,
    `ca rekey --dry-run --json --daemon --expires-in 8h ${PAIR}`,
  );
  assertEquals(JSON.parse(json.stdout).action, "wait");
});

test("ca rekey --offline --dry-run asks the CA's files and its database", async (place) => {
  const { code, stdout } = await asked(
    place,
    `ca rekey --dry-run ${OFFLINE(place)} ${PAIR}`,
  );
  assertEquals(code, 0);
  assertMatch(stdout, /authority +the files of .*ca.json$/m);
});

test("ca rekey --offline --dry-run refuses a certificate that is revoked", async (place) => {
  const { code: revoked, stderr } = await place.ca.step(
    ...["ca", "revoke", "--ca-url", place.ca.url, "--root", place.ca.rootFile],
    ...["--cert", place.dir.file("internal.crt")],
    ...["--key", place.dir.file("internal.key")],
  );
  assertEquals(revoked, 0, stderr);
  const result = await place.step(
    `ca rekey --dry-run ${OFFLINE(place)} ${PAIR}`,
  );
  assertEquals([result.code, result.stdout], [77, ""]);
  assertMatch(result.stderr, /revoked/);
});

test("ca rekey --dry-run fails as the run would", async (place) => {
  const dead = `https://127.0.0.1:${closedPort()}`;
  const lines: readonly (readonly [
    words: string,
    code: number,
    message: RegExp,
  ])[] = [
    [`--ca-url ${dead} ${PAIR}`, 69, /^client GET .*\/health failed: dial tcp/],
    [
      `--root ${place.ca.passwordFile} ${PAIR}`,
      78,
      /^error reading cert pool: not/,
    ],
    [`internal.crt nokey`, 65, /^error loading private key: open nokey failed/],
    [`internal.crt ${place.ca.passwordFile}`, 65, /^error loading private key/],
    [`--out-key /nonexistent/key ${PAIR}`, 73, /^open \/nonexistent\/key fail/],
    [`--out-key . ${PAIR}`, 73, /names a file, and "." is a directory/],
    [`--password-file none ${PAIR}`, 65, /open none failed: no such file/],
    [`--private-key none ${PAIR}`, 65, /open none failed: no such file/],
    [`--exec /nonexistent/hook ${PAIR}`, 64, /nonexistent\/hook/],
    [
      `--layout versioned --private-key internal.key ${PAIR}`,
      73,
      /key elsewhe/,
    ],
    [`--in-place --layout versioned ${PAIR}`, 64, /incompatible/],
    [`--owner nobody-knows ${PAIR}`, 64, /which is not in \/etc\/passwd/],
  ];
  for (const [words, code, message] of lines) {
    const result = await asked(place, `ca rekey --dry-run ${words}`);
    assertMatch(result.stderr, message);
    assertEquals([words, result.code, result.stdout], [words, code, ""]);
  }
});

test("ca rekey --dry-run is told by the CA that the certificate is not its own", async (place) => {
  // Self-signed certificates are refused before.
  await runOk("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ...["-nodes", "-subj", "/CN=other", "-days", "1"],
    ...["-keyout", place.dir.file("o.key"), "-out", place.dir.file("o.crt")],
  ], { cwd: place.dir.path });
  const { code, stderr } = await asked(place, "ca rekey --dry-run o.crt o.key");
  assertEquals(code, 65);
  assertMatch(stderr, /self-signed/);
});

test("ca rekey --dry-run does not wait for another process", async (place) => {
  const clock = { now: () => new Date(), sleep: () => Promise.resolve() };
  const { signal } = new AbortController();
  using _pair = await openPair({
    certificate: place.dir.file("internal.crt"),
    key: place.dir.file("internal.key"),
  }, { lockTimeoutMs: 0, clock, log: { write() {} }, signal });
  const { code, stderr } = await asked(
    place,
    `ca rekey --dry-run --lock-timeout 1h ${PAIR}`,
  );
  assertEquals(code, 75);
  assertMatch(stderr, /^another process is working on internal.crt$/m);
  const status = await asked(place, `status ${PAIR}`);
  assertMatch(status.stdout, /^in use +another process works on it$/m);
});

test("ca rekey --dry-run leaves an interrupted install for a run", async (place) => {
  await Deno.writeTextFile(place.dir.file(".internal.crt.rekey"), "step-rek");
  const { code, stdout } = await asked(place, `ca rekey --dry-run ${PAIR}`);
  assertEquals(code, 0);
  assertMatch(stdout, /finishes or undoes an interrupted install first/);
  await runOk(
    "openssl",
    ["ecparam", "-name", "prime256v1", "-genkey", "-out"]
      .concat(place.dir.file("internal.key")),
  );
  const broken = await asked(place, `ca rekey --dry-run ${PAIR}`);
  assertEquals(broken.code, 73);
  assertMatch(broken.stderr, /^an interrupted install .* repaired first/);
  const status = await asked(place, `status ${PAIR}`);
  assertEquals(status.code, 65);
  assertMatch(status.stdout, /^unfinished +an install was interrupted/m);
});

test(
  "ca rekey --dry-run sees a file system that is read-only",
  async (place) => {
    const { path } = place.dir;
    await using _bound = await mount(path, ["--bind", path]);
    await runOk("mount", ["-o", "remount,ro,bind", path]);
    const { code, stderr } = await asked(place, `ca rekey --dry-run ${PAIR}`);
    assertEquals(code, 73);
    assertMatch(stderr, /^cannot replace internal.key: .* cannot be written/m);
  },
  !CAN_MOUNT,
);

test("ca rekey --dry-run sees a single file that is mounted", async (place) => {
  const file = place.dir.file("internal.crt");
  await using _bound = await mount(file, ["--bind", file]);
  const { code, stderr } = await asked(place, `ca rekey --dry-run ${PAIR}`);
  assertEquals(code, 73);
  assertMatch(stderr, /^cannot replace internal.crt: it is a mount point/m);
  const inPlace = await asked(place, `ca rekey --dry-run --in-place ${PAIR}`);
  assertEquals(inPlace.code, 0);
}, !CAN_MOUNT);

test(
  "ca rekey --dry-run sees a folder that another user may not write",
  async (place) => {
    const { path } = place.dir;
    await runOk("chown", [
      "65534",
      `${path}/internal.crt`,
      `${path}/internal.key`,
    ]);
    const command = await prepareNobody(place.dir);
    await Deno.mkdir(place.dir.file("state"));
    const ask = async (...flags: string[]) => {
      const { words: [first, ...words], env } = command("main.ts", [
        ...["ca", "rekey", "--dry-run", "--force", ...flags],
        ...["--ca-url", place.ca.url, "--root", place.dir.file("root.crt")],
        ...[`${path}/internal.crt`, `${path}/internal.key`],
      ]);
      return await run(first, words, {
        cwd: "/",
        env: { ...env, STEPPATH: "/nonexistent" },
      });
    };
    await Deno.copyFile(place.ca.rootFile, place.dir.file("root.crt"));
    const refused = await ask("--state-dir", place.dir.file("state"));
    assertEquals(refused.code, 73, refused.stderr);
    assertMatch(refused.stderr, /cannot be written by uid 65534$/m);
    await Deno.chown(place.dir.file("state"), 65534, 65534);
    const before = listing(place.dir.file("state"));
    const allowed = await ask("--state-dir", place.dir.file("state"));
    assertEquals(allowed.code, 0, allowed.stderr);
    assertEquals(listing(place.dir.file("state")), before);
  },
  !CAN_CHANGE_USER,
);

test("ca rekey asks for --dry-run where --json is typed", async (place) => {
  const typed = await asked(place, `ca rekey --json ${PAIR}`);
  assertEquals(typed.code, 64);
  assertMatch(typed.stderr, /^flag '--json' requires the '--dry-run' flag$/m);
});

test("status answers health checks by its code, in text and in JSON", async (place) => {
  const usable = await asked(place, `status ${PAIR}`);
  assertEquals([usable.code, usable.stderr], [0, ""]);
  assertMatch(usable.stdout, /^status +usable$/m);
  const due = await asked(place, `ca status --json --expires-in 500h ${PAIR}`);
  assertEquals(due.code, 1);
  const { status, certificate, key } = JSON.parse(due.stdout);
  assertEquals([status, certificate.serial, key.state], [
    "due",
    await place.serial(),
    "matches",
  ]);
  const broken = await asked(place, "status internal.crt none");
  assertEquals([broken.code, broken.stderr], [65, ""]);
  assertMatch(broken.stdout, /^status +broken: .*open none failed/m);
  const mistake = await asked(place, "status internal.crt");
  assertEquals(mistake.code, 64);
});

test("status draws the lifetime on a terminal", async (place) => {
  const { output } = await place.typed(`status ${PAIR}`, []);
  assertMatch(output, /lifetime +\[=*>-+\|\.+\] \d+ %/);
}, !CAN_DRIVE_TERMINAL);
