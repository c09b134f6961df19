/**
 * Which command a line calls, and the flags in front of its name. Pure, but for
 * the loading of commands.
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import { PROGRAM, type StepName } from "../process/called_as.ts";
import {
  type CommandGroup,
  type CommandLoader,
  type FlagDefinitions,
  HELP_FLAG,
} from "./command.ts";
import { isFlagToken, KnownFlags, LineError } from "./go_arguments.ts";
import { nearest } from "./suggest.ts";

/** Flags in front of the first command's name, in the help's order. */
export const PROGRAM_FLAGS = {
  config: {
    kind: "text",
    group: "program",
    placeholder: "file",
    help:
      "A file with defaults for flags, read instead of the defaults.json files of $(step path) and of the profile.",
  },
  help: HELP_FLAG,
  version: {
    kind: "boolean",
    names: ["version", "v"],
    group: "program",
    help: "Show the version.",
  },
} as const satisfies FlagDefinitions;

/** Each way to write {@linkcode HELP_FLAG}. */
const HELP_WORDS: readonly string[] = ["-h", "-help", "--help", "--h"];

/** Commands of the program itself, with one line of words. */
export const BUILT_IN = {
  help: "show the help of a command; with --man as a manual page",
  version: "show the version",
  completion: "print the completion script for bash, zsh or fish",
} as const;

/** The shells that have a completion script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** What `step` has and this program has not, by the words in front of it. */
const STEP_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "": words(
    "api base64 beta context crl crypto fileserver oauth ssh",
  ),
  "certificate": words(
    "bundle create install lint sign uninstall",
  ),
  "ca": words(
    "acme admin init policy provisioner provisioningkey sign",
  ),
};

function words(text: string): readonly string[] {
  return text.split(" ");
}

/** A group or a command, and the words that lead to it. */
export interface Place {
  /** Empty: the program itself. */
  readonly path: readonly string[];
  readonly entry: CommandGroup | CommandLoader;
  /** The name that the program was called by, where it is not its own. */
  readonly calledAs?: StepName | undefined;
}

/** The place as it is typed, with the name that the program was called by. */
export function typedName({ path, calledAs }: Place): string {
  return [calledAs ?? PROGRAM, ...path].join(" ");
}

/** The place and all that is below it, in the help's order. */
export function placesIn(place: Place): readonly Place[] {
  const { path, entry } = place;
  const below = typeof entry === "function" ? {} : entry.below;
  return [
    place,
    ...Object.entries(below).flatMap(([word, inside]) =>
      placesIn({ ...place, path: [...path, word], entry: inside })
    ),
  ];
}

/** What a command line asks for. */
export type Route =
  | {
    readonly kind: "command";
    readonly place: Place;
    readonly load: CommandLoader;
    /** The tokens after the command's name. */
    readonly rest: readonly string[];
    /** `--config` in front of the command's name. */
    readonly configFile: string | undefined;
  }
  | {
    readonly kind: "help";
    readonly place: Place;
    /** `--man`: as the source of a manual page. */
    readonly isManual?: boolean;
  }
  | {
    readonly kind: "version";
    /** As a JSON object. */
    readonly isJson: boolean;
  }
  | { readonly kind: "completion"; readonly shell: Shell };

/** A mistake in the flags of a group, shown together with that group's help. */
export class GroupLineError extends LineError {
  readonly place: Place;
  constructor(place: Place, mistake: LineError) {
    super(mistake.message, mistake.hint);
    this.place = place;
  }
}

/** A name that this program does not have, of a command or a group. */
export class UnknownCommandError extends RekeyError {}

/**
 * Finds the command.
 *
 * @param calledAs the name that the program was called by, where it is not its
 *   own
 * @throws {GroupLineError} for a bad flag in front of the command's name
 * @throws {UnknownCommandError} kind `usage` for a name that does not exist
 */
