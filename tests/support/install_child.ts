/**
 * A process that installs pairs, to be killed or to have its calls fail.
 *
 * Arguments: certificate file, key file (empty for none), first generation,
 * number of installs (0: for ever), options of the install as JSON. Prints
 * `ready`, waits for a line on standard input, then prints a line for each
 * install: `installed N`, or `failed KIND: MESSAGE`.
 *
 * Or `recover`, and two files for each pair: only repairs them.
 */
import { RekeyError } from "../../src/base/errors.ts";
import {
  type InstallOptions,
  prepareInstall,
  recoverInstall,
} from "../../src/files/install.ts";
import { lockPair } from "../../src/files/lock/pair_lock.ts";

/** The content of both files in one generation; they belong together by it. */
export function generation(number: number): {
  readonly certificate: string;
  readonly key: string;
} {
  return {
    certificate: `certificate of generation ${number}\n`.repeat(60),
    key: `key of generation ${number}\n`.repeat(10),
  };
}

async function installOnce(
  targets: { readonly certificate: string; readonly key?: string },
  number: number,
  options: InstallOptions,
): Promise<string> {
  try {
    await using _lock = await lockPair(targets);
    const recovery = await recoverInstall(targets);
    if (recovery.kind !== "none") print(`recovered ${recovery.kind}`);
    await using install = await prepareInstall(targets, options);
    const { certificate, key } = generation(number);
    await install.commit({
      certificate,
      ...(targets.key !== undefined && { key }),
    });
    return `installed ${number}`;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return `failed ${error.kind}: ${error.message}`;
  }
}

/** Repairs what an interrupted install left, as every run does first. */
export async function recoverPair(
  targets: { readonly certificate: string; readonly key?: string | undefined },
): Promise<void> {
  await using _lock = await lockPair(targets);
  await recoverInstall(targets);
}

async function recoverAll(
  [certificate, key, ...rest]: string[],
): Promise<void> {
  if (certificate === undefined) return;
  await recoverPair({ certificate, key: key || undefined });
  await recoverAll(rest);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main && Deno.args[0] === "recover") {
  await recoverAll(Deno.args.slice(1));
} else if (import.meta.main) {
  const [certificate = "", key = "", first = "1", count = "1", json = "{}"] =
    Deno.args;
  const options: InstallOptions = JSON.parse(json);
  const targets = key === "" ? { certificate } : { certificate, key };
  print("ready");
  Deno.stdin.readSync(new Uint8Array(1));
  const last = count === "0" ? Infinity : Number(first) + Number(count);
  for (let number = Number(first); number < last; number++) {
    print(await installOnce(targets, number, options));
  }
}
