/**
 * From the tokens of a command line to an exit code.
 *
 * The only place that prints errors. The order is: find the command, read its
 * arguments, fill in the settings, run. Help is answered before any setting is
 * read, so that a broken defaults.json cannot hide it.
 */
import { RekeyError } from "../base/errors.ts";
import { LOG_FORMATS, type LogFormat } from "../base/options.ts";
import { shortened } from "../base/printable.ts";
import { COMMANDS } from "./commands/catalogue.ts";
import {
  argumentsOf,
  type CommandDefinition,
  type FlagValue,
  programOf,
} from "./grammar/command.ts";
import { PROGRAM } from "./process/called_as.ts";
import {
  type GivenArguments,
  LineError,
  parseArguments,
  PROGRAM_HINT,
} from "./grammar/go_arguments.ts";
import {
  findRoute,
  GroupLineError,
  type Place,
  type Route,
  UnknownCommandError,
} from "./grammar/route.ts";
import { type Program, takesCodes } from "./process/program.ts";

/**
 * The exit code of a command that the program does not have, when it is called
 * by the name of one that has it: systemd reads 1 to 254 of an ExecCondition as
 * an answer.
 */
const UNKNOWN_COMMAND = 255;

/** How long the end waits for a slow reader of standard error, in ms. */
const LAST_LINES_MS = 3_000;

/**
 * Runs a command line.
 *
 * @returns the exit code; never throws
 */
export async function run(
  args: readonly string[],
  program: Program,
): Promise<number> {
  const session = new Session(program, args);
  const exitCode = await answerOrReport(args, session);
  await program.flush(LAST_LINES_MS);
  return exitCode;
}

async function answerOrReport(
  args: readonly string[],
  session: Session,
): Promise<number> {
  const { program } = session;
  try {
    return await answer(args, session);
  } catch (error) {
    const { reportFailure } = await import("./process/report.ts");
    const { text, exitCode } = reportFailure(error, {
      usage: error instanceof LineError
        ? await session.usage(error)
        : undefined,
      debug: session.variable("STEPDEBUG") === "1",
      format: session.format,
      file: session.file,
      speaker: {
        name: session.place.calledAs ?? PROGRAM,
        flags: session.command?.flags ?? {},
      },
    });
    program.stderr.write(text);
    if (error instanceof UnknownCommandError && session.place.calledAs) {
      return UNKNOWN_COMMAND;
    }
    // To callers who read codes as answers, a bug is a failure as any other.
    const known = error instanceof RekeyError
      ? error
      : new RekeyError("bug", "");
    return session.command?.exitCodeOf?.(known) ?? exitCode;
  }
}

/**
 * How the program speaks before there is a log, as far as that is known yet: an
 * error before the job starts is meant for the same reader as its log.
 */
class Session {
  readonly program: Program;
  /** Path of the certificate. */
  file: string | undefined;
  /** What was called, when it is loaded. */
  command: CommandDefinition | undefined;
  /** The group or command that was called. */
  place: Place;
  #format: LogFormat | undefined;

  constructor(program: Program, args: readonly string[]) {
    this.program = program;
    const calledAs = program.calledAs();
    this.place = { path: [], entry: COMMANDS, calledAs };
    this.#format = formatInWords(args);
  }

  /** The variable is only looked at when there is something to say. */
  get format(): LogFormat {
    return this.#format ?? formatOf(this.variable("STEP_LOG_FORMAT")) ?? "text";
  }

  /** Takes the format among the flags of a command, if it knows that flag. */
  learnFormat(
    { flags }: CommandDefinition,
    values: ReadonlyMap<string, FlagValue>,
  ): void {
    this.#format = Object.hasOwn(flags, "log-format")
      ? formatOf(values.get("log-format")) ?? this.#format
      : "text";
  }

  /** Help and errors must come out even where the environment may not be read. */
  variable(name: string): string | undefined {
    try {
      return this.program.env(name);
    } catch {
      return undefined;
    }
  }

  /** A line on standard error. */
  async say(message: string): Promise<void> {
    const { stderr } = this.program;
    if (this.format === "text") {
      stderr.write(`${message}\n`);
      return;
    }
    const { jsonLine } = await import("../observe/json_line.ts");
    stderr.write(
      jsonLine({ time: new Date(), level: "info", event: "notice", message }),
    );
  }

  /** What stands behind a mistake on the line. */
  async usage(mistake: LineError): Promise<string> {
    const { usageHint } = await import("./help.ts");
    return usageHint(
      mistake instanceof GroupLineError ? mistake.place : this.place,
    );
  }

