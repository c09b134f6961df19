import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import fc from "fast-check";
import { parseCertificate } from "../../../src/pki/certificate/certificate.ts";
import {
  directoryConstraintViolation,
  nameConstraints,
  nameConstraintViolation,
} from "../../../src/pki/verify/name_constraints.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import {
  type Issued,
  OpensslCertificates,
} from "../../support/openssl_certificates.ts";

const ca = new OpensslCertificates();

function withNames(names: string): Promise<Issued> {
  return ca.issue({
    subject: "/O=Acme/CN=host",
    extensions: [`subjectAltName = ${names}`],
  });
}

function withConstraints(...lists: readonly string[]): Promise<Issued> {
  return ca.issue({
    subject: "/CN=CA",
    extensions: [
      "basicConstraints = critical,CA:TRUE",
      `nameConstraints = critical,${lists.join(",")}`,
      "[dn]",
      "O = Acme",
      "[other_dn]",
      "O = Other",
    ],
  });
}

async function violation(
  names: string,
  ...sources: readonly (readonly string[])[]
): Promise<string | undefined> {
  const { certificate } = await withNames(names);
  const issuers = await Promise.all(
    sources.map((lists) => withConstraints(...lists)),
  );
  return nameConstraintViolation(
    certificate,
    issuers.map((issuer) => issuer.certificate),
  );
}

type Case = readonly [
  names: string,
  list: string,
  expected: string | undefined,
];

// Texts and results as step-ca's authority/internal/constraints has them.
const CASES: readonly Case[] = [
  ["DNS:example.com", "permitted;DNS:example.com", undefined],
  ["DNS:a.b.example.com", "permitted;DNS:example.com", undefined],
  ["DNS:A.EXAMPLE.com", "permitted;DNS:example.COM", undefined],
  ["DNS:*.example.com", "permitted;DNS:example.com", undefined],
  ["DNS:a.example.com", "permitted;DNS:.example.com", undefined],
  [
    "DNS:example.com",
    "permitted;DNS:.example.com",
    'DNS name "example.com" is not permitted by any constraint',
  ],
  [
    "DNS:badexample.com",
    "permitted;DNS:example.com",
    'DNS name "badexample.com" is not permitted by any constraint',
  ],
  [
    "DNS:com",
    "permitted;DNS:example.com",
    'DNS name "com" is not permitted by any constraint',
  ],
  [
    "DNS:a.example.com",
    "excluded;DNS:example.com",
    'DNS name "a.example.com" is excluded by constraint "example.com"',
  ],
  [
    "DNS:a.example.com.",
    "permitted;DNS:example.com",
    'internal error: cannot parse domain "a.example.com."',
  ],
  [
    "DNS:a..example.com",
    "permitted;DNS:example.com",
    'internal error: cannot parse domain "a..example.com"',
  ],
  [
    "DNS:a b",
    "excluded;DNS:example.com",
    'internal error: cannot parse domain "a b"',
  ],
  // Names of other types are not constrained.
  ["DNS:x,IP:10.0.0.1", "permitted;email:example.com", undefined],
  ["IP:10.1.2.3", "permitted;IP:10.0.0.0/255.0.0.0", undefined],
  ["IP:::ffff:10.1.2.3", "permitted;IP:10.0.0.0/255.0.0.0", undefined],
  [
    "IP:11.0.0.1",
    "permitted;IP:10.0.0.0/255.0.0.0",
    'IP address "11.0.0.1" is not permitted by any constraint',
  ],
  [
    "IP:::1",
    "permitted;IP:10.0.0.0/255.0.0.0",
    'IP address "::1" is not permitted by any constraint',
  ],
  [
    "IP:10.1.2.3",
    "excluded;IP:10.1.0.0/255.255.128.0",
    'IP address "10.1.2.3" is excluded by constraint "10.1.0.0/17"',
  ],
  [
    "IP:2001:db8::5",
    "excluded;IP:2001:db8::/ffff:ffff::",
    'IP address "2001:db8::5" is excluded by constraint "2001:db8::/32"',
  ],
  ["email:joe@example.com", "permitted;email:example.com", undefined],
  ["email:joe@Example.com", "permitted;email:joe@example.COM", undefined],
  [
    "email:Joe@example.com",
    "permitted;email:joe@example.com",
    'Email address "Joe@example.com" is not permitted by any constraint',
  ],
  ["email:joe@a.example.com", "permitted;email:.example.com", undefined],
  [
    "email:joe@example.com",
    "excluded;email:example.com",
    'Email address "joe@example.com" is excluded by constraint "example.com"',
  ],
  [
    "email:joe",
    "permitted;DNS:example.com",
    'cannot parse rfc822Name "joe"',
  ],
  [
    "URI:https://u@a.example.com:8443/x",
    "permitted;URI:example.com",
    undefined,
  ],
  ["URI:https://u:p@example.com", "permitted;URI:example.com", undefined],
  [
    "URI:spiffe://example.org/x",
    "permitted;URI:example.com",
    'URI "spiffe://example.org/x" is not permitted by any constraint',
  ],
  [
    "URI:https://example.com@example.org/",
    "permitted;URI:example.com",
    'URI "https://example.com@example.org/" is not permitted by any constraint',
  ],
  [
    "URI:urn:uuid:1",
    "permitted;URI:example.com",
    'URI with empty host ("urn:uuid:1") cannot be matched against constraints',
  ],
  [
    "URI:https://10.0.0.1/",
    "excluded;URI:example.com",
    'URI with IP ("https://10.0.0.1/") cannot be matched against constraints',
  ],
  [
    "URI:https://[::1]:9000/",
    "excluded;URI:example.com",
    'URI with IP ("https://[::1]:9000/") cannot be matched against constraints',
  ],
];

