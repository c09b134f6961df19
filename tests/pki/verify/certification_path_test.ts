import { assertEquals } from "../../support/assert.ts";
import {
  acceptAsOpenssl,
  ca,
  intermediate,
  leaf,
  makeIntermediate,
  makeLeaf,
  refuse,
  refuseAsOpenssl,
  root,
  verify,
  withNames,
  WITHOUT_IDS,
} from "./chain_fixture.ts";
import {
  CA_EXTENSIONS,
  type CertificateRequest,
  LEAF_EXTENSIONS,
} from "../../support/openssl_certificates.ts";

Deno.test("verifyIssued() accepts a leaf and its intermediate", async () => {
  await acceptAsOpenssl([leaf, intermediate]);
});

Deno.test("verifyIssued() accepts a chain that ends in the root", async () => {
  await acceptAsOpenssl([leaf, intermediate, root]);
});

Deno.test("verifyIssued() accepts an intermediate as the only anchor", async () => {
  await acceptAsOpenssl([leaf], { anchor: intermediate });
  await acceptAsOpenssl([leaf, intermediate], { anchor: intermediate });
  await acceptAsOpenssl([leaf, intermediate, root], { anchor: intermediate });
});

Deno.test("verifyIssued() finds the root among others, namesakes included", async () => {
  const namesake = await ca.issue({
    subject: "/O=Acme/CN=Root",
    key: "EC:P-256#namesake",
    extensions: CA_EXTENSIONS,
  });
  const other = await ca.issue({
    subject: "/CN=Other",
    key: "EC:P-256#other",
    extensions: CA_EXTENSIONS,
  });
  const warnings = await verify([leaf, intermediate], {
    roots: [other, namesake, root],
  });
  assertEquals(warnings, []);
});

Deno.test("verifyIssued() goes past an expired copy of the root to a valid one", async () => {
  const expired = await ca.issue({
    subject: "/O=Acme/CN=Root",
    key: "EC:P-256#root",
    to: "20260201000000Z",
    extensions: CA_EXTENSIONS,
  });
  await verify([leaf, intermediate], { roots: [expired, root] });
  await verify([leaf, intermediate, expired], { roots: [root] });
});

Deno.test("verifyIssued() accepts a cross-signed root behind the trusted one", async () => {
  const old = await ca.issue({
    subject: "/CN=Old Root",
    key: "EC:P-256#old-root",
    extensions: CA_EXTENSIONS,
  });
  const cross = await ca.issue({
    subject: "/O=Acme/CN=Root",
    key: "EC:P-256#root",
    issuer: old,
    extensions: CA_EXTENSIONS,
  });
  await acceptAsOpenssl([leaf, intermediate, cross]);
  await acceptAsOpenssl([leaf, intermediate, cross], { anchor: old });
});

Deno.test("verifyIssued() accepts a root of version 1", async () => {
  const old = await ca.issue({ subject: "/CN=Old", key: "EC:P-256#old" });
  assertEquals(old.certificate.version, 1);
  const signed = await makeLeaf({ issuer: old, extensions: WITHOUT_IDS });
  await acceptAsOpenssl([signed], { anchor: old });
});

Deno.test("verifyIssued() refuses an intermediate of version 1", async () => {
  const old = await ca.issue({
    subject: "/O=Acme/CN=Intermediate",
    key: "EC:P-256#intermediate",
    issuer: root,
  });
  const signed = await makeLeaf({ issuer: old, extensions: WITHOUT_IDS });
  assertEquals(old.certificate.version, 1);
  await refuseAsOpenssl([signed, old], /"CN=Intermediate,O=Acme" is not a CA/);
});

Deno.test("verifyIssued() refuses a chain to a root that is not trusted", async () => {
  const other = await ca.issue({
    subject: "/CN=Other",
    key: "EC:P-256#other",
    extensions: CA_EXTENSIONS,
  });
  await refuseAsOpenssl(
    [leaf, intermediate],
    /no trusted root issued certificate 2 of the chain: its issuer is "CN=Root,O=Acme"/,
    { anchor: other },
  );
  await refuseAsOpenssl([leaf, intermediate, root], /no trusted root/, {
    anchor: other,
  });
  await refuse([leaf, intermediate], /no trusted root/, { roots: [] });
});

