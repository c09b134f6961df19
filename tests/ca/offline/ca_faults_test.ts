/**
 * Faults of the CA's own files that must not look like faults of the host's.
 */
import { RekeyError } from "../../../src/base/errors.ts";
import type { LogEvent } from "../../../src/base/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { OpensslCertificates } from "../../support/openssl_certificates.ts";
import { rekeyRequest } from "../../support/test_pair.ts";
import { HOST, offlineCa } from "./offline_ca.ts";

/** Adds no extension of its own. */
const exact = new OpensslCertificates();

Deno.test("roots() refuses a key that is not of crt, before anything is asked", async () => {
  await using ca = await offlineCa();
  await ca.configure({ key: ca.root.keyFile });
  await assertRejects(
    () => ca.open().roots(),
    "config",
    /^the key in .* is not the one of the CA in .*: x509: provided PrivateKey doesn't match parent's PublicKey$/,
  );
});

/** Extensions with the tag of their value changed, which openssl refuses to write. */
for (
  const [what, sound, broken] of [
    ["name constraints", "0603551d1e041330", "0603551d1e041331"],
    ["a subject key identifier", "0603551d0e041604", "0603551d0e041605"],
    ["an authority key identifier", "0603551d23041830", "0603551d23041831"],
  ] as const
) {
  for (const member of ["crt", "root"] as const) {
    Deno.test(`roots() refuses ${what} that cannot be read in "${member}"`, async () => {
      await using ca = await offlineCa();
      const { certificate } = await exact.issue({
        subject: "/CN=Broken",
        extensions: [
          "subjectKeyIdentifier = hash",
          "authorityKeyIdentifier = keyid:always",
          "nameConstraints = permitted;DNS:example.org",
        ],
      });
      const hex = certificate.der.toHex();
      assertStringIncludes(hex, sound);
      const path = ca.file("broken.der");
      await Deno.writeFile(
        path,
        Uint8Array.fromHex(hex.replace(sound, broken)),
      );
      await ca.configure({ [member]: path });
      const { message } = await assertRejects(
        () => ca.open().roots(),
        "config",
        /: malformed certificate/,
      );
      assert(message.startsWith(`error parsing ${path}: `), message);
    });
  }
}

Deno.test("roots() counts an unreadable password file as the CA's fault", async () => {
  await using ca = await offlineCa();
  const missing = new RekeyError("pair", "open pw failed: no such file");
  await assertRejects(
    () => ca.open({ password: () => Promise.reject(missing) }).roots(),
    "config",
    /^error reading the password of the CA's key: open pw failed: no such file$/,
  );
});

Deno.test("roots() lets an interrupted password prompt through as it is", async () => {
  await using ca = await offlineCa();
  const stopped = new RekeyError("interrupted", "stopped");
  await assertRejects(
    () => ca.open({ password: () => Promise.reject(stopped) }).roots(),
    "interrupted",
  );
});

Deno.test("roots() does not speak of decrypting when the key is plain", async () => {
  await using ca = await offlineCa();
  await Deno.writeTextFile(ca.file("damaged.key"), "-----BEGIN PRIVATE KEY-");
  await ca.configure({ key: ca.file("damaged.key") });
  await assertRejects(
    () => ca.open().roots(),
    "config",
    /^error decoding .*damaged\.key: /,
  );
});

Deno.test("rekey() obeys a root without key identifiers, as Go does", async () => {
  await using ca = await offlineCa();
  const extensions = [
    "basicConstraints = critical,CA:TRUE",
    // openssl adds them unless it is told not to.
    "subjectKeyIdentifier = none",
    "authorityKeyIdentifier = none",
  ];
  const above = await exact.issue({
    subject: "/CN=Above",
    key: "EC:P-256#above",
    extensions: [
      ...extensions,
      "nameConstraints = critical,permitted;DNS:example.org",
    ],
  });
  const issuing = await exact.issue({
    subject: "/CN=Issuing",
    issuer: above,
    key: "EC:P-256#issuing",
    extensions,
  });
  for (const { certificate } of [above, issuing]) {
    assert(
      !certificate.extensions.some(({ oid }) =>
        /^2\.5\.29\.(14|35)$/.test(oid)
      ),
    );
  }
  const host = await exact.issue({
    subject: "/CN=host",
    issuer: issuing,
    key: "EC:P-256#host",
    extensions: ["subjectAltName = DNS:internal.example.com"],
    to: "20450101000000Z",
  });
  await ca.configure({
    root: above.certificateFile,
    crt: issuing.certificateFile,
    key: issuing.keyFile,
  });
  const request = await rekeyRequest({
    certificate: await Deno.readTextFile(host.certificateFile),
    key: await Deno.readTextFile(host.keyFile),
  });
  await assertRejects(
    () => ca.open().rekey(request),
    "refused",
    /^DNS name "internal\.example\.com" is not permitted by any constraint$/,
  );
});

Deno.test("rekey() warns of a CA of the same name with another key", async () => {
  await using ca = await offlineCa();
  const subject = "/CN=Test Intermediate CA";
  const namesake = await ca.root.subordinate(ca.file("namesake"), { subject });
  const events: LogEvent[] = [];
  await ca.open({ log: { write: (event) => void events.push(event) } })
    .rekey(await rekeyRequest(await namesake.issue("a", HOST)));
  const [event] = events;
  assert(event?.event === "warning");
  assertEquals(events.length, 1);
  assertMatch(event.message, /does not verify with the key of this CA/);
});

Deno.test("rekey() still signs what comes from elsewhere, as the original", async () => {
  await using ca = await offlineCa();
  const other = await OpensslCa.root(ca.file("other"), "Other CA");
  const request = await rekeyRequest(await other.issue("a", HOST));
  assertEquals((await ca.open().rekey(request)).length, 2);
});
