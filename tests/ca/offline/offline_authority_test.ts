/**
 * The offline CA on real files, and what it refuses.
 */
import { RekeyError } from "../../../src/base/errors.ts";
import { chainToPem } from "../../../src/pki/certificate/certificate.ts";
import type { LogEvent } from "../../../src/base/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { runOk } from "../../support/run.ts";
import { rekeyRequest } from "../../support/test_pair.ts";
import { HOST, offlineCa } from "./offline_ca.ts";

Deno.test("createOfflineAuthority() returns leaf and bundle, which openssl verifies", async () => {
  await using ca = await offlineCa();
  const bundle = ca.file("bundle.crt");
  await Deno.writeTextFile(
    bundle,
    ca.intermediate.certificate + ca.root.certificate,
  );
  await ca.configure({ crt: bundle });
  const request = await rekeyRequest(await ca.intermediate.issue("a", HOST));
  const chain = await ca.open().rekey(request);
  assertEquals(chain.length, 3);
  const [leaf, ...issuers] = chain;
  assertEquals(
    chainToPem(issuers),
    ca.intermediate.certificate + ca.root.certificate,
  );
  assertEquals(leaf?.publicKey.toHex(), request.csr.publicKey.toHex());
  const file = ca.file("chain.crt");
  await Deno.writeTextFile(file, chainToPem(chain));
  await runOk("openssl", [
    ...["verify", "-x509_strict", "-CAfile", ca.root.certificateFile],
    ...["-untrusted", ca.intermediate.certificateFile, file],
  ]);
});

Deno.test("createOfflineAuthority() draws another serial number each time", async () => {
  await using ca = await offlineCa();
  const request = await rekeyRequest(await ca.intermediate.issue("a", HOST));
  const authority = ca.open();
  const [first] = await authority.rekey(request);
  const [second] = await authority.rekey(request);
  assert(first !== undefined && second !== undefined);
  assert(first.serial !== second.serial);
  assert(first.serial.length > 16 && first.serial.length <= 32);
});

Deno.test("createOfflineAuthority() reads its files once", async () => {
  await using ca = await offlineCa();
  const authority = ca.open();
  await authority.roots();
  await Deno.remove(ca.configFile);
  await Deno.remove(ca.intermediate.keyFile);
  assertEquals((await authority.roots()).length, 1);
});

Deno.test("createOfflineAuthority() warns of a certificate from elsewhere", async () => {
  await using ca = await offlineCa();
  const other = await OpensslCa.root(ca.file("other"), "Other CA");
  const request = await rekeyRequest(await other.issue("a", HOST));
  const events: LogEvent[] = [];
  await ca.open({ log: { write: (event) => void events.push(event) } })
    .rekey(request);
  const [event] = events;
  assert(event?.event === "warning" && events.length === 1);
  assertMatch(event.message, /issued by "CN=Other CA", not by this CA/);
});

Deno.test("createOfflineAuthority() says nothing of its own certificate", async () => {
  await using ca = await offlineCa();
  const request = await rekeyRequest(await ca.intermediate.issue("a", HOST));
  const events: LogEvent[] = [];
  await ca.open({ log: { write: (event) => void events.push(event) } })
    .rekey(request);
  assertEquals(events, []);
});

/** One name of each type that constraints are about. */
const NAMES = {
  ...HOST,
  names: `${HOST.names},email:someone@example.com,URI:spiffe://a.example.com/b`,
};

Deno.test("createOfflineAuthority() holds no constraint against a common name", async () => {
  await using ca = await offlineCa({
    extensions: "nameConstraints=critical,permitted;DNS:example.org",
  });
  const request = await rekeyRequest(
    await ca.intermediate.issue("a", {
      subject: "/CN=internal.example.com",
      names: "DNS:a.example.org",
    }),
  );
  assertEquals((await ca.open().rekey(request)).length, 2);
});

