/**
 * A certificate authority made of openssl alone: none of our code has a part in
 * what it issues, so it can judge ours.
 */
import { runOk } from "./run.ts";

/** What a certificate says; what is left out has a sensible value. */
export interface CertificateRequest {
  /** openssl's form, `/CN=host.example`. */
  readonly subject: string;
  /** openssl's form, `DNS:host.example,IP:127.0.0.1`. */
  readonly names?: string;
  /** `serverAuth,clientAuth` unless given; empty: no such extension. */
  readonly usages?: string;
  /** `CA:FALSE` unless given. */
  readonly basicConstraints?: string;
  /** `digitalSignature`, or `keyCertSign,cRLSign` for CAs, unless given. */
  readonly keyUsage?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Arguments of `openssl req` for the new key; P-256 unless given. */
  readonly keyArguments?: readonly string[];
  /** More lines for the extension file. */
  readonly extensions?: string;
}

/** A certificate and its key, as files and as text. */
export interface OpensslPair {
  readonly certificateFile: string;
  /** Unencrypted PKCS#8. */
  readonly keyFile: string;
  readonly certificate: string;
  readonly key: string;
}

/** An hour and a day, in ms. */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** One issuing key in a directory of its own. */
export class OpensslCa implements OpensslPair {
  readonly directory: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: string;
  readonly key: string;

  private constructor(directory: string, pair: OpensslPair) {
    this.directory = directory;
    this.certificateFile = pair.certificateFile;
    this.keyFile = pair.keyFile;
    this.certificate = pair.certificate;
    this.key = pair.key;
  }

  /** A self-signed root in `directory`, which is made. */
  static async root(directory: string, name: string): Promise<OpensslCa> {
    await Deno.mkdir(directory, { recursive: true });
    const { keyFile, csr } = await makeKey(directory, "ca");
    const certificateFile = `${directory}/ca.crt`;
    const request = { subject: `/CN=${name}`, ...CA_DEFAULTS };
    await Deno.writeTextFile(
      certificateFile,
      await signRequest(directory, { csr, request, keyFile }),
    );
    return new OpensslCa(directory, await readPair(certificateFile, keyFile));
  }

  /** Issues with a key that exists; `directory` is made. */
  static async adopt(
    directory: string,
    certificateFile: string,
    keyFile: string,
  ): Promise<OpensslCa> {
    await Deno.mkdir(directory, { recursive: true });
    return new OpensslCa(directory, await readPair(certificateFile, keyFile));
  }

  /** A CA below this one. */
  async subordinate(
    directory: string,
    request: CertificateRequest,
  ): Promise<OpensslCa> {
    await Deno.mkdir(directory, { recursive: true });
    const { keyFile, csr } = await makeKey(directory, "ca");
    const certificateFile = `${directory}/ca.crt`;
    await Deno.writeTextFile(
      certificateFile,
      await this.sign(csr, { ...CA_DEFAULTS, ...request }),
    );
    return new OpensslCa(directory, await readPair(certificateFile, keyFile));
  }

  /** A certificate with a new key; its files are `<name>.crt` and `.key`. */
  async issue(name: string, request: CertificateRequest): Promise<OpensslPair> {
    const { keyFile, csr } = await makeKey(
      this.directory,
      name,
      request.keyArguments,
    );
    const certificateFile = `${this.directory}/${name}.crt`;
    await Deno.writeTextFile(certificateFile, await this.sign(csr, request));
    return await readPair(certificateFile, keyFile);
  }

  /** A certificate for the key of a CSR, as PEM; the CSR's names do not count. */
  async sign(csr: string, request: CertificateRequest): Promise<string> {
    const { directory, certificateFile, keyFile } = this;
    return await signRequest(directory, {
      csr,
      request,
      keyFile,
      certificateFile,
    });
  }
}

/** CAs are old: what they issued long ago has to verify. */
const CA_DEFAULTS = {
  usages: "",
  basicConstraints: "critical,CA:TRUE",
  keyUsage: "critical,keyCertSign,cRLSign",
  notBefore: new Date("2020-01-01T00:00:00Z"),
  notAfter: new Date("2045-01-01T00:00:00Z"),
};

