/**
 * The real step-ca, in a directory of a test.
 *
 * `deno task anchors` builds it. Where it is missing, tests say so and are
 * ignored; on CI (`CI=true`) they fail instead.
 */
import { cacheDirectory } from "../../scripts/paths.ts";
import {
  type CertificateRequest,
  OpensslCa,
  type OpensslPair,
} from "./openssl_ca.ts";
import { run, runOk, type RunResult } from "./run.ts";
import { closedPort } from "./tcp_peers.ts";
import { HOST } from "./test_ca.ts";

const BIN = `${cacheDirectory()}/anchors/bin`;

/** The real CA. */
export const STEP_CA = `${BIN}/step-ca`;

/** The real CLI. */
export const STEP = `${BIN}/step`;

/** Why tests with step-ca are ignored; undefined when they have to run. */
export const stepCaMissing: string | undefined = findMissing();

function findMissing(): string | undefined {
  if (Deno.env.get("CI") === "true") return undefined;
  try {
    Deno.statSync(`${BIN}/step-ca`);
    Deno.statSync(STEP);
    return undefined;
  } catch {
    // Any reason is the same here: it cannot be run.
    return 'step-ca is not built; "deno task anchors" builds it';
  }
}

/** Provisioner claims, as in ca.json. */
export type Claims = Readonly<Record<string, boolean | string>>;

/** The provisioners of a CA by name; all have the same key and password. */
export type Provisioners = Readonly<Record<string, Claims>>;

/** A running step-ca. Disposing it stops the process. */
export interface StepCa extends AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  readonly rootFile: string;
  /** ca.json; it names a database. */
  readonly configFile: string;
  readonly passwordFile: string;
  /** The CA's own issuing key, for certificates that it would not issue. */
  readonly intermediate: OpensslCa;
  /**
   * A host certificate with the extension that names its provisioner, valid
   * from an hour ago for a day unless `change` says otherwise.
   */
  issue(
    name: string,
    provisioner: string,
    change?: Partial<CertificateRequest>,
  ): Promise<OpensslPair>;
  /** Ends the process, as a maintenance does; resolves when it is gone. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again where it was; resolves when it serves. */
  restart(): Promise<void>;
  /** Changes the claims of the provisioners; counts from the next `restart`. */
  setClaims(provisioners: Provisioners): Promise<void>;
  /** Stops the process without ending it: connections are accepted, and silent. */
  freeze(): void;
  /** Ends `freeze`. */
  thaw(): void;
  /** Ends the process at once, where nothing can be awaited any more. */
  kill(): void;
  /** Runs the real CLI with this CA's settings. */
  step(...args: string[]): Promise<RunResult>;
}

/** What else a CA may differ in. */
export interface StepCaOptions {
  /** How long before now its certificates begin; step-ca's own is a minute. */
  readonly backdate?: string;
  /** The member `db` of ca.json. */
  readonly database?: Readonly<Record<string, string>> | undefined;
}

/** Makes and starts one in `directory`, which has to exist. */
export async function startStepCa(
  directory: string,
  provisioners: Provisioners = { admin: {} },
  options: StepCaOptions = {},
): Promise<StepCa> {
  const passwordFile = `${directory}/password`;
  await Deno.writeTextFile(passwordFile, "test password");
  const env = { STEPPATH: directory, HOME: directory };
  const port = closedPort();
  await runOk(STEP, [
    ...["ca", "init", "--name", "Test", "--deployment-type", "standalone"],
    ...["--dns", "localhost", "--dns", "127.0.0.1"],
    // The name in the manual's example; tests reach it through a proxy.
    ...["--dns", "ca.smallstep.com"],
    ...["--address", `127.0.0.1:${port}`, "--provisioner", "admin"],
    ...["--password-file", passwordFile],
  ], { env });
  const configFile = `${directory}/config/ca.json`;
  const kid = await configure(configFile, provisioners, options);
  const intermediate = await replaceKeys(directory, passwordFile);
  const serve = () => startServer(configFile, { passwordFile, env });
  let server = await serve();
  return {
    directory,
    url: `https://127.0.0.1:${port}`,
    rootFile: `${directory}/certs/root_ca.crt`,
    configFile,
    passwordFile,
    intermediate,
    async issue(name, provisioner, change = {}) {
      const leaf = await intermediate.issue(name, {
        ...HOST,
        ...change,
        extensions: provisionerExtension(provisioner, kid),
      });
      const certificate = leaf.certificate + intermediate.certificate;
      await Deno.writeTextFile(leaf.certificateFile, certificate);
      return { ...leaf, certificate };
    },
    step: (...args) => run(STEP, args, { env }),
    async stop(signal = "SIGTERM") {
      server.kill(signal);
      await server.ended;
    },
    async restart() {
      server = await serve();
    },
    async setClaims(changed) {
      await configure(configFile, changed, options);
    },
    freeze: () => server.kill("SIGSTOP"),
    thaw: () => server.kill("SIGCONT"),
    kill: () => server.kill("SIGKILL"),
    async [Symbol.asyncDispose]() {
      server.kill("SIGCONT");
      server.kill("SIGTERM");
      await server.ended;
    },
  };
}