export function findRoute(
  tokens: readonly string[],
  commands: CommandGroup,
  calledAs?: StepName,
): Route {
  const program: Place = { path: [], entry: commands, calledAs };
  let place = program;
  let configFile: string | undefined;
  const words = tokens.values();
  for (const token of words) {
    if (token === "--") continue;
    if (isFlagToken(token)) {
      const { name, value } = groupFlag(token, words, place);
      if (typeof value === "string") configFile = value;
      else if (value === true && name === "version") {
        return { kind: "version", isJson: false };
      } else if (value === true) return { kind: "help", place };
      continue;
    }
    if (token === "help" || token === "h") {
      const asked = [...words];
      return {
        kind: "help",
        place: helpedPlace(asked, place, program),
        isManual: asked.some((word) => /^--?man$/.test(word)),
      };
    }
    if (token === "version" && place === program) {
      return versionRoute([...words], program);
    }
    if (token === "completion" && place === program) {
      return completionRoute([...words], program);
    }
    place = placeBelow(place, token);
    const { entry: load } = place;
    if (typeof load === "function") {
      return { kind: "command", place, load, rest: [...words], configFile };
    }
  }
  return { kind: "help", place };
}

function groupFlag(
  token: string,
  words: Iterator<string>,
  place: Place,
) {
  try {
    const known = new KnownFlags(place.path.length === 0 ? PROGRAM_FLAGS : {});
    return known.read(token, words);
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    throw new GroupLineError(place, error);
  }
}

/** What `help` and the words behind it ask about. */
function helpedPlace(
  words: readonly string[],
  from: Place,
  program: Place,
): Place {
  return words.filter((token) => !isFlagToken(token)).reduce(
    (place, word) =>
      place.path.length === 0 && Object.hasOwn(BUILT_IN, word)
        ? program
        : placeBelow(place, word),
    from,
  );
}

function versionRoute(rest: readonly string[], program: Place): Route {
  const isJson = rest.length === 1 && /^--?json$/.test(rest[0] ?? "");
  if (rest.length === 0 || isJson) return { kind: "version", isJson };
  if (rest.some((token) => HELP_WORDS.includes(token))) {
    return { kind: "help", place: program };
  }
  throw new RekeyError(
    "usage",
    `too many positional arguments were provided in '${
      typedName(program)
    } version'`,
  );
}

function completionRoute(rest: readonly string[], program: Place): Route {
  if (rest.some((token) => HELP_WORDS.includes(token))) {
    return { kind: "help", place: program };
  }
  const [word, ...more] = rest;
  const shell = SHELLS.find((name) => name === word);
  if (shell !== undefined && more.length === 0) {
    return { kind: "completion", shell };
  }
  throw new RekeyError(
    "usage",
    `'${typedName(program)} completion' takes the name of a shell: ${
      SHELLS.join(", ")
    }`,
    { hint: `source <(${typedName(program)} completion bash)` },
  );
}

function placeBelow(place: Place, word: string): Place {
  const { path, entry, calledAs } = place;
  const below = typeof entry === "function" ? {} : entry.below;
  const found = Object.hasOwn(below, word) ? below[word] : undefined;
  if (found !== undefined) {
    return { path: [...path, word], entry: found, calledAs };
  }
  const words = Object.keys(below);
  if (typeof entry !== "function") words.push("help");
  if (path.length === 0) words.push("version", "completion");
  const group = typedName(place);
  if (STEP_COMMANDS[path.join(" ")]?.includes(word)) {
    const command = [...path, word].join(" ");
    throw new UnknownCommandError(
      "usage",
      calledAs === undefined
        ? `'${command}' is a command of step, and not of ${PROGRAM}`
        : `'${command}' is a command of Smallstep's ${calledAs}; this is ${PROGRAM} under that name, which does not have it`,
      {
        hint: calledAs === undefined
          ? `call step ${command}; ${group} help lists the commands`
          : `${WHERE_STEP_IS} has it; ${group} help lists the commands`,
      },
    );
  }
  const near = nearest(word, words);
  throw new UnknownCommandError(
    "usage",
    `No help topic for '${shortened(word)}'`,
    {
      hint: near === undefined
        ? `${group} help lists the commands`
        : `did you mean ${group} ${near}?`,
    },
  );
}

/** Where to get the original. */
const WHERE_STEP_IS =
  "the original from https://smallstep.com/docs/step-cli/installation";
