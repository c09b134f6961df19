import { refusalOf } from "../../../src/ca/online/refusal.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { hintOf } from "../../support/hint.ts";

const CONTEXT = {
  url: new URL("https://ca.example/rekey"),
  now: new Date("2030-01-01T00:00:00Z"),
  secrets: [],
};

for (const status of [301, 302, 307, 308]) {
  Deno.test(`refusalOf() follows no redirect ${status}, and a daemon asks again`, () => {
    const headers = new Headers({ location: "https://login.example/" });
    const error = refusalOf({ status, headers, body: "" }, CONTEXT);
    assertEquals([error.kind, error.retry], ["untrusted", "slowly"]);
    assertMatch(error.message, /a redirect to login\.example/);
  });
}

for (const status of [100, 101, 103, 300, 304, 305, 306, 399]) {
  Deno.test(`refusalOf() does not call ${status} a redirect, whatever its headers`, () => {
    const headers = new Headers({ location: "https://login.example/" });
    const error = refusalOf({ status, headers, body: "" }, CONTEXT);
    assertEquals([error.kind, error.retry], ["untrusted", "slowly"]);
    assertMatch(
      error.message,
      new RegExp(
        `: HTTP ${status}, which is neither a certificate nor a refusal$`,
      ),
    );
  });
}

Deno.test("refusalOf() cuts what others wrote", () => {
  const long = "x".repeat(60_000);
  const answers = [
    [302, { location: `https://${long}/` }, ""],
    [302, { location: long }, ""],
    [403, { "x-request-id": long }, JSON.stringify({ message: long })],
    [404, { "content-type": long }, long],
    [503, { "retry-after": long }, `{"message":"${long}`],
  ] as const;
  for (const [status, headers, body] of answers) {
    const error = refusalOf(
      { status, headers: new Headers(headers), body },
      CONTEXT,
    );
    const text = `${error.message} ${hintOf(error)}`;
    assert(text.length < 1600, `${status}: ${text.length}`);
  }
});

Deno.test("refusalOf() says of 401 what was not authorized: a certificate, a token, neither", () => {
  for (
    const [path, advice] of [
      ["/rekey", /the certificate may be revoked/],
      ["/renew", /the certificate may be revoked/],
      ["/sign", /a token is good once, for minutes, for its own names/],
      ["/revoke", /^HTTP 401; the CA's log says more$/],
      ["/health", /^HTTP 401; the CA's log says more$/],
    ] as const
  ) {
    const error = refusalOf(
      { status: 401, headers: new Headers(), body: '{"message":"No."}' },
      { ...CONTEXT, url: new URL(path, CONTEXT.url) },
    );
    assertMatch(hintOf(error), advice);
  }
});
