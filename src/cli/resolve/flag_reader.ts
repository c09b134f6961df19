/**
 * The flags as the rules ask for them, with the origin of every value at hand: a
 * rule that a variable breaks says which variable.
 */
import type { Hint } from "../../base/remedy.ts";
import { parseGoDuration } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type {
  FlagDefinitions,
  FlagKind,
  FlagValues,
  Invocation,
} from "../grammar/command.ts";
import { PAIR_FLAGS } from "./flags.ts";

const NANOSECONDS_PER_MS = 1e6;
/** A day, in ms: more is a mistake, and timers end at 24.8 days. */
const LONGEST_LIMIT_MS = 86_400_000;

/** Names of the flags whose value is of a kind. */
type FlagOf<Flags extends FlagDefinitions, Kind extends FlagKind> = {
  [Name in keyof Flags]: Flags[Name]["kind"] extends Kind ? Name : never;
}[keyof Flags];

/** Names of the flags that have a list of allowed values. */
type ChoiceFlag<Flags extends FlagDefinitions> = {
  [Name in keyof Flags]: Flags[Name] extends { choices: object } ? Name : never;
}[keyof Flags];

type ChoicesOf<Flag> = Flag extends { choices: infer Choices } ? keyof Choices
  : never;

/**
 * Reads flags of `ca rekey` and `ca renew`, which other commands have, too, or those of another
 * command by its own definitions; all of its errors are of kind `usage`.
 */
export class FlagReader<
  Flags extends FlagDefinitions = typeof PAIR_FLAGS,
> {
  readonly values: FlagValues<Flags>;
  readonly #origins: Invocation<Flags>["origins"];
  readonly #definitions: FlagDefinitions;

  constructor(
    { flags, origins }: Pick<Invocation<Flags>, "flags" | "origins">,
    definitions: FlagDefinitions = PAIR_FLAGS,
  ) {
    this.values = flags;
    this.#origins = origins;
    this.#definitions = definitions;
  }

  /** Whether the command has a flag. */
  knows(flag: keyof Flags & string): boolean {
    return Object.hasOwn(this.#definitions, flag);
  }

  /** Whether a flag is set; an empty text is a value, too. */
  isSet(flag: keyof Flags & string): boolean {
    return this.values[flag] !== undefined;
  }

  /** Whether a flag stands on the command line, not in a variable or a file. */
  isTyped(flag: keyof Flags & string): boolean {
    return this.isSet(flag) &&
      this.#origins.get(flag)?.from === "command line";
  }

  /** The text of a flag; empty counts as none. */
  text(flag: FlagOf<Flags, "text"> & string): string | undefined {
    return this.#raw(flag) || undefined;
  }

  /** A duration in ms; an empty text counts as none. */
  durationMs(flag: FlagOf<Flags, "text"> & string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const nanoseconds = parseGoDuration(text);
    if (nanoseconds === undefined) {
      throw this.invalid(
        flag,
        undefined,
        {
          hint:
            'write it as "8h30m": numbers with the units h, m, s, ms, us or ns',
        },
      );
    }
    // With a fraction where there is one: 300ns stays above zero.
    return Number(nanoseconds) / NANOSECONDS_PER_MS;
  }

  /**
   * A limit of time in ms, at most a day.
   *
   * @throws {RekeyError} kind `usage`, for an empty text as well
   */
  limitMs(
    flag: FlagOf<Flags, "text"> & string,
    { mayBeZero }: { readonly mayBeZero: boolean },
  ): number | undefined {
    if (this.#raw(flag) === "") throw this.invalid(flag);
    const limitMs = this.durationMs(flag);
    if (limitMs === undefined) return undefined;
    if (limitMs < 0 && mayBeZero) {
      throw this.invalid(flag, "must not be negative");
    }
    if (limitMs <= 0 && !mayBeZero) {
      throw this.invalid(flag, "must be greater than 0");
    }
    if (limitMs > LONGEST_LIMIT_MS) {
      throw this.invalid(flag, "must be at most 24h");
    }
    return limitMs;
  }

  /**
   * One of the flag's allowed values.
   *
   * @param explain says what they are
   * @throws {RekeyError} kind `usage` with the explanation
   */
  choice<Flag extends ChoiceFlag<Flags> & string>(
    flag: Flag,
    explain: (choices: readonly string[]) => string,
  ): ChoicesOf<Flags[Flag]> | undefined {
    const text = this.#raw(flag);
    const choices = this.#definitions[flag]?.choices ?? {};
    if (text === undefined || Object.hasOwn(choices, text)) {
      return text as ChoicesOf<Flags[Flag]> | undefined;
    }
    throw this.invalid(flag, explain(Object.keys(choices)));
  }

  /** `invalid value 'V' for flag '--F'; explanation`, or what the original says without a value. */
  invalid(
    flag: keyof Flags & string,
    explanation?: string,
    { hint }: { readonly hint?: string } = {},
  ): RekeyError {
    const value = String(this.values[flag] ?? "");
    const problem = value === ""
      ? `missing value for flag '--${flag}'`
      : `invalid value '${shortened(value)}' for flag '--${flag}'`;
    return this.usage(
      explanation === undefined ? problem : `${problem}; ${explanation}`,
      { flags: [flag], hint },
    );
  }

  /**
   * An error that says where the flags come from that were not typed.
   *
   * @param about.keepHint true when the hint helps also one who did not type it
   */
  usage(
    message: string,
    about: {
      readonly flags: readonly (keyof Flags & string)[];
      readonly hint?: Hint | undefined;
      readonly keepHint?: boolean;
    },
  ): RekeyError {
    const origin = this.#originHint(about.flags);
    const hint = origin !== undefined && about.keepHint
      ? [origin, about.hint].join("; ")
      : origin ?? about.hint;
    return new RekeyError("usage", message, { hint });
  }

  #raw(flag: keyof Flags): string | undefined {
    const value: unknown = this.values[flag];
    return typeof value === "string" ? value : undefined;
  }

  #originHint(flags: readonly (keyof Flags & string)[]): string | undefined {
    for (const flag of flags) {
      const origin = this.isSet(flag) ? this.#origins.get(flag) : undefined;
      if (origin?.from === "environment") {
        return `--${flag} comes from the variable ${origin.variable}`;
      }
      if (origin?.from === "defaults") {
        return `--${flag} comes from "${origin.file}"`;
      }
    }
    return undefined;
  }
}
