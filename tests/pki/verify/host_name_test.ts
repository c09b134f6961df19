/** Names of hosts against those of certificates, with Go's texts. */
import type { Certificate } from "../../../src/pki/certificate/certificate.ts";
import { hostNameProblem } from "../../../src/pki/verify/host_name.ts";
import { assertEquals } from "../../support/assert.ts";
import { withNames } from "./chain_fixture.ts";

const NAMES =
  "DNS:internal.example,DNS:*.apps.example,DNS:a.*.example,IP:10.1.2.3,IP:2001:db8::1";
const certificate: Certificate = (await withNames(NAMES)).certificate;

for (
  const host of [
    "internal.example",
    "INTERNAL.Example",
    "internal.example.",
    "one.apps.example",
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "2001:db8::1",
    "[2001:db8::1]",
    "2001:DB8:0::1",
  ]
) {
  Deno.test(`hostNameProblem() takes ${host}`, () => {
    assertEquals(hostNameProblem(certificate, host), undefined);
  });
}

for (
  const host of [
    "example",
    "other.example",
    "x.internal.example",
    "apps.example",
    ".apps.example",
    "one.two.apps.example",
    "a.b.example",
    "",
  ]
) {
  Deno.test(`hostNameProblem() refuses '${host}'`, () => {
    assertEquals(
      hostNameProblem(certificate, host),
      `certificate is valid for internal.example, *.apps.example, a.*.example, not ${host}`,
    );
  });
}

Deno.test("hostNameProblem() refuses an address that is not there", () => {
  assertEquals(
    hostNameProblem(certificate, "10.1.2.4"),
    "certificate is valid for 10.1.2.3, 2001:db8::1, not 10.1.2.4",
  );
});

Deno.test("hostNameProblem() refuses a certificate without such names", async () => {
  const names = async (list: string) => (await withNames(list)).certificate;
  assertEquals(
    hostNameProblem(await names("DNS:a"), "10.1.2.3"),
    "cannot validate certificate for 10.1.2.3 because it doesn't contain any IP SANs",
  );
  assertEquals(
    hostNameProblem(await names("IP:10.1.2.3"), "a"),
    "certificate is not valid for any names, but wanted to match a",
  );
  assertEquals(
    hostNameProblem(await names(""), "internal"),
    "certificate relies on legacy Common Name field, use SANs instead",
  );
});
