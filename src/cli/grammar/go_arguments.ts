/**
 * Go's flag grammar.
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
import { shortened } from "../../base/printable.ts";
import {
  type CommandDefinition,
  type FlagDefinition,
  type FlagDefinitions,
  type FlagValue,
  HELP_FLAG,
  spellingsOf,
} from "./command.ts";
import { nearest } from "./suggest.ts";
import { goQuote, parseValue, ValueError } from "./values.ts";

/** A line that the grammar refuses; it is shown together with the help. */
export class LineError extends RekeyError {
  constructor(message: string, hint?: Hint) {
    super("usage", message, { hint });
  }
}

/** Without the dashes, flags of that program are read as ours. */
export const PROGRAM_HINT =
  "the command to run stands behind two dashes, as in: -- nginx -g 'daemon off;'";

/** What a command line says. */
export interface GivenArguments {
  /** True when the help is wanted; then nothing else counts. */
  readonly help: boolean;
  /** Each flag that is given, by the name that messages use. */
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly positionals: readonly string[];
  /** What stands behind `--`, for a command that takes a program there. */
  readonly program: readonly string[];
}

/**
 * Reads the tokens after a command's name.
 *
 * A request for help wins over every mistake on the same line.
 *
 * @throws {LineError} with the text of Go's flag package
 */
export function parseArguments(
  tokens: readonly string[],
  command: Pick<CommandDefinition, "flags" | "refusedFlags" | "program">,
): GivenArguments {
  const { flags, refusedFlags } = command;
  const known = new KnownFlags(flags, refusedFlags);
  const values = new Map<string, FlagValue>();
  const used = new Map<string, Set<string>>();
  const positionals: string[] = [];
  const program: string[] = [];
  let hasDashes = false;
  let mistake: LineError | undefined;

  const words = tokens.values();
  for (const token of words) {
    if (token === "--") {
      hasDashes = true;
      (command.program === undefined ? positionals : program).push(...words);
      break;
    }
    if (!isFlagToken(token)) {
      positionals.push(token);
      continue;
    }
    try {
      const { name, spelling, value } = known.read(token, words);
      if (name === "help") {
        if (value === false) continue;
        return { help: true, values: new Map(), positionals: [], program: [] };
      }
      const before = values.get(name);
      values.set(
        name,
        Array.isArray(value) && Array.isArray(before)
          ? [...before, ...value]
          : value,
      );
      used.set(name, (used.get(name) ?? new Set()).add(spelling));
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      mistake ??= error;
    }
  }
  if (mistake !== undefined && command.program !== undefined && !hasDashes) {
    throw new LineError(mistake.message, PROGRAM_HINT);
  }
  if (mistake !== undefined) throw mistake;
  refuseTwoForms(used, flags);
  return { help: false, values, positionals, program };
}

/** Whether a token before `--` is a flag; a lone `-` is not. */
export function isFlagToken(token: string): boolean {
  return token.length > 1 && token.startsWith("-");
}

/** The flags that may stand in one place, `--help` among them. */
export class KnownFlags {
  /** A Map, so that `--constructor` is unknown. */
  readonly #bySpelling: ReadonlyMap<
    string,
    readonly [name: string, flag: FlagDefinition]
  >;
  readonly #refused: ReadonlyMap<string, Hint>;

  constructor(
    flags: FlagDefinitions,
    refused: CommandDefinition["refusedFlags"] = {},
  ) {
    this.#refused = new Map(Object.entries(refused));
    const all: FlagDefinitions = { ...flags, help: HELP_FLAG };
    this.#bySpelling = new Map(
      Object.entries(all).flatMap(([name, flag]) =>
        spellingsOf(name, flag).map((spelling) =>
          [spelling, [name, flag]] as const
        )
      ),
    );
  }

  /**
   * The flag of a token. Takes the dashes off and splits at the first `=`.
   *
   * @param words what follows: the value is taken from there, whatever it looks
   *   like
   * @throws {LineError}
   */
  read(token: string, words: Iterator<string>): {
    readonly name: string;
    /** As it was typed, without dashes. */
    readonly spelling: string;
    readonly value: FlagValue;
  } {
    const bare = token.replace(/^--?/, "");
    if (bare === "" || bare.startsWith("-") || bare.startsWith("=")) {
      throw new LineError(`bad flag syntax: ${shortened(token)}`);
    }
    const equals = bare.indexOf("=");
    const spelling = equals === -1 ? bare : bare.slice(0, equals);
    const [name, flag] = this.#bySpelling.get(spelling) ?? [];
    if (name === undefined || flag === undefined) throw this.#unknown(spelling);
    const text = equals !== -1
      ? bare.slice(equals + 1)
      : flag.kind === "boolean"
      ? "true"
      : words.next().value;
    if (text === undefined) {
      throw new LineError(`flag needs an argument: -${spelling}`);
    }
    return { name, spelling, value: readValue(text, spelling, flag) };
  }

  #unknown(spelling: string): LineError {
    const instead = this.#refused.get(spelling);
    if (instead !== undefined) {
      return new LineError(`flag '--${spelling}' is not supported`, instead);
    }
    // Every slip of two letters is near to these.
    const candidates = [...this.#bySpelling.keys()]
      .filter((known) => known !== "h" && known !== "v");
    // A secret has no flag: everybody could read it in the list of processes.
    const near = candidates.find((known) => known === `${spelling}-file`) ??
      nearest(spelling, candidates);
    const [name] = this.#bySpelling.get(near ?? "") ?? [];
    return new LineError(
      `flag provided but not defined: -${shortened(spelling)}`,
      name === undefined ? undefined : `did you mean --${name}?`,
    );
  }
}

function readValue(
  text: string,
  spelling: string,
  flag: FlagDefinition,
): FlagValue {
  try {
    return parseValue(text, flag.kind);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const value = goQuote(shortened(text));
    // Go's flag package says "parse error" where strconv says "invalid syntax".
    const fault = error.fault === "invalid syntax"
      ? "parse error"
      : error.fault;
    throw new LineError(
      flag.kind === "boolean"
        ? `invalid boolean value ${value} for -${spelling}: ${fault}`
        : `invalid value ${value} for flag -${spelling}: ${fault}`,
      flag.badValueHint,
    );
  }
}

function refuseTwoForms(
  used: ReadonlyMap<string, ReadonlySet<string>>,
  flags: FlagDefinitions,
): void {
  for (const [name, flag] of Object.entries(flags)) {
    const [first, second] = spellingsOf(name, flag)
      .filter((form) => used.get(name)?.has(form));
    if (second === undefined) continue;
    // The later form first, as urfave/cli v1.22.17 command.go (normalizeFlags).
    throw new LineError(
      `Cannot use two forms of the same flag: ${second} ${first}`,
    );
  }
}
