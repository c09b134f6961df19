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
import { calledInARekey, compiledAtOnce } from "./compiled_at_once.ts";
import { ROOT } from "./paths.ts";
import { joinPieces } from "./pieces.ts";
import { VENDORED } from "./vendor.ts";

const NAME = "step-rekey";

/** All that is built, and what decides how. */
const SOURCES = ["main.ts", "src", "deno.json", "deno.lock"] as const;

/**
 * The first line of the file for `deno run`, with which it can be called by
 * its name. `--no-config`: a deno.json where it is called could replace modules.
 */
const HASHBANG =
  "#!/usr/bin/env -S deno run --no-config --allow-all --no-prompt --unstable-net\n";

/** What a build may be told. */
export interface BuildOptions {
  /** What `--version` names; null: none is known. */
  readonly commit?: string | null | undefined;
  readonly DENO_BIN?: string | undefined;
  readonly DENORT_BIN?: string | undefined;
  /** The platform to compile for, as Deno names it; without it this one. */
  readonly target?: string | undefined;
  /** Another program than ours. */
  readonly entry?: string | undefined;
}

/** Compiles into `directory`; returns the path of the program. */
export async function compile(
  directory: string,
  options: BuildOptions = {},
): Promise<string> {
  const work = `${directory}/build`;
  try {
    const main = await bundleForCompile(work, options);
    return await compilePieces(directory, main, options);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Compiles the bundle of {@linkcode bundleForCompile} into `directory`. */
export async function compilePieces(
  directory: string,
  main: string,
  { target, DENO_BIN = Deno.execPath(), DENORT_BIN }: BuildOptions,
): Promise<string> {
  const work = main.replace(/\/[^/]*$/, "");
  const time = new Date(
    Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? "0") * 1000,
  );
  for await (const { name } of Deno.readDir(work)) {
    await Deno.utime(`${work}/${name}`, time, time);
  }
  const isWindows = target?.includes("windows") ?? Deno.build.os === "windows";
  const program = `${directory}/${NAME}${isWindows ? ".exe" : ""}`;
  await call(DENO_BIN, [
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
    ...target === undefined ? [] : ["--target", target],
    "--output",
    program,
    main,
  ], {
    cwd: work,
    env: DENORT_BIN === undefined ? {} : { DENORT_BIN },
  });
  return program;
}

/** Bundles into `directory`, which holds nothing else then; returns the entry. */
export async function bundleForCompile(
  directory: string,
  { entry, commit = null }: BuildOptions,
): Promise<string> {
  const main = `${directory}/main.js`;
  if (entry !== undefined) {
    await bundle(["--output", main], entry, ROOT);
    return main;
  }
  const source = await Deno.makeTempDir();
  const pieces = await Deno.makeTempDir();
  try {
    await copySource(source, commit);
    await bundle(
      ["--code-splitting", "--outdir", pieces],
      `${source}/main.ts`,
      source,
    );
    const called = await calledInARekey();
    for await (const { name } of Deno.readDir(pieces)) {
      const file = `${pieces}/${name}`;
      const code = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, compiledAtOnce(code, called));
    }
    await joinPieces(pieces, directory);
  } finally {
    await Deno.remove(source, { recursive: true });
    await Deno.remove(pieces, { recursive: true });
  }
  return main;
}

/** Bundles into one file in `directory`; returns its path. */
export async function bundleOneFile(
  directory: string,
  commit: string | null = null,
): Promise<string> {
  await Deno.mkdir(directory, { recursive: true });
  const file = `${directory}/${NAME}.js`;
  const work = await Deno.makeTempDir();
  try {
    await copySource(work, commit);
    await turnLibrariesIntoText(work);
    await bundle(["--output", file], `${work}/main.ts`, work);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  // For one letter that is not ASCII, and comments of libraries have some, V8
  // keeps all of it in two bytes a letter: 2 MB more in a daemon.
  const text = asAscii(await Deno.readTextFile(file));
  const code = compiledAtOnce(text, await calledInARekey());
  await Deno.writeTextFile(file, HASHBANG + code);
  await Deno.chmod(file, 0o755);
  return file;
}

/** The program as it stands, and the commit that it says it is made from. */
async function copySource(
  directory: string,
  commit: string | null,
): Promise<void> {
  await call("cp", [
    "-r",
    ...SOURCES.map((name) => ROOT + name),
    directory,
  ], { cwd: ROOT });
  await Deno.writeTextFile(
    `${directory}/src/cli/grammar/commit.ts`,
    `export const COMMIT: string | null = ${JSON.stringify(commit)};\n`,
  );
}

/**
 * The commit of the checkout, with a mark when the program in it is another; null
 * where there is no git or no repository of its own.
 */
export async function commitOfCheckout(): Promise<string | null> {
  const git = async (...args: string[]) => {
    const { success, stdout } = await new Deno.Command("git", {
      args,
      cwd: ROOT,
      stderr: "null",
    }).output();
    if (!success) throw new Error(`git ${args[0]} failed`);
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    if (`${await git("rev-parse", "--show-toplevel")}/` !== ROOT) return null;
    const commit = await git("rev-parse", "HEAD");
    const changes = await git("status", "--porcelain", "--", ...SOURCES);
    return changes === "" ? commit : `${commit}+changes`;
  } catch {
    // From an archive, or without git: the program says nothing of a commit.
    return null;
  }
}

/**
 * Each bundled library becomes packed text, and a module when it is needed: V8
 * parses all the code of a file, and most of it is theirs.
 */
async function turnLibrariesIntoText(directory: string): Promise<void> {
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
  cwd: string,
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
  const { code, stderr } = await new Deno.Command(command, {
    args,
    ...options,
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stderr).trim();
  if (code !== 0) {
    throw new Error(
      `${command} ${args[0]} exited with status ${code}: ${said}`,
    );
  }
  if (said !== "") console.error(said);
}

if (import.meta.main) {
  const isBundle = Deno.args.includes("--one-file");
  // Empty is not set.
  const DENO_BIN = Deno.env.get("DENO_BIN") || undefined;
  const DENORT_BIN = Deno.env.get("DENORT_BIN") || undefined;
  try {
    const commit = await commitOfCheckout();
    const program = isBundle
      ? await bundleOneFile(`${ROOT}dist`, commit)
      : await compile(`${ROOT}dist`, { commit, DENO_BIN, DENORT_BIN });
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