for (const [names, list, expected] of CASES) {
  const result = expected === undefined ? "permits" : "refuses";
  Deno.test(`nameConstraintViolation() ${result} ${names} under ${list}`, async () => {
    assertEquals(await violation(names, [list]), expected);
  });
}

Deno.test("nameConstraintViolation() lets the empty DNS constraint match every name", async () => {
  const { certificate } = await withNames("DNS:a..b");
  for (
    const [tag, expected] of [
      ["a0", undefined],
      ["a1", 'DNS name "a..b" is excluded by constraint ""'],
    ]
  ) {
    const issuer = await ca.issue({
      subject: "/CN=CA",
      extensions: [`2.5.29.30 = critical,DER:3006${tag}0430028200`],
    });
    assertEquals(
      nameConstraintViolation(certificate, [issuer.certificate]),
      expected,
    );
  }
});

Deno.test("nameConstraintViolation() puts the lists of all sources together", async () => {
  const sources = [["permitted;DNS:a.example"], ["permitted;DNS:b.example"]];
  assertEquals(
    await violation("DNS:a.example,DNS:b.example", ...sources),
    undefined,
  );
  assertEquals(
    await violation("DNS:a.example", ...sources, ["excluded;DNS:a.example"]),
    'DNS name "a.example" is excluded by constraint "a.example"',
  );
});

Deno.test("nameConstraintViolation() lets no URI through whose host is told in two ways", async () => {
  const uris = [
    "https://evil.example.com\\\\@example.org/",
    "https://evil%2eexample.com/",
    "https://example.org%00.example.com/",
  ];
  for (const uri of uris) {
    for (const mode of ["permitted", "excluded"]) {
      const problem = await violation(`URI:${uri}`, [
        `${mode};URI:example.com`,
      ]);
      assert(problem?.startsWith("URI with an odd host"), `${uri}: ${problem}`);
    }
  }
});

