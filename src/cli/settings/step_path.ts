/**
 * `$(step path)` and contexts: which directory holds the settings.
 *
 * `$STEPPATH` or `~/.step` is the base. Where contexts are defined there
 * (`contexts.json`), one of them is current, and `$(step path)` is the
 * directory of its authority (smallstep/cli-utils step/context.go, config.go).
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import { isJsonObject, readJsonObject } from "./json_file.ts";
import { nearest } from "../grammar/suggest.ts";

/** A named pair of an authority and a profile. */
export interface Context {
  readonly name: string;
  readonly authority: string;
  readonly profile: string;
}

/** Where settings are. */
export interface StepPath {
  /** `$(step path)`. */
  readonly path: string;
  /** `$STEPPATH` or `~/.step`. */
  readonly base: string;
  /** The context in use, if contexts are defined. */
  readonly context: Context | undefined;
  /** True when it is used because it is the only one. */
  readonly chosenAutomatically: boolean;
}

/**
 * Finds `$(step path)`.
 *
 * @param wanted name of a context: `--context` or STEP_CONTEXT
 * @throws {RekeyError} kind `config` for files that cannot be used; kind
 *   `usage` when a context has to be named, or the named one does not exist
 */
export async function findStepPath(
  env: (name: string) => string | undefined,
  wanted: string | undefined,
): Promise<StepPath> {
  const base = await basePath(env);
  const contexts = readContexts(base);
  const current = wanted ? undefined : readCurrent(base);
  const name = wanted || current;
  if (name === undefined && contexts.length === 0) {
    return withoutContexts(base);
  }
  const chosenAutomatically = name === undefined && contexts.length === 1;
  const context = chosenAutomatically
    ? contexts[0]
    : contexts.find((candidate) => candidate.name === name);
  if (context === undefined) throw noContext(contexts, { wanted, current });
  return {
    path: joinPath(base, "authorities", context.authority),
    base,
    context,
    chosenAutomatically,
  };
}

export function withoutContexts(base: string): StepPath {
  return { path: base, base, context: undefined, chosenAutomatically: false };
}

/** The files with contexts, in the base. */
export const CONTEXTS_FILE = "contexts.json";
export const CURRENT_FILE = "current-context.json";

/**
 * `$STEPPATH` or `~/.step`.
 *
 * @throws {RekeyError} kind `config` when there is no home
 */
export async function basePath(
  env: (name: string) => string | undefined,
): Promise<string> {
  const stepPath = env("STEPPATH");
  if (stepPath) return cleanPath(stepPath);
  const home = env("HOME") || await homeOfUser();
  if (home) return joinPath(home, ".step");
  throw new RekeyError(
    "config",
    "error obtaining home directory, please define environment variable HOME",
  );
}

async function homeOfUser(): Promise<string | undefined> {
  // Loaded only here: a node: module costs 6 ms, and HOME is rarely missing.
  const { userInfo } = await import("node:os");
  try {
    return userInfo().homedir;
  } catch {
    // No entry in the user database: the caller says that there is no home.
    return undefined;
  }
}

/**
 * The contexts that are defined.
 *
 * @throws {RekeyError} kind `config` for a file that cannot be used
 */
export function readContexts(base: string): readonly Context[] {
  const map = readJsonObject(joinPath(base, CONTEXTS_FILE), {
    open: "",
    parse: "error unmarshaling context map: ",
  });
  return Object.entries(map ?? {}).map(([name, value]) =>
    toContext(name, value)
  );
}

function toContext(name: string, value: unknown): Context {
  const unusable = (what: string) =>
    new RekeyError(
      "config",
      `error in context '${
        shortened(name)
      }': context cannot ${what}; check your $STEPPATH/contexts.json file`,
    );
  if (!isJsonObject(value)) throw unusable("be nil");
  const { authority, profile } = value;
  if (typeof authority !== "string" || authority === "") {
    throw unusable("have an empty authority value");
  }
  if (typeof profile !== "string" || profile === "") {
    throw unusable("have an empty profile value");
  }
  return { name, authority, profile };
}

function readCurrent(base: string): string | undefined {
  const current = readJsonObject(joinPath(base, CURRENT_FILE), {
    open: "",
    parse: "error unmarshaling current context: ",
  });
  const name = current?.context;
  return typeof name === "string" && name !== "" ? name : undefined;
}

/**
 * The original asks with a menu when several contexts are defined and none is
 * current; a program that may run from a timer must not wait for an answer.
 */
function noContext(
  contexts: readonly Context[],
  { wanted, current }: {
    readonly wanted: string | undefined;
    readonly current: string | undefined;
  },
): RekeyError {
  const names = contexts.map(({ name }) => name);
  const known = names.length === 0
    ? "no contexts are defined"
    : `the contexts are: ${shortened(names.join(", "))}`;
  if (wanted) {
    const near = nearest(wanted, names);
    return new RekeyError(
      "usage",
      `could not load context '${shortened(wanted)}'`,
      {
        hint: near === undefined ? known : `did you mean '${shortened(near)}'?`,
      },
    );
  }
  if (current !== undefined) {
    return new RekeyError(
      "config",
      `could not load context '${shortened(current)}'`,
      {
        hint: `${known}; name one with --context`,
      },
    );
  }
  return new RekeyError(
    "usage",
    "several contexts are defined and none of them is current",
    { hint: `name one with --context or STEP_CONTEXT; ${known}` },
  );
}

/**
 * The shortest path with the same lexical meaning, as Go's `filepath.Clean`:
 * no `.`, no `//`, `a/..` removed; an empty path is `.`.
 */
export function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  return (rooted ? "/" : "") + kept.join("/") || ".";
}

/** `parts` as one cleaned path. */
export function joinPath(...parts: readonly string[]): string {
  return cleanPath(parts.filter((part) => part !== "").join("/"));
}
