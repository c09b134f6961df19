/**
 * Claims and provisioners that step-ca would not start with.
 */
import { authorizeRekey } from "../../../../src/ca/offline/authorize.ts";
import { parseCaConfig } from "../../../../src/ca/offline/config/ca_config.ts";
import { assertEquals, assertThrows } from "../../../support/assert.ts";
import { NOW, OpensslCa } from "../../../pki/openssl_ca.ts";

type Json = Readonly<Record<string, unknown>>;

const JWK = { type: "JWK", name: "admin", key: { kid: "a" } };

function parse(authority: Json) {
  return parseCaConfig(
    JSON.stringify({
      root: "root.crt",
      crt: "ca.crt",
      key: "ca.key",
      address: ":443",
      dnsNames: ["ca.example.com"],
      authority: { provisioners: [JWK], ...authority },
    }),
    "ca.json",
  );
}

const MIN_MAX =
  "claims: MaxCertDuration cannot be less than MinCertDuration: MaxCertDuration - 1m0s, MinCertDuration - 5m0s";
const DEFAULT_MIN =
  "claims: DefaultCertDuration cannot be less than MinCertDuration: DefaultCertDuration - 1h0m0s, MinCertDuration - 2h0m0s";
const MAX_DEFAULT =
  "claims: MaxCertDuration cannot be less than DefaultCertDuration: MaxCertDuration - 1h0m0s, DefaultCertDuration - 24h0m0s";

/** Each is a fault of the authority and of a provisioner below default claims. */
const FAULTS: readonly (readonly [claims: Json, fault: string])[] = [
  [
    { minTLSCertDuration: "0s" },
    "claims: MinTLSCertDuration must be greater than 0",
  ],
  [
    { maxTLSCertDuration: "-1s" },
    "claims: MaxTLSCertDuration must be greater than 0",
  ],
  [
    { minTLSCertDuration: "1s", defaultTLSCertDuration: "0" },
    "claims: DefaultTLSCertDuration must be greater than 0",
  ],
  [{ maxTLSCertDuration: "1m" }, MIN_MAX],
  [
    { defaultTLSCertDuration: "1h", minTLSCertDuration: "2h" },
    DEFAULT_MIN,
  ],
  [{ maxTLSCertDuration: "1h" }, MAX_DEFAULT],
];

for (const [claims, fault] of FAULTS) {
  const text = JSON.stringify(claims);
  Deno.test(`parseCaConfig() refuses the claims ${text} of the authority`, () => {
    const error = assertThrows(() => parse({ claims }), "config");
    assertEquals(
      error.message,
      `error generating provisioner config: ${fault}`,
    );
  });

  Deno.test(`parseCaConfig() marks a provisioner with the claims ${text}`, () => {
    const { provisioners } = parse({
      provisioners: [JWK, { type: "ACME", name: "bad", claims }],
    });
    assertEquals(provisioners.map(({ fault }) => fault), [undefined, fault]);
  });
}

for (
  const claims of [
    { minTLSCertDuration: "1m", maxTLSCertDuration: "48h" },
    // A default outside of the limits moves them.
    { defaultTLSCertDuration: "720h" },
    { defaultTLSCertDuration: "1m" },
    { minTLSCertDuration: null, disableRenewal: null },
  ]
) {
  Deno.test(`parseCaConfig() takes the claims ${JSON.stringify(claims)}`, () => {
    const { provisioners } = parse({
      claims,
      provisioners: [{ ...JWK, claims }],
    });
    assertEquals(provisioners[0]?.fault, undefined);
  });
}

Deno.test("parseCaConfig() holds a provisioner to the limits of the authority", () => {
  const { provisioners } = parse({
    claims: { maxTLSCertDuration: "2h", defaultTLSCertDuration: "1h" },
    provisioners: [{ ...JWK, claims: { minTLSCertDuration: "3h" } }],
  });
  assertEquals(
    provisioners[0]?.fault,
    "claims: MaxCertDuration cannot be less than MinCertDuration: MaxCertDuration - 2h0m0s, MinCertDuration - 3h0m0s",
  );
});

for (const value of ["", "1", "1 h", "forever", 60]) {
  Deno.test(`parseCaConfig() refuses ${JSON.stringify(value)} as a duration`, () => {
    for (
      const authority of [
        { claims: { maxTLSCertDuration: value } },
        { backdate: value },
      ]
    ) {
      assertThrows(
        () => parse(authority),
        "config",
        /^error reading ca\.json: authority\.(claims\.maxTLSCertDuration|backdate) (is not a duration|has to be a string)/,
      );
    }
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

Deno.test("authorizeRekey() refuses when the provisioner itself is unusable", async () => {
  const { certificate } = await new OpensslCa().issue({
    subject: "/CN=host",
    extensions: [
      "1.3.6.1.4.1.37476.9000.64.1 = DER:300e" + "020101" + "040561646d696e" +
      "04026964",
    ],
  });
  const config = parse({
    provisioners: [{ ...JWK, claims: { minTLSCertDuration: "0s" } }],
  });
  assertThrows(
    () => authorizeRekey(certificate, config, { now: NOW }),
    "config",
    /^the provisioner "admin" in ca\.json is unusable: claims: MinTLSCertDuration must be greater than 0$/,
  );
});
