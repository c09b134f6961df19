/**
 * Every command, and which one a command line calls.
 *
 * Only names and one line of words: the commands themselves are loaded when
 * they are called. Pure but for that.
 */
import { RekeyError } from "../base/errors.ts";
import type { CommandDefinition } from "./grammar/command.ts";
import {
  booleanFlag,
  FlagSyntaxError,
  isFlagToken,
  splitFlagToken,
  unknownFlag,
} from "./grammar/go_arguments.ts";
import { nearest } from "./grammar/suggest.ts";

/** The program's name in help and messages of its own. */
export const PROGRAM = "step-rekey";

/** A command that can be loaded. */
export interface CommandEntry {
  readonly path: readonly [string, ...string[]];
  readonly brief: string;
  load(): Promise<CommandDefinition>;
}

/** A group of commands, which prints its help when it is called. */
export interface GroupEntry {
  /** Empty: the program itself. */
  readonly path: readonly string[];
  readonly brief: string;
}

async function loadRekey(): Promise<CommandDefinition> {
  return (await import("./commands/rekey.ts")).rekeyCommand;
}

async function loadRollback(): Promise<CommandDefinition> {
  return (await import("./commands/rollback.ts")).rollbackCommand;
}

async function loadLayout(): Promise<CommandDefinition> {
  return (await import("./commands/layout.ts")).layoutCommand;
}

/** Every command; one that has two names is listed twice. */
export const COMMANDS: readonly CommandEntry[] = [
  { path: ["ca", "rekey"], brief: "rekey a certificate", load: loadRekey },
  {
    path: ["ca", "rollback"],
    brief: "return to the certificate and key before",
    load: loadRollback,
  },
  {
    path: ["ca", "layout"],
    brief: "change how a certificate and its key stand on disk",
    load: loadLayout,
  },
  { path: ["rekey"], brief: "the same as ca rekey", load: loadRekey },
];

/** Every group. */
export const GROUPS: readonly GroupEntry[] = [
  {
    path: [],
    brief: "rotate a certificate and its private key with a step-ca",
  },
  { path: ["ca"], brief: "commands for certificates of an authority" },
];

/** Commands of the program itself, with one line of words. */
export const BUILT_IN: readonly (readonly [name: string, brief: string])[] = [
  ["help", "show the help of a command"],
  ["version", "show the version"],
];

/** Flags in front of the first command's name, in the help's order. */
export const GLOBAL_FLAGS: readonly (readonly [flag: string, help: string])[] =
  [
    [
      "--config=<file>",
      "A file with defaults for flags, read instead of the defaults.json files of $(step path) and of the profile.",
    ],
    ["--help, -h", "Show this help."],
    ["--version, -v", "Show the version."],
  ];

/** What a command line asks for. */
export type Route =
  | {
    readonly kind: "command";
    readonly entry: CommandEntry;
    /** The tokens after the command's name. */
    readonly rest: readonly string[];
    /** `--config` in front of the command's name. */
    readonly configFile: string | undefined;
  }
  | { readonly kind: "help"; readonly entry: CommandEntry | GroupEntry }
  | { readonly kind: "version" };

/** A mistake in the flags of a group, shown together with that group's help. */
export class GroupSyntaxError extends FlagSyntaxError {
  readonly group: GroupEntry;
  constructor(group: GroupEntry, mistake: FlagSyntaxError) {
    super(mistake.message, mistake.hint);
    this.group = group;
  }
}

/**
 * Finds the command.
 *
 * @throws {GroupSyntaxError} for a bad flag in front of the command's name
 * @throws {RekeyError} kind `usage` for a name that does not exist
 */
export function findRoute(tokens: readonly string[]): Route {
  let group = findGroup([]);
  let configFile: string | undefined;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] ?? "";
    if (token === "--") continue;
    if (isFlagToken(token)) {
      const flag = groupFlag(token, group, tokens[index + 1]);
      if (flag.kind === "ignored") continue;
      if (flag.kind !== "config") return flag;
      configFile = flag.file;
      index += flag.tokens - 1;
      continue;
    }
    const rest = tokens.slice(index + 1);
    if (token === "help" || token === "h") return helpRoute(group, rest);
    if (token === "version" && group.path.length === 0) {
      return versionRoute(rest);
    }
    const next = findEntry([...group.path, token]);
    if ("load" in next) {
      return { kind: "command", entry: next, rest, configFile };
    }
    group = next;
  }
  return { kind: "help", entry: group };
}

