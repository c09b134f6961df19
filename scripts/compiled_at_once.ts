/**
 * Functions that are compiled together with their file.
 *
 * V8 only reads over a function until it is called, and then parses it again;
 * what Deno keeps of a file from one run to the next holds what was compiled at
 * first. Except for a function in parentheses, which V8 takes for one that is
 * called on the spot: it is compiled with the file, and kept. For the modules of
 * a rekey that saves a fifth of the processor time of a start.
 */
import { parseAst } from "@rollup/wasm-node/parseAst";

/** What is read here of a syntax tree (github.com/estree/estree). */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface FunctionNode extends Node {
  readonly id: { readonly name: string } | null;
  readonly async: boolean;
  readonly body: { readonly body: readonly StatementNode[] };
}

interface StatementNode extends Node {
  readonly expression?: CallNode;
}

interface CallNode extends Node {
  readonly callee?: { readonly name?: string };
  readonly arguments?: readonly Node[];
}

interface PropertyNode {
  readonly key: { readonly value: string; readonly end: number };
  readonly value: FunctionNode;
}

/** A module in a bundle: `var name = __esm({ "path"() { … } });`. */
interface BundledModule {
  /** Of the function that initializes it. */
  readonly name: string;
  readonly path: string;
  /** Names of the modules that it initializes first. */
  readonly imports: readonly string[];
  readonly property: PropertyNode;
  /** Those of its functions that stand outside. */
  readonly functions: readonly FunctionNode[];
}

/**
 * Puts the functions of some modules in parentheses.
 *
 * @param bundle of `deno bundle` into one file
 * @param entries paths of modules: meant are they and all that they import
 * @throws {Error} if one of them is not in the bundle
 */
export function compiledAtOnce(
  bundle: string,
  entries: readonly string[],
): string {
  const wanted = withImports(modulesOf(bundle), entries);
  const pieces = wanted.flatMap(({ property: { key, value }, functions }) => [
    ...functions.map(({ start, end, id }) => ({
      start,
      end,
      text: `var ${id?.name} = (${bundle.slice(start, end)});`,
    })),
    {
      start: key.end,
      end: value.end,
      text: `: (${value.async ? "async " : ""}function${
        bundle.slice(value.start, value.end)
      })`,
    },
  ]).sort((a, b) => a.start - b.start);
  let done = 0;
  const parts = pieces.flatMap(({ start, end, text }) => {
    const before = bundle.slice(done, start);
    done = end;
    return [before, text];
  });
  return [...parts, bundle.slice(done)].join("");
}

/** In their order, in which a function stands before the module it belongs to. */
function modulesOf(bundle: string): readonly BundledModule[] {
  const { body } = parseAst(bundle) as unknown as { body: readonly Node[] };
  const modules: BundledModule[] = [];
  let functions: FunctionNode[] = [];
  for (const node of body) {
    if (node.type === "FunctionDeclaration") {
      functions.push(node as FunctionNode);
    }
    const wrapped = wrappedModule(node);
    if (wrapped === undefined) continue;
    modules.push({ ...wrapped, functions });
    functions = [];
  }
  return modules;
}

function wrappedModule(
  node: Node,
): Omit<BundledModule, "functions"> | undefined {
  const { declarations: [variable] = [] } = node as Node & {
    readonly declarations?: readonly {
      readonly id: { readonly name: string };
      readonly init: CallNode | null;
    }[];
  };
  if (variable?.init?.callee?.name !== "__esm") return undefined;
  const [modules] = variable.init.arguments as readonly (Node & {
    readonly properties: readonly PropertyNode[];
  })[];
  const property = modules?.properties[0];
  if (property === undefined) return undefined;
  const imports = property.value.body.body.flatMap(({ expression }) =>
    expression?.callee?.name ?? []
  );
  return {
    name: variable.id.name,
    path: property.key.value,
    imports,
    property,
  };
}

function withImports(
  modules: readonly BundledModule[],
  entries: readonly string[],
): readonly BundledModule[] {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const found = new Set(entries.map((path) => {
    const module = modules.find((module) => module.path === path);
    if (module === undefined) throw new Error(`${path} is not in the bundle`);
    return module;
  }));
  // A set goes on to what is added to it meanwhile.
  for (const { imports } of found) {
    for (const name of imports) {
      const module = byName.get(name);
      if (module !== undefined) found.add(module);
    }
  }
  return [...found];
}
