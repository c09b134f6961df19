/**
 * Lint rules of this project: they prove the layers.
 *
 * Imports in src point down only: cli > daemon > rekey > reload_debt > (ca, files,
 * reload, which never import each other) > (pki, schedule) > leaves. Pure files do not
 * know `Deno`. The X.509 library stays in pki/.
 */

import { ROOT } from "./paths.ts";

/** A floor of the building, from the top; names on one floor are siblings. */
const FLOORS: readonly (readonly string[])[] = [
  ["main"],
  ["cli"],
  ["daemon", "one_shot"],
  ["reload_retries"],
  ["failure_hook", "rekey", "rollback"],
  ["reload_debt"],
  ["ca", "files", "reload", "observe"],
  ["pki", "schedule"],
  ["leaf"],
];

const LEAVES = new Set([
  "duration.ts",
  "errors.ts",
  "instant.ts",
  "options.ts",
  "os_error.ts",
  "printable.ts",
  "runtime.ts",
  "stoppable.ts",
]);

/** Functions of their arguments: no effect, so no `Deno`. */
const PURE =
  /^(pki\/|schedule\.ts|errors\.ts|options\.ts|duration\.ts|instant\.ts|printable\.ts|observe\/log\.ts|cli\/(go_arguments|values|command|help)\.ts|files\/install_journal\.ts|reload\/split_command\.ts)/;

/** The path below src/, or undefined for files elsewhere. */
export function sourcePath(filename: string): string | undefined {
  const path = filename.replaceAll("\\", "/");
  if (!path.startsWith(ROOT)) return undefined;
  const inside = path.slice(ROOT.length);
  if (inside === "main.ts") return "../main.ts";
  return /^src\/(.+\.ts)$/.exec(inside)?.[1];
}

function roomOf(path: string): string {
  if (path === "../main.ts") return "main";
  const [first = ""] = path.split("/");
  if (LEAVES.has(first)) return "leaf";
  return first.replace(/\.ts$/, "");
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** The path below src/ that a relative import names. */
function resolveImport(from: string, specifier: string): string {
  const url = new URL(specifier, `file:///src/${from}`).pathname;
  return url.startsWith("/src/") ? url.slice(5) : `..${url}`;
}

/** Why `from` may not import `specifier`, or undefined. */
export function importFault(
  from: string,
  specifier: string,
): string | undefined {
  if (/^(npm:)?@peculiar\/|^(npm:)?reflect-metadata/.test(specifier)) {
    return from.startsWith("pki/")
      ? undefined
      : "only src/pki may import the X.509 library";
  }
  if (/^(npm|jsr|https?):/.test(specifier)) {
    return "src downloads nothing: it imports bundles below vendor/";
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = resolveImport(from, specifier);
  if (target.startsWith("../")) return "src imports nothing from outside of it";
  const room = roomOf(from);
  const targetRoom = roomOf(target);
  if (room === targetRoom) return undefined;
  const floor = floorOf(room);
  const targetFloor = floorOf(targetRoom);
  if (floor < 0 || targetFloor < 0) {
    return `${floor < 0 ? from : target} has no place in the layers`;
  }
  if (targetFloor > floor) return undefined;
  return targetFloor === floor
    ? `${room}/ may not import its sibling ${targetRoom}/`
    : `${room} may not import ${targetRoom}, which is above it`;
}

type ImportNode =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ImportExpression
  | Deno.lint.ExportAllDeclaration
  | Deno.lint.ExportNamedDeclaration;

function specifierOf(node: ImportNode): string | undefined {
  const source = node.source;
  return source?.type === "Literal" && typeof source.value === "string"
    ? source.value
    : undefined;
}

const layers: Deno.lint.Rule = {
  create(context) {
    const from = sourcePath(context.filename);
    if (from === undefined || from === "../main.ts") return {};
    const check = (node: ImportNode) => {
      const specifier = specifierOf(node);
      if (specifier === undefined) return;
      const message = importFault(from, specifier);
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
    };
  },
};

const noEffects: Deno.lint.Rule = {
  create(context) {
    const from = sourcePath(context.filename);
    if (from === undefined) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier") return;
        const name = node.object.name;
        if (name === "Deno" && PURE.test(from)) {
          context.report({ node, message: "pure files do not know Deno" });
        }
        if (name === "console") {
          context.report({ node, message: "src never prints by console" });
        }
        if (
          name === "Deno" && from !== "../main.ts" &&
          node.property.type === "Identifier" && node.property.name === "exit"
        ) {
          context.report({ node, message: "only main.ts ends the process" });
        }
      },
    };
  },
};

const noModuleState: Deno.lint.Rule = {
  create(context) {
    if (sourcePath(context.filename) === undefined) return {};
    return {
      "Program > VariableDeclaration[kind=let], Program > ExportNamedDeclaration > VariableDeclaration[kind=let]"(
        node: Deno.lint.VariableDeclaration,
      ) {
        context.report({ node, message: "no module-level let: pass it down" });
      },
    };
  },
};

const noStaticNode: Deno.lint.Rule = {
  create(context) {
    if (sourcePath(context.filename) === undefined) return {};
    return {
      ImportDeclaration(node) {
        if (!String(node.source.value).startsWith("node:")) return;
        context.report({
          node,
          message:
            "node: built-ins cost 5-40 ms at start: import them where they are needed",
        });
      },
    };
  },
};

const noEmptyCatch: Deno.lint.Rule = {
  create(context) {
    if (sourcePath(context.filename) === undefined) return {};
    return {
      CatchClause(node) {
        if (node.body.body.length === 0) {
          context.report({ node, message: "never catch to ignore" });
        }
      },
    };
  },
};

/**
 * The minifier of `deno bundle` (2.9.6) puts a variable that is used once, in
 * the statement after it, in the place of that use, and forgets that `using`
 * closes it: the compiled program would leak it.
 */
const usingInlined: Deno.lint.Rule = {
  create(context) {
    if (sourcePath(context.filename) === undefined) return {};
    return {
      BlockStatement(node) {
        for (const [index, statement] of node.body.entries()) {
          const name = usedName(statement);
          if (name === undefined) continue;
          const [next, ...rest] = node.body.slice(index + 1)
            .map((later) => context.sourceCode.getText(later));
          const use = new RegExp(`\\b${name}\\b`, "g");
          const isElsewhere = rest.some((text) => text.search(use) >= 0);
          if (next === undefined || isElsewhere) continue;
          // A function or a block in between keeps it.
          const [before = "", ...after] = next.split(use);
          if (after.length !== 1 || /=>|^try\b|\{$/.test(before.trim())) {
            continue;
          }
          context.report({
            node: statement,
            message:
              `the minifier drops this: use ${name} twice, or close it in a finally block`,
          });
        }
      },
    };
  },
};

function usedName(statement: Deno.lint.Statement): string | undefined {
  if (statement.type !== "VariableDeclaration") return undefined;
  if (statement.kind !== "using" && statement.kind !== "await using") {
    return undefined;
  }
  const id = statement.declarations[0]?.id;
  return id?.type === "Identifier" ? id.name : undefined;
}

export default {
  name: "step-rekey",
  rules: {
    layers,
    "no-effects": noEffects,
    "no-module-state": noModuleState,
    "no-static-node": noStaticNode,
    "no-empty-catch": noEmptyCatch,
    "using-inlined": usingInlined,
  },
} satisfies Deno.lint.Plugin;
