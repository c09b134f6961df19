import fc from "fast-check";
import { proxyFor, proxyName } from "../../../src/ca/online/proxy.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";

const PROXY = "http://proxy.example:3128";

function isProxied(url: string, noProxy?: string): boolean {
  return proxyFor(new URL(url), { httpsProxy: PROXY, noProxy }) !== undefined;
}

Deno.test("proxyFor() takes the proxy of the setting", () => {
  const settings = { httpsProxy: PROXY, noProxy: undefined };
  const proxy = proxyFor(new URL("https://ca.example:9000"), settings);
  assertEquals(proxy?.href, `${PROXY}/`);
});

Deno.test("proxyFor() takes a proxy without scheme as http", () => {
  const settings = { httpsProxy: "proxy.example:3128", noProxy: "" };
  const proxy = proxyFor(new URL("https://ca.example"), settings);
  assertEquals(proxy?.href, `${PROXY}/`);
});

Deno.test("proxyFor() connects directly without a setting", () => {
  for (const httpsProxy of [undefined, ""]) {
    const settings = { httpsProxy, noProxy: undefined };
    assertEquals(proxyFor(new URL("https://ca.example"), settings), undefined);
  }
});

Deno.test("proxyFor() never sends loopback addresses through a proxy", () => {
  const urls = [
    "https://localhost:9000",
    "https://127.0.0.1:9000",
    "https://127.9.9.9",
    "https://[::1]:9000",
    "https://[::ffff:127.0.0.1]:9000",
  ];
  for (const url of urls) assert(!isProxied(url), url);
});

/** As golang.org/x/net/http/httpproxy decides; true: through the proxy. */
const EXCEPTIONS: readonly (readonly [string, string, boolean])[] = [
  ["https://ca.example", "*", false],
  ["https://ca.example", "other.example, *", false],
  ["https://ca.example", "ca.example", false],
  ["https://CA.example", "Ca.Example", false],
  ["https://a.ca.example", "ca.example", false],
  ["https://notca.example", "ca.example", true],
  ["https://ca.example", ".ca.example", true],
  ["https://a.ca.example", ".ca.example", false],
  ["https://a.ca.example", "*.ca.example", false],
  ["https://ca.example", "*.ca.example", true],
  ["https://ca.example", "ca.example:443", false],
  ["https://ca.example:9000", "ca.example:9000", false],
  ["https://ca.example:9000", "ca.example:443", true],
  ["https://10.1.2.3", "10.1.2.3", false],
  ["https://10.1.2.3", "10.1.2.4", true],
  ["https://10.1.2.3:9000", "10.1.2.3:9000", false],
  ["https://10.1.2.3:9000", "10.1.2.3:9001", true],
  ["https://10.1.2.3", "10.0.0.0/8", false],
  ["https://11.1.2.3", "10.0.0.0/8", true],
  ["https://10.1.2.3", "10.1.2.0/31", true],
  ["https://10.1.2.3", "0.0.0.0/0", false],
  ["https://10.1.2.3", "10.0.0.0/33", true],
  ["https://[2001:db8::1]", "2001:db8::1", false],
  ["https://[2001:db8::1]", "2001:0DB8:0:0::1", false],
  ["https://[2001:db8::1]:9000", "[2001:db8::1]:9000", false],
  ["https://[2001:db8::1]:9000", "[2001:db8::1]:9001", true],
  ["https://[2001:db8::1]", "2001:db8::/32", false],
  ["https://[2001:db9::1]", "2001:db8::/32", true],
  ["https://[2001:db8::1]", "0.0.0.0/0", true],
  ["https://ca.example", ",, ,", true],
  ["https://ca.example", ".", true],
  ["https://ca.example", "*.", true],
  ["https://ca.example", ":443", true],
];

for (const [url, noProxy, proxied] of EXCEPTIONS) {
  const way = proxied ? "through the proxy" : "directly";
  Deno.test(`proxyFor() sends ${url} ${way} with NO_PROXY=${noProxy}`, () => {
    assertEquals(isProxied(url, noProxy), proxied);
  });
}

Deno.test("proxyFor() refuses an unusable proxy, without its password", () => {
  for (
    const text of ["http://", "ftp://u:secret@p", "http://u:secret@:80", "%"]
  ) {
    const settings = { httpsProxy: text, noProxy: undefined };
    const error = assertThrows(
      () => proxyFor(new URL("https://ca.example"), settings),
      "config",
      /HTTPS_PROXY/,
    );
    assert(!error.message.includes("secret"));
  }
});

Deno.test("proxyName() leaves user and password out", () => {
  const proxy = new URL("http://user:secret@proxy.example:3128");
  assertEquals(proxyName(proxy), PROXY);
});

Deno.test("proxyFor() survives any NO_PROXY", () => {
  const entry = fc.oneof(
    fc.string(),
    fc.ipV6(),
    fc.ipV4(),
    fc.stringMatching(/^[\d.:/[\]*a-f]{0,30}$/),
  );
  fc.assert(fc.property(fc.array(entry), (entries) => {
    isProxied("https://[2001:db8::1]:9000", entries.join(","));
    isProxied("https://10.1.2.3", entries.join(","));
    isProxied("https://ca.example", entries.join(","));
  }));
});

Deno.test("proxyFor() exempts every address that NO_PROXY names", () => {
  fc.assert(fc.property(fc.ipV6(), (address) => {
    assert(!isProxied(`https://[${address}]`, address), address);
  }));
});
