import { refusal } from "../../../src/ca/online/refusal.ts";
import { assertEquals, assertMatch } from "../../support/assert.ts";

const CONTEXT = {
  url: new URL("https://ca.example/rekey"),
  now: new Date("2030-01-01T00:00:00Z"),
  secrets: [],
};

for (const status of [301, 302, 307, 308]) {
  Deno.test(`refusal() follows no redirect ${status}, and a daemon asks again`, () => {
    const headers = new Headers({ location: "https://login.example/" });
    const error = refusal({ status, headers, body: "" }, CONTEXT);
    assertEquals([error.kind, error.retry], ["untrusted", "slowly"]);
    assertMatch(error.message, /a redirect to login\.example/);
  });
}
