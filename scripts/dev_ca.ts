/**
 * A throwaway CA, made with this program's own code and nothing else.
 *
 * For the demo and for tests: a root, an intermediate with an encrypted key, and
 * a ca.json in the folders that `step ca init` makes, but without a database.
 * Everything is new at each call. Never for anything that has to be trusted: the
 * password stands in a file beside the key.
 */
import type { KeySpec } from "../src/base/options.ts";
import {
  type Certificate,
  chainToPem,
} from "../src/pki/certificate/certificate.ts";
import {
  generatePrivateKey,
  type PrivateKey,
  privateKeyToPem,
} from "../src/pki/keys/private_key.ts";
import { x509 } from "../src/pki/asn1/x509.ts";
import {
  certify,
  type Issuer,
  provisionerExtension,
  type Validity,
} from "./dev_certificate.ts";

/** What may differ from a fresh `step ca init --no-db`. */
export interface DevCaOptions {
  /** Of the intermediate; EC P-256 by default. */
  readonly keySpec?: KeySpec;
  /** Of the root; EC P-256 by default. */
  readonly rootKeySpec?: KeySpec;
  /** Of the intermediate's key, random by default; null leaves it plain. */
  readonly password?: string | null;
  /** Members that are added to ca.json, or replace what is there. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Members of `authority` in ca.json, in the same way. */
  readonly authority?: Readonly<Record<string, unknown>>;
  /** Extensions of the intermediate behind the usual ones. */
  readonly intermediateExtensions?: readonly x509.Extension[];
  /** Of the intermediate; ten years from a day ago by default. */
  readonly validity?: Validity;
}

