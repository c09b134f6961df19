/**
 * `deno task compile`: makes dist/step-rekey, one self-contained file.
 * `deno task bundle`: makes dist/step-rekey.js, one file for `deno run`.
 *
 * What is compiled is bundled first, in a folder that holds nothing
 * else: unbundled it starts 100 ms later, and a package.json anywhere near
 * would be embedded whole. `--code-splitting`: what a command does not import
 * is not parsed; `--version` takes 0.7 of the time that it takes in one file, a
 * rekey the same. Not `--minify`: Deno 2.9.6 then makes `g(f())` of
 * `using x = f(); g(x)` and never closes x, for 0.6 MB of 98 and no time that
 * could be measured. `--no-code-cache`: a compiled program otherwise
 * reads bytecode from a file in $TMPDIR that anybody may have planted
 * (denoland/deno#36143). `--no-prompt`: it never asks for permissions.
 * `--jitless`: a tenth less CPU time and 4 MB less for a program that ends so
 * soon, and it runs under systemd's MemoryDenyWriteExecute. The other two keep
 * the heap of a daemon small: V8's own way is to let it grow.
 * `--unstable-net`: the datagrams to systemd. `--allow-all`: the
 * runtime opens /dev/tty, for prompts, only then.
 *
 * Environment: DENORT_BIN names a base runtime where Deno's release site cannot
 * be reached, DENO_BIN a Deno of the same version. SOURCE_DATE_EPOCH fixes the
 * embedded time; same sources and same Deno give the same bytes.
 */
import { ROOT } from "./paths.ts";
import { joinPieces } from "./pieces.ts";
import { VENDORED } from "./vendor.ts";

const NAME = "step-rekey";

const MAIN = `${ROOT}main.ts`;

/**
 * The first line of the file for `deno run`, with which it can be called by
 * its name. `--no-config`: a deno.json where it is called could replace modules.
 */
const HASHBANG =
  "#!/usr/bin/env -S deno run --no-config --allow-all --no-prompt --unstable-net\n";

/** Compiles into `directory`; returns the path of the program. */
export async function compile(
  directory: string,
  env: {
    readonly DENO_BIN?: string | undefined;
    readonly DENORT_BIN?: string | undefined;
    /** Another program than ours. */
    readonly entry?: string | undefined;
  } = {},
): Promise<string> {
  const deno = env.DENO_BIN ?? Deno.execPath();
  const work = `${directory}/build`;
  const main = await bundleForCompile(work, env.entry);
  const time = new Date(
    Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? "0") * 1000,
  );
  for await (const { name } of Deno.readDir(work)) {
    await Deno.utime(`${work}/${name}`, time, time);
  }
  const extension = Deno.build.os === "windows" ? ".exe" : "";
  const program = `${directory}/${NAME}${extension}`;
  await call(deno, [
    "compile",
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-check",
    "--no-code-cache",
    "--no-prompt",
    "--v8-flags=--jitless,--optimize-for-size,--max-semi-space-size=1",
    "--unstable-net",
    "--allow-all",
    "--output",
    program,
    main,
  ], {
    cwd: work,
    env: env.DENORT_BIN === undefined ? {} : { DENORT_BIN: env.DENORT_BIN },
  });
  await Deno.remove(work, { recursive: true });
  return program;
}

/** Bundles into `directory`, which holds nothing else then; returns the entry. */
async function bundleForCompile(
  directory: string,
  entry: string | undefined,
): Promise<string> {
  const main = `${directory}/main.js`;
  if (entry !== undefined) {
    await bundle(["--output", main], entry);
    return main;
  }
  const pieces = await Deno.makeTempDir();
  try {
    await bundle(["--code-splitting", "--outdir", pieces], MAIN);
    await joinPieces(pieces, directory);
  } finally {
    await Deno.remove(pieces, { recursive: true });
  }
  return main;
}

/** Bundles into one file in `directory`; returns its path. */
export async function bundleOneFile(directory: string): Promise<string> {
  await Deno.mkdir(directory, { recursive: true });
  const file = `${directory}/${NAME}.js`;
  const work = await Deno.makeTempDir();
  try {
    await copyWithLibrariesAsText(work);
    await bundle(["--output", file], `${work}/main.ts`, work);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  // For one letter that is not ASCII, and comments of libraries have some, V8
  // keeps all of it in two bytes a letter: 2 MB more in a daemon.
  const text = asAscii(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, HASHBANG + text);
  await Deno.chmod(file, 0o755);
  return file;
}

/**
 * The program, where each bundled library is packed text that becomes a module
 * when it is needed: V8 parses all the code of a file, and most of it is theirs.
 */
async function copyWithLibrariesAsText(directory: string): Promise<void> {
  await call("cp", [
    "-r",
    ...["main.ts", "src", "deno.json", "deno.lock"].map((name) => ROOT + name),
    directory,
  ], { cwd: ROOT });
  for (const path of VENDORED) {
    const code = await Deno.readTextFile(path);
    const [, names] = /^export \{([^}]*)\}/m.exec(code) ?? [];
    if (names === undefined) throw new Error(`${path} exports nothing`);
    const outer = names.replaceAll(/[\w$]+ as /g, "");
    await Deno.writeTextFile(
      path.replace(ROOT, `${directory}/`),
      `const packed = Uint8Array.fromBase64("${await packed(code)}");
const text = new Blob([packed]).stream()
  .pipeThrough(new DecompressionStream("deflate-raw"));
const code = await new Response(text).blob();
const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
const library = await import(url);
URL.revokeObjectURL(url);
export const {${outer}} = library;
`,
    );
  }
}

/** Compressed, in base64. */
async function packed(text: string): Promise<string> {
  const stream = new Blob([text]).stream()
    .pipeThrough(new CompressionStream("deflate-raw"));
  return (await new Response(stream).bytes()).toBase64();
}

function asAscii(text: string): string {
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function bundle(
  output: readonly string[],
  entry: string,
  cwd = ROOT,
): Promise<void> {
  await call(
    Deno.execPath(),
    ["bundle", "--quiet", "--frozen", ...output, entry],
    { cwd },
  );
}

async function call(
  command: string,
  args: string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<void> {
  const { code } = await new Deno.Command(command, {
    args,
    ...options,
    stdin: "null",
  }).output().then(async (output) => {
    await Deno.stderr.write(output.stderr);
    return output;
  });
  if (code !== 0) {
    throw new Error(`${command} ${args[0]} exited with status ${code}`);
  }
}

if (import.meta.main) {
  const isBundle = Deno.args.includes("--one-file");
  // Empty is not set.
  const DENO_BIN = Deno.env.get("DENO_BIN") || undefined;
  const DENORT_BIN = Deno.env.get("DENORT_BIN") || undefined;
  try {
    const program = isBundle
      ? await bundleOneFile(`${ROOT}dist`)
      : await compile(`${ROOT}dist`, { DENO_BIN, DENORT_BIN });
    console.log(program);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (!isBundle) {
      console.error(
        "hint: without access to Deno's release site, DENORT_BIN has to name a " +
          "base runtime and DENO_BIN a Deno of the same version",
      );
    }
    Deno.exit(1);
  }
}
