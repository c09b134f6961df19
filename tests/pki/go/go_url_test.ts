/**
 * Only what the frozen vectors of Go (reissue_vectors_test.ts) cannot say, as
 * Go refuses it only since 1.25.2.
 */
import { GoUrlError, goUrlHost } from "../../../src/pki/go/go_url.ts";
import { assert, assertEquals } from "../../support/assert.ts";

Deno.test("goUrlHost() takes only an IPv6 address for a host in brackets", () => {
  for (const host of ["::1", "1::", "::ffff:10.0.0.1", "fe80::1%25eth0"]) {
    const shown = host.replace("%25", "%");
    assertEquals(goUrlHost(`http://[${host}]:80/`), `[${shown}]:80`);
  }
  for (
    const host of [
      "",
      "a",
      "10.0.0.1",
      "1:2",
      "::1%25",
      "::1]x",
      "::1%41",
      "%25a",
    ]
  ) {
    let refusal: unknown;
    try {
      goUrlHost(`http://[${host}]/`);
    } catch (error) {
      refusal = error;
    }
    assert(refusal instanceof GoUrlError, `accepts [${host}]`);
  }
});
