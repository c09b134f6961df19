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
  address: ":443",
  dnsNames: ["ca.example.com"],
  authority: { provisioners: [JWK] },
};

function parse(change: Json = {}): CaConfig {
  return parseCaConfig(JSON.stringify({ ...VALID, ...change }), "ca.json");
}

function withAuthority(change: Json): Json {
  return { authority: { ...VALID.authority, ...change } };
}

function withProvisioners(...provisioners: unknown[]): Json {
  return withAuthority({ provisioners });
}

const SSH_KEY = { kty: "EC", crv: "P-256", x: "eA", y: "eQ" };

function withSshKey(change: Json): Json {
  return { ssh: { keys: [{ type: "user", key: SSH_KEY, ...change }] } };
}

const TEMPLATE = {
  name: "a.tpl",
  type: "file",
  template: "templates/a.tpl",
  path: "a",
};

function withTemplate(change: Json): Json {
  return { templates: { ssh: { host: [{ ...TEMPLATE, ...change }] } } };
}

Deno.test("parseCaConfig() takes the least that is valid", () => {
  const none = {
    disableRenewal: undefined,
    allowRenewalAfterExpiry: undefined,
  };
  assertEquals(parse(), {
    roots: ["root.crt"],
    certificate: "ca.crt",
    key: "ca.key",
    password: "",
    backdate: 60_000_000_000n,
    claims: none,
    provisioners: [{
      type: "jwk",
      name: "admin",
      id: "admin:k",
      claims: none,
    }],
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
    ["a list of roots", { root: ["a", "b"] }, { roots: ["a", "b"] }],
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
    ["softkms by name", { kms: { type: "SoftKMS" } }, { key: "ca.key" }],
    ["softkms by URI", { kms: { uri: "softkms:" } }, { key: "ca.key" }],
    ["softkms in the key", { key: "softkms:path=a" }, {
      key: "softkms:path=a",
    }],
    ["softcas by name", withAuthority({ type: "SoftCAS" }), { key: "ca.key" }],
    ["enableAdmin false", withAuthority({ enableAdmin: false }), {
      key: "ca.key",
    }],
    ["unknown members", { monitoring: 1, federatedRoots: null }, {
      key: "ca.key",
    }],
    ["what a rekey has no use for", {
      federatedRoots: ["none.crt"],
      dnsNames: ["fe80::ab"],
      ...withAuthority({ policy: { x509: { allow: { dns: ["*.*"] } } } }),
    }, { key: "ca.key" }],
    ["public keys of SSH", withSshKey({}), { key: "ca.key" }],
    ["a template of a file", withTemplate({}), { key: "ca.key" }],
    [
      "a template of a directory",
      withTemplate({ type: "directory", template: "" }),
      { key: "ca.key" },
    ],
    ["template data with names in lower case", {
      templates: { data: { step: 1, user: 2 } },
    }, { key: "ca.key" }],
    ["an address with an IPv6 host", { address: "[::1]:443" }, {
      key: "ca.key",
    }],
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
    parseCaConfig(`\uFEFF${JSON.stringify(VALID)}`, "ca.json").key,
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

const TWO_K8SSA = withProvisioners(
  { type: "K8sSA", name: "a" },
  { type: "k8ssa", name: "b" },
);

for (
  const [message, change] of [
    ["error parsing ca.json: no provisioners found", { authority: null }],
    ["error parsing ca.json: no provisioners found", withProvisioners()],
    [
      "error parsing ca.json: no provisioners found",
      withProvisioners({ type: "future", name: "a" }),
    ],
    ["address cannot be empty", { address: "" }],
    ["dnsNames cannot be empty", { dnsNames: [] }],
    ["dnsNames cannot be empty", { dnsNames: null }],
    ["root cannot be empty", { root: null }],
    ["root cannot be empty", { root: "" }],
    ["root cannot be empty", { root: [] }],
    ["root cannot be empty", { root: ["a", ""] }],
    ["crt cannot be empty", { crt: "" }],
    ["key cannot be empty", { key: null }],
    ["invalid address localhost", { address: "localhost" }],
    ["invalid address ::1:443", { address: "::1:443" }],
    ['invalid metrics address "host"', { metricsAddress: "host" }],
    [
      "tls minVersion cannot exceed tls maxVersion",
      { tls: { minVersion: 1.3, maxVersion: 1.2 } },
    ],
    // 1.2 is the least that step-ca begins with.
    ["tls minVersion cannot exceed tls maxVersion", { tls: { maxVersion: 1 } }],
    [
      "crl.cacheDuration must be greater than or equal to 0",
      { crl: { cacheDuration: "-1s" } },
    ],
    [
      "crl.renewPeriod must be greater than or equal to 0",
      { crl: { renewPeriod: "-1s" } },
    ],
    [
      "crl.cacheDuration must be greater than or equal to crl.renewPeriod",
      { crl: { cacheDuration: "1m", renewPeriod: "2m" } },
    ],
    [
      "cannot have more than one kubernetes service account provisioner",
      TWO_K8SSA,
    ],
    [
      "authority.backdate cannot be less than 0",
      withAuthority({ backdate: "-1s" }),
    ],
    [
      "cannot add multiple provisioners with the same name",
      withProvisioners(JWK, { type: "ACME", name: "admin" }),
    ],
    ["error parsing ca.json: no provisioners found", withProvisioners(null)],
    [
      "provisioner key cannot be empty",
      withProvisioners({ type: "jwk", name: "x" }),
    ],
    [
      "provisioner key cannot be empty",
      withProvisioners(JWK, { type: "jwk", name: "x", key: null }),
    ],
    ["type cannot be empty", withSshKey({ type: "" })],
    [
      "invalid type guest, it must be user or host",
      withSshKey({ type: "guest" }),
    ],
    ["invalid key type, it must be a public key", withSshKey({ key: null })],
    [
      "invalid key type, it must be a public key",
      withSshKey({ key: { ...SSH_KEY, d: "secret" } }),
    ],
    [
      "invalid key type, it must be a public key",
      withSshKey({ key: { kty: "oct", k: "secret" } }),
    ],
    ["template name cannot be empty", withTemplate({ name: "" })],
    [
      "invalid template type x, it must be snippet, prepend-line, file, or directory",
      withTemplate({ type: "x" }),
    ],
    ["template template cannot be empty", withTemplate({ template: "" })],
    [
      "template template must be empty with directory type",
      withTemplate({ type: "directory" }),
    ],
    ["template path cannot be empty", withTemplate({ path: "" })],
    [
      "templates variables cannot contain 'Step' as a property",
      { templates: { data: { Step: null } } },
    ],
    [
      "templates variables cannot contain 'User' as a property",
      { templates: { data: { User: 1 } } },
    ],
    // The first fault in the order of step-ca.
    [
      "type cannot be empty",
      { ...withSshKey({ type: "" }), ...withTemplate({ name: "" }) },
    ],
    [
      "template name cannot be empty",
      { ...withTemplate({ name: "" }), crl: { renewPeriod: "-1s" } },
    ],
    ["address cannot be empty", { address: "", crt: "", root: "" }],
    ["root cannot be empty", { root: "", crt: "", address: "x" }],
    ["crt cannot be empty", { crt: "", key: "", address: "x" }],
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
    ["dnsNames has to be an array of strings", { dnsNames: "a" }],
    ["db has to be an object", { db: "bbolt" }],
    ["tls.minVersion has to be a number", { tls: { minVersion: "1.2" } }],
    ["tls.cipherSuites has to be an array of", { tls: { cipherSuites: "X" } }],
    ["tls.renegotiation has to be true", { tls: { renegotiation: 1 } }],
    ["insecureAddress has to be a string", { insecureAddress: 5 }],
    ["commonName has to be a string", { commonName: 7 }],
    ["federatedRoots has to be an array of", { federatedRoots: "x" }],
    [
      "db.badgerFileLoadingMode has to be a string",
      { db: { badgerFileLoadingMode: 5 } },
    ],
    ["db.database has to be a string", { db: { database: 7 } }],
    ["kms.pin has to be a string", { kms: { pin: 1 } }],
    ["crl.enabled has to be true or false", { crl: { enabled: "yes" } }],
    ["ssh.bastion has to be an object", { ssh: { bastion: "host" } }],
    ["ssh.keys[0].federated has to be true", withSshKey({ federated: 1 })],
    [
      "templates.ssh.host[0].requires has to be an array of",
      withTemplate({ requires: "x" }),
    ],
    [
      "authority.template.country has to be a string",
      withAuthority({ template: { country: 5 } }),
    ],
    [
      "authority.claims.enableSSHCA has to be true or false",
      withAuthority({ claims: { enableSSHCA: "x" } }),
    ],
    [
      "authority.claims.maxHostSSHCertDuration is not a duration",
      withAuthority({ claims: { maxHostSSHCertDuration: "a day" } }),
    ],
    [
      "authority.provisioners[1].claims.enableSSHCA has to be true or false",
      withProvisioners(null, { ...JWK, claims: { enableSSHCA: 1 } }),
    ],
    [
      "authority.policy.x509.allow.dns has to be an array of",
      withAuthority({ policy: { x509: { allow: { dns: "a" } } } }),
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
    const { database } = parseCaConfig(text, "ca.json", {
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
    const error = assertThrows(() => parseCaConfig(text, "ca.json"), "config");
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
