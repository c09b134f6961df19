/**
 * Lint rules of this project: they prove the layers.
 *
 * Imports point down: from folder to folder of `src`, from sub-folder to
 * sub-folder inside of them, and never in a circle. Pure files do not know
 * `Deno`. The X.509 library stays in pki/, names of flags stay in cli/.
 */

import { ROOT } from "./paths.ts";

/** The floors of a folder from the top; what stands on one floor are siblings, which never import each other. */
type Floors = readonly (readonly string[])[];

/**
 * Each folder of `src` (`""`) that has an order inside: its files and
 * sub-folders. Where a folder is listed, each of its files and sub-folders has
 * to have a place in it.
 */
export const LAYERS: Readonly<Record<string, Floors>> = {
  "": [
    ["cli"],
    ["daemon", "answers"],
    ["engine"],
    ["ca", "files", "reload", "observe"],
    ["pki"],
    ["base"],
  ],
  "pki": [
    ["issue", "inspect", "pkcs12"],
    ["verify"],
    ["keys"],
    ["certificate"],
    ["asn1"],
    ["vendor"],
  ],
  "ca": [
    ["online", "offline"],
    ["authority.ts", "trust_anchor.ts", "verified_answer.ts"],
  ],
  "ca/offline": [
    ["offline_authority.ts"],
    ["authorize.ts", "ca_files.ts"],
    ["database"],
    ["config"],
  ],
  "ca/offline/database": [
    ["ca_database.ts"],
    ["badger", "bolt", "certificate_record.ts", "settled.ts"],
    ["file"],
  ],
  "engine": [
    ["once.ts"],
    ["check_pair.ts", "dry_run.ts", "enrol.ts", "rekey.ts", "rollback.ts"],
    ["pending_reload.ts"],
    ["ask.ts", "failure_hook.ts", "open_job.ts"],
    ["schedule.ts"],
  ],
  "files": [
    ["open_pair.ts", "pair_state.ts", "single_file.ts"],
    ["known_formats.ts", "unfinished.ts"],
    ["versioned"],
    ["plain"],
    ["pair", "reload_note"],
    ["lock"],
    ["transaction.ts"],
    ["disk"],
  ],
  "files/disk": [
    ["backup_file.ts", "staged_file.ts", "stand_in.ts"],
    ["hidden_names.ts"],
    ["target.ts"],
    ["pinned.ts"],
    ["attributes.ts"],
    ["disk.ts", "format.ts"],
  ],
  "files/plain": [
    ["plain_install.ts"],
    ["recovery.ts"],
    ["examine.ts", "in_place.ts", "journal_file.ts"],
    ["journal.ts"],
    ["sealed_note.ts"],
  ],
  "files/versioned": [
    ["previous_pair.ts", "versioned_install.ts"],
    ["layout.ts"],
    [
      "changeable_layout.ts",
      "discard_versions.ts",
      "layout_note.ts",
      "staged_version.ts",
    ],
    ["versions.ts"],
  ],
  "cli": [
    ["whole_rekey.ts"],
    ["run.ts"],
    ["commands"],
    ["systemd_plan.ts"],
    ["manual.ts", "completion", "systemd_units.ts", "version.ts"],
    ["help.ts"],
    ["resolve"],
    ["settings"],
    ["grammar"],
    ["process"],
    ["exit_codes.ts", "remedies.ts"],
  ],
};

/**
 * What other folders may import of `files`: whoever changes a pair has opened it,
 * and so holds its lock. The rest is reached through open_pair.ts and, for files
 * of no pair, single_file.ts only. Who only looks has pair_state.ts.
 */
const FILES_DOORS =
  /^files\/(open_pair\.ts|pair_state\.ts|single_file\.ts|transaction\.ts|pair\/.*|reload_note\/pending_reload\.ts|disk\/attributes\.ts)$/;

/** Functions of their arguments: no effect, so no `Deno`. */
const PURE =
  /^(pki\/|base\/(act|bytes|duration|errors|ip_address|options|printable|remedy)\.ts|engine\/schedule\.ts|observe\/|cli\/grammar\/|cli\/help\.ts|files\/disk\/format\.ts|files\/plain\/(journal|sealed_note)\.ts|files\/reload_note\/note\.ts|reload\/split_command\.ts)/;

/** The path below src/, or undefined for files elsewhere. */
export function sourcePath(filename: string): string | undefined {
  const path = filename.replaceAll("\\", "/");
  if (!path.startsWith(ROOT)) return undefined;
  const inside = path.slice(ROOT.length);
  if (inside === "main.ts") return "../main.ts";
  return /^src\/(.+\.ts)$/.exec(inside)?.[1];
}

/** The path below src/ that a relative import names. */
function resolveImport(from: string, specifier: string): string {
  const url = new URL(specifier, `file:///src/${from}`).pathname;
  return url.startsWith("/src/") ? url.slice(5) : `..${url}`;
}

const X509_DOOR = "pki/asn1/x509.ts is the door to the X.509 library";
const JOSE_DOOR = "pki/keys/json_web_token.ts is the door to jose";