Deno.test("nameConstraintViolation() looks at DNS names, addresses, mails, URIs in this order", async () => {
  const list = [
    "permitted;DNS:a,permitted;IP:1.1.1.1/255.255.255.255",
    "permitted;email:a,permitted;URI:a",
  ];
  const names = "URI:https://x/,email:a@x,IP:2.2.2.2,DNS:x";
  assertEquals(
    await violation(names, list),
    'DNS name "x" is not permitted by any constraint',
  );
  assertEquals(
    await violation(names.replace(",DNS:x", ""), list),
    'IP address "2.2.2.2" is not permitted by any constraint',
  );
  assertEquals(
    await violation("URI:https://x/,email:a@x", list),
    'Email address "a@x" is not permitted by any constraint',
  );
});

Deno.test("nameConstraintViolation() never looks at the common name", async () => {
  const { certificate } = await ca.issue({
    subject: "/CN=evil.example",
    extensions: ["keyUsage = digitalSignature"],
  });
  const issuer = await withConstraints("permitted;DNS:good.example");
  assertEquals(
    nameConstraintViolation(certificate, [issuer.certificate]),
    undefined,
  );
});

Deno.test("nameConstraintViolation() permits all without constraints", async () => {
  const plain = await ca.issue({ subject: "/CN=CA" });
  const { certificate } = await withNames("DNS:a..b,email:joe");
  assertEquals(nameConstraintViolation(certificate, []), undefined);
  assertEquals(
    nameConstraintViolation(certificate, [plain.certificate]),
    undefined,
  );
});

Deno.test("nameConstraints() refuses malformed constraints", async () => {
  const values: readonly (readonly [string, RegExp])[] = [
    ["3000", /: empty name constraints extension$/],
    ["3002a000", /: empty name constraints extension$/],
    ["0500", /^malformed certificate$/],
    ["3003a20100", /^malformed certificate$/],
    // An IP constraint of one address, and one with holes in its mask.
    ["300aa0083006" + "870401020304", /value of length 4$/],
    ["300ea00c300a" + "87080a000000ff00ff00", /invalid mask ff00ff00$/],
    // minimum 1; maximum 0.
    ["300aa0083006" + "820161800101", /^malformed certificate$/],
    ["300aa0083006" + "820161810100", /^malformed certificate$/],
    ["3008a0063004" + "820261 2e".replace(" ", ""), /DNS constraint "a\."$/],
    ["3007a0053003" + "8101 40".replace(" ", ""), /email constraint "@"$/],
    ["3007a0053003" + "8201ff", /dNSName is malformed$/],
    ["3007a0053003" + "890161", /^malformed certificate$/],
  ];
  for (const [hex, pattern] of values) {
    const { certificate } = await ca.issue({
      subject: "/CN=CA",
      extensions: [`2.5.29.30 = critical,DER:${hex}`],
    });
    assertThrows(() => nameConstraints(certificate), MalformedError, pattern);
  }
});

Deno.test("nameConstraints() takes a minimum of 0 that is written out", async () => {
  const { certificate } = await ca.issue({
    subject: "/CN=CA",
    extensions: ["2.5.29.30 = critical,DER:300aa0083006820161800100"],
  });
  assertEquals(nameConstraints(certificate)?.permitted.length, 1);
});

async function directoryViolation(
  subject: string,
  ...lists: readonly string[]
): Promise<string | undefined> {
  const { certificate } = await ca.issue({ subject, extensions: ["[x]"] });
  const issuer = await withConstraints(...lists);
  return directoryConstraintViolation(certificate, issuer.certificate);
}

Deno.test("directoryConstraintViolation() compares components from the left", async () => {
  const permitted = "permitted;dirName:dn";
  assertEquals(await directoryViolation("/O=Acme/CN=x", permitted), undefined);
  assertEquals(await directoryViolation("/O=ACME/CN=x", permitted), undefined);
  assertEquals(
    await directoryViolation("/CN=x/O=Acme", permitted),
    'the name "cn=x,o=acme" is not permitted',
  );
  assertEquals(
    await directoryViolation("/O=Acme/CN=x", "excluded;dirName:dn"),
    'the name "o=acme,cn=x" is excluded',
  );
  assertEquals(
    await directoryViolation("/O=Acme/CN=x", "excluded;dirName:other_dn"),
    undefined,
  );
});

