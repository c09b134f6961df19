/**
 * Go's flag grammar in front of the command tree.
 *
 * Flags anywhere, `-name` and `--name`, `--name=value`, the next token as the
 * value whatever it looks like, `--force=false`, the last one wins, `--` ends
 * flags. Unlike the original's (urfave/cli v1.22.17 command.go:225-262, which
 * moves tokens around before it knows what they are), this grammar knows which
 * flags take a value: `a.crt --force a.key` does not swap the arguments.
 *
 * Pure: it must never look at the environment or a file.
 */
import type { Hint } from "../../base/remedy.ts";
import { RekeyError } from "../../base/errors.ts";
import {
  type FlagDefinition,
  type FlagDefinitions,
  flagsBySpelling,
} from "./command.ts";
import { nearest } from "./suggest.ts";
import { goQuote, parseBoolean, parseInteger, ValueError } from "./values.ts";

/** A line that the grammar refuses; it is shown together with the help. */
export class FlagSyntaxError extends RekeyError {
  constructor(message: string, hint?: Hint) {
    super("usage", message, { hint });
  }
}

/** What a command line says, still as text. */
export interface GivenArguments {
  /** True when the help is wanted; then nothing else counts. */
  readonly help: boolean;
  /** Valid text of each flag that is given, by the name that messages use. */
  readonly values: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/** One token before `--` that begins with a dash. */
export interface FlagToken {
  readonly name: string;
  /** Text after the first `=`. */
  readonly value: string | undefined;
}

const HELP_NAMES: readonly string[] = ["help", "h"];

/**
 * Reads the tokens after a command's name.
 *
 * A wish for help wins over every mistake on the same line.
 *
 * @throws {FlagSyntaxError} with the text of Go's flag package
 */
export function parseArguments(
  tokens: readonly string[],
  flags: FlagDefinitions,
): GivenArguments {
  const spellings = flagsBySpelling(flags);
  const values = new Map<string, string>();
  const used = new Map<string, Set<string>>();
  const positionals: string[] = [];
  let mistake: FlagSyntaxError | undefined;

  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] ?? "";
    if (token === "--") {
      positionals.push(...tokens.slice(index + 1));
      break;
    }
    if (!isFlagToken(token)) {
      positionals.push(token);
      continue;
    }
    try {
      const { name: spelling, value } = splitFlagToken(token);
      const known = spellings.get(spelling);
      if (known === undefined) {
        if (isHelp(spelling, value)) {
          return { help: true, values: new Map(), positionals: [] };
        }
        continue;
      }
      const [name, flag] = known;
      const text = value ?? (flag.kind === "boolean"
        ? "true"
        // The next token is the value, whatever it looks like.
        : tokens[++index]);
      if (text === undefined) {
        throw new FlagSyntaxError(`flag needs an argument: -${spelling}`);
      }
      checkValue(text, spelling, flag);
      values.set(name, text);
      used.set(name, (used.get(name) ?? new Set()).add(spelling));
    } catch (error) {
      if (!(error instanceof FlagSyntaxError)) throw error;
      mistake ??= error;
    }
  }
  if (mistake !== undefined) throw mistake;
  refuseTwoForms(used, flags);
  return { help: false, values, positionals };

  function isHelp(spelling: string, value: string | undefined): boolean {
    if (!HELP_NAMES.includes(spelling)) {
      throw unknownFlag(spelling, spellings);
    }
    return booleanFlag(spelling, value ?? "true");
  }
}

/** Whether a token before `--` is a flag; a lone `-` is not. */
export function isFlagToken(token: string): boolean {
  return token.length > 1 && token.startsWith("-");
}

/**
 * Takes the dashes off and splits at the first `=`.
 *
 * @throws {FlagSyntaxError} for `---x` and `-=x`
 */
export function splitFlagToken(token: string): FlagToken {
  const bare = token.startsWith("--") ? token.slice(2) : token.slice(1);
  if (bare === "" || bare.startsWith("-") || bare.startsWith("=")) {
    throw new FlagSyntaxError(`bad flag syntax: ${token}`);
  }
  const equals = bare.indexOf("=");
  if (equals === -1) return { name: bare, value: undefined };
  return { name: bare.slice(0, equals), value: bare.slice(equals + 1) };
}

/** The error for a flag that does not exist, with the nearest one that does. */
export function unknownFlag(
  spelling: string,
  known: ReadonlyMap<string, readonly [name: string, unknown]>,
): FlagSyntaxError {
  const near = nearest(spelling, [...known.keys(), "help"]);
  const name = near === undefined ? undefined : known.get(near)?.[0] ?? near;
  return new FlagSyntaxError(
    `flag provided but not defined: -${spelling}`,
    name === undefined ? undefined : `did you mean --${name}?`,
  );
}

/**
 * The value of a boolean flag.
 *
 * @throws {FlagSyntaxError}
 */
export function booleanFlag(spelling: string, text: string): boolean {
  try {
    return parseBoolean(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new FlagSyntaxError(
      `invalid boolean value ${goQuote(text)} for -${spelling}: parse error`,
    );
  }
}

function checkValue(
  text: string,
  spelling: string,
  flag: FlagDefinition,
): void {
  if (flag.kind === "boolean") {
    booleanFlag(spelling, text);
    return;
  }
  if (flag.kind === "text") return;
  try {
    parseInteger(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    // Go's flag package says "parse error" where strconv says "invalid syntax".
    const fault = error.fault === "invalid syntax"
      ? "parse error"
      : error.fault;
    throw new FlagSyntaxError(
      `invalid value ${goQuote(text)} for flag -${spelling}: ${fault}`,
      flag.badValueHint,
    );
  }
}

function refuseTwoForms(
  used: ReadonlyMap<string, ReadonlySet<string>>,
  flags: FlagDefinitions,
): void {
  for (const [name, flag] of Object.entries(flags)) {
    const forms = flag.names.filter((form) => used.get(name)?.has(form));
    const [first, second] = forms;
    if (first === undefined || second === undefined) continue;
    // The later form first, as urfave/cli v1.22.17 command.go (normalizeFlags).
    throw new FlagSyntaxError(
      `Cannot use two forms of the same flag: ${second} ${first}`,
    );
  }
}

/**
 * The same arguments in the one form that the command tree cannot
 * misunderstand.
 *
 * Stricli takes `--name=value` only when the value is not empty and has no
 * line end, and takes `--help` for itself even as a value: so a value travels
 * behind `=`, and the rest as a token of its own, which can match no flag.
 */
export function canonicalArguments(
  { values, positionals }: Omit<GivenArguments, "help">,
  flags: FlagDefinitions,
): readonly string[] {
  const tokens: string[] = [];
  for (const [name, text] of values) {
    if (flags[name]?.kind === "boolean") {
      tokens.push(`--${name}=${parseBoolean(text)}`);
    } else if (text === "" || /[\n\r\u2028\u2029]/.test(text)) {
      tokens.push(`--${name}`, text);
    } else {
      tokens.push(`--${name}=${text}`);
    }
  }
  return [...tokens, "--", ...positionals];
}
