/**
 * Where reloads are tried: a pair, a CA that counts what it issues, and a hook
 * that writes down how it was called and fails as often as a test says.
 */
import { program, runProgram } from "./program.ts";
import { serialOf } from "./openssl_reads.ts";
import type { RunResult } from "./run.ts";
import { type RunningProgram, startProgram } from "./running_program.ts";
import { type TempDir, tempDir } from "./temp_dir.ts";
import {
  makeTestPki,
  rightAnswer,
  startTestCa,
  type TestCa,
  type TestPki,
} from "./test_ca.ts";

/** The place of one test. Disposing it stops the CA and removes all files. */
export interface ReloadPlace extends AsyncDisposable {
  readonly dir: TempDir;
  readonly pki: TestPki;
  readonly ca: TestCa;
  readonly env: Record<string, string>;
  /** Certificate and key, as arguments. */
  readonly pair: readonly [string, string];
  /** A script; the path of it. */
  script(name: string, lines: string): Promise<string>;
  /**
   * A hook that fails `failures` times with status 7, and appends a line to
   * the file `calls`: attempt, serial, previous serial.
   */
  failingHook(failures: number): Promise<string>;
  /** The lines of {@linkcode failingHook}. */
  calls(): Promise<readonly string[]>;
  /** Words of a command line for this CA and pair. */
  words(...more: string[]): string[];
  once(...more: string[]): Promise<RunResult>;
  daemon(...more: string[]): RunningProgram;
  /** Serial number of the certificate on the disk, by openssl. */
  serial(): Promise<string>;
  /** Names in the directory of the pair that are not the pair's. */
  leftovers(): Promise<readonly string[]>;
}

/** Makes one. */
export async function reloadPlace(): Promise<ReloadPlace> {
  await using undo = new AsyncDisposableStack();
  const dir = undo.use(await tempDir());
  await Deno.mkdir(dir.file("pki"));
  await Deno.mkdir(dir.file("tls"));
  const pki = await makeTestPki(dir.file("pki"));
  const ca = undo.use(await startTestCa(pki, rightAnswer(pki)));
  const pair = [dir.file("tls/host.crt"), dir.file("tls/host.key")] as const;
  await Deno.writeTextFile(pair[0], pki.host.certificate);
  await Deno.writeTextFile(pair[1], pki.host.key, { mode: 0o600 });
  // On a busy machine Deno looks for a newer one before we can pin --root.
  const env = { STEPPATH: dir.file("none"), DENO_NO_UPDATE_CHECK: "1" };
  const script = async (name: string, lines: string) => {
    await Deno.writeTextFile(dir.file(name), `#!/bin/sh\n${lines}\n`, {
      mode: 0o755,
    });
    return dir.file(name);
  };
  const words = (...more: string[]) => [
    ...["ca", "rekey", "--ca-url", ca.url],
    ...["--root", pki.root.certificateFile, ...more, ...pair],
  ];
  const place = {
    dir,
    pki,
    ca,
    env,
    pair,
    script,
    words,
    failingHook: (failures: number) =>
      script(
        "hook",
        `calls=${dir.file("calls")}
echo "$STEP_REKEY_ATTEMPT $STEP_REKEY_SERIAL $STEP_REKEY_PREVIOUS_SERIAL" >> $calls
[ "$(wc -l < $calls)" -gt ${failures} ] || exit 7`,
      ),
    calls: async () =>
      (await Deno.readTextFile(dir.file("calls"))).trim().split("\n"),
    once: (...more: string[]) =>
      runProgram(words("--force", ...more), { env, cwd: dir.path }),
    daemon: (...more: string[]) =>
      startProgram(words("--daemon", ...more), { env, cwd: dir.path }),
    serial: () => serialOf(pair[0]),
    leftovers: async () =>
      (await Array.fromAsync(Deno.readDir(dir.file("tls"))))
        .map(({ name }) => name).filter((name) => !/^host\./.test(name)),
  };
  const owned = undo.move();
  return { ...place, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Defines a test that has a place of its own. */
export function reloadTest(
  name: string,
  test: (place: ReloadPlace) => Promise<void>,
  ignore = false,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using place = await reloadPlace();
      await test(place);
    },
  });
}

/** The words that start the program, for a script of `sh`. */
export function programWords(args: readonly string[]): string {
  const { command, args: before } = program();
  return [command, ...before, ...args].map((word) => `'${word}'`).join(" ");
}
