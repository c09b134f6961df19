/**
 * Every example of the manual, word for word, against the real step-ca.
 *
 * The words after `step` are the example's own; only the path of a root
 * certificate that exists on nobody's machine is replaced.
 */
import { parseChain } from "../../src/pki/certificate.ts";
import { splitCommand } from "../../src/reload/split_command.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { connectProxy } from "../support/connect_proxy.ts";
import { program, runProgram } from "../support/program.ts";
import { CAN_DRIVE_TERMINAL, onTerminal } from "../support/pseudo_terminal.ts";
import { run, runOk } from "../support/run.ts";
import { startProgram } from "../support/running_program.ts";
import {
  startStepCa,
  STEP,
  type StepCa,
  stepCaMissing,
} from "../support/step_ca.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = stepCaMissing === undefined
  ? await startStepCa(directory)
  : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

/** The working directory of one example, with internal.crt and internal.key. */
interface Place {
  readonly dir: TempDir;
  readonly ca: StepCa;
  readonly env: Record<string, string>;
  /** Serial number and public key of a certificate file. */
  facts(name?: string): Promise<{ serial: string; publicKey: string }>;
  /** Fails unless certificate and key belong together, by openssl. */
  assertPair(certificate?: string, key?: string): Promise<void>;
  /** Runs the program here, with the words of the example. */
  step(example: string): ReturnType<typeof runProgram>;
}

/** Runs `test` in a place of its own. */
function example(
  name: string,
  test: (place: Place) => Promise<void>,
  ignore = false,
): void {
  Deno.test({
    name: `the manual's example works: ${name}`,
    ignore: stepCaMissing !== undefined || ignore,
    async fn() {
      await using dir = await tempDir();
      if (ca === undefined) throw new Error(stepCaMissing);
      const pair = await ca.issue(crypto.randomUUID(), "admin", {
        subject: "/CN=internal",
        names: "DNS:internal,DNS:localhost",
      });
      await Deno.writeTextFile(dir.file("internal.crt"), pair.certificate);
      await Deno.writeTextFile(dir.file("internal.key"), pair.key, {
        mode: 0o600,
      });
      await test(place(dir, ca));
    },
  });
}

function place(dir: TempDir, ca: StepCa): Place {
  const env = { STEPPATH: ca.directory, HOME: dir.path, DENO_DIR };
  return {
    dir,
    ca,
    env,
    async facts(name = "internal.crt") {
      const [leaf] = parseChain(await Deno.readFile(dir.file(name)));
      if (leaf === undefined) throw new Error("no certificate");
      return { serial: leaf.serial, publicKey: leaf.publicKey.toHex() };
    },
    async assertPair(certificate = "internal.crt", key = "internal.key") {
      const ofCertificate = await runOk("openssl", [
        ...["x509", "-in", dir.file(certificate), "-noout", "-pubkey"],
      ]);
      const ofKey = await runOk("openssl", [
        ...["pkey", "-in", dir.file(key), "-pubout"],
      ]);
      assertEquals(ofCertificate.stdout, ofKey.stdout);
    },
    step: (example) =>
      runProgram(splitCommand(example), { cwd: dir.path, env }),
  };
}

/** The cache of modules stays where it is when HOME moves. */
const DENO_DIR = JSON.parse(
  (await runOk(Deno.execPath(), ["info", "--json", "--no-config"])).stdout,
).denoDir;

/** Runs an example on a terminal, and types what `answers` say. */
function typed(
  { dir, env }: Place,
  words: string,
  answers: Parameters<typeof onTerminal>[1],
) {
  const { command, args } = program();
  return onTerminal([
    ...["env", "-C", dir.path],
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...[command, ...args, ...splitCommand(words)],
  ], answers);
}

/** As typed, except that the answer is y. */
async function answeredYes(place: Place, words: string): Promise<void> {
  const before = await place.facts();
  const session = await typed(place, words, [
    ["expect", "Would you like to overwrite internal.crt"],
    ["send", "y\n"],
  ]);
  assertEquals(session.status, 0, session.output);
  const after = await place.facts();
  assert(before.publicKey !== after.publicKey, "the key is the old one");
  assert(before.serial !== after.serial);
  await place.assertPair();
}

const PLAIN = "ca rekey internal.crt internal.key";

example(PLAIN, (place) => answeredYes(place, PLAIN), !CAN_DRIVE_TERMINAL);

example(`${PLAIN} (answered n: nothing changes)`, async (place) => {
  const before = await Deno.readTextFile(place.dir.file("internal.key"));
  const serial = (await place.facts()).serial;
  const session = await typed(place, PLAIN, [
    ["expect", "Would you like to overwrite internal.crt"],
    ["send", "n\n"],
  ]);
  assertEquals(session.status, 1, session.output);
  assertEquals(await Deno.readTextFile(place.dir.file("internal.key")), before);
  assertEquals((await place.facts()).serial, serial);
}, !CAN_DRIVE_TERMINAL);

