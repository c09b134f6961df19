/** Which files are read, which are written, and which the service reads. */
import { RekeyError } from "../../base/errors.ts";
import type { KeyPairFiles, RekeyOptions } from "../../base/options.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import type { Pair } from "../transaction.ts";
import {
  type InputReader,
  loadChain,
  loadKeyPair,
  type PasswordSource,
} from "./key_pair.ts";

export type PairChoice = Pick<
  RekeyOptions,
  "input" | "output" | "mode" | "newKey" | "passwordFiles"
>;

export function writtenFiles(
  { newKey, output }: Pick<PairChoice, "newKey" | "output">,
): Pair<string> {
  // A given key stays in its own file unless a copy of it is asked for.
  const { certificate } = output;
  const isKeyThere = newKey.from === "current" ||
    newKey.from === "file" && !newKey.writeCopy;
  return isKeyThere ? { certificate } : output;
}

/** The files that belong together after a pass. */
export function servedPair(
  { newKey, output }: Pick<PairChoice, "newKey" | "output">,
): KeyPairFiles {
  const { certificate } = output;
  return newKey.from === "file" && !newKey.writeCopy
    ? { certificate, key: newKey.path }
    : output;
}

/** What opens a pair. */
export interface PairSource {
  readonly password: PasswordSource;
  /** Where its files were read before. */
  readonly read?: InputReader | undefined;
}

/** The pair to authenticate with and to take subject and lifetime from. */
export interface CurrentPair {
  readonly files: KeyPairFiles;
  readonly chain: readonly [Certificate, ...Certificate[]];
  /**
   * Its key, opened once however often it is asked for: an encrypted one costs
   * a tenth of a second, or a question at the terminal.
   *
   * @throws {RekeyError} kind `pair`
   */
  loadKeyPair(): Promise<KeyPair>;
}

/**
 * Finds the pair in force.
 *
 * A one-shot run uses the files that it is given. A daemon with `--out-cert` or
 * `--out-key` begins with them too, and goes on with what it wrote: the output
 * pair, as soon as it exists, belongs together and has not expired. Of two
 * expired pairs, the one that expired later.
 *
 * With `--private-key`, a certificate that belongs to the given key already
 * goes with that one: the same command works again after it has succeeded.
 *
 * @throws {RekeyError} kind `pair`, about the input where no pair is usable
 */
export async function findCurrentPair(
  choice: PairChoice,
  source: PairSource,
  now: Date,
): Promise<CurrentPair> {
  const { input, output } = choice;
  if (!hasOwnOutput(choice)) return await openInput(choice, source);
  const written = await usablePair(output, source);
  if (written === undefined) return await openPair(input, source);
  if (written.chain[0].notAfter > now) return written;
  const given = await usablePair(input, source);
  return given !== undefined &&
      given.chain[0].notAfter > written.chain[0].notAfter
    ? given
    : written;
}

/**
 * The certificate whose dates a daemon goes by while it waits, without opening
 * a key: what it wrote, as long as that is valid, else what it was given.
 *
 * @throws {RekeyError} kind `pair`
 */
export async function currentCertificate(
  choice: PairChoice,
  now: Date,
): Promise<Certificate> {
  const { input, output } = choice;
  if (hasOwnOutput(choice)) {
    const written = await unlessUnusable(loadChain(output.certificate));
    if (written !== undefined && written[0].notAfter > now) return written[0];
  }
  return (await loadChain(input.certificate))[0];
}

function hasOwnOutput({ input, output, mode }: PairChoice): boolean {
  return mode.run === "daemon" &&
    (input.certificate !== output.certificate || input.key !== output.key);
}

async function openInput(
  { input, output, newKey, passwordFiles }: PairChoice,
  { password, read }: PairSource,
): Promise<CurrentPair> {
  const pair = await openPair(input, { password, read });
  const isReplaced = newKey.from === "file" && !newKey.writeCopy &&
    output.certificate === input.certificate;
  if (!isReplaced) return pair;
  const files = { certificate: input.certificate, key: newKey.path };
  const source = { ...password, file: passwordFiles.privateKey };
  return {
    ...pair,
    async loadKeyPair() {
      try {
        return await pair.loadKeyPair();
      } catch (error) {
        const given = await unlessUnusable(
          loadKeyPair(pair.chain, files, source),
        );
        if (given === undefined) throw error;
        return given;
      }
    },
  };
}

async function openPair(
  files: KeyPairFiles,
  { password, read }: PairSource,
): Promise<CurrentPair> {
  const chain = await loadChain(files.certificate, read);
  const opened: { pair?: Promise<KeyPair> } = {};
  return {
    files,
    chain,
    loadKeyPair: () =>
      opened.pair ??= loadKeyPair(chain, files, password, read),
  };
}

/** The pair, if its key opens and belongs to it. */
async function usablePair(
  files: KeyPairFiles,
  source: PairSource,
): Promise<CurrentPair | undefined> {
  return await unlessUnusable((async () => {
    const pair = await openPair(files, source);
    await pair.loadKeyPair();
    return pair;
  })());
}

/** No usable output pair yet: that is how every such daemon begins. */
async function unlessUnusable<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RekeyError && error.kind === "pair") return undefined;
    throw error;
  }
}