Deno.test("verifyIssued() refuses a root of the right name with another key", async () => {
  const namesake = await ca.issue({
    subject: "/O=Acme/CN=Root",
    key: "EC:P-256#namesake",
    extensions: CA_EXTENSIONS,
  });
  await refuseAsOpenssl(
    [leaf, intermediate],
    /names the trusted root .* but that root's key did not sign it/,
    {
      anchor: namesake,
    },
  );
});

Deno.test("verifyIssued() refuses a chain without the intermediate", async () => {
  await refuseAsOpenssl([leaf], /no trusted root issued certificate 1/);
});

Deno.test("verifyIssued() refuses the leaf itself as an anchor", async () => {
  await refuse([leaf], /no trusted root issued certificate 1/, {
    roots: [leaf],
  });
});

Deno.test("verifyIssued() refuses a self-signed certificate, trusted or not", async () => {
  const selfSigned = await ca.issue({
    subject: "/O=Acme/CN=internal",
    key: "EC:P-256#leaf",
    extensions: LEAF_EXTENSIONS,
  });
  await refuse([selfSigned], /no trusted root/);
  await refuse([selfSigned], /no trusted root/, { roots: [selfSigned] });
});

Deno.test("verifyIssued() refuses a repeated leaf", async () => {
  await refuse(
    [leaf, leaf, intermediate],
    /not in order: certificate 2 did not issue certificate 1, it repeats certificate 1/,
  );
});

Deno.test("verifyIssued() refuses the leaf again at the end", async () => {
  await refuse(
    [leaf, intermediate, leaf],
    /certificate 3 did not issue certificate 2, it repeats certificate 1/,
  );
});

Deno.test("verifyIssued() refuses a repeated intermediate and a repeated root", async () => {
  await refuse(
    [leaf, intermediate, intermediate],
    /certificate 3 did not issue certificate 2/,
  );
  await refuse(
    [leaf, intermediate, root, root],
    /certificate 4 did not issue certificate 3, it repeats certificate 3/,
  );
});

Deno.test("verifyIssued() refuses issuers in the wrong order", async () => {
  await refuse(
    [leaf, root, intermediate],
    /not in order: certificate 2 did not issue certificate 1$/,
  );
});

Deno.test("verifyIssued() refuses an unrelated certificate in the chain", async () => {
  const other = await ca.issue({
    subject: "/CN=Other",
    key: "EC:P-256#other",
    extensions: CA_EXTENSIONS,
  });
  await refuse([leaf, other, intermediate], /certificate 2 did not issue/);
  await refuse([leaf, intermediate, other], /certificate 3 did not issue/);
});

Deno.test("verifyIssued() refuses a namesake of the intermediate by its key identifier", async () => {
  const namesake = await makeIntermediate({ key: "EC:P-256#namesake" });
  await refuseAsOpenssl([leaf, namesake], /certificate 2 did not issue/);
});

Deno.test("verifyIssued() refuses an issuer of the right key with another name", async () => {
  const renamed = await makeIntermediate({ subject: "/CN=Renamed" });
  await refuseAsOpenssl(
    [leaf, renamed],
    /not in order: certificate 2 did not issue certificate 1$/,
  );
  const renamedRoot = await ca.issue({
    subject: "/CN=Renamed",
    key: "EC:P-256#root",
    extensions: CA_EXTENSIONS,
  });
  await refuseAsOpenssl([leaf, intermediate], /no trusted root issued/, {
    anchor: renamedRoot,
  });
});

Deno.test("verifyIssued() refuses a signature by another key of the same name", async () => {
  const namesake = await makeIntermediate({ key: "EC:P-256#namesake" });
  const signed = await makeLeaf({ extensions: WITHOUT_IDS });
  await refuseAsOpenssl(
    [signed, namesake],
    /signature on certificate 1 of the chain does not verify with the key of certificate 2/,
  );
});

