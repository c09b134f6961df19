/**
 * Where a flag's value comes from when the command line does not give it:
 * `STEP_*` variables, then the profile's defaults.json, then the authority's
 * (smallstep/cli-utils step/context.go:69-117, 388-420).
 *
 * Differences from the original: every spelling of a flag works as a key, and
 * a value that cannot be used is an error that names file and key.
 */
import { RekeyError } from "../../base/errors.ts";
import type {
  FlagDefinition,
  FlagDefinitions,
  Origin,
} from "../grammar/command.ts";
import { FlagSyntaxError } from "../grammar/go_arguments.ts";
import { JsonFileError, type JsonObject, readJsonObject } from "./json_file.ts";
import { joinPath } from "./paths.ts";
import type { StepPath } from "./step_path.ts";
import {
  goQuote,
  parseBoolean,
  parseInteger,
  ValueError,
} from "../grammar/values.ts";

/** One file with defaults for flags. */
export interface Defaults {
  readonly file: string;
  readonly values: JsonObject;
}

/** What to fill flags from. */
export interface SettingsSources {
  env(name: string): string | undefined;
  /** The file that wins first. */
  readonly defaults: readonly Defaults[];
}

/** Text of every flag that is set, and where it comes from. */
export interface Settings {
  readonly values: ReadonlyMap<string, string>;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Keys that belong to contexts themselves. */
const CONTEXT_KEYS: readonly string[] = ["context", "profile", "authority"];

/** How to read the files with defaults. */
export interface DefaultsOptions {
  /** The global `--config`: read instead of all of them. */
  readonly configFile: string | undefined;
  /** Told of each key that is not allowed in a context's files. */
  readonly warn: (message: string) => void;
}

/**
 * Reads the files with defaults, the one that wins first.
 *
 * @throws {RekeyError} kind `config` naming the file
 */
export async function readDefaults(
  stepPath: StepPath,
  { configFile, warn }: DefaultsOptions,
): Promise<readonly Defaults[]> {
  if (configFile !== undefined) return [await readNamed(configFile)];
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
  const found = await Promise.all(files.map((file) => read(file, prefix)));
  for (const { values } of found) {
    if (context === undefined) break;
    for (const key of CONTEXT_KEYS) {
      if (!Object.hasOwn(values, key)) continue;
      warn(`cannot set '${key}' attribute in config files`);
    }
  }
  return found;
}

/**
 * The original takes the ordinary files when a file named by `--config` is
 * missing. That hides a typing mistake behind another CA's settings: refused.
 */
async function readNamed(file: string): Promise<Defaults> {
  const defaults = await read(file, "");
  if (defaults.exists) return defaults;
  throw new RekeyError(
    "config",
    `open ${file} failed: no such file or directory`,
    {
      hint: "name an existing file with --config, or leave it out",
    },
  );
}

async function read(
  file: string,
  prefix: string,
): Promise<Defaults & { readonly exists: boolean }> {
  try {
    const values = await readJsonObject(file);
    return { file, values: values ?? {}, exists: values !== undefined };
  } catch (error) {
    if (!(error instanceof JsonFileError)) throw error;
    throw new RekeyError(
      "config",
      error.step === "open"
        ? `${prefix}open ${file} failed: ${error.reason}`
        : `${prefix}error parsing ${file}: ${error.reason}`,
      { hint: `repair or remove "${file}"`, cause: error },
    );
  }
}

/**
 * Adds to the flags of the command line those of the environment and of the
 * files. A flag that was found is not looked for again.
 *
 * @throws {FlagSyntaxError} for a variable whose text cannot be used
 * @throws {RekeyError} kind `config` for a value of a file, naming file and key
 */
export function fillIn(
  given: ReadonlyMap<string, string>,
  flags: FlagDefinitions,
  sources: SettingsSources,
): Settings {
  const values = new Map(given);
  const origins = new Map<string, Origin>();
  for (const [name, flag] of Object.entries(flags)) {
    if (given.has(name)) {
      origins.set(name, { from: "command line" });
      continue;
    }
    const found = fromEnvironment(flag, sources.env) ??
      fromDefaults(flag, sources.defaults);
    if (found === undefined) continue;
    values.set(name, found.text);
    origins.set(name, found.origin);
  }
  return { values, origins };
}

/** The variable of a flag: `STEP_` and its first spelling. */
export function variableOf(flag: FlagDefinition): string {
  return `STEP_${flag.names[0].toUpperCase().replaceAll("-", "_")}`;
}

interface Found {
  readonly text: string;
  readonly origin: Origin;
}

function fromEnvironment(
  flag: FlagDefinition,
  env: SettingsSources["env"],
): Found | undefined {
  const variable = variableOf(flag);
  const value = env(variable);
  if (value === undefined) return undefined;
  // An empty variable is a set flag: false, or an empty text.
  const text = value === "" && flag.kind === "boolean" ? "false" : value;
  const fault = faultOf(text, flag);
  if (fault !== undefined) {
    const [what, parser] = flag.kind === "boolean"
      ? ["bool", "ParseBool"]
      : ["int", "ParseInt"];
    // The text of urfave/cli v1.22.17 (flag_int.go, flag_bool.go).
    throw new FlagSyntaxError(
      `could not parse ${text} as ${what} value for flag ${
        flag.names.join(",")
      }: strconv.${parser}: parsing ${goQuote(text)}: ${fault}`,
      `correct or unset the variable ${variable}`,
    );
  }
  return { text, origin: { from: "environment", variable } };
}

function fromDefaults(
  flag: FlagDefinition,
  defaults: readonly Defaults[],
): Found | undefined {
  for (const { file, values } of defaults) {
    const key = flag.names.find((name) => Object.hasOwn(values, name));
    if (key === undefined || CONTEXT_KEYS.includes(key)) continue;
    const text = toText(values[key]);
    const fault = text === undefined ? "a single value" : expected(text, flag);
    if (text === undefined || fault !== undefined) {
      throw new RekeyError(
        "config",
        `error parsing ${file}: the value of '${key}' must be ${fault}`,
        { hint: `correct or remove '${key}' in "${file}"` },
      );
    }
    return { text, origin: { from: "defaults", file } };
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

function expected(text: string, flag: FlagDefinition): string | undefined {
  if (faultOf(text, flag) === undefined) return undefined;
  return flag.kind === "boolean" ? "true or false" : "an integer";
}

function faultOf(text: string, flag: FlagDefinition): string | undefined {
  try {
    if (flag.kind === "boolean") parseBoolean(text);
    if (flag.kind === "integer") parseInteger(text);
    return undefined;
  } catch (error) {
    if (error instanceof ValueError) return error.fault;
    throw error;
  }
}
