/**
 * `--offline` as a user sees it: a daemon that goes on, what is only warned of,
 * and ca.json from standard input.
 */
import {
  createDevCa,
  type DevCa,
  type DevCaOptions,
  type DevHost,
  type DevPair,
} from "../../scripts/dev_ca.ts";
import {
  type Certificate,
  parseChain,
} from "../../src/pki/certificate/certificate.ts";
import { x509 } from "../../src/pki/asn1/x509.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { runProgram } from "../support/program.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { runOk, type RunResult } from "../support/run.ts";
import { startProgram } from "../support/running_program.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const SECOND_MS = 1000;
const DAY_MS = 24 * 3600 * SECOND_MS;

function during(fromMs: number, toMs: number) {
  const now = Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
  return { notBefore: new Date(now + fromMs), notAfter: new Date(now + toMs) };
}

interface Place extends TempDir {
  readonly ca: DevCa;
  readonly host: DevPair;
}

async function place(
  { host, ...options }: DevCaOptions & { readonly host?: DevHost } = {},
): Promise<Place> {
  const dir = await tempDir();
  const ca = await createDevCa(dir.path, { password: null, ...options });
  return {
    ...dir,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
    ca,
    host: await ca.issue("host", host),
  };
}

function words({ ca, host }: Place, config = ca.configFile): string[] {
  return [
    ...["ca", "rekey", "--offline", "--force", "--ca-config", config],
    ...[host.certificateFile, host.keyFile],
  ];
}

function environment({ path }: Place) {
  return { STEPPATH: `${path}/none`, HOME: path };
}

function rekey(at: Place, ...more: string[]): Promise<RunResult> {
  return runProgram([...words(at), ...more], { env: environment(at) });
}

async function leafOf({ host }: Place): Promise<Certificate> {
  const [leaf] = parseChain(await Deno.readFile(host.certificateFile));
  assert(leaf !== undefined);
  return leaf;
}

const CYCLES = 2;
/** A life that a busy machine keeps. */
const LIFE_MS = 90 * SECOND_MS;

Deno.test("offline daemon makes a new key and certificate in each cycle", async () => {
  await using at = await place({
    authority: { backdate: "0s" },
    host: { validity: during(0, LIFE_MS) },
  });
  await using daemon = startProgram(
    [...words(at), "--daemon", "--expires-in", "85s"],
    { cwd: at.path, env: environment(at) },
  );
  await daemon.says("first rekey in ");
  const keys = new Set([at.host.certificate.publicKey.toHex()]);
  const serials = new Set([at.host.certificate.serial]);
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    await daemon.says("host.example certificate rekeyed, next in");
    const leaf = await leafOf(at);
    keys.add(leaf.publicKey.toHex());
    serials.add(leaf.serial);
    assertEquals(keys.size, cycle + 1);
    assertEquals(serials.size, cycle + 1);
    assertEquals(leaf.notAfter.getTime() - leaf.notBefore.getTime(), LIFE_MS);
    await pairKeyOf(at.host);
  }
  daemon.kill("SIGTERM");
  assertEquals(await daemon.ended, 0);
});

Deno.test("offline daemon refuses ca.json from standard input, which ends", async () => {
  await using at = await place();
  const { code, stderr } = await runProgram([...words(at, "-"), "--daemon"], {
    env: environment(at),
  });
  assertEquals(code, 64);
  assertStringIncludes(stderr, "'--ca-config' cannot be standard input");
});

Deno.test("offline daemon tries again when its provisioner does not let rekey", async () => {
  await using at = await place({
    authority: { claims: { disableRenewal: true } },
    host: { validity: during(0, 600 * SECOND_MS) },
  });
  await using daemon = startProgram(
    [...words(at), "--daemon", "--expires-in", "599s"],
    { cwd: at.path, env: environment(at) },
  );
  await daemon.says("renew is disabled for provisioner 'dev'");
  await daemon.says("next attempt in");
  daemon.kill("SIGTERM");
  assertEquals(await daemon.ended, 0);
});

Deno.test("offline rekey reads ca.json from standard input", async () => {
  await using at = await place();
  const { code, stderr } = await runProgram(words(at, "-"), {
    env: environment(at),
    stdin: await Deno.readTextFile(at.ca.configFile),
  });
  assertEquals(code, 0, stderr);
  await pairKeyOf(at.host);
});

