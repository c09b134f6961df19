/**
 * What the tests of the daemon share: a real step-ca without backdate, so that
 * lives are short, certificates of it, and daemons that rekey them.
 */
import {
  type RunningProgram,
  startProgram,
} from "../support/running_program.ts";
import { runOk } from "../support/run.ts";
import { startStepCa, type StepCa, stepCaMissing } from "../support/step_ca.ts";

/** Real CA and certificates of one test file. */
export interface DaemonPlace {
  readonly ca: StepCa;
  /** A pair that lives for `seconds`, counted from now. */
  pair(name: string, seconds: number, provisioner?: string): Promise<Pair>;
  /** Starts a daemon on a pair. */
  daemon(
    pair: Pair,
    args: readonly string[],
    options?: DaemonOptions,
  ): RunningProgram;
}

/** The two files of a pair. */
export interface Pair {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** How a daemon differs from the rest. */
export interface DaemonOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly under?: readonly string[];
  /** Another CA than the place's. */
  readonly caUrl?: string;
}

/** Makes one that lasts until the test file ends; undefined without step-ca. */
export async function daemonPlace(): Promise<DaemonPlace | undefined> {
  if (stepCaMissing !== undefined) return undefined;
  const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
  const ca = await startStepCa(directory, {
    admin: { allowRenewalAfterExpiry: true },
    strict: { allowRenewalAfterExpiry: false },
  }, { backdate: "0s" });
  addEventListener("unload", () => {
    ca.kill();
    Deno.removeSync(directory, { recursive: true });
  });
  let last: Promise<unknown> = Promise.resolve();
  return {
    ca,
    async pair(name, seconds, provisioner = "admin") {
      const issue = () => {
        // openssl writes whole seconds.
        const begin = Math.floor(Date.now() / 1000) * 1000;
        return ca.issue(name, provisioner, {
          notBefore: new Date(begin),
          notAfter: new Date(begin + seconds * 1000),
        });
      };
      // One after the other: "openssl ca" keeps a list.
      const issued = last.then(issue);
      last = issued.catch(() => {});
      return await issued;
    },
    daemon: (pair, args, options = {}) =>
      startProgram([
        ...["ca", "rekey", "--daemon", "--ca-url", options.caUrl ?? ca.url],
        ...["--root", ca.rootFile, ...args],
        pair.certificateFile,
        pair.keyFile,
      ], {
        cwd: directory,
        env: { STEPPATH: `${directory}/none`, ...options.env },
        ...options.under && { under: options.under },
      }),
  };
}

/** The public key of a certificate, which has to be that of the key: PEM, by openssl. */
export async function publicKeyOf(
  pair: Pair,
  password?: string,
): Promise<string> {
  const [certificate, key] = await Promise.all([
    runOk("openssl", [
      ...["x509", "-noout", "-pubkey", "-in", pair.certificateFile],
    ]),
    runOk("openssl", [
      ...["pkey", "-pubout", "-in", pair.keyFile],
      ...password === undefined ? [] : ["-passin", `pass:${password}`],
    ]),
  ]);
  if (certificate.stdout !== key.stdout) {
    throw new Error("the pair does not belong together");
  }
  return key.stdout;
}