for (
  const [constraints, message] of [
    [
      "permitted;DNS:example.org",
      /^DNS name "internal\.example\.com" is not permitted by any constraint$/,
    ],
    [
      "excluded;DNS:example.com",
      /^DNS name "internal\.example\.com" is excluded by constraint "example\.com"$/,
    ],
    [
      "excluded;IP:10.0.0.0/255.0.0.0",
      /^IP address "10\.0\.0\.1" is excluded by constraint "10\.0\.0\.0\/8"$/,
    ],
    [
      "permitted;IP:10.1.0.0/255.255.0.0",
      /^IP address "10\.0\.0\.1" is not permitted by any constraint$/,
    ],
    [
      "excluded;email:example.com",
      /^Email address "someone@example\.com" is excluded by constraint "example\.com"$/,
    ],
    [
      "permitted;email:other@example.com",
      /^Email address "someone@example\.com" is not permitted by any constraint$/,
    ],
    [
      "excluded;URI:.example.com",
      /^URI "spiffe:\/\/a\.example\.com\/b" is excluded by constraint "\.example\.com"$/,
    ],
    [
      "permitted;URI:example.org",
      /^URI "spiffe:\/\/a\.example\.com\/b" is not permitted by any constraint$/,
    ],
  ] as const
) {
  const extensions = `nameConstraints=critical,${constraints}`;
  Deno.test(`createOfflineAuthority() obeys its intermediate: ${constraints}`, async () => {
    await using ca = await offlineCa({ extensions });
    const request = await rekeyRequest(await ca.intermediate.issue("a", NAMES));
    const error = await assertRejects(
      () => ca.open().rekey(request),
      "refused",
      message,
    );
    assert(error instanceof RekeyError && error.hint !== undefined);
  });

  Deno.test(`createOfflineAuthority() obeys the root above: ${constraints}`, async () => {
    await using ca = await offlineCa();
    const above = await ca.root.subordinate(ca.file("above"), {
      subject: "/CN=Above",
      extensions,
    });
    const issuing = await above.subordinate(ca.file("issuing"), {
      subject: "/CN=Issuing",
    });
    const files = {
      crt: issuing.certificateFile,
      key: issuing.keyFile,
    };
    const request = await rekeyRequest(await issuing.issue("a", NAMES));
    await ca.configure({ ...files, root: above.certificateFile });
    await assertRejects(() => ca.open().rekey(request), "refused", message);
    // A root of another name does not count.
    await ca.configure({ ...files, root: ca.root.certificateFile });
    assertEquals((await ca.open().rekey(request)).length, 2);
  });
}

Deno.test("createOfflineAuthority() ignores constraints of a root with another key", async () => {
  await using ca = await offlineCa();
  const extensions = "nameConstraints=critical,permitted;DNS:example.org";
  const [real, namesake] = [
    await ca.root.subordinate(ca.file("real"), { subject: "/CN=Same" }),
    await ca.root.subordinate(ca.file("namesake"), {
      subject: "/CN=Same",
      extensions,
    }),
  ];
  const issuing = await real.subordinate(ca.file("issuing"), {
    subject: "/CN=Issuing",
  });
  await ca.configure({
    crt: issuing.certificateFile,
    key: issuing.keyFile,
    root: [real.certificateFile, namesake.certificateFile],
  });
  const request = await rekeyRequest(await issuing.issue("a", HOST));
  assertEquals((await ca.open().rekey(request)).length, 2);
});

Deno.test("createOfflineAuthority() refuses a key that is not of crt", async () => {
  await using ca = await offlineCa();
  await ca.configure({ key: ca.root.keyFile });
  const request = await rekeyRequest(await ca.intermediate.issue("a", HOST));
  await assertRejects(
    () => ca.open().rekey(request),
    "config",
    /provided PrivateKey doesn't match parent's PublicKey/,
  );
});

Deno.test("createOfflineAuthority() refuses a lifetime that equals the backdate", async () => {
  await using ca = await offlineCa();
  const provisioners = [{
    type: "JWK",
    name: "admin",
    key: { kty: "EC", kid: "k" },
  }];
  await ca.configure({ authority: { provisioners, backdate: "25h" } });
  const notBefore = new Date(Date.now() - 3_600_000);
  const notAfter = new Date(notBefore.getTime() + 25 * 3_600_000);
  const request = await rekeyRequest(
    await ca.intermediate.issue("a", { ...HOST, notBefore, notAfter }),
  );
  await assertRejects(
    () => ca.open().rekey(request),
    "config",
    /`lifetime` cannot be 0/,
  );
});

Deno.test("createOfflineAuthority() refuses CA:FALSE with a path length", async () => {
  await using ca = await offlineCa();
  const basicConstraints = "CA:FALSE,pathlen:0";
  const request = await rekeyRequest(
    await ca.intermediate.issue("a", { ...HOST, basicConstraints }),
  );
  await assertRejects(
    () => ca.open().rekey(request),
    "config",
    /only CAs are allowed to specify MaxPathLen/,
  );
});

Deno.test("createOfflineAuthority() ends with the reason of the signal", async () => {
  await using ca = await offlineCa();
  const reason = new RekeyError("interrupted", "stopped by SIGTERM");
  const request = await rekeyRequest(await ca.intermediate.issue("a", HOST), {
    signal: AbortSignal.abort(reason),
  });
  assertEquals(
    await assertRejects(() => ca.open().rekey(request)) === reason,
    true,
  );
});
