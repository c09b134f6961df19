/**
 * ca.json: what counts, what is refused, and in which words.
 */
import { hintOf } from "../../../support/hint.ts";
import fc from "fast-check";
import {
  type CaConfig,
  parseCaConfig,
} from "../../../../src/ca/offline/config/ca_config.ts";
import { RekeyError } from "../../../../src/base/errors.ts";
import { assert, assertEquals, assertThrows } from "../../../support/assert.ts";

const JWK = { type: "JWK", name: "admin", key: { kty: "EC", kid: "k" } };

type Json = Readonly<Record<string, unknown>>;

const VALID = {
  root: "root.crt",
  crt: "ca.crt",
  key: "ca.key",
  authority: { provisioners: [JWK] },
};

function parse(change: Json = {}): CaConfig {
  return parseCaConfig(JSON.stringify({ ...VALID, ...change }), {
    file: "ca.json",
  });
}

function withAuthority(change: Json): Json {
  return { authority: { ...VALID.authority, ...change } };
}

function withProvisioners(...provisioners: unknown[]): Json {
  return withAuthority({ provisioners });
}

Deno.test("parseCaConfig() takes the least that is valid", () => {
  const none = {
    disableRenewal: undefined,
    allowRenewalAfterExpiry: undefined,
  };
  assertEquals(parse(), {
    rootFiles: ["root.crt"],
    certificateFile: "ca.crt",
    keyFile: "ca.key",
    password: "",
    backdate: 60_000_000_000n,
    claims: none,
    provisioners: [{
      type: "jwk",
      name: "admin",
      id: "admin:k",
      claims: none,
    }],
    database: undefined,
  });
});

Deno.test("parseCaConfig() takes the claims of both levels", () => {
  const { claims, provisioners } = parse(withAuthority({
    claims: { disableRenewal: true, minTLSCertDuration: "5m" },
    provisioners: [{ ...JWK, claims: { allowRenewalAfterExpiry: false } }],
  }));
  assertEquals(claims.disableRenewal, true);
  assertEquals(claims.allowRenewalAfterExpiry, undefined);
  assertEquals(provisioners[0]?.claims.allowRenewalAfterExpiry, false);
});

for (
  const [what, change, picked] of [
    ["a list of roots", { root: ["a", "b"] }, { rootFiles: ["a", "b"] }],
    ["member names in any case", { PASSWORD: "secret" }, {
      password: "secret",
    }],
    ["the last of two members", { password: "a", Password: "b" }, {
      password: "b",
    }],
    ["null as absent", { password: null, db: null, kms: null }, {
      password: "",
    }],
    ["a backdate of zero", withAuthority({ backdate: "0s" }), { backdate: 0n }],
    ["a backdate with a fraction", withAuthority({ backdate: "1.5s" }), {
      backdate: 1_500_000_000n,
    }],
    ["softkms by name", { kms: { type: "SoftKMS" } }, { keyFile: "ca.key" }],
    ["softkms by URI", { kms: { uri: "softkms:" } }, { keyFile: "ca.key" }],
    ["softkms in the key", { key: "softkms:path=a" }, {
      keyFile: "softkms:path=a",
    }],
    ["softcas by name", withAuthority({ type: "SoftCAS" }), {
      keyFile: "ca.key",
    }],
    ["enableAdmin false", withAuthority({ enableAdmin: false }), {
      keyFile: "ca.key",
    }],
    ["unknown members", { monitoring: 1, federatedRoots: null }, {
      keyFile: "ca.key",
    }],
    ["what a rekey has no use for", {
      federatedRoots: ["none.crt"],
      dnsNames: ["fe80::ab"],
      ...withAuthority({ policy: { x509: { allow: { dns: ["*.*"] } } } }),
    }, { keyFile: "ca.key" }],
    ["what step-ca would not start with, and a rekey does not read", {
      address: 5,
      dnsNames: "a",
      ssh: { keys: "none" },
      templates: 1,
      tls: { minVersion: "2" },
      crl: { renewPeriod: "-1s" },
      ...withAuthority({ claims: { maxTLSCertDuration: "a day" } }),
    }, { keyFile: "ca.key" }],
  ] as const
) {
  Deno.test(`parseCaConfig() takes ${what}`, () => {
    const config: Json = { ...parse(change) };
    for (const [name, value] of Object.entries(picked)) {
      assertEquals(config[name], value);
    }
  });
}