const BROKEN_ISSUERS: readonly (readonly [
  string,
  Partial<CertificateRequest>,
  RegExp,
])[] = [
  [
    "without basicConstraints",
    { extensions: ["keyUsage = critical,keyCertSign"] },
    /the intermediate "CN=Intermediate,O=Acme" is not a CA: basicConstraints should say CA:TRUE/,
  ],
  [
    "with CA:FALSE",
    { extensions: ["basicConstraints = critical,CA:FALSE"] },
    /is not a CA/,
  ],
  [
    "without keyCertSign",
    { extensions: [...CA_EXTENSIONS, "keyUsage = critical,cRLSign"] },
    /must not sign certificates/,
  ],
  [
    "that expired",
    { to: "20260201000000Z" },
    /the intermediate .* expired on 2026-02-01T00:00:00.000Z/,
  ],
  [
    "that is not valid yet",
    { from: "20260701000000Z" },
    /the intermediate .* is not valid before 2026-07-01T00:00:00.000Z/,
  ],
  [
    "with an unknown critical extension",
    { extensions: [...CA_EXTENSIONS, "1.2.3.4 = critical,DER:0500"] },
    /unknown critical extension, 1\.2\.3\.4/,
  ],
  [
    "with excluded DNS names",
    {
      extensions: [
        ...CA_EXTENSIONS,
        "nameConstraints = critical,excluded;DNS:example.com",
      ],
    },
    /the name constraints of the intermediate .* are broken: DNS name "internal.example.com" is excluded by constraint "example.com"/,
  ],
  [
    "with other permitted DNS names",
    {
      extensions: [
        ...CA_EXTENSIONS,
        "nameConstraints = critical,permitted;DNS:example.org",
      ],
    },
    /DNS name "internal.example.com" is not permitted by any constraint/,
  ],
  [
    "with other permitted addresses",
    {
      extensions: [
        ...CA_EXTENSIONS,
        "nameConstraints = critical,permitted;IP:192.168.0.0/255.255.0.0",
      ],
    },
    /IP address "10.0.0.1" is not permitted/,
  ],
  [
    "with an excluded directory name",
    {
      extensions: [
        ...CA_EXTENSIONS,
        "nameConstraints = critical,excluded;dirName:dn",
        "[dn]",
        "O = ACME",
      ],
    },
    /the name "o=acme,cn=internal" is excluded/,
  ],
];

for (const [name, changes, pattern] of BROKEN_ISSUERS) {
  Deno.test(`verifyIssued() refuses an intermediate ${name}`, async () => {
    const broken = await makeIntermediate(changes);
    const signed = await makeLeaf({ issuer: broken });
    await refuseAsOpenssl([signed, broken], pattern);
  });

  Deno.test(`verifyIssued() refuses a root ${name}`, async () => {
    const broken = await ca.issue({
      subject: "/O=Acme/CN=Intermediate",
      key: "EC:P-256#intermediate",
      extensions: CA_EXTENSIONS,
      ...changes,
    });
    const signed = await makeLeaf({ issuer: broken });
    const atRoot = new RegExp(pattern.source.replace("intermediate", "root"));
    await refuse([signed], atRoot, { roots: [broken] });
    await refuse([signed, broken], atRoot, { roots: [broken] });
  });
}

Deno.test("verifyIssued() accepts names inside the constraints of every issuer", async () => {
  const constrained = await makeIntermediate({
    extensions: [
      ...CA_EXTENSIONS,
      "nameConstraints = critical,permitted;DNS:example.com,permitted;IP:10.0.0.0/255.0.0.0,permitted;dirName:dn,excluded;DNS:evil.example.com,excluded;otherName:1.2.3;UTF8:x",
      "[dn]",
      "O = Acme",
    ],
  });
  const signed = await makeLeaf({ issuer: constrained });
  await acceptAsOpenssl([signed, constrained]);
});

