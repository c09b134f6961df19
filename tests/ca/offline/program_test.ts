/**
 * The whole program offline, beside the original, and with refusals.
 */
import {
  type Certificate,
  parseChain,
} from "../../../src/pki/certificate/certificate.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { OpensslCa, type OpensslPair } from "../../support/openssl_ca.ts";
import { runProgram } from "../../support/program.ts";
import { pairKeyOf } from "../../support/openssl_reads.ts";
import { runOk, type RunResult } from "../../support/run.ts";
import { STEP, stepCaMissing } from "../../support/step_ca.ts";
import { sample } from "../../support/sweep.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { type Change, HOST, type OfflineCa, offlineCa } from "./offline_ca.ts";

const OID = "1.3.6.1.4.1.37476.9000.64.1";
/** Of type 1, JWK, with the name "admin". */
const ADMIN = `${OID}=DER:300e` + "020101" + "040561646d696e" + "04026964";

function rekey(
  { path, configFile }: { readonly path: string; readonly configFile: string },
  { certificateFile, keyFile }: OpensslPair,
  ...more: string[]
): Promise<RunResult> {
  return runProgram([
    ...["ca", "rekey", certificateFile, keyFile, "--offline", "--force"],
    ...["--ca-config", configFile, ...more],
  ], { env: { STEPPATH: `${path}/none`, HOME: path } });
}

async function contents(pair: OpensslPair): Promise<string[]> {
  const directory = pair.certificateFile.replace(/\/[^/]*$/, "");
  const entries = await Array.fromAsync(Deno.readDir(directory));
  const names = entries.map(({ name }) => name).sort();
  return [
    ...names,
    await Deno.readTextFile(pair.certificateFile),
    await Deno.readTextFile(pair.keyFile),
  ];
}

/** A pair in a directory of its own. */
async function hostPair(
  ca: OfflineCa,
  change: Parameters<OpensslCa["issue"]>[1] = HOST,
): Promise<OpensslPair> {
  const pair = await ca.intermediate.issue("host", change);
  await Deno.mkdir(ca.file("host"));
  const moved = {
    ...pair,
    certificateFile: ca.file("host/host.crt"),
    keyFile: ca.file("host/host.key"),
  };
  await Deno.rename(pair.certificateFile, moved.certificateFile);
  await Deno.rename(pair.keyFile, moved.keyFile);
  return moved;
}

Deno.test("offline rekey leaves a new pair that matches and verifies", async () => {
  await using ca = await offlineCa();
  const pair = await hostPair(ca);
  const result = await rekey(ca, pair);
  assertEquals(result.code, 0, result.stderr);
  await pairKeyOf(pair);
  assert(await Deno.readTextFile(pair.keyFile) !== pair.key);
  await runOk("openssl", [
    ...["verify", "-x509_strict", "-CAfile", ca.root.certificateFile],
    ...["-untrusted", pair.certificateFile, pair.certificateFile],
  ]);
});

const DISABLED = {
  provisioners: [{
    type: "JWK",
    name: "admin",
    key: { kty: "EC", kid: "k" },
    claims: { disableRenewal: true },
  }],
};

const REFUSED: readonly (readonly [
  what: string,
  configuration: Change,
  leaf: object,
  message: RegExp,
])[] = [
  ["a database server", { db: { type: "mysql" } }, {}, /names a database/],
  ["an empty db", { db: {} }, {}, /database not supported/],
  [
    "a database that is not there",
    { db: { type: "badgerv2", dataSource: "/nonexistent" } },
    {},
    /"\/nonexistent" cannot be read: no such file or directory/,
  ],
  ["a KMS", { kms: { type: "cloudkms" } }, {}, /unsupported kms type/],
  ["a missing crt", { crt: "/nonexistent" }, {}, /error reading/],
  [
    "a missing key",
    { key: "/nonexistent" },
    {},
    /error reading the CA's key/,
  ],
  [
    "disableRenewal",
    { authority: DISABLED },
    { extensions: ADMIN },
    /lacked necessary authorization[^]*renew is disabled/,
  ],
  [
    "an unknown provisioner",
    {
      authority: {
        provisioners: [{
          type: "JWK",
          name: "other",
          key: { kty: "EC", kid: "k" },
        }],
      },
    },
    { extensions: ADMIN },
    /lacked necessary authorization[^]*provisioner not found/,
  ],
  [
    "an expired certificate",
    {},
    { notAfter: new Date(Date.now() - 60_000) },
    /cannot rekey an expired certificate/,
  ],
  [
    "CA:FALSE with a path length",
    {},
    { basicConstraints: "CA:FALSE,pathlen:0" },
    /only CAs are allowed/,
  ],
];

