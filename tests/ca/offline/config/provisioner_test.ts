/**
 * Provisioners that cannot stand beside each other.
 */
import { parseCaConfig } from "../../../../src/ca/offline/config/ca_config.ts";
import { assertEquals, assertThrows } from "../../../support/assert.ts";

type Json = Readonly<Record<string, unknown>>;

const JWK = { type: "JWK", name: "admin", key: { kid: "a" } };

function parse(authority: Json) {
  return parseCaConfig(
    JSON.stringify({
      root: "root.crt",
      crt: "ca.crt",
      key: "ca.key",
      authority: { provisioners: [JWK], ...authority },
    }),
    { file: "ca.json" },
  );
}

for (const value of ["", "1", "1 h", "forever", 60]) {
  Deno.test(`parseCaConfig() refuses ${JSON.stringify(value)} as a duration`, () => {
    assertThrows(
      () => parse({ backdate: value }),
      "config",
      /^error reading ca\.json: authority\.backdate (is not a duration|has to be a string)/,
    );
  });
}

for (
  const [what, provisioners, message] of [
    ["a JWK with the name and key of another", [JWK, JWK], "id"],
    [
      "a JWK with the name of another",
      [JWK, { ...JWK, key: { kid: "b" } }],
      "name",
    ],
    [
      "two OIDC provisioners of one client",
      [
        { type: "OIDC", name: "a", clientID: "x" },
        { type: "OIDC", name: "b", clientID: "x" },
      ],
      "id",
    ],
    [
      "two Azure provisioners of one tenant",
      [
        { type: "Azure", name: "a", tenantID: "x" },
        { type: "Azure", name: "b", tenantID: "x" },
      ],
      "id",
    ],
    [
      "two ACME provisioners of one name",
      [{ type: "ACME", name: "a" }, { type: "acme", name: "a" }],
      "id",
    ],
    [
      "two types with one name",
      [{ type: "ACME", name: "a" }, { type: "X5C", name: "a" }],
      "name",
    ],
  ] as const
) {
  Deno.test(`parseCaConfig() refuses ${what}`, () => {
    const error = assertThrows(() => parse({ provisioners }), "config");
    assertEquals(
      error.message,
      `cannot add multiple provisioners with the same ${message}`,
    );
  });
}

Deno.test("parseCaConfig() takes two JWK provisioners with one key", () => {
  parse({ provisioners: [JWK, { ...JWK, name: "other" }] });
});