example(
  `${PLAIN} (no terminal: an error that names --force)`,
  async (place) => {
    const before = await Deno.readTextFile(place.dir.file("internal.key"));
    // A session of its own has no terminal, whatever the tests run on.
    const { command, args } = program();
    const result = await run("setsid", [
      ...["-w", command, ...args, ...splitCommand(PLAIN)],
    ], { cwd: place.dir.path, env: place.env });
    assertEquals(result.code, 64, result.stderr);
    assertStringIncludes(result.stderr, "--force");
    assertEquals(
      await Deno.readTextFile(place.dir.file("internal.key")),
      before,
    );
  },
);

example(
  "ca rekey --out-cert out.crt --out-key out.key internal.crt internal.key",
  async (place) => {
    const before = await Deno.readTextFile(place.dir.file("internal.key"));
    const result = await place.step(
      "ca rekey --out-cert out.crt --out-key out.key internal.crt internal.key",
    );
    assertEquals(result.code, 0, result.stderr);
    assertEquals(
      result.stderr,
      "✔ Certificate: out.crt\n✔ Private Key: out.key\n",
    );
    await place.assertPair("out.crt", "out.key");
    await place.assertPair();
    assertEquals(
      await Deno.readTextFile(place.dir.file("internal.key")),
      before,
    );
  },
);

example("ca rekey --force internal.crt internal.key", async (place) => {
  const before = await place.facts();
  const result = await place.step("ca rekey --force internal.crt internal.key");
  assertEquals(result.code, 0, result.stderr);
  assertEquals(result.stdout, "");
  assert((await place.facts()).publicKey !== before.publicKey);
  await place.assertPair();
});

example(
  "ca rekey --ca-url https://ca.smallstep.com:9000 --root … internal.crt internal.key",
  async (place) => {
    const { ca, env } = place;
    await using proxy = connectProxy(Number(new URL(ca.url).port));
    const words =
      `ca rekey --ca-url https://ca.smallstep.com:9000 --root ${ca.rootFile} internal.crt internal.key`;
    env["HTTPS_PROXY"] = `http://127.0.0.1:${proxy.port}`;
    env["STEPPATH"] = place.dir.file("empty");
    await answeredYes(place, words);
    assertEquals(proxy.asked, ["ca.smallstep.com:9000"]);
  },
  !CAN_DRIVE_TERMINAL,
);

example("ca rekey --expires-in 8h internal.crt internal.key", async (place) => {
  const before = await place.facts();
  const result = await place.step(
    "ca rekey --expires-in 8h internal.crt internal.key",
  );
  assertEquals(result.code, 0);
  assertMatch(
    result.stderr,
    /^certificate not rekeyed: expires in \d+h\d+m\d+s\n$/,
  );
  assertEquals(await place.facts(), before);
  const due = await place.step(
    "ca rekey --expires-in 30h --force internal.crt internal.key",
  );
  assertEquals(due.code, 0, due.stderr);
  assert((await place.facts()).publicKey !== before.publicKey);
});

/** A daemon rekeys on SIGHUP, and ends with 0 on SIGTERM. */
async function daemonRekeys(
  place: Place,
  words: string,
  afterwards: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { dir, env } = place;
  await using daemon = startProgram(splitCommand(words), {
    cwd: dir.path,
    env,
  });
  await daemon.says("first rekey in");
  for (let cycle = 0; cycle < 2; cycle++) {
    const before = await place.facts();
    daemon.kill("SIGHUP");
    await daemon.says("internal certificate rekeyed, next in");
    assert((await place.facts()).publicKey !== before.publicKey);
    await place.assertPair();
    await afterwards();
  }
  daemon.kill("SIGTERM");
  assertEquals(await daemon.ended, 0);
}

for (
  const words of [
    "ca rekey --daemon internal.crt internal.key",
    "ca rekey --daemon --expires-in 8h30m internal.crt internal.key",
    "ca rekey --daemon --rekey-period 16h internal.crt internal.key",
  ]
) {
  example(words, (place) => daemonRekeys(place, words));
}

const NGINX = "/usr/sbin/nginx";
const nginxMissing = !await Deno.stat(NGINX).then(() => true, () => false) &&
  Deno.env.get("CI") !== "true";

