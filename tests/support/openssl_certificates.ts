/**
 * Certificates made by openssl, of any issuer and with any extension: the
 * independent source of the inputs in tests/pki. Keys are made once, and dates
 * are fixed, so `now` is a parameter.
 */
import {
  type Certificate,
  parseChain,
} from "../../src/pki/certificate/certificate.ts";
import { signWithOpenssl } from "./openssl_ca.ts";
import { runOk } from "./run.ts";

/** What to put into a certificate. */
export interface CertificateRequest {
  /** As for `-subj`. */
  readonly subject: string;
  /** Name of its own key: `EC:P-256`, `RSA:2048`, `Ed25519`, with `#n` for another one. */
  readonly key?: string;
  /** Who signs; itself when absent. */
  readonly issuer?: Issued;
  readonly from?: string;
  readonly to?: string;
  /** Lines of an openssl extension section; none at all makes version 1. */
  readonly extensions?: readonly string[];
  readonly digest?: string;
  readonly signatureOptions?: readonly string[];
}

/** A certificate with the files that openssl knows it by. */
export interface Issued {
  readonly certificate: Certificate;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Fixed dates: openssl's form, and the moment that the tests call now. */
const FROM = "20260101000000Z";
const TO = "20270101000000Z";
export const NOW = new Date("2026-06-01T00:00:00Z");

/** A folder of keys and certificates that ends with the process. */
export class OpensslCertificates {
  readonly path = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
  #count = 0;
  readonly #keys = new Map<string, string>();

  constructor() {
    globalThis.addEventListener(
      "unload",
      () => Deno.removeSync(this.path, { recursive: true }),
    );
  }

  /** Path of the key of that name; made at the first call. */
  async key(name: string): Promise<string> {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const path = `${this.path}/key-${this.#keys.size}.pem`;
    this.#keys.set(name, path);
    const [type = "", option = ""] = name.replace(/#.*/, "").split(":");
    const options = type === "EC"
      ? ["-pkeyopt", `ec_paramgen_curve:${option}`]
      : type === "RSA"
      ? ["-pkeyopt", `rsa_keygen_bits:${option}`]
      : [];
    await runOk("openssl", [
      ...["genpkey", "-algorithm", type, ...options, "-out", path],
    ]);
    return path;
  }

  async issue(request: CertificateRequest): Promise<Issued> {
    const { issuer } = request;
    const certificateFile = `${this.path}/${this.#count++}.crt`;
    const keyFile = await this.key(request.key ?? "EC:P-256");
    const { stdout: csr } = await runOk("openssl", [
      ...["req", "-new", "-key", keyFile, "-subj", request.subject],
      ...["-utf8", "-multivalue-rdn"],
    ]);
    const certificatePem = await signWithOpenssl(this.path, {
      csr,
      keyFile: issuer?.keyFile ?? keyFile,
      certificateFile: issuer?.certificateFile,
      notBefore: request.from ?? FROM,
      notAfter: request.to ?? TO,
      extensions: request.extensions,
      options: [
        ...["-md", request.digest ?? "default"],
        ...(request.signatureOptions ?? []).flatMap((
          option,
        ) => ["-sigopt", option]),
      ],
    });
    await Deno.writeTextFile(certificateFile, certificatePem);
    const [certificate] = parseChain(new TextEncoder().encode(certificatePem));
    if (certificate === undefined) throw new Error("openssl wrote nothing");
    return { certificate, certificateFile, keyFile };
  }
}

/** Extensions of a root or an intermediate. */
export const CA_EXTENSIONS = [
  "basicConstraints = critical,CA:TRUE",
  "keyUsage = critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier = hash",
  "authorityKeyIdentifier = keyid",
];

/** Extensions of a host certificate. */
export const LEAF_EXTENSIONS = [
  "keyUsage = critical,digitalSignature",
  "extendedKeyUsage = serverAuth,clientAuth",
  "subjectKeyIdentifier = hash",
  "authorityKeyIdentifier = keyid",
  "subjectAltName = DNS:internal.example.com,IP:10.0.0.1",
];
