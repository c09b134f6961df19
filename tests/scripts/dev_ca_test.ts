/**
 * The throwaway CA, judged by openssl and by the original.
 */
import { createDevCa, type DevCaOptions } from "../../scripts/dev_ca.ts";
import type { KeySpec } from "../../src/base/options.ts";
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import { x509 } from "../../src/pki/asn1/x509.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { run, runOk } from "../support/run.ts";
import { STEP, stepCaMissing } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";

const SPECS = {
  "EC P-256": { kty: "EC", curve: "P-256" },
  "EC P-384": { kty: "EC", curve: "P-384" },
  "EC P-521": { kty: "EC", curve: "P-521" },
  "Ed25519": { kty: "OKP", curve: "Ed25519" },
  "RSA": { kty: "RSA", bits: 2048 },
} satisfies Record<string, KeySpec>;

for (const [name, keySpec] of Object.entries(SPECS)) {
  Deno.test(`createDevCa() makes a chain that openssl verifies: ${name}`, async () => {
    await using directory = await tempDir();
    const ca = await createDevCa(directory.path, { keySpec });
    const { certificateFile, keyFile } = await ca.issue("host", { keySpec });
    await runOk("openssl", [
      ...["verify", "-x509_strict", "-purpose", "sslserver"],
      ...["-verify_hostname", "host.example", "-CAfile", ca.rootFile],
      ...["-untrusted", ca.intermediateFile, certificateFile],
    ]);
    await pairKeyOf({ certificateFile, keyFile });
  });
}

Deno.test("createDevCa() encrypts the intermediate's key with the password in the file", async () => {
  await using directory = await tempDir();
  const { keyFile, passwordFile } = await createDevCa(directory.path);
  assertStringIncludes(
    await Deno.readTextFile(keyFile),
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
  );
  const open = (password: string) =>
    run("openssl", ["pkey", "-in", keyFile, "-noout", "-passin", password]);
  assertEquals((await open(`file:${passwordFile}`)).code, 0);
  assertEquals((await open("pass:wrong")).code, 1);
});

Deno.test("createDevCa() makes another password each time", async () => {
  await using one = await tempDir();
  await using two = await tempDir();
  const [a, b] = await Promise.all([
    createDevCa(one.path),
    createDevCa(two.path),
  ]);
  const [ofA, ofB] = await Promise.all([
    Deno.readTextFile(a.passwordFile),
    Deno.readTextFile(b.passwordFile),
  ]);
  assert(ofA.trim().length >= 32, "long enough");
  assert(ofA !== ofB);
});

Deno.test("createDevCa() writes a ca.json without a database", async () => {
  await using directory = await tempDir();
  const ca = await createDevCa(directory.path, { password: null });
  const config = JSON.parse(await Deno.readTextFile(ca.configFile));
  assertEquals(Object.keys(config).toSorted(), [
    ...["address", "authority", "crt", "dnsNames", "federatedRoots"],
    ...["insecureAddress", "key", "logger", "root", "tls"],
  ]);
  assertEquals(
    [config.root, config.crt, config.key, config.federatedRoots],
    [ca.rootFile, ca.intermediateFile, ca.keyFile, null],
  );
  assertEquals(config.authority.provisioners, [{ type: "ACME", name: "dev" }]);
});

Deno.test("createDevCa() lets nobody else read its files", async () => {
  await using directory = await tempDir();
  const ca = await createDevCa(directory.path);
  const { keyFile } = await ca.issue("host");
  for (const file of [ca.keyFile, ca.passwordFile, ca.configFile, keyFile]) {
    assertEquals(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600, file);
  }
});

Deno.test("createDevCa() makes another root each time", async () => {
  await using one = await tempDir();
  await using two = await tempDir();
  const options: DevCaOptions = { password: null };
  const [a, b] = await Promise.all([
    createDevCa(one.path, options),
    createDevCa(two.path, options),
  ]);
  assert(a.root.publicKey.toHex() !== b.root.publicKey.toHex());
});

