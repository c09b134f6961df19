import fc from "fast-check";
import {
  type Certificate,
  chainToPem,
  parseCertificate,
  parseChain,
} from "../../../src/pki/certificate/certificate.ts";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { OpensslCertificates } from "../../support/openssl_certificates.ts";

const ca = new OpensslCertificates();
const keyFile = await ca.key("EC:P-256");

/** A self-signed certificate as DER; `args` go to `openssl req -x509`. */
async function selfSigned(
  subject: string,
  ...args: readonly string[]
): Promise<Uint8Array> {
  const out = `${ca.path}/self-signed.der`;
  await runOk("openssl", [
    ...["req", "-x509", "-key", keyFile, "-outform", "DER", "-out", out],
    ...["-utf8", "-multivalue-rdn", "-subj", subject, ...args],
  ]);
  return await Deno.readFile(out);
}

/** What `openssl x509` prints of it. */
async function opensslText(
  der: Uint8Array,
  ...args: readonly string[]
): Promise<string> {
  const { stdout } = await runOk(
    "openssl",
    ["x509", "-inform", "DER", "-noout", ...args],
    { stdin: der },
  );
  return stdout.replace(/\n$/, "");
}

function text(...parts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(parts.join(""));
}

function toPem(label: string, der: Uint8Array, headers = ""): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${headers}${
    lines.join("\n")
  }\n-----END ${label}-----\n`;
}

const first = await selfSigned("/CN=first", "-days", "1");
const second = await selfSigned("/CN=second", "-days", "1");

function subjects(chain: readonly Certificate[]): readonly string[] {
  return chain.map(({ subject }) => subject);
}

Deno.test("parseChain() reads every certificate in file order", () => {
  const pem = toPem("CERTIFICATE", second) + toPem("CERTIFICATE", first);
  assertEquals(subjects(parseChain(text(pem))), ["CN=second", "CN=first"]);
});

Deno.test("parseChain() skips text, other blocks and blocks with headers", () => {
  const chain = parseChain(text(
    "subject=CN = first\n",
    toPem("TRUSTED CERTIFICATE", second),
    toPem("X509 CERTIFICATE", second),
    toPem("PRIVATE KEY", second),
    toPem("CERTIFICATE", second, "Comment: not this one\n\n"),
    toPem("CERTIFICATE", first),
    "the end\n",
  ));
  assertEquals(subjects(chain), ["CN=first"]);
});

Deno.test("parseChain() reads one DER certificate", () => {
  assertEquals(subjects(parseChain(first)), ["CN=first"]);
});

Deno.test("parseChain() refuses PEM without a certificate", () => {
  for (
    const content of [
      toPem("PRIVATE KEY", first),
      toPem("CERTIFICATE", first, "Proc-Type: 4,ENCRYPTED\n\n"),
      toPem("TRUSTED CERTIFICATE", first),
    ]
  ) {
    assertThrows(
      () => parseChain(text(content)),
      MalformedError,
      /^does not contain a valid PEM encoded certificate$/,
    );
  }
});

Deno.test("parseChain() fails the file for one damaged certificate", () => {
  const damaged = first.slice();
  damaged[4] = 0x31;
  for (const der of [damaged, first.subarray(0, -1), new Uint8Array(0)]) {
    const pem = toPem("CERTIFICATE", second) + toPem("CERTIFICATE", der);
    assertThrows(
      () => parseChain(text(pem)),
      MalformedError,
      /^malformed certificate/,
    );
  }
});

Deno.test("parseChain() takes what is not PEM for DER", () => {
  for (const content of [text("hello"), new Uint8Array(0), text("0")]) {
    assertThrows(
      () => parseChain(content),
      MalformedError,
      /^malformed certificate$/,
    );
  }
});

Deno.test("parseCertificate() refuses bytes behind the certificate", () => {
  const longer = Uint8Array.of(...first, 0);
  assertThrows(
    () => parseCertificate(longer),
    MalformedError,
    /^malformed certificate$/,
  );
  assertThrows(
    () => parseChain(Uint8Array.of(...first, ...second)),
    MalformedError,
    /^malformed certificate$/,
  );
});

Deno.test("chainToPem() writes what openssl writes", async () => {
  const pem = chainToPem([first, second].map(parseCertificate));
  const parts = await Promise.all(
    [first, second].map((der) =>
      runOk("openssl", ["x509", "-inform", "DER"], { stdin: der })
    ),
  );
  assertEquals(pem, parts.map(({ stdout }) => stdout).join(""));
});

Deno.test("parseCertificate() prints serial numbers as openssl does", async () => {
  const serials = ["0", "1", "10", "127", "128", "255", "256", "0x80000000"];
  serials.push(`0x${"f".repeat(32)}`, `0x7${"0".repeat(39)}`);
  for (const serial of serials) {
    const der = await selfSigned("/CN=x", "-set_serial", serial);
    assertEquals(
      `serial=${parseCertificate(der).serial}`,
      await opensslText(der, "-serial"),
    );
  }
});

Deno.test("parseCertificate() refuses a negative serial number", async () => {
  const der = await selfSigned("/CN=x", "-set_serial", "-5");
  assertThrows(
    () => parseCertificate(der),
    MalformedError,
    /: negative serial number$/,
  );
});

Deno.test("parseCertificate() prints names as openssl does by RFC 2253", async () => {
  const names = [
    "/CN=internal",
    "/C=DE/ST=Berlin/L=Berlin/O=Acme, Inc./OU=a+b/CN=x=y",
    '/O=a\\\\b/CN=<x>;\\"y\\"',
    "/CN= leading and trailing ",
    "/CN=#hash",
    "/CN=Zürich 東京 🔑",
    "/DC=com/DC=example/UID=joe",
    "/CN=one/CN=two",
    "/",
  ];
  for (const name of names) {
    const der = await selfSigned(name);
    const options = "-nameopt=RFC2253,-esc_msb,utf8";
    const certificate = parseCertificate(der);
    assertEquals(
      `subject=${certificate.subject}`,
      await opensslText(der, "-subject", ...options.split("=")),
    );
    assertEquals(certificate.issuer, certificate.subject);
  }
});

Deno.test("parseCertificate() escapes control characters in a name", async () => {
  const { subject, commonName } = parseCertificate(
    await selfSigned("/CN=a\x1b[31m\nb\x9b"),
  );
  assertEquals(subject, "CN=a\\1B[31m\\0Ab\\C2\\9B");
  assertEquals(commonName, "a\x1b[31m\nb\x9b");
});

Deno.test("parseCertificate() prints unknown attributes as OID and DER", async () => {
  const der = await selfSigned("/CN=x/emailAddress=a@b");
  assertEquals(
    parseCertificate(der).subject,
    "1.2.840.113549.1.9.1=#1603614062,CN=x",
  );
});

Deno.test("parseCertificate() decodes a name in every type of string", async () => {
  const types = ["UTF8", "PRINTABLE", "IA5", "T61", "BMP", "NUMERIC"];
  for (const type of types) {
    const der = await withCommonName(`${type}:123`);
    const { commonName, subject } = parseCertificate(der);
    assertEquals([commonName, subject], ["123", "CN=123"], type);
  }
  const latin = retagged(await withCommonName("FORMAT:HEX,OCT:fc"), 0x14);
  assertEquals(parseCertificate(latin).commonName, "ü");
  const marked = await withCommonName("FORMAT:UTF8,UTF8:\ufeffx");
  assertEquals(parseCertificate(marked).commonName, "\ufeffx");
  const wide = await withCommonName("FORMAT:UTF8,BMP:東");
  assertEquals(parseCertificate(wide).commonName, "東");
});

Deno.test("parseCertificate() refuses strings that are not well-formed, and UTF-32 as Go does", async () => {
  for (const value of ["UTF8:ff", "BMP:d800", "UNIV:00000031"]) {
    const [type, hex] = value.split(":");
    const der = await withCommonName(`FORMAT:HEX,OCT:${hex}`);
    const tag = { UTF8: 0x0c, BMP: 0x1e, UNIV: 0x1c }[type ?? ""] ?? 0;
    assertThrows(
      () => parseCertificate(retagged(der, tag)),
      MalformedError,
      /^malformed certificate$/,
    );
  }
});

/** The first primitive OCTET STRING of the subject becomes another type. */
function retagged(der: Uint8Array, tag: number): Uint8Array {
  const attribute = Uint8Array.of(0x55, 0x04, 0x03, 0x04);
  const copy = der.slice();
  for (let at = 0; at < copy.length; at++) {
    if (attribute.every((octet, index) => copy[at + index] === octet)) {
      copy[at + 3] = tag;
    }
  }
  return copy;
}

/** A certificate whose common name openssl generates by ASN1_generate_nconf. */
async function withCommonName(value: string): Promise<Uint8Array> {
  const template = parseCertificate(await selfSigned("/CN=x"));
  const config = `${ca.path}/name.cnf`;
  const hex = (bytes: Uint8Array) => bytes.toHex();
  await Deno.writeTextFile(
    config,
    [
      "asn1 = SEQUENCE:certificate",
      "[certificate]",
      "tbs = SEQUENCE:tbs",
      "algorithm = SEQUENCE:algorithm",
      "signature = FORMAT:HEX,BITSTRING:00",
      "[tbs]",
      "serial = INTEGER:1",
      "algorithm = SEQUENCE:algorithm",
      "issuer = SEQUENCE:name",
      "validity = SEQUENCE:validity",
      "subject = SEQUENCE:name",
      "key = SEQUENCE:key",
      "[algorithm]",
      "oid = OID:1.2.840.10045.4.3.2",
      "[validity]",
      "from = UTCTIME:260101000000Z",
      "to = UTCTIME:270101000000Z",
      "[name]",
      "component = SET:component",
      "[component]",
      "attribute = SEQUENCE:attribute",
      "[attribute]",
      "type = OID:2.5.4.3",
      `value = ${value}`,
      "[key]",
      "algorithm = SEQUENCE:key_algorithm",
      `bits = FORMAT:HEX,BITSTRING:${hex(template.publicKey.subarray(-65))}`,
      "[key_algorithm]",
      "oid = OID:1.2.840.10045.2.1",
      "curve = OID:1.2.840.10045.3.1.7",
    ].join("\n"),
  );
  const out = `${ca.path}/name.der`;
  await runOk("openssl", [
    ...["asn1parse", "-genconf", config, "-noout", "-out", out],
  ]);
  return await Deno.readFile(out);
}

Deno.test("parseCertificate() types the alternative names", async () => {
  const names = [
    "DNS:a.example",
    "DNS:*.b.example",
    "IP:10.0.0.1",
    "IP:::1",
    "IP:2001:db8::ff00:42:8329",
    "IP:::ffff:10.0.0.1",
    "email:joe@example.com",
    "URI:spiffe://example.com/x",
  ];
  const der = await selfSigned(
    ...["/CN=x", "-addext", `subjectAltName=${names.join(",")}`] as const,
  );
  assertEquals(parseCertificate(der).names, names);
});

Deno.test("parseCertificate() keeps names of other types by their bytes", async () => {
  const der = await selfSigned(
    "/CN=x",
    "-addext",
    "subjectAltName=otherName:1.2.3;UTF8:a,RID:1.2.3",
  );
  assertEquals(parseCertificate(der).names, [
    "other:a00906022a03a0030c0161",
    "other:88022a03",
  ]);
});

Deno.test("parseCertificate() keeps names of types that nobody knows, and bytes behind the names, as Go does", async () => {
  const der = await selfSigned(
    ...["/CN=x", "-addext", "2.5.29.17=DER:30038901aa0000"] as const,
  );
  assertEquals(parseCertificate(der).names, ["other:8901aa"]);
});

Deno.test("parseCertificate() has no names without the extension, and with an empty one", async () => {
  const empty = await selfSigned("/CN=x", "-addext", "2.5.29.17=DER:3000");
  assertEquals(parseCertificate(empty).names, []);
  assertEquals(parseCertificate(first).names, []);
});

Deno.test("parseCertificate() refuses alternative names that Go refuses", async () => {
  const lists: readonly (readonly [string, RegExp])[] = [
    ["30068704010203", /^malformed certificate$/], // cut off
    ["3005870301020 3", /cannot parse IP address of length 3$/],
    ["300b8709010203040506070809", /cannot parse IP address of length 9$/],
    ["30038201ff", /SAN dNSName is malformed$/],
    ["30038101ff", /SAN rfc822Name is malformed$/],
    ["30038601ff", /SAN uniformResourceIdentifier is malformed$/],
    ["30049f1f01aa", /^malformed certificate$/], // a long tag
    ["3003a201aa", /^malformed certificate$/], // no DER inside
    ["3002a000", /^malformed certificate$/], // otherName without type
    ["0500", /^malformed certificate$/],
  ];
  for (const [hex, pattern] of lists) {
    const value = hex.replaceAll(" ", "");
    const der = await selfSigned(
      ...["/CN=x", "-addext", `2.5.29.17=DER:${value}`] as const,
    );
    assertThrows(() => parseCertificate(der), MalformedError, pattern);
  }
});

Deno.test("parseCertificate() reads both forms of time", async () => {
  const dates: readonly (readonly [string, string])[] = [
    ["500101000000Z", "491231235959Z"],
    ["19500101000000Z", "20491231235959Z"],
    ["20500101000000Z", "99991231235959Z"],
    ["00010101000000Z", "20240229120000Z"],
  ];
  for (const [from, to] of dates) {
    const { notBefore, notAfter } = parseCertificate(
      await withDates(from, to),
    );
    assertEquals(notBefore.toISOString(), toIso(from));
    assertEquals(notAfter.toISOString(), toIso(to));
  }
});

function toIso(time: string): string {
  const full = time.length === 15
    ? time
    : `${time < "50" ? "20" : "19"}${time}`;
  return full.replace(
    /(....)(..)(..)(..)(..)(..)Z/,
    "$1-$2-$3T$4:$5:$6.000Z",
  );
}

Deno.test("parseCertificate() refuses other forms of time, and dates that do not exist", async () => {
  const times = [
    "2601010000Z",
    "260101000000+0100",
    "260101000000",
    "261301000000Z",
    "260230000000Z",
    "260101240000Z",
    "260101000060Z",
    "20260101000000.5Z",
    "20260101000000z",
    "2026010100000000000Z",
    "",
  ];
  for (const time of times) {
    const der = await withDates(time, "270101000000Z");
    assertThrows(
      () => parseCertificate(der),
      MalformedError,
      /^malformed certificate/,
    );
  }
});

/** A certificate with these dates, UTCTime for up to 13 characters. */
async function withDates(from: string, to: string): Promise<Uint8Array> {
  const template = await selfSigned("/CN=x", "-days", "1");
  const validity = [from, to].map((time) => {
    const octets = text(time);
    return [octets.length === 15 ? 0x18 : 0x17, octets.length, ...octets];
  }).flat();
  return replaceValidity(template, [0x30, validity.length, ...validity]);
}

/** Splices a validity into a certificate and mends the lengths around it. */
function replaceValidity(
  der: Uint8Array,
  validity: readonly number[],
): Uint8Array {
  const { tbs } = parseCertificate(der);
  const bytes = [...tbs];
  const at = bytes.findIndex((_, index) =>
    bytes[index] === 0x30 && bytes[index + 1] === 30 &&
    bytes[index + 2] === 0x17 && bytes[index + 17] === 0x17
  );
  const changed = wrap([
    ...bytes.slice(4, at),
    ...validity,
    ...bytes.slice(at + 32),
  ]);
  const tail = [...der].slice(4 + tbs.length);
  return Uint8Array.from(wrap([...changed, ...tail]));
}

function wrap(content: readonly number[]): readonly number[] {
  return [0x30, 0x82, content.length >> 8, content.length & 0xff, ...content];
}

Deno.test("parseCertificate() refuses a duplicate extension", async () => {
  const der = await selfSigned(
    ...["/CN=x", "-addext", "1.2.3.4=DER:0500"] as const,
    ...["-addext", "1.2.3.5=DER:0500"],
  );
  const copy = der.slice();
  const at = der.findIndex((_, index) =>
    der.subarray(index, index + 4).toHex() === "03" + "2a0305".slice(0, 6)
  );
  assert(at > 0);
  copy[at + 3] = 4;
  parseCertificate(der);
  assertThrows(
    () => parseCertificate(copy),
    MalformedError,
    /duplicate extension with OID "1\.2\.3\.4"$/,
  );
});

Deno.test("parseCertificate() refuses two different signature algorithms", () => {
  const copy = first.slice();
  const oid = "06082a8648ce3d040302";
  const at = copy.toHex().lastIndexOf(oid) / 2;
  copy[at + 9] = 3;
  assertThrows(
    () => parseCertificate(copy),
    MalformedError,
    /inner and outer signature algorithm identifiers don't match$/,
  );
});

Deno.test("parseCertificate() refuses a member behind the signature", () => {
  const extended = Uint8Array.from(wrap([...first.subarray(4), 5, 0]));
  assertThrows(
    () => parseCertificate(extended),
    MalformedError,
    /^malformed certificate$/,
  );
});

Deno.test("parseCertificate() refuses BER that is not DER", () => {
  const { tbs } = parseCertificate(first);
  const rest = first.subarray(4);
  const long = Uint8Array.of(
    ...[0x30, 0x83, 0, rest.length >> 8, rest.length & 0xff],
    ...rest,
  );
  const indefinite = Uint8Array.of(0x30, 0x80, ...rest, 0, 0);
  assert(tbs.length > 127);
  for (const der of [long, indefinite]) {
    assertThrows(
      () => parseCertificate(der),
      MalformedError,
      /^malformed certificate$/,
    );
  }
});

Deno.test("parseCertificate() keeps the original bytes", async () => {
  const der = await selfSigned("/O=Acme/CN=x", "-days", "1");
  const certificate = parseCertificate(der);
  const { stdout } = await runOk("sh", [
    "-c",
    "openssl x509 -inform DER -pubkey -noout | openssl pkey -pubin -outform DER | openssl base64 -A",
  ], { stdin: der });
  assertEquals(certificate.publicKey.toBase64(), stdout.trim());
  assertEquals(certificate.der, der);
  assertEquals(certificate.tbs, der.slice(4, 4 + certificate.tbs.length));
  const { subjectDer, issuerDer } = certificate;
  assertEquals(subjectDer, issuerDer);
  assertEquals(
    subjectDer.toHex(),
    "301b310d300b060355040a0c0441636d65310a300806035504030c0178",
  );
});

Deno.test("parseCertificate() knows the versions", async () => {
  assertEquals(parseCertificate(first).version, 3);
  const { certificate } = await ca.issue({ subject: "/CN=old" });
  assertEquals(certificate.version, 1);
  assertEquals(certificate.extensions, []);
});

Deno.test("parseCertificate() gives each array a buffer of its own", () => {
  const certificate = parseCertificate(first);
  const [extension] = certificate.extensions;
  for (
    const bytes of [
      certificate.der,
      certificate.tbs,
      certificate.subjectDer,
      certificate.publicKey,
      certificate.signature,
      extension?.value,
    ]
  ) {
    assertEquals(bytes?.buffer.byteLength, bytes?.length);
  }
});

Deno.test("parseCertificate() throws nothing but MalformedError for any bytes", () => {
  const mutation = fc.array(
    fc.tuple(fc.nat(first.length - 1), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 6 },
  ).map((changes) => {
    const copy = first.slice();
    for (const [at, octet] of changes) copy[at] = octet;
    return copy;
  });
  const nested = fc.nat(3000).map((depth) => {
    const copy = new Uint8Array(depth * 2).fill(0x30);
    return copy.map((octet, at) => at % 2 === 0 ? octet : 0x80);
  });
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 300 }), mutation, nested),
      (bytes) => {
        try {
          parseCertificate(bytes);
        } catch (error) {
          assert(error instanceof MalformedError);
        }
      },
    ),
    { numRuns: 1500 },
  );
});