Deno.test("parseCaConfig() skips a byte order mark", () => {
  assertEquals(
    parseCaConfig(`\uFEFF${JSON.stringify(VALID)}`, { file: "ca.json" })
      .keyFile,
    "ca.key",
  );
});

Deno.test("parseCaConfig() drops provisioners of other types unread", () => {
  const { provisioners } = parse(withProvisioners(
    { type: "future", name: 5, claims: "none" },
    { ...JWK, type: "aCmE" },
  ));
  assertEquals(provisioners.map(({ type }) => type), ["acme"]);
});

Deno.test("parseCaConfig() drops a null among the provisioners", () => {
  const { provisioners } = parse(withProvisioners(null, JWK, null));
  assertEquals(provisioners.map(({ name }) => name), ["admin"]);
});

for (
  const [message, change] of [
    ["error parsing ca.json: no provisioners found", { authority: null }],
    ["error parsing ca.json: no provisioners found", withProvisioners()],
    [
      "error parsing ca.json: no provisioners found",
      withProvisioners({ type: "future", name: "a" }),
    ],
    ["root cannot be empty", { root: null }],
    ["root cannot be empty", { root: "" }],
    ["root cannot be empty", { root: [] }],
    ["root cannot be empty", { root: ["a", ""] }],
    ["crt cannot be empty", { crt: "" }],
    ["key cannot be empty", { key: null }],
    [
      "authority.backdate cannot be less than 0",
      withAuthority({ backdate: "-1s" }),
    ],
    [
      "cannot add multiple provisioners with the same name",
      withProvisioners(JWK, { type: "ACME", name: "admin" }),
    ],
    ["error parsing ca.json: no provisioners found", withProvisioners(null)],
    ["crt cannot be empty", { crt: "", key: "" }],
  ] satisfies [string, Json][]
) {
  Deno.test(`parseCaConfig() says "${message}" for ${JSON.stringify(change)}`, () => {
    const error = assertThrows(() => parse(change), "config");
    assertEquals(error.message, message);
  });
}

for (
  const [part, change] of [
    ["authority.backdate is not a duration", withAuthority({ backdate: "1" })],
    ["authority.backdate has to be a string", withAuthority({ backdate: 60 })],
    ["authority has to be an object", { authority: [] }],
    [
      "authority.provisioners has to be an array",
      withAuthority({
        provisioners: {},
      }),
    ],
    ["authority.provisioners[0] has to be an object", withProvisioners("a")],
    [
      "authority.claims.disableRenewal has to be true or false",
      withAuthority({
        claims: { disableRenewal: "true" },
      }),
    ],
    ["password has to be a string", { password: 12345 }],
    ["root has to be a string or an array of strings", { root: [1] }],
    ["db has to be an object", { db: "bbolt" }],
    ["kms.type has to be a string", { kms: { type: 1 } }],
    [
      "authority.provisioners[1].claims.disableRenewal has to be true or false",
      withProvisioners(null, { ...JWK, claims: { disableRenewal: 1 } }),
    ],
  ] satisfies [string, Json][]
) {
  Deno.test(`parseCaConfig() names the member: ${part}`, () => {
    const { message } = assertThrows(() => parse(change), "config");
    assert(message.startsWith(`error reading ca.json: ${part}`), message);
  });
}

for (
  const type of [
    ..."awskms azurekms cloudkms pkcs11 yubikey sshagentkms tpmkms".split(" "),
    ..."capi mackms kms AzureKMS".split(" "),
  ]
) {
  for (
    const [where, change] of [
      ["kms.type", { kms: { type } }],
      ["kms.uri", { kms: { uri: `${type}:name=a` } }],
      ["key", { key: `${type}:name=a` }],
    ] as const
  ) {
    Deno.test(`parseCaConfig() refuses ${type} in ${where} by name`, () => {
      assertThrows(
        () => parse(change),
        "config",
        new RegExp(`unsupported kms type '${type.toLowerCase()}' in ca.json$`),
      );
    });
  }
}

Deno.test("parseCaConfig() refuses a KMS that it does not know", () => {
  assertThrows(
    () => parse({ kms: { type: "other" } }),
    "config",
    /unsupported kms type 'other'/,
  );
});