Deno.test("issue() names the provisioner as step does", async () => {
  await using directory = await tempDir();
  const ca = await createDevCa(directory.path, { password: null });
  const { certificate } = await ca.issue("host");
  const extension = certificate.extensions
    .find(({ oid }) => oid === "1.3.6.1.4.1.37476.9000.64.1");
  // SEQUENCE { INTEGER 6, OCTET STRING "dev", OCTET STRING "" }
  assertEquals(
    extension?.value.toHex(),
    "300a" + "020106" + "0403646576" + "0400",
  );
  const foreign = await ca.issue("foreign", { provisioner: null });
  assert(
    !foreign.certificate.extensions.some(({ oid }) => oid.includes("37476")),
  );
});

Deno.test("issue() takes names, dates, password and extensions", async () => {
  await using directory = await tempDir();
  const ca = await createDevCa(directory.path, { password: null });
  const { certificate, certificateFile, keyFile } = await ca.issue("host", {
    subject: "CN=other,OU=Test",
    names: [{ type: "dns", value: "a.example" }, {
      type: "ip",
      value: "10.0.0.1",
    }],
    password: "secret",
    validity: {
      notBefore: new Date("2020-01-02T03:04:05Z"),
      notAfter: new Date("2060-01-02T03:04:05Z"),
    },
    extensions: [new x509.Extension("1.2.3.4", true, Uint8Array.of(5, 0))],
  });
  assertEquals(certificate.names, ["DNS:a.example", "IP:10.0.0.1"]);
  assertEquals(certificate.notBefore.toISOString(), "2020-01-02T03:04:05.000Z");
  assertEquals(certificate.notAfter.toISOString(), "2060-01-02T03:04:05.000Z");
  assert(
    certificate.extensions.some(({ oid, critical }) =>
      oid === "1.2.3.4" && critical
    ),
  );
  assertMatch(await Deno.readTextFile(keyFile), /^-----BEGIN ENCRYPTED /);
  const chain = parseChain(await Deno.readFile(certificateFile));
  assertEquals(chain.map(({ serial }) => serial), [
    certificate.serial,
    ca.intermediate.serial,
  ]);
});

Deno.test({
  name: stepCaMissing === undefined
    ? "the original shows the provisioner of issue()"
    : `the original shows the provisioner of issue() (${stepCaMissing})`,
  ignore: stepCaMissing !== undefined,
  fn: async () => {
    await using directory = await tempDir();
    const ca = await createDevCa(directory.path, { password: null });
    const inspect = async (name: string, provisioner: string | null) => {
      const { certificateFile } = await ca.issue(name, { provisioner });
      const { stdout } = await runOk(STEP, [
        ...["certificate", "inspect", "--short", certificateFile],
      ], { env: { STEPPATH: directory.path, HOME: directory.path } });
      return stdout;
    };
    assertMatch(await inspect("host", "dev"), /^ +Provisioner: +dev$/m);
    assert(!/^ +Provisioner: +dev$/m.test(await inspect("foreign", null)));
  },
});

Deno.test({
  name: stepCaMissing === undefined
    ? "the original rekeys offline with the CA of createDevCa()"
    : `the original rekeys offline with the CA of createDevCa() (${stepCaMissing})`,
  ignore: stepCaMissing !== undefined,
  fn: async () => {
    await using directory = await tempDir();
    const ca = await createDevCa(directory.path);
    const { certificateFile, keyFile, certificate } = await ca.issue("host");
    await runOk(STEP, [
      ...["ca", "rekey", "--offline", "--force", "--root", ca.rootFile],
      ...["--ca-config", ca.configFile, "--password-file", ca.passwordFile],
      ...[certificateFile, keyFile],
    ], { env: { STEPPATH: directory.path, HOME: directory.path } });
    const [leaf] = parseChain(await Deno.readFile(certificateFile));
    assert(leaf !== undefined && leaf.serial !== certificate.serial);
    assertEquals(leaf.names, certificate.names);
  },
});
