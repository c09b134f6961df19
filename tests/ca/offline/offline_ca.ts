/**
 * A CA without database on disk: root, intermediate, key and ca.json.
 */
import {
  createOfflineAuthority,
  type OfflineAuthorityOptions,
} from "../../../src/ca/offline/offline_authority.ts";
import type { CertificateAuthority } from "../../../src/ca/authority.ts";
import { noTerminal } from "../../support/fake_terminal.ts";
import {
  type CertificateRequest,
  OpensslCa,
} from "../../support/openssl_ca.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

/** Members of ca.json that a test changes; undefined takes one away. */
export type Change = Readonly<Record<string, unknown>>;

/** What a test sees of it. */
export interface OfflineCa extends TempDir {
  readonly root: OpensslCa;
  readonly intermediate: OpensslCa;
  readonly configFile: string;
  /** Writes ca.json anew; paths are relative to nothing unless given so. */
  configure(change?: Change): Promise<void>;
  /** The authority on these files. */
  open(change?: Partial<OfflineAuthorityOptions>): CertificateAuthority;
}

const templates = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(templates, { recursive: true });
});

/** Folders with what each CA is a copy of, by how its intermediate differs. */
const made = new Map<string, Promise<string>>();

async function makeTemplate(
  change: Partial<CertificateRequest>,
): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: templates });
  const root = await OpensslCa.root(`${directory}/root`, "Test Root CA");
  await root.subordinate(`${directory}/issued`, {
    subject: "/CN=Test Intermediate CA",
    basicConstraints: "critical,CA:TRUE,pathlen:0",
    ...change,
  });
  return directory;
}

/** Copies key and certificate of a template. */
async function copyOf(from: string, to: string): Promise<OpensslCa> {
  await Deno.mkdir(to);
  const [certificateFile, keyFile] = [`${to}/ca.crt`, `${to}/ca.key`];
  await Deno.copyFile(`${from}/ca.crt`, certificateFile);
  await Deno.copyFile(`${from}/ca.key`, keyFile);
  return await OpensslCa.adopt(to, certificateFile, keyFile);
}

/** Makes one; the key is plain PKCS#8. */
export async function offlineCa(
  change: Partial<CertificateRequest> = {},
): Promise<OfflineCa> {
  const name = JSON.stringify(change);
  const template = made.get(name) ?? makeTemplate(change);
  made.set(name, template);
  const dir = await tempDir();
  const root = await copyOf(`${await template}/root`, dir.file("root"));
  const intermediate = await copyOf(
    `${await template}/issued`,
    dir.file("issued"),
  );
  const configFile = dir.file("ca.json");
  const ca: OfflineCa = {
    ...dir,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
    root,
    intermediate,
    configFile,
    configure: async (change = {}) =>
      await Deno.writeTextFile(
        configFile,
        JSON.stringify({
          root: root.certificateFile,
          crt: intermediate.certificateFile,
          key: intermediate.keyFile,
          address: ":443",
          dnsNames: ["localhost"],
          authority: {
            provisioners: [{
              type: "JWK",
              name: "admin",
              key: { kty: "EC", kid: "k" },
            }],
          },
          ...change,
        }),
      ),
    open: (change = {}) =>
      createOfflineAuthority({
        configFile,
        password: () => Promise.resolve(undefined),
        terminal: noTerminal(),
        clock: { now: () => new Date(), sleep: () => Promise.resolve() },
        log: { write() {} },
        signal: new AbortController().signal,
        ...change,
      }),
  };
  await ca.configure();
  return ca;
}

/** What most tests rekey. */
export const HOST: CertificateRequest = {
  subject: "/CN=internal.example.com",
  names: "DNS:internal.example.com,IP:10.0.0.1",
};
