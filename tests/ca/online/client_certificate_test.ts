import { hintWords } from "../../support/hint.ts";
import {
  clientCertificateHint,
  clockWarning,
  refuseSelfSigned,
  refuseServersOnly,
  tlsIdentity,
} from "../../../src/ca/online/client_certificate.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../../support/assert.ts";
import { hintOf } from "../../support/hint.ts";
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
const usages = {
  client: await issuedFor("clientAuth"),
  both: await issuedFor("serverAuth,clientAuth"),
  any: await issuedFor("anyExtendedKeyUsage"),
  none: await issuedFor(""),
  server: await issuedFor("serverAuth"),
};
const namesake = await keyPair(
  await ca.issue("namesake", { ...HOST, subject: "/CN=Root" }),
);
const self = await keyPair(ca);
const sub = await ca.subordinate(dir.file("sub"), { subject: "/CN=Sub" });
const leaf = await sub.issue("leaf", HOST);
const stranger = await OpensslCa.root(dir.file("stranger"), "Stranger");
const [allowed, large] = await Promise.all(
  [62_000, 63_500].map(async (bytes) =>
    await keyPair(
      await ca.issue(`${bytes}`, {
        ...HOST,
        extensions: `nsComment=ASN1:UTF8String:${"x".repeat(bytes)}`,
      }),
    )
  ),
);

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

async function issuedFor(usages: string) {
  return (await keyPair(await ca.issue("usages", { ...HOST, usages })))
    .chain[0];
}

Deno.test("tlsIdentity() gives chain and key as createHttpClient takes them", () => {
  using _client = Deno.createHttpClient({
    cert: tlsIdentity(host).certificatePem,
    key: tlsIdentity(host).keyPem,
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

Deno.test("tlsIdentity() sends what leads from the leaf to a root, each once, and nothing else", async () => {
  const sent = async (...issuers: readonly string[]) =>
    tlsIdentity(
      await keyPair({
        ...leaf,
        certificate: [leaf.certificate, ...issuers].join(""),
      }),
    ).certificatePem;
  const path = [sub.certificate, ca.certificate];
  assertEquals(await sent(), leaf.certificate);
  assertEquals(await sent(...path), leaf.certificate + path.join(""));
  assertEquals(
    await sent(...path.toReversed(), ...path, leaf.certificate),
    leaf.certificate + path.join(""),
  );
  const strangers = Array<string>(300).fill(stranger.certificate);
  assertEquals(
    await sent(...strangers, ...path),
    leaf.certificate + path.join(""),
  );
});

Deno.test("tlsIdentity() refuses a chain that TLS cannot send, and lets a daemon wait for another", () => {
  assert(allowed !== undefined && large !== undefined);
  tlsIdentity(allowed);
  const error = assertThrows(
    () => tlsIdentity(large),
    "pair",
    /cannot use the current certificate: with its issuers 63 KiB instead of at most 62$/,
  );
  assert(error instanceof RekeyError);
  assertEquals(error.retry, "slowly");
});

for (const usage of ["client", "both", "any", "none"] as const) {
  Deno.test(`refuseServersOnly() does not refuse a certificate for usages: ${usage}`, () => {
    refuseServersOnly(usages[usage], "rekey");
  });
}

Deno.test("refuseServersOnly() refuses a certificate for servers only, and says what fails", () => {
  for (const act of ["rekey", "renew"] as const) {
    assertThrows(
      () => refuseServersOnly(usages.server, act),
      "pair",
      new RegExp(`^error ${act}ing certificate: .*no clientAuth`),
    );
  }
});

Deno.test("refuseSelfSigned() refuses what is no root, and says what to do", async () => {
  const [root] = self.chain;
  const error = await assertRejects(
    () => refuseSelfSigned(root, [host.chain[0]], "rekey"),
    "pair",
    /the current certificate is self-signed/,
  );
  assertMatch(hintOf(error), /"step-rekey ca certificate"/);
  await refuseSelfSigned(root, [root], "rekey");
  // Its name alone does not make it self-signed.
  await refuseSelfSigned(namesake.chain[0], [], "rekey");
});

Deno.test("clientCertificateHint() names the clocks first of a certificate that is not valid yet", () => {
  const [certificate] = host.chain;
  const early = new Date("2000-01-01T00:00:00Z");
  assertMatch(
    hintWords(clientCertificateHint(certificate, early)),
    /not valid before .*clocks/,
  );
  assertMatch(
    hintWords(clientCertificateHint(certificate, new Date())),
    /may not have issued/,
  );
  assertMatch(
    clockWarning(certificate, early) ?? "",
    /is 2000-01-01T00:00:00Z by this machine's clock/,
  );
  assertEquals(clockWarning(certificate, new Date()), undefined);
});
