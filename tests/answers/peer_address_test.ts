import { peerAddress } from "../../src/answers/peer_address.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

for (
  const [source, hostname, port] of [
    ["https://smallstep.com", "smallstep.com", 443],
    ["https://smallstep.com/onboarding", "smallstep.com", 443],
    ["HTTPS://Smallstep.com:8443", "smallstep.com", 8443],
    ["https://smallstep.com:443", "smallstep.com", 443],
    ["tcp://10.0.0.1", "10.0.0.1", 443],
    ["tls://10.0.0.1:9000", "10.0.0.1", 9000],
    ["smtps://mail.example", "mail.example", 465],
    ["smtps://mail.example:443", "mail.example", 443],
    ["ldaps://[2001:db8::1]", "2001:db8::1", 636],
    ["ldaps://[::1]:1636/x", "::1", 1636],
  ] as const
) {
  Deno.test(`peerAddress() reads ${source}`, () => {
    assertEquals(peerAddress(source), { hostname, port });
  });
}

for (
  const source of ["a.crt", "./https://x", "http://x", "https", "https:/x", "-"]
) {
  Deno.test(`peerAddress() takes ${source} for a file`, () => {
    assertEquals(peerAddress(source), undefined);
  });
}

for (
  const source of ["https://", "https://a b", "tls://a:port", "tcp://[::1"]
) {
  Deno.test(`peerAddress() refuses ${source}`, () => {
    assertThrows(() => peerAddress(source), "usage", /^error parsing URL/);
  });
}
