/**
 * Certificates and requests to look at: those of the real step, and one of
 * openssl with every extension that is shown.
 */
import { runOk } from "./run.ts";
import { STEP } from "./step_ca.ts";

/** Two timestamps of certificate transparency (RFC 6962 §3.3), in hexadecimal. */
function timestampExtension(): string {
  const vector = (hex: string) =>
    (hex.length / 2).toString(16).padStart(4, "0") + hex;
  const timestamp = (millisecond: number, signature: string) =>
    vector(
      "00" + "ab".repeat(32) + millisecond.toString(16).padStart(16, "0") +
        vector("") + "0403" + vector(signature),
    );
  const list = vector(
    timestamp(1764500000007, "30".repeat(70)) + timestamp(0, "31".repeat(8)),
  );
  // A length of one octet, in DER's longer form.
  return `0481${(list.length / 2).toString(16)}${list}`;
}

/** An openssl configuration with an extension of each kind. */
const EXTENSIONS = `
[req]
distinguished_name = dn
[dn]
[all]
subjectAltName = DNS:*.wild.example.com, DNS:plain, IP:2001:db8::1, IP:::ffff:1.2.3.4, email:x@y.z, URI:spiffe://td/w, URI:https://x.y/z, RID:1.2.3.4, dirName:dir, otherName:1.2.3.4;UTF8:hi
basicConstraints = critical, CA:TRUE, pathlen:3
keyUsage = critical, digitalSignature, keyAgreement, encipherOnly, keyCertSign
extendedKeyUsage = serverAuth, 1.2.3.4.5, timeStamping, anyExtendedKeyUsage, OCSPSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid, issuer
crlDistributionPoints = URI:http://crl.example.com/a.crl, URI:http://b/c.crl
certificatePolicies = 1.2.3.4, @policy
authorityInfoAccess = OCSP;URI:http://ocsp.example.com/, caIssuers;URI:http://ca.example.com/ca.crt
nameConstraints = permitted;DNS:example.com, permitted;IP:10.0.0.0/255.0.0.0, permitted;email:example.com, permitted;URI:.example.com, excluded;DNS:bad.example.com, excluded;IP:fd00::/ff00::
nsComment = "hello world"
issuerAltName = DNS:ian.example.com
policyConstraints = requireExplicitPolicy:3
1.2.3.4.5.6 = ASN1:UTF8String:grüße
1.2.3.4.5.7 = DER:300a0c0141ff00c3280102
1.3.6.1.4.1.37476.9000.64.1 = ASN1:SEQUENCE:provisioner
1.3.6.1.4.1.11129.2.4.2 = DER:${timestampExtension()}
1.3.6.1.4.1.37476.9000.64.2 = ASN1:SEQUENCE:authority
[policy]
policyIdentifier = 1.3.5.8
CPS.1 = http://cps.example.com/
[dir]
C = DE
O = Dir Org
[provisioner]
type = INTEGER:1
name = FORMAT:ASCII,OCTETSTRING:admin@example.com
id = FORMAT:ASCII,OCTETSTRING:kYzfW0aYkzxGMrzpv-HfVcl1CEgLhvTdBnaPjM1Hd8w
details = SEQUENCE:details
[details]
one = UTF8:InstanceID
two = UTF8:i-1234
[authority]
type = UTF8:cloudcas
id = UTF8:1234
[asked]
subjectAltName = DNS:a, IP:1.2.3.4, email:x@y.z
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth, 1.2.3.4.5
subjectKeyIdentifier = hash
1.2.3.4.5.6 = ASN1:UTF8String:text
[none]
basicConstraints = CA:FALSE
`;

const SUBJECT =
  "/C=DE/ST=Bavaria/L=München/O=Acme, Inc./OU=A/OU=B/CN=plain.example.com/emailAddress=a@b.c/DC=org/UID=u1/serialNumber=77/street=Road 1/postalCode=8000/title=Dr/GN=Ann/SN=Lee";

/** The names of the files that are certificates. */
export const SHOWN_CERTIFICATES = [
  "root.crt",
  "intermediate.crt",
  "leaf.crt",
  "rsa.crt",
  "ed25519.crt",
  "all.crt",
  "bare.crt",
] as const;

/** Those that are requests. */
export const SHOWN_REQUESTS = ["step.csr", "all.csr", "empty.csr"] as const;

/** Makes all of them, and their keys (`leaf.key`), in a directory. */
export async function makeShownCertificates(directory: string): Promise<void> {
  const options = { cwd: directory, env: { STEPPATH: `${directory}/none` } };
  const step = (...args: string[]) =>
    runOk(STEP, [
      ...["certificate", "create", ...args],
      ...["--no-password", "--insecure"],
    ], options);
  const openssl = (...args: string[]) => runOk("openssl", args, options);
  await Deno.writeTextFile(`${directory}/all.cnf`, EXTENSIONS);
  const by = ["--ca", "intermediate.crt", "--ca-key", "intermediate.key"];
  await step("Root CA", "root.crt", "root.key", "--profile", "root-ca");
  await step(
    ...["Intermediate CA", "intermediate.crt", "intermediate.key"],
    ...["--profile", "intermediate-ca"],
    ...["--ca", "root.crt", "--ca-key", "root.key"],
  );
  const names = "leaf.example.com localhost 10.0.0.1 a@b.c https://x.y/z"
    .split(" ").flatMap((name) => ["--san", name]);
  await step("leaf.example.com", "leaf.crt", "leaf.key", ...by, ...names);
  await step("rsa.example.com", "rsa.crt", "rsa.key", ...by, "--kty", "RSA");
  await step(
    ...["ed.example.com", "ed25519.crt", "ed25519.key", ...by],
    ...["--kty", "OKP", "--crv", "Ed25519"],
  );
  await step("csr.example.com", "step.csr", "step.key", "--csr", ...names);
  const key = (name: string) => [
    ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes"],
    ...["-keyout", `${name}.key`, "-config", "all.cnf", "-utf8", "-new"],
  ];
  await openssl(
    ...["req", "-x509", ...key("all"), "-out", "all.crt", "-days", "30"],
    ...["-extensions", "all", "-subj", SUBJECT],
  );
  await openssl(
    ...["req", ...key("request"), "-out", "all.csr", "-reqexts", "asked"],
    ...["-subj", SUBJECT],
  );
  await openssl("req", ...key("empty"), "-out", "empty.csr", "-subj", "/");
  await openssl(
    ...["req", "-x509", ...key("bare"), "-out", "bare.crt", "-days", "30"],
    ...["-extensions", "none", "-subj", "/CN=short", "-set_serial", "7"],
  );
  await openssl(
    "x509",
    "-in",
    "leaf.crt",
    "-outform",
    "DER",
    "-out",
    "leaf.der",
  );
  const texts = await Promise.all(
    ["leaf.crt", "intermediate.crt", "root.crt"].map((name) =>
      Deno.readTextFile(`${directory}/${name}`)
    ),
  );
  await Deno.writeTextFile(`${directory}/bundle.crt`, texts.join(""));
}
