/**
 * What the tests of `run` share: a real step-ca that issues for seconds, tokens
 * of it, pairs, and entrypoints on them.
 */
import { assertEquals } from "./assert.ts";
import { runProgram } from "./program.ts";
import { type RunningProgram, startProgram } from "./running_program.ts";
import { startStepCa, type StepCa, stepCaMissing } from "./step_ca.ts";

/** Where a pair stands, or will. */
export interface Place {
  /** Of this pair alone. */
  readonly folder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Real CA and pairs of one test file. */
export interface RunPlace {
  readonly ca: StepCa;
  /** An empty folder. */
  empty(): Promise<Place>;
  /** A pair that lives for `seconds`, of which `passed` are over. */
  pair(seconds: number, passed?: number): Promise<Place>;
  token(name: string): Promise<string>;
  /** The words of an entrypoint. */
  words(
    place: Place,
    flags: readonly string[],
    command: readonly string[],
  ): readonly string[];
  /** Starts one. */
  start(
    place: Place,
    command: readonly string[],
    options?: RunPlaceOptions,
  ): RunningProgram;
}

export interface RunPlaceOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly under?: readonly string[];
}

/** Defines one test; `ignored` is the reason why it is. */
export type RunTest = (
  name: string,
  test: (place: RunPlace) => Promise<void>,
  ignored?: string | undefined,
) => void;

/** Tests of one file on one place, which are ignored without step-ca. */
export async function runTests(): Promise<RunTest> {
  const place = stepCaMissing === undefined ? await runPlace() : undefined;
  return (name, test, ignored) => {
    const reason = stepCaMissing ?? ignored;
    Deno.test({
      name: name + (reason === undefined ? "" : ` (${reason})`),
      ignore: reason !== undefined,
      async fn() {
        if (place === undefined) throw new Error(stepCaMissing);
        await test(place);
      },
    });
  };
}

async function runPlace(): Promise<RunPlace> {
  const directory = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "step-rekey-test-" }),
  );
  const ca = await startStepCa(directory, {
    admin: { minTLSCertDuration: "1s", allowRenewalAfterExpiry: true },
  }, { backdate: "0s" });
  addEventListener("unload", () => {
    ca.kill();
    Deno.removeSync(directory, { recursive: true });
  });
  let count = 0;
  const empty = async () => {
    const name = `place${++count}`;
    const folder = `${directory}/${name}`;
    await Deno.mkdir(folder);
    const [certificateFile, keyFile] = [
      `${folder}/host.crt`,
      `${folder}/host.key`,
    ];
    return { name, folder, certificateFile, keyFile };
  };
  const env = {
    STEPPATH: `${directory}/none`,
    HOME: directory,
    DENO_NO_UPDATE_CHECK: "1",
  };
  const words: RunPlace["words"] = (place, flags, command) => [
    ...["run", "--ca-url", ca.url, "--root", ca.rootFile, ...flags],
    ...[place.certificateFile, place.keyFile, "--", ...command],
  ];
  return {
    ca,
    empty,
    words,
    async pair(seconds, passed = 0) {
      const place = await empty();
      // openssl writes whole seconds.
      const begin = Math.floor(Date.now() / 1000 - passed) * 1000;
      const issued = await ca.issue(place.name, "admin", {
        notBefore: new Date(begin),
        notAfter: new Date(begin + seconds * 1000),
      });
      await Deno.copyFile(issued.certificateFile, place.certificateFile);
      await Deno.copyFile(issued.keyFile, place.keyFile);
      return place;
    },
    async token(name) {
      const { code, stdout, stderr } = await runProgram([
        ...["ca", "token", name, "--ca-url", ca.url, "--root", ca.rootFile],
        ...["--provisioner-password-file", ca.passwordFile],
      ], { env });
      assertEquals(code, 0, stderr);
      return stdout.trim();
    },
    start: (place, command, { flags = [], under, ...options } = {}) =>
      startProgram(words(place, flags, command), {
        cwd: directory,
        env: { ...env, ...options.env },
        ...under && { under },
      }),
  };
}

/** What stands in a folder, hidden files too, in order. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