Deno.test("directoryConstraintViolation() permits an empty subject", async () => {
  const { certificate } = await ca.issue({ subject: "/CN=x" });
  const issuer = await withConstraints("permitted;dirName:dn");
  const anonymous = { ...certificate, subjectDer: Uint8Array.of(0x30, 0) };
  assertEquals(
    directoryConstraintViolation(anonymous, issuer.certificate),
    undefined,
  );
});

Deno.test("directoryConstraintViolation() ignores other constraints, and their absence", async () => {
  assertEquals(
    await directoryViolation("/O=Acme", "permitted;DNS:example.com"),
    undefined,
  );
  const plain = await ca.issue({ subject: "/CN=CA" });
  assertEquals(
    directoryConstraintViolation(plain.certificate, plain.certificate),
    undefined,
  );
});

Deno.test("nameConstraintViolation() agrees with openssl on DNS names", async () => {
  // One constrained CA; many names in one certificate each. openssl asks for
  // the same labels, but ignores that a dot in front wants one more.
  const issuer = await ca.issue({
    subject: "/CN=Constrained",
    extensions: [
      "basicConstraints = critical,CA:TRUE",
      "nameConstraints = permitted;DNS:example.com,excluded;DNS:b.example.com",
    ],
  });
  const labels = fc.constantFrom("a", "b", "example", "com", "EXAMPLE");
  const names = fc.array(labels, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(names, async (parts) => {
      const host = await ca.issue({
        subject: "/CN=host",
        key: "EC:P-256#host",
        issuer,
        extensions: [`subjectAltName = DNS:${parts.join(".")}`],
      });
      const { stdout } = await runOk("sh", [
        "-c",
        'openssl verify -no_check_time -CAfile "$1" "$2" 2>&1 || true',
        ...["sh", issuer.certificateFile, host.certificateFile],
      ]);
      const isRefused = nameConstraintViolation(
        host.certificate,
        [issuer.certificate],
      ) !== undefined;
      const isRefusedByOpenssl = /(permitted|excluded) subtree/.test(stdout);
      assertEquals(isRefused, isRefusedByOpenssl, stdout);
    }),
    { numRuns: 25 },
  );
});

Deno.test("nameConstraintViolation() gives a text or nothing for any names", async () => {
  const issuer = await withConstraints(
    "permitted;DNS:a.b,permitted;email:a@b,permitted;URI:a.b",
  );
  const { certificate } = await withNames("DNS:x");
  const octets = fc.uint8Array({ maxLength: 20, max: 127 });
  const tags = fc.constantFrom(0x81, 0x82, 0x86);
  fc.assert(
    fc.property(fc.array(fc.tuple(tags, octets), { maxLength: 3 }), (names) => {
      const list = names.flatMap((
        [tag, bytes],
      ) => [tag, bytes.length, ...bytes]);
      const value = Uint8Array.of(0x30, list.length, ...list);
      const changed = {
        ...certificate,
        extensions: [{ oid: "2.5.29.17", critical: false, value }],
      };
      const text = nameConstraintViolation(changed, [issuer.certificate]);
      // What is printed must not reach the terminal as control codes.
      // deno-lint-ignore no-control-regex
      assert(text === undefined || !/[\x00-\x1f\x7f]/.test(text), text);
    }),
  );
});

Deno.test("nameConstraintViolation() uses the names of the certificate, not a list beside it", async () => {
  const { certificate } = await withNames("DNS:a.b");
  const again = parseCertificate(certificate.der);
  const issuer = await withConstraints("excluded;DNS:a.b");
  assert(nameConstraintViolation(again, [issuer.certificate]) !== undefined);
});