for (const type of ["stepcas", "cloudcas", "vaultcas", "other"]) {
  Deno.test(`parseCaConfig() refuses the CA ${type} behind this one`, () => {
    assertThrows(
      () => parse(withAuthority({ type })),
      "config",
      new RegExp(`unsupported cas type ${type} in ca.json$`),
    );
  });
}

Deno.test("parseCaConfig() refuses provisioners in a database", () => {
  const error = assertThrows(
    () => parse(withAuthority({ enableAdmin: true })),
    "config",
    /^cannot rekey offline: ca\.json sets "enableAdmin"/,
  );
  assert(error instanceof RekeyError);
  assert(hintOf(error).includes("--ca-url"));
});

for (
  const [type, read] of [
    ["badger", "badger v1"],
    ["badgerv1", "badger v1"],
    ["badgerV2", "badger v2"],
    ["BBOLT", "bbolt"],
  ] as const
) {
  Deno.test(`parseCaConfig() takes the database ${type}`, () => {
    assertEquals(parse({ db: { type, dataSource: "db" } }).database, {
      type: read,
      dataSource: "db",
      valueDir: "",
    });
  });
}

for (
  const [db, message] of [
    [
      { type: "mysql", dataSource: "db" },
      /^cannot rekey offline: ca\.json names a database of type "mysql".*revoked$/,
    ],
    [
      { type: "PostgreSQL", dataSource: "db" },
      /^cannot rekey offline: ca\.json names a database of type "PostgreSQL"/,
    ],
    [
      {},
      /^Error opening database of Type : {2}database not supported$/,
    ],
    [
      { type: "x" },
      /^Error opening database of Type x: x database not supported$/,
    ],
    [{ type: "bbolt" }, /has no "dataSource"$/],
    [{ type: 1 }, /db\.type has to be a string$/],
    [
      { type: "badgerv2", dataSource: ["db"] },
      /db\.dataSource has to be a string$/,
    ],
    [
      { type: "badgerv2", dataSource: "db", valueDir: 1 },
      /db\.valueDir has to be a string$/,
    ],
  ] as const
) {
  Deno.test(`parseCaConfig() refuses the database ${JSON.stringify(db)}`, () => {
    assertThrows(() => parse({ db }), "config", message);
  });
}

for (const type of ["badgerv2", "mysql", "x", ""]) {
  Deno.test(`parseCaConfig() does not look at an ignored database of type "${type}"`, () => {
    const text = JSON.stringify({ ...VALID, db: { type } });
    const { database } = parseCaConfig(text, {
      file: "ca.json",
      ignoreDatabase: true,
    });
    assertEquals(database, "ignored");
  });
}

const SECRET = "hunter2";

for (
  const [text, message] of [
    [`{"password": ${SECRET}}`, "invalid JSON"],
    [`{"password": "position 3 ${SECRET}" ${SECRET}}`, undefined],
    [`{"note": " at position 1 ", "password": ${SECRET}}`, "invalid JSON"],
    [
      `{\n  "password": "${SECRET}" "key": 1}`,
      "invalid JSON in line 2, column 25",
    ],
    [`{"password": "${SECRET}`, "invalid JSON in line 1, column 22"],
    [`{"password": "${SECRET}",}`, "invalid JSON in line 1, column 24"],
    [`{"password": "${SECRET}"} x`, "invalid JSON in line 1, column 25"],
    [`{"password": "\\q${SECRET}"}`, undefined],
    [`["${SECRET}"]`, "the document has to be an object"],
    [`"${SECRET}"`, "the document has to be an object"],
    ["", "invalid JSON in line 1, column 1"],
  ] as const
) {
  Deno.test(`parseCaConfig() does not quote ${JSON.stringify(text)}`, () => {
    const error = assertThrows(
      () => parseCaConfig(text, { file: "ca.json" }),
      "config",
    );
    assert(!Deno.inspect(error).includes(SECRET), error.message);
    if (message === undefined) return;
    assertEquals(error.message, `error reading ca.json: ${message}`);
  });
}

Deno.test("parseCaConfig() reads or refuses any JSON, and nothing else", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(VALID)), (
      value,
      name,
    ) => {
      try {
        parse({ [name]: value });
      } catch (error) {
        assert(error instanceof RekeyError && error.kind === "config");
      }
    }),
  );
});