Deno.test("verifyIssued() asks for the permission of each issuer by itself", async () => {
  const wide = await ca.issue({
    subject: "/CN=Wide",
    key: "EC:P-256#root",
    extensions: [
      ...CA_EXTENSIONS,
      "nameConstraints = critical,permitted;DNS:example.com",
    ],
  });
  const narrow = await makeIntermediate({
    issuer: wide,
    extensions: [
      ...CA_EXTENSIONS,
      "nameConstraints = critical,permitted;DNS:other.example.com",
    ],
  });
  const signed = await makeLeaf({ issuer: narrow });
  await refuseAsOpenssl([signed, narrow], /is not permitted/, {
    anchor: wide,
  });
});

Deno.test("verifyIssued() refuses an otherName where otherNames are constrained", async () => {
  const constrained = await makeIntermediate({
    extensions: [
      ...CA_EXTENSIONS,
      "nameConstraints = critical,excluded;otherName:1.2.3;UTF8:x",
    ],
  });
  const before = await withNames("otherName:1.2.4;UTF8:a");
  const signed = await makeLeaf({
    issuer: constrained,
    extensions: [...LEAF_EXTENSIONS, "subjectAltName = otherName:1.2.4;UTF8:a"],
  });
  await refuse([signed, constrained], /cannot be compared/, {
    previous: before,
  });
});

Deno.test("verifyIssued() refuses an issuer with malformed constraints", async () => {
  const broken = await makeIntermediate({
    extensions: [...CA_EXTENSIONS, "2.5.29.30 = critical,DER:3000"],
  });
  const signed = await makeLeaf({ issuer: broken });
  await refuse(
    [signed, broken],
    /cannot verify the chain: malformed certificate: empty name constraints/,
  );
});

function withPathLength(length: number): readonly string[] {
  return [
    ...CA_EXTENSIONS,
    `basicConstraints = critical,CA:TRUE,pathlen:${length}`,
  ];
}

Deno.test("verifyIssued() counts the intermediates below a pathLen", async () => {
  const top = await makeIntermediate({
    subject: "/CN=Top",
    key: "EC:P-256#top",
    extensions: withPathLength(0),
  });
  const direct = await makeLeaf({ issuer: top });
  await acceptAsOpenssl([direct, top]);
  const below = await makeIntermediate({ issuer: top });
  const signed = await makeLeaf({ issuer: below });
  await refuseAsOpenssl(
    [signed, below, top],
    /the intermediate "CN=Top" allows 0 intermediates below it, but the chain has 1/,
  );
});

Deno.test("verifyIssued() counts the intermediates below the pathLen of the root", async () => {
  const small = await ca.issue({
    subject: "/CN=Small",
    key: "EC:P-256#root",
    extensions: withPathLength(0),
  });
  const below = await makeIntermediate({ issuer: small });
  const signed = await makeLeaf({ issuer: below });
  await refuse([signed, below], /the root "CN=Small" allows 0 intermediates/, {
    roots: [small],
  });
});

Deno.test("verifyIssued() does not count self-issued intermediates", async () => {
  const top = await makeIntermediate({ extensions: withPathLength(0) });
  const rollover = await ca.issue({
    subject: "/O=Acme/CN=Intermediate",
    key: "EC:P-256#rollover",
    issuer: top,
    extensions: CA_EXTENSIONS,
  });
  const signed = await makeLeaf({ issuer: rollover });
  await acceptAsOpenssl([signed, rollover, top]);
});

Deno.test("verifyIssued() holds names of an intermediate against the constraints above", async () => {
  const top = await makeIntermediate({
    subject: "/CN=Top",
    key: "EC:P-256#top",
    extensions: [
      ...CA_EXTENSIONS,
      "nameConstraints = critical,excluded;dirName:dn",
      "[dn]",
      "O = Acme",
      "CN = Intermediate",
    ],
  });
  const below = await makeIntermediate({ issuer: top });
  const signed = await makeLeaf({ issuer: below });
  await refuseAsOpenssl(
    [signed, below, top],
    /"CN=Top" are broken: the name "o=acme,cn=intermediate" is excluded/,
  );
});
