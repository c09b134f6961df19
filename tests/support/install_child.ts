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
import { type LockedPair, openPair } from "../../src/files/open_pair.ts";
import {
  type InstallContents,
  type InstallOptions,
  mapPair,
  type Pair,
  type Recovery,
} from "../../src/files/transaction.ts";

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

/** Text for each file. */
export type PairTexts = Pair<string>;

/** The bytes of both. */
export function encodePair(texts: PairTexts): InstallContents {
  return mapPair(texts, (text) => new TextEncoder().encode(text));
}

/** Locks and repairs a pair; `repaired` hears of what was found. */
export async function open(
  files: Pair<string>,
  repaired: (recovery: Recovery) => void = () => {},
  stateFolders: readonly string[] = [],
): Promise<LockedPair> {
  return await openPair(files, {
    lockTimeoutMs: 0,
    stateFolders,
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: {
      write(event) {
        if (event.event === "repaired") repaired(event.recovery);
      },
    },
    signal: new AbortController().signal,
  });
}

/** Repairs what an interrupted install left, as every run does first. */
export async function recoverPair(files: Pair<string>): Promise<void> {
  using _pair = await open(files);
}

async function installOnce(
  files: Pair<string>,
  number: number,
  options: InstallOptions,
): Promise<string> {
  try {
    using pair = await open(
      files,
      ({ kind }) => print(`recovered ${kind}`),
      options.stateFolders,
    );
    using install = await pair.prepareInstall(options);
    await install.settle();
    for (const { message } of install.warnings) print(`warned ${message}`);
    const { certificate, key } = generation(number);
    await install.commit(encodePair({
      certificate,
      key: files.key === undefined ? undefined : key,
    }));
    return `installed ${number}`;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return `failed ${error.kind}: ${error.message}`;
  }
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
  const files = key === "" ? { certificate } : { certificate, key };
  print("ready");
  Deno.stdin.readSync(new Uint8Array(1));
  const last = count === "0" ? Infinity : Number(first) + Number(count);
  for (let number = Number(first); number < last; number++) {
    print(await installOnce(files, number, options));
  }
}
