/**
 * Where an example of the manual is tried: a working directory that holds
 * internal.crt and internal.key, and settings as `step ca bootstrap` leaves
 * them, of a real step-ca.
 */
import { denoCacheDirectory } from "../../scripts/paths.ts";
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import { splitCommand } from "../../src/reload/split_command.ts";
import { assert } from "./assert.ts";
import { pairKeyOf, serialOf } from "./openssl_reads.ts";
import { program, runProgram } from "./program.ts";
import {
  onTerminal,
  type TerminalSession,
  type TerminalStep,
} from "./pseudo_terminal.ts";
import { runOk, type RunResult } from "./run.ts";
import { startStepCa, STEP, type StepCa, stepCaMissing } from "./step_ca.ts";
import { type TempDir, tempDir } from "./temp_dir.ts";

/** Bytes of both files; equal means that nothing was written. */
export type PairBytes = readonly [Uint8Array, Uint8Array];

/** The working directory of one example. Disposing it removes it. */
export interface ManualPlace extends AsyncDisposable {
  readonly dir: TempDir;
  readonly ca: StepCa;
  /** Of every program that is run here; tests add to it. */
  readonly env: Record<string, string>;
  /** Both files as they are. */
  bytes(): Promise<PairBytes>;
  /** The serial number of a certificate file, as openssl prints it. */
  serial(name?: string): Promise<string>;
  /** Fails unless certificate and key belong together, by openssl. */
  assertPair(certificate?: string, key?: string): Promise<void>;
  /** Fails unless both files are new and belong together. */
  assertRekeyed(before: PairBytes): Promise<void>;
  /** Runs the program with the words of an example. */
  step(words: string): Promise<RunResult>;
  /** The same in front of a person. */
  typed(
    words: string,
    answers: readonly TerminalStep[],
  ): Promise<TerminalSession>;
}

/** The cache of modules stays where it is when HOME moves. */
const DENO_DIR = await denoCacheDirectory();

/**
 * Tests of one file, each in a place of its own, with one CA, which lasts until
 * the file ends. Without step-ca they are ignored.
 */
export async function manualTests(): Promise<
  (
    name: string,
    check: (place: ManualPlace) => Promise<void>,
    ignore?: boolean,
  ) => void
> {
  const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
  const stepPath = `${directory}/bootstrapped`;
  const ca = stepCaMissing === undefined
    ? await startStepCa(directory)
    : undefined;
  if (ca !== undefined) await bootstrap(ca, stepPath);
  addEventListener("unload", () => {
    ca?.kill();
    Deno.removeSync(directory, { recursive: true });
  });
  return (name, check, ignore = false) =>
    Deno.test({
      name: name + (ca === undefined ? ` (ignored: ${stepCaMissing})` : ""),
      ignore: ignore || ca === undefined,
      async fn() {
        if (ca === undefined) throw new Error(stepCaMissing);
        await using place = await manualPlace(ca, stepPath);
        await check(place);
      },
    });
}

/** Makes a STEPPATH for `ca` with the real CLI. */
async function bootstrap(ca: StepCa, directory: string): Promise<void> {
  const env = { STEPPATH: directory, HOME: directory };
  const { stdout } = await ca.step("certificate", "fingerprint", ca.rootFile);
  await runOk(STEP, [
    ...["ca", "bootstrap", "--force", "--ca-url", ca.url],
    ...["--fingerprint", stdout.trim()],
  ], { env });
}

/** Makes a place with a certificate of its own. */
async function manualPlace(
  ca: StepCa,
  stepPath: string,
): Promise<ManualPlace> {
  const dir = await tempDir();
  const pair = await ca.issue(crypto.randomUUID(), "admin", {
    subject: "/CN=internal",
    names: "DNS:internal,DNS:localhost",
  });
  await Deno.writeTextFile(dir.file("internal.crt"), pair.certificate);
  await Deno.writeTextFile(dir.file("internal.key"), pair.key, {
    mode: 0o600,
  });
  const env = { STEPPATH: stepPath, HOME: dir.path, DENO_DIR };
  const place: ManualPlace = {
    dir,
    ca,
    env,
    bytes: async () => [
      await Deno.readFile(dir.file("internal.crt")),
      await Deno.readFile(dir.file("internal.key")),
    ],
    serial: (name = "internal.crt") => serialOf(dir.file(name)),
    async assertPair(certificate = "internal.crt", key = "internal.key") {
      await pairKeyOf({
        certificateFile: dir.file(certificate),
        keyFile: dir.file(key),
      });
    },
    async assertRekeyed(before) {
      const after = await place.bytes();
      const keys = [before, after].map(([chain]) =>
        parseChain(chain)[0]?.publicKey.toHex()
      );
      assert(keys[0] !== keys[1], "the certificate has the old key");
      assert(before[1].toHex() !== after[1].toHex(), "the old key file");
      await place.assertPair();
    },
    step: (words) => runProgram(splitCommand(words), { cwd: dir.path, env }),
    typed(words, answers) {
      const { command, args } = program();
      return onTerminal([
        ...["env", "-C", dir.path],
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
        ...[command, ...args, ...splitCommand(words)],
      ], answers);
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
  return place;
}
