import { hintText } from "../../../src/cli/remedies.ts";
import {
  clientCertificateHint,
  tlsIdentity,
} from "../../../src/ca/online/client_certificate.ts";
import { assertMatch, assertThrows } from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { HOST } from "../../support/test_ca.ts";
import { keyPair } from "../../support/test_pair.ts";

await using dir = await tempDir();
const ca = await OpensslCa.root(dir.file("ca"), "Root");
const host = await keyPair(await ca.issue("host", HOST));
const small = await keyPair(
  await ca.issue("small", { ...HOST, keyArguments: ["-newkey", "rsa:1024"] }),
);
const old = await oldPair();
const hints = {
  client: await hintFor("clientAuth"),
  both: await hintFor("serverAuth,clientAuth"),
  any: await hintFor("anyExtendedKeyUsage"),
  none: await hintFor(""),
  server: await hintFor("serverAuth"),
};

/** X.509 version 1: what openssl makes without extensions. */
async function oldPair() {
  const key = dir.file("old.key");
  const csr = dir.file("old.csr");
  await runOk("openssl", [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt"],
    ...["ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=old"],
    ...["-keyout", key, "-out", csr],
  ]);
  const { stdout } = await runOk("openssl", [
    ...["x509", "-req", "-in", csr, "-CA", ca.certificateFile],
    ...["-CAkey", ca.keyFile, "-set_serial", "1"],
  ]);
  return await keyPair({
    certificate: stdout,
    key: await Deno.readTextFile(key),
  });
}

async function hintFor(usages: string): Promise<string> {
  const pair = await keyPair(await ca.issue("usages", { ...HOST, usages }));
  return hintText(clientCertificateHint(pair.chain[0], new Date()));
}

Deno.test("tlsIdentity() gives chain and key as createHttpClient takes them", () => {
  using _client = Deno.createHttpClient({
    cert: tlsIdentity(host).certificate,
    key: tlsIdentity(host).key,
  });
});

Deno.test("tlsIdentity() refuses a key that TLS cannot use, before the runtime ends the process", () => {
  assertThrows(
    () => tlsIdentity(small),
    "pair",
    /an RSA key of 1024 bits instead of 2048 to 8192/,
  );
});

Deno.test("tlsIdentity() refuses a certificate of version 1, before the runtime ends the process", () => {
  assertThrows(() => tlsIdentity(old), "pair", /X\.509 version 1 instead of 3/);
});

for (const usage of ["client", "both", "any", "none"] as const) {
  Deno.test(`clientCertificateHint() does not blame a certificate for usages: ${usage}`, () => {
    assertMatch(hints[usage], /may not have issued/);
  });
}

Deno.test("clientCertificateHint() blames a certificate for servers only", () => {
  assertMatch(hints.server, /no clientAuth/);
});