/** Why `from` may not import `specifier`, or undefined. */
export function importFault(
  from: string,
  specifier: string,
): string | undefined {
  if (/^(npm:)?(@peculiar\/|reflect-metadata|asn1js|pkijs)/.test(specifier)) {
    return from.endsWith("/vendor/entry.ts") ? undefined : X509_DOOR;
  }
  if (/^(npm:)?jose(@|$)/.test(specifier)) {
    return from === "pki/keys/vendor/entry.ts" ? undefined : JOSE_DOOR;
  }
  if (/^(npm|jsr|https?):/.test(specifier)) {
    return "src downloads nothing: it imports bundles below vendor/";
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = resolveImport(from, specifier);
  if (target.startsWith("../")) return "src imports nothing from outside of it";
  if (target.startsWith("pki/vendor/") && from !== "pki/asn1/x509.ts") {
    return X509_DOOR;
  }
  if (
    target.startsWith("pki/keys/vendor/") &&
    from !== "pki/keys/json_web_token.ts"
  ) return JOSE_DOOR;
  if (
    target.startsWith("pki/pkcs12/vendor/") && from !== "pki/pkcs12/pkcs12.ts"
  ) {
    return "pki/pkcs12/pkcs12.ts is the door to the PKCS#12 library";
  }
  const isInside = from.startsWith("files/") || !target.startsWith("files/");
  if (!isInside && !FILES_DOORS.test(target)) {
    return "a pair is changed by who has opened it: src/files/open_pair.ts";
  }
  return layerFault(from, target);
}

function layerFault(from: string, target: string): string | undefined {
  const [folder, upper, lower] = whereTheyPart(from, target);
  const floors = LAYERS[folder];
  if (floors === undefined || upper === lower) return undefined;
  const place = folder === "" ? "src" : `src/${folder}`;
  const upperFloor = floorOf(floors, upper);
  const lowerFloor = floorOf(floors, lower);
  if (upperFloor < 0 || lowerFloor < 0) {
    const stray = upperFloor < 0 ? upper : lower;
    return `${stray} has no place in the layers of ${place}`;
  }
  if (lowerFloor > upperFloor) return undefined;
  return lowerFloor === upperFloor
    ? `in ${place}, ${upper} may not import its sibling ${lower}`
    : `in ${place}, ${upper} may not import ${lower}, which is above it`;
}

/** The folder that both paths share, and the entries of it that they are or are in. */
function whereTheyPart(
  from: string,
  target: string,
): readonly [folder: string, from: string, target: string] {
  const left = from.split("/");
  const right = target.split("/");
  let depth = 0;
  while (depth < left.length - 1 && left[depth] === right[depth]) depth++;
  return [
    left.slice(0, depth).join("/"),
    left[depth] ?? "",
    right[depth] ?? "",
  ];
}

function floorOf(floors: Floors, entry: string): number {
  return floors.findIndex((names) => names.includes(entry));
}

/** The modules that a source text imports, types included, as paths below src/. */
function importsOf(path: string, text: string): readonly string[] {
  const specifiers = text.matchAll(
    /(?:\bfrom|\bimport\s*\(|\bimport)\s*"(\.[^"]+)"/g,
  );
  return [...specifiers].map(([, specifier = ""]) =>
    resolveImport(path, specifier)
  );
}

/**
 * The circle that an import closes: the files from `target` back to `from`, or
 * undefined.
 *
 * @param read the text of a path below src/; undefined when there is no file
 */
export function importCircle(
  from: string,
  target: string,
  read: (path: string) => string | undefined,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const walk = (path: string): readonly string[] | undefined => {
    if (path === from) return [path];
    if (seen.has(path)) return undefined;
    seen.add(path);
    for (const next of importsOf(path, read(path) ?? "")) {
      const rest = walk(next);
      if (rest !== undefined) return [path, ...rest];
    }
    return undefined;
  };
  return walk(target);
}

function readSource(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(`${ROOT}src/${path}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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

/** A visitor for every form of import. */
function onImport(
  check: (node: ImportNode, specifier: string) => void,
): Deno.lint.LintVisitor {
  const visit = (node: ImportNode) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) check(node, specifier);
  };
  return {
    ImportDeclaration: visit,
    ImportExpression: visit,
    ExportAllDeclaration: visit,
    ExportNamedDeclaration: visit,
  };
}

const layers: Deno.lint.Rule = {
  create(context) {
    const from = sourcePath(context.filename);
    if (from === undefined || from === "../main.ts") return {};
    return onImport((node, specifier) => {
      const message = importFault(from, specifier);
      if (message !== undefined) context.report({ node, message });
    });
  },
};

const noCircles: Deno.lint.Rule = {
  create(context) {
    const from = sourcePath(context.filename);
    if (from === undefined || from === "../main.ts") return {};
    const texts = new Map<string, string | undefined>();
    const read = (path: string) => {
      if (!texts.has(path)) texts.set(path, readSource(path));
      return texts.get(path);
    };
    return onImport((node, specifier) => {
      if (!specifier.startsWith(".")) return;
      const target = resolveImport(from, specifier);
      if (target.startsWith("../")) return;
      const circle = importCircle(from, target, read);
      if (circle === undefined) return;
      context.report({
        node,
        message: `imports run in a circle: ${[from, ...circle].join(" > ")}`,
      });
    });
  },
};

/** Below cli/ nothing knows how a flag is spelled: cli/ has the hints that name one. */
const noFlagNames: Deno.lint.Rule = {
  create(context) {
    const from = sourcePath(context.filename);
    if (from === undefined || /^(cli\/|\.\.)/.test(from)) return {};
    const check = (node: Deno.lint.Node, text: unknown) => {
      if (typeof text !== "string" || !/(^|[\s'"(])--[a-z]/.test(text)) return;
      context.report({
        node,
        message: "only cli/ names flags: give a remedy, and cli/ the words",
      });
    };
    return {
      Literal: (node) => check(node, node.value),
      TemplateElement: (node) => check(node, node.cooked),
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

export default {
  name: "step-rekey",
  rules: {
    layers,
    "no-circles": noCircles,
    "no-flag-names": noFlagNames,
    "no-effects": noEffects,
    "no-module-state": noModuleState,
    "no-static-node": noStaticNode,
    "no-empty-catch": noEmptyCatch,
  },
} satisfies Deno.lint.Plugin;