for (
  const [what, options, pattern] of [
    [
      "an expired intermediate",
      { validity: during(-2 * DAY_MS, -DAY_MS) },
      /^warning: the intermediate "[^"]*" expired on /m,
    ],
    [
      "an intermediate that is not valid yet",
      { validity: during(DAY_MS, 9 * DAY_MS) },
      /^warning: the intermediate "[^"]*" is not valid before /m,
    ],
    [
      "a certificate that outlives its issuer",
      { validity: during(-DAY_MS, 3600 * SECOND_MS) },
      /^warning: the new certificate is valid until \S+, longer than its issuer/m,
    ],
    [
      "a result that has expired already",
      { authority: { backdate: "48h" } },
      /^warning: the certificate expired on /m,
    ],
  ] satisfies [string, DevCaOptions, RegExp][]
) {
  Deno.test(`offline rekey only warns of ${what}`, async () => {
    await using at = await place(options);
    const { code, stderr } = await rekey(at);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, pattern);
    await pairKeyOf(at.host);
    const leaf = await leafOf(at);
    assert(leaf.serial !== at.host.certificate.serial);
  });
}

/** A certificate of a key that openssl signs anew, as a CA or as none. */
async function selfSign(at: Place, ...extension: string[]): Promise<string> {
  const [key, out] = [`${at.path}/plain.key`, `${at.path}/self.crt`];
  await runOk("openssl", [
    ...["pkey", "-in", at.ca.keyFile, "-passin", `file:${at.ca.passwordFile}`],
    ...["-out", key],
  ]);
  const subject = "/O=Throwaway/CN=Throwaway Intermediate CA";
  await Deno.writeTextFile(
    `${at.path}/self.cnf`,
    ["[req]", "distinguished_name = dn", "[dn]", "[ext]", ...extension]
      .join("\n"),
  );
  await runOk("openssl", [
    ...["req", "-x509", "-new", "-key", key, "-subj", subject, "-days", "9"],
    ...["-config", `${at.path}/self.cnf`, "-extensions", "ext", "-out", out],
  ]);
  return out;
}

async function configure(
  { ca }: Place,
  change: Readonly<Record<string, unknown>>,
): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(ca.configFile));
  await Deno.writeTextFile(
    ca.configFile,
    JSON.stringify({ ...config, ...change }),
  );
}

for (
  const [what, extension, pattern] of [
    [
      "is not a CA",
      "basicConstraints = CA:FALSE",
      /^warning: the intermediate "[^"]*" is not a CA/m,
    ],
    [
      "must not sign",
      "keyUsage = digitalSignature",
      /^warning: the intermediate "[^"]*" must not sign certificates/m,
    ],
  ] as const
) {
  Deno.test(`offline rekey only warns of an issuer that ${what}`, async () => {
    await using at = await place();
    const constraint = extension.startsWith("basic")
      ? []
      : ["basicConstraints = CA:TRUE"];
    await configure(at, { crt: await selfSign(at, extension, ...constraint) });
    const { code, stderr } = await rekey(at);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, pattern);
    // It is not below the root of ca.json either: each problem has its line.
    assertMatch(stderr, /^warning: no trusted root issued certificate 2/m);
    await pairKeyOf(at.host);
  });
}

Deno.test("offline rekey only warns of a certificate from elsewhere", async () => {
  await using at = await place();
  await using elsewhere = await place();
  const foreign = await elsewhere.ca.issue("foreign", { provisioner: null });
  const { code, stderr } = await rekey({ ...at, host: foreign });
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    "warning: the signature on the current certificate does not verify",
  );
  await pairKeyOf(foreign);
});

Deno.test("offline rekey refuses a key that is not the certificate's", async () => {
  await using at = await place();
  const other = await at.ca.issue("other");
  await Deno.copyFile(other.keyFile, at.host.keyFile);
  const { code, stderr } = await rekey(at);
  assertEquals(code, 65, stderr);
});

Deno.test("offline rekey warns of nothing where all is well", async () => {
  await using at = await place();
  const { code, stderr } = await rekey(at);
  assertEquals(code, 0);
  assert(!stderr.includes("warning"), stderr);
});

Deno.test("offline rekey refuses a certificate that step-ca cannot read", async () => {
  await using at = await place({
    host: {
      extensions: [
        // Name constraints that are none.
        new x509.Extension("2.5.29.30", false, Uint8Array.of(5, 0)),
      ],
    },
  });
  const { code, stderr } = await rekey(at);
  assertEquals(code, 65, stderr);
  assertStringIncludes(stderr, "x509: invalid NameConstraints extension");
  assertEquals((await leafOf(at)).serial, at.host.certificate.serial);
});