example(
  'ca rekey --daemon --exec "nginx -s reload" internal.crt internal.key',
  async (place) => {
    const { dir, env } = place;
    const port = freePort();
    await Deno.writeTextFile(
      dir.file("nginx.conf"),
      `pid ${dir.file("nginx.pid")};
error_log ${dir.file("error.log")};
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${dir.file("internal.crt")};
    ssl_certificate_key ${dir.file("internal.key")};
  }
}
`,
    );
    await Deno.mkdir(dir.file("bin"));
    await Deno.writeTextFile(
      dir.file("bin/nginx"),
      `#!/bin/sh\nexec ${NGINX} -p ${dir.path} -c ${
        dir.file("nginx.conf")
      } "$@"\n`,
      { mode: 0o755 },
    );
    env["PATH"] = `${dir.file("bin")}:${Deno.env.get("PATH")}`;
    const server = new Deno.Command(dir.file("bin/nginx"), {
      args: ["-g", "daemon off;"],
    }).spawn();
    try {
      await served(port, (await place.facts()).serial);
      await daemonRekeys(
        place,
        'ca rekey --daemon --exec "nginx -s reload" internal.crt internal.key',
        async () => await served(port, (await place.facts()).serial),
      );
    } finally {
      server.kill("SIGTERM");
      await server.status;
    }
  },
  nginxMissing,
);

/** Shakes hands until the server shows the certificate; a reload takes a moment. */
async function served(port: number, serial: string): Promise<void> {
  let seen = "";
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = await run("openssl", [
      ...["s_client", "-connect", `127.0.0.1:${port}`],
    ]);
    const { stdout: text } = await run("openssl", [
      ...["x509", "-noout", "-serial"],
    ], { stdin: stdout });
    seen = text.trim().replace(/^serial=/, "");
    if (seen === serial) return;
  }
  assertEquals(seen, serial);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const TO_DER =
  'ca rekey --daemon --rekey-period 16h --exec "step certificate format --force --out internal.der internal.crt" internal.crt internal.key';

example(TO_DER, async (place) => {
  const { dir, env } = place;
  env["PATH"] = `${STEP.replace(/\/step$/, "")}:${Deno.env.get("PATH")}`;
  await daemonRekeys(place, TO_DER, async () => {
    const [leaf] = parseChain(await Deno.readFile(dir.file("internal.crt")));
    assertEquals(await Deno.readFile(dir.file("internal.der")), leaf?.der);
  });
});

const OFFLINE = "ca rekey --offline internal.crt internal.key";

example(OFFLINE, async (place) => {
  const { dir, ca, env } = place;
  // The same CA without its database, in a step path of its own.
  const config = JSON.parse(await Deno.readTextFile(ca.configFile));
  delete config.db;
  await Deno.mkdir(dir.file("offline/config"), { recursive: true });
  await Deno.writeTextFile(
    dir.file("offline/config/ca.json"),
    JSON.stringify(config),
  );
  env["STEPPATH"] = dir.file("offline");
  const before = await place.facts();
  const session = await typed(place, OFFLINE, [
    ["expect", "Please enter the password to decrypt"],
    ["send", "test password\n"],
    ["expect", "Would you like to overwrite internal.crt"],
    ["send", "y\n"],
  ]);
  assertEquals(session.status, 0, session.output);
  assert(!session.output.includes("test password"));
  assert((await place.facts()).publicKey !== before.publicKey);
  await place.assertPair();
  await runOk("openssl", [
    ...["verify", "-CAfile", ca.rootFile],
    ...["-untrusted", dir.file("internal.crt"), dir.file("internal.crt")],
  ]);
}, !CAN_DRIVE_TERMINAL);

const OUT_CRT =
  "ca rekey internal.crt internal.key --out-crt foo.crt --out-key foo.key";

example(OUT_CRT, async (place) => {
  const result = await place.step(OUT_CRT);
  assertEquals(result.code, 0, result.stderr);
  await place.assertPair("foo.crt", "foo.key");
  await place.assertPair();
});

const GIVEN_KEY = "ca rekey internal.crt internal.key --private-key foo.key";

example(GIVEN_KEY, async (place) => {
  const { dir } = place;
  await runOk("openssl", [
    ...["ecparam", "-name", "prime256v1", "-genkey", "-out"],
    dir.file("foo.key"),
  ]);
  const given = await Deno.readTextFile(dir.file("foo.key"));
  const old = await Deno.readTextFile(dir.file("internal.key"));
  const session = await typed(place, GIVEN_KEY, [
    ["expect", "Would you like to overwrite internal.crt"],
    ["send", "\n"],
  ]);
  assertEquals(session.status, 0, session.output);
  assertStringIncludes(session.output, "warning: ");
  await place.assertPair("internal.crt", "foo.key");
  assertEquals(await Deno.readTextFile(dir.file("foo.key")), given);
  assertEquals(await Deno.readTextFile(dir.file("internal.key")), old);
}, !CAN_DRIVE_TERMINAL);
