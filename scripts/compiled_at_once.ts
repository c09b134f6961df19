/**
 * Functions that are compiled together with their file.
 *
 * V8 only reads over a function until it is called, and then parses it again;
 * what Deno keeps of a file from one run to the next holds what was compiled at
 * first. Except for a function in parentheses, which V8 takes for one that is
 * called on the spot: it is compiled with the file, and kept. For those that a
 * rekey calls, its main thread works a fifth less as one file and a tenth less
 * compiled; where all others are compiled, too, the latter is lost again.
 */
import { parseAst } from "@rollup/wasm-node/parseAst";
import { ROOT } from "./paths.ts";

/** Names of functions, by the paths of their modules. */
export type Functions = ReadonlyMap<string, ReadonlySet<string>>;

const LIST = `${ROOT}scripts/called_in_a_rekey.txt`;

/** Those that one rekey over the network calls, as `deno task profile` found them. */
export async function calledInARekey(): Promise<Functions> {
  const lines = (await Deno.readTextFile(LIST)).trimEnd().split("\n");
  return new Map(lines.map((line) => {
    const [path = "", ...names] = line.split(" ");
    return [path, new Set(names)];
  }));
}

/** Writes what {@linkcode calledInARekey} reads. */
export async function writeCalled(functions: Functions): Promise<void> {
  const lines = [...functions].map(([path, names]) =>
    [path, ...[...names].toSorted()].join(" ")
  );
  await Deno.writeTextFile(LIST, `${lines.toSorted().join("\n")}\n`);
}

/** What is read here of a syntax tree (github.com/estree/estree). */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly id?: { readonly name: string } | null;
}

/**
 * Puts functions in parentheses, in front of all else that a file does.
 *
 * @param code of `deno bundle`, which names each module in a comment
 */
export function compiledAtOnce(code: string, wanted: Functions): string {
  const { body } = parseAst(code) as unknown as { body: readonly Node[] };
  const moduleAt = modulesIn(code);
  const found = body.filter(({ type, start, id }) =>
    type === "FunctionDeclaration" &&
    isIn(wanted.get(moduleAt(start)), id?.name ?? "")
  );
  const moved = found.map(({ start, end, id }) =>
    `var ${id?.name} = (${code.slice(start, end)});\n`
  );
  const imports = body.filter(({ type }) => type === "ImportDeclaration");
  const top = imports.at(-1)?.end ?? 0;
  const ends = [top, ...found.map(({ end }) => end)];
  const rest = ends.map((end, index) => code.slice(end, found[index]?.start));
  return [code.slice(0, top), "\n", ...moved, ...rest].join("");
}

/** The bundler numbers what has the same name in two modules. */
function isIn(names: ReadonlySet<string> | undefined, name: string): boolean {
  return names !== undefined &&
    (names.has(name) || names.has(name.replace(/\d+$/, "")));
}

/** Finds the path of the module that a place in the code is from. */
function modulesIn(code: string): (place: number) => string {
  const modules = [...code.matchAll(/^\/\/ (\S+\.ts)$/gm)];
  return (place) => modules.findLast(({ index }) => index <= place)?.[1] ?? "";
}
