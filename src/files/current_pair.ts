/**
 * Which files hold the pair in force.
 */
import { RekeyError } from "../errors.ts";
import type { KeyPairFiles, RunMode } from "../options.ts";
import { loadChain, loadKeyPair, type PasswordSource } from "./key_pair.ts";

/** The pairs to choose from. */
export interface PairChoice {
  readonly input: KeyPairFiles;
  readonly output: KeyPairFiles;
  readonly mode: RunMode;
}

/**
 * The files to authenticate with and to take subject and lifetime from.
 *
 * A one-shot run uses the files that it is given. A daemon with `--out-cert` or
 * `--out-key` begins with them too, and goes on with what it wrote: the output
 * pair, as soon as it exists, belongs together and has not expired.
 */
export async function currentFiles(
  { input, output, mode }: PairChoice,
  password: PasswordSource,
  now: Date,
): Promise<KeyPairFiles> {
  if (mode.run === "once") return input;
  if (
    input.certificate === output.certificate && input.key === output.key
  ) return input;
  try {
    const chain = await loadChain(output.certificate);
    await loadKeyPair(chain, output, password);
    return chain[0].notAfter > now ? output : input;
  } catch (error) {
    // No usable output pair yet: that is how every such daemon begins.
    if (error instanceof RekeyError && error.kind === "pair") return input;
    throw error;
  }
}