for (
  const [what, configuration, leaf, message] of sample("refused", REFUSED, 4)
) {
  Deno.test(`offline rekey leaves the pair as it was: ${what}`, async () => {
    await using ca = await offlineCa();
    await ca.configure(configuration);
    const pair = await hostPair(ca, { ...HOST, ...leaf });
    const before = await contents(pair);
    const { code, stderr } = await rekey(ca, pair);
    assert(code !== 0);
    assertMatch(stderr, message);
    assertEquals(await contents(pair), before);
  });
}

Deno.test("offline rekey leaves the pair as it was: wrong key of the CA", async () => {
  await using ca = await offlineCa();
  await ca.configure({ key: ca.root.keyFile });
  const pair = await hostPair(ca);
  const before = await contents(pair);
  const { code, stderr } = await rekey(ca, pair);
  assert(code !== 0);
  assertMatch(stderr, /doesn't match parent's PublicKey/);
  assertEquals(await contents(pair), before);
});

Deno.test("offline rekey leaves the pair as it was: name constraints", async () => {
  await using ca = await offlineCa({
    extensions: "nameConstraints=critical,permitted;DNS:example.org",
  });
  const pair = await hostPair(ca);
  const before = await contents(pair);
  const { code, stderr } = await rekey(ca, pair);
  assert(code !== 0);
  assertMatch(stderr, /is not permitted by any constraint/);
  assertEquals(await contents(pair), before);
});

/** What has to be the same, whoever made it. */
function kept(certificate: Certificate) {
  const { version, subject, issuerDer, signatureAlgorithm, names } =
    certificate;
  return {
    version,
    names,
    // As text: this version of the original encodes it anew, while the CA of
    // today, beside which contract_test.ts puts ours, copies its bytes.
    subject,
    issuer: issuerDer.toHex(),
    algorithm: signatureAlgorithm,
    extensions: certificate.extensions.map(({ oid, critical, value }) => ({
      oid,
      critical,
      // Derived from the new key, and so different.
      value: oid === "2.5.29.14" ? value.length : value.toHex(),
    })),
    seconds: certificate.notAfter.getTime() - certificate.notBefore.getTime(),
  };
}

Deno.test({
  name: stepCaMissing === undefined
    ? "offline rekey makes what the original makes of the same files"
    : `offline rekey beside the original (${stepCaMissing})`,
  ignore: stepCaMissing !== undefined,
  fn: async () => {
    await using dir = await tempDir();
    const env = { STEPPATH: dir.path, HOME: dir.path };
    const password = dir.file("password");
    await Deno.writeTextFile(password, "test password");
    await runOk(STEP, [
      ...["ca", "init", "--name", "Test", "--deployment-type", "standalone"],
      ...["--dns", "localhost", "--address", ":443"],
      ...["--provisioner", "admin", "--password-file", password],
    ], { env });
    const key = dir.file("intermediate.key");
    await runOk("openssl", [
      ...["ec", "-in", dir.file("secrets/intermediate_ca_key")],
      ...["-passin", `file:${password}`, "-out", key],
    ]);
    const issuer = await OpensslCa.adopt(
      dir.file("issued"),
      dir.file("certs/intermediate_ca.crt"),
      key,
    );
    const pair = await issuer.issue("host", {
      ...HOST,
      extensions: `${ADMIN}\n1.2.3.4=critical,DER:0500`,
    });
    const configFile = dir.file("config/ca.json");
    // Without a database: "step ca init --no-db" writes one all the same.
    const { db: _, ...config } = JSON.parse(
      await Deno.readTextFile(configFile),
    );
    await Deno.writeTextFile(configFile, JSON.stringify(config));
    const theirs = [dir.file("theirs.crt"), dir.file("theirs.key")] as const;
    await runOk(STEP, [
      ...["ca", "rekey", pair.certificateFile, pair.keyFile, "--offline"],
      ...["--ca-config", configFile, "--password-file", password, "--force"],
      ...["--out-cert", theirs[0], "--out-key", theirs[1]],
    ], { env });
    const result = await rekey(
      { path: dir.path, configFile },
      pair,
      "--password-file",
      password,
    );
    assertEquals(result.code, 0, result.stderr);
    const [their, ...theirIssuers] = parseChain(
      await Deno.readFile(theirs[0]),
    );
    const [our, ...ourIssuers] = parseChain(
      await Deno.readFile(pair.certificateFile),
    );
    assert(their !== undefined && our !== undefined);
    assertEquals(kept(our), kept(their));
    assert(our.publicKey.toHex() !== their.publicKey.toHex());
    assertEquals(
      ourIssuers.map(({ der }) => der.toHex()),
      theirIssuers.map(({ der }) => der.toHex()),
    );
    assert(
      Math.abs(our.notBefore.getTime() - their.notBefore.getTime()) < 60_000,
    );
    for (const file of [theirs[0], pair.certificateFile]) {
      await runOk("openssl", [
        ...["verify", "-CAfile", dir.file("certs/root_ca.crt")],
        ...["-ignore_critical", "-untrusted", file, file],
      ]);
    }
  },
});
