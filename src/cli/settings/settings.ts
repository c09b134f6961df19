/**
 * Where a flag's value comes from when the command line does not give it:
 * `STEP_*` variables, then the profile's defaults.json, then the authority's
 * (smallstep/cli-utils step/context.go:69-117, 388-420).
 *
 * Differences from the original: every spelling of a flag works as a key, and
 * a value that cannot be used is an error that names file and key.
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import {
  type FlagDefinition,
  type FlagDefinitions,
  type FlagValue,
  type Origin,
  spellingsOf,
  variableOf,
} from "../grammar/command.ts";
import { goQuote, parseValue, ValueError } from "../grammar/values.ts";
import { type JsonObject, readJsonObject } from "./json_file.ts";
import {
  basePath,
  findStepPath,
  joinPath,
  type StepPath,
  withoutContexts,
} from "./step_path.ts";

/** One file with defaults for flags. */
interface Defaults {
  readonly file: string;
  readonly values: JsonObject;
}

/** Every flag that is set, and where its value comes from. */
export interface Settings {
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** `$(step path)`. */
  readonly stepPath: string;
}

/** What to complete a command line from. */
export interface SettingsOptions {
  readonly flags: FlagDefinitions;
  env(name: string): string | undefined;
  /** The files are about to be made: none is read, and `stepPath` is their base. */
  readonly areMade?: boolean | undefined;
  /** The global `--config`: read instead of all files with defaults. */
  readonly configFile: string | undefined;
  /** Takes a line for the person who reads standard error. */
  notice(message: string): Promise<void>;
}

/**
 * Adds to the flags of the command line those of the environment and of the
 * files. A flag that was found is not looked for again.
 *
 * @throws {RekeyError} kind `usage` for a variable whose text cannot be used, and
 *   for a context that is not there; kind `config` for a file that cannot be
 *   used, or a value of one, naming file and key
 */
export async function readSettings(
  given: ReadonlyMap<string, FlagValue>,
  { flags, env, configFile, notice, areMade = false }: SettingsOptions,
): Promise<Settings> {
  const context = given.get("context");
  const wanted = typeof context === "string" ? context : "";
  const stepPath = areMade
    ? withoutContexts(await basePath(env))
    : await findStepPath(env, wanted || env("STEP_CONTEXT"));
  if (stepPath.chosenAutomatically) {
    // The original also makes it the current context. Choosing is not ours to
    // remember: a rekey from a timer must not change what `step` does next.
    await notice(`✔ Context: ${stepPath.context?.name}`);
  }
  const defaults = configFile !== undefined
    ? [readNamed(configFile)]
    : areMade
    ? []
    : await readDefaults(stepPath, notice);
  const values = new Map(given);
  const origins = new Map<string, Origin>();
  for (const [name, flag] of Object.entries(flags)) {
    if (given.has(name)) {
      origins.set(name, { from: "command line" });
      continue;
    }
    const found = fromEnvironment(name, flag, env) ??
      fromDefaults(name, flag, defaults);
    if (found === undefined) continue;
    values.set(name, found.value);
    origins.set(name, found.origin);
  }
  return { values, origins, stepPath: stepPath.path };
}

/** Keys that belong to contexts themselves. */
const CONTEXT_KEYS: readonly string[] = ["context", "profile", "authority"];

/** The files with defaults, the one that wins first. */
async function readDefaults(
  stepPath: StepPath,
  notice: SettingsOptions["notice"],
): Promise<readonly Defaults[]> {
  const { base, context, path } = stepPath;
  // The original names the file alone while it is still choosing a context.
  const prefix = context === undefined
    ? "failed loading context configuration: "
    : stepPath.chosenAutomatically
    ? ""
    : "failed loading current context configuration: ";
  const files = [joinPath(path, "config", "defaults.json")];
  if (context !== undefined) {
    files.unshift(
      joinPath(base, "profiles", context.profile, "config", "defaults.json"),
    );
  }
  const found = files.map((file) => read(file, prefix));
  for (const { values } of found) {
    if (context === undefined) break;
    for (const key of CONTEXT_KEYS) {
      if (!Object.hasOwn(values, key)) continue;
      await notice(`cannot set '${key}' attribute in config files`);
    }
  }
  return found;
}

/**
 * The original takes the ordinary files when a file named by `--config` is
 * missing. That hides a typing mistake behind another CA's settings: refused.
 */
function readNamed(file: string): Defaults {
  const defaults = read(file, "");
  if (defaults.exists) return defaults;
  throw new RekeyError(
    "config",
    `open ${file} failed: no such file or directory`,
    {
      hint: "name an existing file with --config, or leave it out",
    },
  );
}

function read(
  file: string,
  prefix: string,
): Defaults & { readonly exists: boolean } {
  const values = readJsonObject(file, {
    open: prefix,
    parse: `${prefix}error parsing ${file}: `,
  });
  return { file, values: values ?? {}, exists: values !== undefined };
}

interface Found {
  readonly value: FlagValue;
  readonly origin: Origin;
}

function fromEnvironment(
  name: string,
  flag: FlagDefinition,
  env: SettingsOptions["env"],
): Found | undefined {
  const variable = variableOf(name, flag);
  const given = env(variable);
  if (given === undefined) return undefined;
  // An empty variable is a set flag: false, or an empty text.
  const text = given === "" && flag.kind === "boolean" ? "false" : given;
  const value = readValue(text, flag);
  if (!("fault" in value)) {
    return { ...value, origin: { from: "environment", variable } };
  }
  const [what, parser] = flag.kind === "boolean"
    ? ["bool", "ParseBool"]
    : ["int", "ParseInt"];
  const shown = shortened(text);
  // The text of urfave/cli v1.22.17 (flag_int.go, flag_bool.go).
  throw new RekeyError(
    "usage",
    `could not parse ${shown} as ${what} value for flag ${
      spellingsOf(name, flag).join(",")
    }: strconv.${parser}: parsing ${goQuote(shown)}: ${value.fault}`,
    { hint: `correct or unset the variable ${variable}` },
  );
}

function fromDefaults(
  name: string,
  flag: FlagDefinition,
  defaults: readonly Defaults[],
): Found | undefined {
  for (const { file, values } of defaults) {
    const key = spellingsOf(name, flag)
      .find((spelling) => Object.hasOwn(values, spelling));
    if (key === undefined || CONTEXT_KEYS.includes(key)) continue;
    const value = readValue(toText(values[key]), flag);
    if (!("fault" in value)) {
      return { ...value, origin: { from: "defaults", file } };
    }
    throw new RekeyError(
      "config",
      `error parsing ${file}: the value of '${key}' must be ${value.expected}`,
      { hint: `correct or remove '${key}' in "${file}"` },
    );
  }
  return undefined;
}

/** A JSON value as the text of a flag; undefined for null, lists and objects. */
function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") return undefined;
  // Go prints 4194304 as 4.194304e+06, which its integer flags then refuse.
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function readValue(
  text: string | undefined,
  { kind }: FlagDefinition,
):
  | { readonly value: FlagValue }
  | { readonly fault: string; readonly expected: string } {
  if (text === undefined) return { fault: "", expected: "a single value" };
  try {
    // As urfave/cli reads a list from a variable (flag_string_slice.go).
    if (kind === "list") return { value: text.split(",").map((s) => s.trim()) };
    return { value: parseValue(text, kind) };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const expected = kind === "boolean" ? "true or false" : "an integer";
    return { fault: error.fault, expected };
  }
}