async function signRequest(
  directory: string,
  { csr, request, ...signer }: {
    readonly csr: string;
    readonly request: CertificateRequest;
    readonly keyFile: string;
    readonly certificateFile?: string;
  },
): Promise<string> {
  const now = Date.now();
  return await signWithOpenssl(directory, {
    ...signer,
    csr,
    notBefore: opensslTime(request.notBefore ?? new Date(now - HOUR)),
    notAfter: opensslTime(request.notAfter ?? new Date(now + DAY)),
    extensions: extensionLines(request),
    options: ["-subj", request.subject],
  });
}

/** Who signs what, for {@linkcode signWithOpenssl}. */
export interface Signing {
  readonly csr: string;
  /** The issuer's key; without a certificate it is the CSR's own. */
  readonly keyFile: string;
  readonly certificateFile?: string | undefined;
  /** openssl's form, `20260102030405Z`. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Lines of an openssl extension section; none at all makes version 1. */
  readonly extensions?: readonly string[] | undefined;
  /** More arguments of `openssl ca`. */
  readonly options?: readonly string[];
}

/** The certificate as PEM; every call has its own list of what was issued. */
export async function signWithOpenssl(
  directory: string,
  signing: Signing,
): Promise<string> {
  const { keyFile, certificateFile, extensions, options = [] } = signing;
  const work = await Deno.makeTempDir({ dir: directory, prefix: "signing-" });
  await Deno.writeTextFile(`${work}/csr`, signing.csr);
  await Deno.writeTextFile(`${work}/index`, "");
  await Deno.writeTextFile(
    `${work}/config`,
    `[ca]
default_ca = this
[this]
database = ${work}/index
new_certs_dir = ${work}
default_md = default
policy = any
rand_serial = yes
email_in_dn = yes
string_mask = utf8only
[any]
${ATTRIBUTES.map((name) => `${name} = optional`).join("\n")}
[extensions]
${extensions?.join("\n") ?? ""}
`,
  );
  await runOk("openssl", [
    ...["ca", "-batch", "-notext", "-preserveDN", "-config", `${work}/config`],
    ...["-in", `${work}/csr`, "-out", `${work}/crt`, "-keyfile", keyFile],
    ...(certificateFile === undefined
      ? ["-selfsign"]
      : ["-cert", certificateFile]),
    ...["-startdate", signing.notBefore, "-enddate", signing.notAfter],
    ...(extensions === undefined
      ? []
      : ["-extensions", "extensions", "-extfile", `${work}/config`]),
    ...options,
  ]);
  return await Deno.readTextFile(`${work}/crt`);
}

/** Of a subject. */
const ATTRIBUTES = [
  ...["C", "ST", "L", "O", "OU", "CN", "DC", "UID", "emailAddress"],
];

function extensionLines(request: CertificateRequest): readonly string[] {
  const {
    usages = "serverAuth,clientAuth",
    basicConstraints = "CA:FALSE",
    keyUsage = "critical,digitalSignature",
  } = request;
  return [
    basicConstraints && `basicConstraints=${basicConstraints}`,
    keyUsage && `keyUsage=${keyUsage}`,
    usages && `extendedKeyUsage=${usages}`,
    request.names && `subjectAltName=${request.names}`,
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
    request.extensions,
  ].filter((line): line is string => line !== undefined && line !== "");
}

const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** A key as PKCS#8 file, and a CSR for it. */
async function makeKey(
  directory: string,
  name: string,
  keyArguments: readonly string[] = P256,
): Promise<{ readonly keyFile: string; readonly csr: string }> {
  const keyFile = `${directory}/${name}.key`;
  const { stdout } = await runOk("openssl", [
    ...["req", "-new", ...keyArguments, "-nodes", "-keyout", keyFile],
    ...["-subj", "/CN=any"],
  ]);
  return { keyFile, csr: stdout };
}

async function readPair(
  certificateFile: string,
  keyFile: string,
): Promise<OpensslPair> {
  return {
    certificateFile,
    keyFile,
    certificate: await Deno.readTextFile(certificateFile),
    key: await Deno.readTextFile(keyFile),
  };
}

/** `20260102030405Z`. */
function opensslTime(date: Date): string {
  return date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
}