/** @returns the id of the one key of all provisioners */
async function configure(
  configFile: string,
  provisioners: Provisioners,
  { backdate, database }: StepCaOptions,
): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(configFile));
  const [first] = config.authority.provisioners;
  config.authority.provisioners = Object.entries(provisioners).map((
    [name, claims],
  ) => ({ ...first, name, claims }));
  if (backdate !== undefined) config.authority.backdate = backdate;
  if (database !== undefined) config.db = database;
  await Deno.writeTextFile(configFile, JSON.stringify(config));
  return first.key.kid;
}

/** Puts an older PKI in the place of the one that was made just now. */
async function replaceKeys(
  directory: string,
  passwordFile: string,
): Promise<OpensslCa> {
  const root = await OpensslCa.root(`${directory}/root`, "Test Root CA");
  const intermediate = await root.subordinate(`${directory}/issued`, {
    subject: "/CN=Test Intermediate CA",
    basicConstraints: "critical,CA:TRUE,pathlen:0",
  });
  const certificates = `${directory}/certs`;
  await Deno.copyFile(root.certificateFile, `${certificates}/root_ca.crt`);
  await Deno.copyFile(
    intermediate.certificateFile,
    `${certificates}/intermediate_ca.crt`,
  );
  await runOk("openssl", [
    ...["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", intermediate.keyFile],
    ...["-passout", `file:${passwordFile}`],
    ...["-out", `${directory}/secrets/intermediate_ca_key`],
  ]);
  return intermediate;
}

/** certificates authority/provisioner/extension.go; type 1 is JWK. */
function provisionerExtension(provisioner: string, kid: string): string {
  return `1.3.6.1.4.1.37476.9000.64.1=ASN1:SEQUENCE:step
[step]
type = INTEGER:1
name = FORMAT:ASCII,OCTETSTRING:${provisioner}
id = FORMAT:ASCII,OCTETSTRING:${kid}`;
}

interface Server {
  kill(signal: Deno.Signal): void;
  readonly ended: Promise<void>;
}

/** Resolves when it serves; its log line says so. */
async function startServer(
  configFile: string,
  { passwordFile, env }: {
    readonly passwordFile: string;
    readonly env: Record<string, string>;
  },
): Promise<Server> {
  const child = new Deno.Command(`${BIN}/step-ca`, {
    args: [configFile, "--password-file", passwordFile],
    env,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  const serving = Promise.withResolvers<void>();
  const drained = drain(lines, serving);
  await serving.promise;
  return {
    kill(signal) {
      try {
        child.kill(signal);
      } catch (error) {
        // It was stopped before.
        if (!(error instanceof TypeError)) throw error;
      }
    },
    ended: Promise.all([child.status, drained]).then(() => {}),
  };
}

/** Reads on to the end, since a full pipe would stop the CA. */
async function drain(
  lines: ReadableStream<string>,
  serving: PromiseWithResolvers<void>,
): Promise<void> {
  let log = "";
  for await (const text of lines) {
    log += text;
    if (log.includes("Serving HTTPS on")) serving.resolve();
  }
  serving.reject(new Error(`step-ca ended: ${log}`));
}