  async help(place: Place): Promise<string> {
    const { helpPage } = await import("./help.ts");
    const { stdout } = this.program;
    return helpPage(place, {
      bold: takesCodes(stdout, (name) => this.variable(name)),
      columns: stdout.columns(),
    });
  }
}

function formatOf(value: FlagValue | undefined): LogFormat | undefined {
  return LOG_FORMATS.find((format) => format === value);
}

/**
 * The format that a line asks for, also when its grammar is wrong; the last
 * one counts, and what is no format does not.
 */
function formatInWords(words: readonly string[]): LogFormat | undefined {
  let format: LogFormat | undefined;
  for (const [index, word] of words.entries()) {
    if (word === "--") break;
    const match = /^--?log-format(?:=(.*))?$/s.exec(word);
    if (match === null) continue;
    format = formatOf(match[1] ?? words[index + 1]) ?? format;
  }
  return format;
}

/** @returns the exit code */
async function answer(
  args: readonly string[],
  session: Session,
): Promise<number> {
  const { stdout } = session.program;
  const { calledAs } = session.place;
  const route = findRoute(args, COMMANDS, calledAs);
  if (route.kind === "version") {
    const { versionText } = await import("./version.ts");
    stdout.write(versionText({ calledAs, isJson: route.isJson }));
    return 0;
  }
  if (route.kind === "completion") {
    const { completionScript } = await import("./completion/script.ts");
    stdout.write(await completionScript(route.shell, COMMANDS));
    return 0;
  }
  if (route.kind === "command") {
    session.place = route.place;
    const exitCode = await runCommand(route, session);
    if (exitCode !== undefined) return exitCode;
  }
  if (route.kind === "help" && route.isManual) {
    const { manualPage } = await import("./manual.ts");
    stdout.write(await manualPage(route.place));
    return 0;
  }
  stdout.write(await session.help(route.place));
  return 0;
}

type CommandRoute = Extract<Route, { kind: "command" }>;

/** @returns undefined when the line asks for the help instead */
async function runCommand(
  { load, rest, configFile }: CommandRoute,
  session: Session,
): Promise<number | undefined> {
  const { program } = session;
  const { command } = await load();
  session.command = command;
  session.learnFormat(command, new Map());
  const given = parseArguments(rest, command);
  if (given.help) return undefined;
  session.learnFormat(command, given.values);
  const options = await resolve(command, { given, configFile, session });
  return await program.execute(command, options);
}

/** Settings, then the number of arguments, then the rules: the original's order. */
async function resolve(
  command: CommandDefinition,
  { given, configFile, session }: {
    readonly given: GivenArguments;
    readonly configFile: string | undefined;
    readonly session: Session;
  },
): Promise<unknown> {
  const { program } = session;
  const { values: typed, positionals } = given;
  const { readSettings } = await import("./settings/settings.ts");
  const { values, origins, stepPath } = await readSettings(typed, {
    flags: command.flags,
    env: (name) => program.env(name),
    configFile,
    areMade: command.makesSettings,
    notice: (message) => session.say(message),
  });
  session.learnFormat(command, values);
  requireCount(given, command);
  session.file = positionals[0];
  return await command.resolve({
    flags: Object.fromEntries(values),
    positionals,
    program: given.program,
    origins,
    stepPath,
    cwd: () => program.cwd(),
    env: (name) => session.variable(name),
  });
}

/** @throws {LineError} in the original's words */
function requireCount(
  { positionals, program }: GivenArguments,
  command: CommandDefinition,
): void {
  const { positionals: required, optionalPositionals = {} } = command;
  const missing = Object.keys(required).slice(positionals.length);
  const most = Object.keys({ ...required, ...optionalPositionals }).length;
  const [extra] = positionals.slice(most);
  const takesProgram = command.program !== undefined;
  if (takesProgram && program.length === 0) missing.push("command");
  if (missing.length === 0 && extra === undefined) return;
  const amount = extra === undefined ? "not enough" : "too many";
  throw new LineError(
    `${amount} positional arguments were provided in '${command.programInErrors} ${
      [...command.path, ...argumentsOf(command), ...programOf(command)]
        .join(" ")
    }'`,
    extra === undefined
      ? `${missing.map((name) => `<${name}>`).join(", ")} ${
        missing.length === 1 ? "is" : "are"
      } missing${takesProgram ? `: ${PROGRAM_HINT}` : ""}`
      : `nothing belongs to ${JSON.stringify(shortened(extra))}; ${
        takesProgram
          ? PROGRAM_HINT
          : "the value of a flag that has blanks needs quotes"
      }`,
  );
}
