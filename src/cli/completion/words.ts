/**
 * What can be typed where, read off the definitions: the common part of the
 * completion scripts of all shells.
 */
import {
  argumentsOf,
  type CommandDefinition,
  type FlagDefinition,
  HELP_FLAG,
  spellingsOf,
} from "../grammar/command.ts";
import {
  BUILT_IN,
  type Place,
  PROGRAM_FLAGS,
  SHELLS,
} from "../grammar/route.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

/** What can stand as a value or argument. */
export type Candidates =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** Ends of names, with the dot; none: every file. */
  | { readonly kind: "file"; readonly suffixes: readonly string[] }
  | { readonly kind: "directory" }
  | { readonly kind: "context" }
  /** Anything: nothing is offered. */
  | { readonly kind: "text" };

/** A word with what it is for, in a few words. */
export interface Word {
  readonly word: string;
  readonly brief: string;
}

/** One spelling of a flag, with its dashes. */
export interface FlagWord extends Word {
  /** Undefined: it takes no value. */
  readonly value: Candidates | undefined;
}

/** What can stand behind the words of a place. */
export interface PlaceWords {
  /** The words that lead here: `ca rekey`. */
  readonly place: string;
  readonly below: readonly Word[];
  readonly flags: readonly FlagWord[];
  readonly args: readonly Candidates[];
}

export async function placeWords(
  places: readonly Place[],
): Promise<readonly PlaceWords[]> {
  const found = await Promise.all(places.map(wordsOf));
  const completion: PlaceWords = {
    place: "completion",
    below: [],
    flags: flagWords({ help: HELP_FLAG }),
    args: [{ kind: "words", words: SHELLS }],
  };
  return [...found, completion];
}

async function wordsOf({ path, entry }: Place): Promise<PlaceWords> {
  const place = path.join(" ");
  if (typeof entry === "function") {
    const { command } = await entry();
    const flags = { ...command.flags, help: HELP_FLAG };
    const args = namesOf(command).map(candidatesOf);
    return { place, below: [], flags: flagWords(flags), args };
  }
  const below = await Promise.all(
    Object.entries(entry.below).map(async ([word, inside]) => {
      const { brief } = typeof inside === "function"
        ? (await inside()).command
        : inside;
      return { word, brief };
    }),
  );
  const isProgram = path.length === 0;
  const { help } = BUILT_IN;
  const builtIn = Object.entries(isProgram ? BUILT_IN : { help })
    .map(([word, brief]) => ({ word, brief }));
  const flags = flagWords(isProgram ? PROGRAM_FLAGS : { help: HELP_FLAG });
  return { place, below: [...below, ...builtIn], flags, args: [] };
}

function namesOf(command: CommandDefinition): readonly string[] {
  return argumentsOf(command).map((name) => name.replace(/[[\]<>]/g, ""));
}

function flagWords(
  flags: Readonly<Record<string, FlagDefinition>>,
): readonly FlagWord[] {
  return Object.entries(flags).flatMap(([name, flag]) =>
    spellingsOf(name, flag).map((spelling) => ({
      word: (spelling.length === 1 ? "-" : "--") + spelling,
      brief: firstSentence(flag.help),
      value: flag.kind === "boolean" ? undefined : valueOf(name, flag),
    }))
  );
}

function valueOf(name: string, flag: FlagDefinition): Candidates {
  if (flag.choices !== undefined) {
    return { kind: "words", words: Object.keys(flag.choices) };
  }
  if (name === "context") return { kind: "context" };
  if (flag.placeholder === "directory") return { kind: "directory" };
  return flag.placeholder === "file" ? candidatesOf(`${name}-file`) : TEXT;
}

const TEXT: Candidates = { kind: "text" };

/** By the name of an argument. */
function candidatesOf(name: string): Candidates {
  const choices = choicesOf(name);
  if (choices !== undefined) return { kind: "words", words: choices };
  if (!name.endsWith("file") && !name.endsWith("path")) return TEXT;
  const suffixes = /crt|cert|root/.test(name)
    ? [".crt", ".pem", ".cer", ".der"]
    : /(^|-)key-file$/.test(name)
    ? [".key", ".pem"]
    : [];
  return { kind: "file", suffixes };
}

/** An argument that means the same as a flag has its values. */
function choicesOf(name: string): readonly string[] | undefined {
  const flags: Readonly<Record<string, FlagDefinition>> = REKEY_FLAGS;
  const choices = Object.hasOwn(flags, name) ? flags[name]?.choices : undefined;
  return choices === undefined ? undefined : Object.keys(choices);
}

/** Short, on one line, without the marks that shells read. */
function firstSentence(help: string): string {
  const [sentence = ""] = help.split(/\.(?:\s|$)/);
  return sentence.replace(/[<>"'`\\$\[\]:]/g, "").slice(0, 100);
}
