/**
 * What the tests of the daemon share: a real step-ca without backdate, so that
 * lives are short, certificates of it, and daemons that rekey them.
 */
import { type RunningProgram, startProgram } from "./running_program.ts";
import { startStepCa, type StepCa, stepCaMissing } from "./step_ca.ts";

/** Real CA and certificates of one test file. */
export interface DaemonPlace {
  readonly ca: StepCa;
  /** A pair that lives for `seconds`, of which `age` are over; none by default. */
  pair(
    name: string,
    seconds: number,
    options?: { readonly age?: number },
  ): Promise<Pair>;
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
  /** `rekey` without it. */
  readonly command?: "rekey" | "renew";
}

/** Defines one test; `ignored` is the reason why it is. */
export type DaemonTest = (
  name: string,
  test: (place: DaemonPlace) => Promise<void>,
  ignored?: string,
) => void;

/**
 * Tests of one file on one place, which are ignored without step-ca.
 *
 * @param afterEach makes good what a test did to the CA
 */
export async function daemonTests(
  afterEach: (place: DaemonPlace) => Promise<void> = () => Promise.resolve(),
): Promise<DaemonTest> {
  const place = stepCaMissing === undefined ? await daemonPlace() : undefined;
  return (name, test, ignored) => {
    const reason = stepCaMissing ?? ignored;
    Deno.test({
      name: name + (reason === undefined ? "" : ` (${reason})`),
      ignore: reason !== undefined,
      async fn() {
        if (place === undefined) throw new Error(stepCaMissing);
        try {
          await test(place);
        } finally {
          await afterEach(place);
        }
      },
    });
  };
}

/** Makes one that lasts until the test file ends. */
async function daemonPlace(): Promise<DaemonPlace> {
  const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
  const ca = await startStepCa(directory, {
    admin: { allowRenewalAfterExpiry: true },
    strict: { allowRenewalAfterExpiry: false },
  }, { backdate: "0s" });
  addEventListener("unload", () => {
    ca.kill();
    Deno.removeSync(directory, { recursive: true });
  });
  return {
    ca,
    async pair(name, seconds, { age = 0 } = {}) {
      // openssl writes whole seconds.
      const begin = (Math.floor(Date.now() / 1000) - age) * 1000;
      return await ca.issue(name, "admin", {
        notBefore: new Date(begin),
        notAfter: new Date(begin + seconds * 1000),
      });
    },
    daemon: (pair, args, options = {}) =>
      startProgram([
        ...["ca", options.command ?? "rekey", "--daemon"],
        ...["--ca-url", options.caUrl ?? ca.url],
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