function groupFlag(
  token: string,
  group: GroupEntry,
  next: string | undefined,
):
  | Exclude<Route, { kind: "command" }>
  | { readonly kind: "config"; readonly file: string; readonly tokens: number }
  | { readonly kind: "ignored" } {
  try {
    const { name, value } = splitFlagToken(token);
    const isRoot = group.path.length === 0;
    if (name === "help" || name === "h") {
      if (!booleanFlag(name, value ?? "true")) return { kind: "ignored" };
      return { kind: "help", entry: group };
    }
    if (isRoot && (name === "version" || name === "v")) {
      if (!booleanFlag(name, value ?? "true")) return { kind: "ignored" };
      return { kind: "version" };
    }
    if (isRoot && name === "config") {
      const file = value ?? next;
      if (file === undefined) {
        throw new FlagSyntaxError("flag needs an argument: -config");
      }
      return { kind: "config", file, tokens: value === undefined ? 2 : 1 };
    }
    const known = isRoot ? ["config", "help", "version"] : ["help"];
    throw unknownFlag(name, new Map(known.map((flag) => [flag, [flag, flag]])));
  } catch (error) {
    if (!(error instanceof FlagSyntaxError)) throw error;
    throw new GroupSyntaxError(group, error);
  }
}

function helpRoute(group: GroupEntry, rest: readonly string[]): Route {
  let entry: CommandEntry | GroupEntry = group;
  for (const word of rest.filter((token) => !isFlagToken(token))) {
    if (isBuiltIn(entry, word)) {
      entry = findGroup([]);
      continue;
    }
    entry = findEntry([...entry.path, word]);
  }
  return { kind: "help", entry };
}

function isBuiltIn(entry: CommandEntry | GroupEntry, word: string): boolean {
  return entry.path.length === 0 && BUILT_IN.some(([name]) => name === word);
}

function versionRoute(rest: readonly string[]): Route {
  if (rest.length === 0) return { kind: "version" };
  if (rest.some((token) => ["-h", "-help", "--help", "--h"].includes(token))) {
    return { kind: "help", entry: findGroup([]) };
  }
  throw new RekeyError(
    "usage",
    `too many positional arguments were provided in '${PROGRAM} version'`,
  );
}

function findGroup(path: readonly string[]): GroupEntry {
  const group = GROUPS.find((entry) => samePath(entry.path, path));
  if (group === undefined) throw new Error(`no group ${path.join(" ")}`);
  return group;
}

function findEntry(path: readonly string[]): CommandEntry | GroupEntry {
  const found = COMMANDS.find((entry) => samePath(entry.path, path)) ??
    GROUPS.find((entry) => samePath(entry.path, path));
  if (found !== undefined) return found;
  const word = path.at(-1) ?? "";
  const siblings = wordsBelow(path.slice(0, -1));
  const near = nearest(word, siblings);
  throw new RekeyError("usage", `No help topic for '${word}'`, {
    hint: near === undefined
      ? `${
        [PROGRAM, ...path.slice(0, -1), "help"].join(" ")
      } lists the commands`
      : `did you mean ${[PROGRAM, ...path.slice(0, -1), near].join(" ")}?`,
  });
}

/** The words that may follow a group's name, each with its line of words. */
export function entriesBelow(
  group: GroupEntry,
): readonly (readonly [word: string, brief: string])[] {
  const below: (readonly [string, string])[] = [];
  for (const entry of [...GROUPS, ...COMMANDS]) {
    const word = entry.path[group.path.length];
    if (entry.path.length !== group.path.length + 1) continue;
    if (word === undefined) continue;
    if (samePath(entry.path.slice(0, -1), group.path)) {
      below.push([word, entry.brief]);
    }
  }
  return group.path.length === 0 ? [...below, ...BUILT_IN] : below;
}

function wordsBelow(path: readonly string[]): readonly string[] {
  const group = GROUPS.find((entry) => samePath(entry.path, path));
  if (group === undefined) return [];
  return [...entriesBelow(group).map(([word]) => word), "help"];
}

function samePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length &&
    one.every((word, index) => word === other[index]);
}