/** A certificate and its key, on disk and in memory. */
export interface DevPair {
  /** Leaf, then the intermediate. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: Certificate;
  readonly key: PrivateKey;
}

/** What a host's certificate is made of. */
export interface DevHost {
  /** `type=value,…`, in the order of the encoding; `CN=<first name>` by default. */
  readonly subject?: string;
  readonly names?: readonly x509.JsonGeneralName[];
  readonly keySpec?: KeySpec;
  /** Of the host's key; plain without it. */
  readonly password?: string;
  /** A day from a minute ago by default. */
  readonly validity?: Validity;
  /** Named in step's extension; null leaves the extension out. */
  readonly provisioner?: string | null;
  /** Behind the usual ones. */
  readonly extensions?: readonly x509.Extension[];
}

/** A CA on disk. */
export interface DevCa {
  readonly directory: string;
  readonly rootFile: string;
  readonly intermediateFile: string;
  /** The intermediate's key. */
  readonly keyFile: string;
  readonly passwordFile: string;
  readonly configFile: string;
  readonly root: Certificate;
  readonly intermediate: Certificate;
  readonly intermediateKey: PrivateKey;
  /** Writes `<name>.crt` and `<name>.key` into the CA's directory. */
  issue(name: string, host?: DevHost): Promise<DevPair>;
}

/** The one provisioner of the CA. */
const PROVISIONER = "dev";

const P256: KeySpec = { kty: "EC", curve: "P-256" };
const SECOND_MS = 1000;
const DAY_MS = 24 * 3600 * SECOND_MS;

/** Makes a CA in `directory`, which has to exist. */
export async function createDevCa(
  directory: string,
  options: DevCaOptions = {},
): Promise<DevCa> {
  const { password = crypto.randomUUID(), keySpec = P256 } = options;
  const paths = {
    directory,
    rootFile: `${directory}/certs/root_ca.crt`,
    intermediateFile: `${directory}/certs/intermediate_ca.crt`,
    keyFile: `${directory}/secrets/intermediate_ca_key`,
    passwordFile: `${directory}/secrets/password`,
    configFile: `${directory}/config/ca.json`,
  };
  for (const folder of ["certs", "secrets", "config"]) {
    await Deno.mkdir(`${directory}/${folder}`, { mode: 0o700 });
  }
  const validity = options.validity ?? between(-DAY_MS, 3650 * DAY_MS);
  const rootKey = await generatePrivateKey(options.rootKeySpec ?? P256);
  const root = await certify({
    subject: "O=Throwaway,CN=Throwaway Root CA",
    key: rootKey,
    validity: between(-DAY_MS, 3650 * DAY_MS),
    extensions: caExtensions(1),
  });
  const intermediateKey = await generatePrivateKey(keySpec);
  const intermediate = await certify({
    subject: "O=Throwaway,CN=Throwaway Intermediate CA",
    key: intermediateKey,
    issuer: { certificate: root, key: rootKey },
    validity,
    extensions: [
      ...caExtensions(0),
      ...options.intermediateExtensions ?? [],
    ],
  });
  await writeAll([
    [paths.rootFile, chainToPem([root])],
    [paths.intermediateFile, chainToPem([intermediate])],
    [paths.keyFile, await keyToPem(intermediateKey, password)],
    [paths.passwordFile, `${password ?? ""}\n`],
    [paths.configFile, caJson(paths, options)],
  ]);
  const issuer = { certificate: intermediate, key: intermediateKey };
  return {
    ...paths,
    root,
    intermediate,
    intermediateKey,
    issue: (name, host = {}) =>
      issueHost(host, { issuer, base: `${directory}/${name}` }),
  };
}

/** What `step ca init` writes, less the database and with one provisioner. */
function caJson(
  paths: Pick<DevCa, "rootFile" | "intermediateFile" | "keyFile">,
  { authority, config }: DevCaOptions,
): string {
  return JSON.stringify(
    {
      root: paths.rootFile,
      federatedRoots: null,
      crt: paths.intermediateFile,
      key: paths.keyFile,
      address: "127.0.0.1:9000",
      insecureAddress: "",
      dnsNames: ["localhost"],
      logger: { format: "text" },
      authority: {
        provisioners: [{ type: "ACME", name: PROVISIONER }],
        ...authority,
      },
      tls: { minVersion: 1.2, maxVersion: 1.3, renegotiation: false },
      ...config,
    },
    undefined,
    "\t",
  );
}

async function issueHost(
  host: DevHost,
  { issuer, base }: { readonly issuer: Issuer; readonly base: string },
): Promise<DevPair> {
  const { names = [{ type: "dns", value: "host.example" }] } = host;
  const { provisioner = PROVISIONER, extensions = [] } = host;
  const key = await generatePrivateKey(host.keySpec ?? P256);
  const certificate = await certify({
    subject: host.subject ?? `CN=${names[0]?.value ?? ""}`,
    key,
    issuer,
    validity: host.validity ?? between(-60 * SECOND_MS, DAY_MS),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([...names]),
      ...provisioner === null ? [] : [provisionerExtension(provisioner)],
      ...extensions,
    ],
  });
  const certificateFile = `${base}.crt`;
  const keyFile = `${base}.key`;
  await writeAll([
    [certificateFile, chainToPem([certificate, issuer.certificate])],
    [keyFile, await keyToPem(key, host.password ?? null)],
  ]);
  return { certificateFile, keyFile, certificate, key };
}

/** From now, in milliseconds. */
function between(fromMs: number, toMs: number): Validity {
  const now = Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
  return { notBefore: new Date(now + fromMs), notAfter: new Date(now + toMs) };
}

function caExtensions(pathLength: number): x509.Extension[] {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  return [
    new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
    new x509.BasicConstraintsExtension(true, pathLength, true),
  ];
}

function keyToPem(key: PrivateKey, password: string | null): Promise<string> {
  return privateKeyToPem(key, password === null ? undefined : { password });
}

/** Nothing here is for others to read. */
async function writeAll(
  files: readonly (readonly [path: string, text: string])[],
): Promise<void> {
  for (const [path, text] of files) {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
  }
}
