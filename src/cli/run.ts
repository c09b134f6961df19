/**
 * From the tokens of a command line to an exit code.
 *
 * The only place that prints errors. The order is: find the command, read its
 * arguments, fill in the settings, run. Help is answered before any setting is
 * read, so that a broken defaults.json cannot hide it.
 */
import { RekeyError } from "../base/errors.ts";
import type { LogFormat } from "../base/options.ts";
import { COMMANDS } from "./commands/catalogue.ts";
import {
  type CommandDefinition,
  type FlagValue,
  PROGRAM,
  usageOf,
  VERSION,
} from "./grammar/command.ts";
import {
  FlagSyntaxError,
  type GivenArguments,
  parseArguments,
} from "./grammar/go_arguments.ts";
import {
  findRoute,
  GroupSyntaxError,
  type Place,
  type Route,
} from "./grammar/route.ts";
import { denoProgram, type Program } from "./process/program.ts";

/**
 * Runs a command line.
 *
 * @returns the exit code; never throws
 */
export async function run(
  args: readonly string[],
  program: Program = denoProgram(),
): Promise<number> {
  const session = new Session(program, args);
  try {
    await obey(args, session);
    return 0;
  } catch (error) {
    const { reportFailure } = await import("./process/report.ts");
    const { text, exitCode } = reportFailure(error, {
      debug: session.variable("STEPDEBUG") === "1",
      format: session.format,
      file: session.file,
    });
    program.stderr.write(text);
    return exitCode;
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
  #format: LogFormat | undefined;

  constructor(program: Program, args: readonly string[]) {
    this.program = program;
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

  async help(place: Place): Promise<string> {
    const { helpPage } = await import("./help.ts");
    const bold = this.program.stdout.isTerminal() && !this.variable("NO_COLOR");
    return helpPage(place, { bold });
  }
}

function formatOf(value: FlagValue | undefined): LogFormat | undefined {
  return value === "text" || value === "json" ? value : undefined;
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

async function obey(args: readonly string[], session: Session): Promise<void> {
  const { stdout } = session.program;
  let place: Place = { path: [], entry: COMMANDS };
  try {
    const route = findRoute(args, COMMANDS);
    if (route.kind === "version") {
      stdout.write(
        `${PROGRAM} ${VERSION} (${Deno.build.os}/${Deno.build.arch})\n`,
      );
      return;
    }
    place = route.place;
    if (route.kind === "command" && await runCommand(route, session)) return;
    stdout.write(await session.help(place));
  } catch (error) {
    if (error instanceof FlagSyntaxError && session.format === "text") {
      // The original's point and colon.
      const [sign, of] = error instanceof GroupSyntaxError
        ? [".", error.place]
        : [":", place];
      const help = await session.help(of);
      stdout.write(`Incorrect Usage${sign} ${error.message}\n\n${help}`);
    }
    throw error;
  }
}

/** @returns false when the line asks for the help instead */
async function runCommand(
  { load, rest, configFile }: Extract<Route, { kind: "command" }>,
  session: Session,
): Promise<boolean> {
  const { program } = session;
  const { command } = await load();
  session.learnFormat(command, new Map());
  const given = parseArguments(rest, command.flags);
  if (given.help) return false;
  session.learnFormat(command, given.values);
  if (command.makesKey === true) program.warmUp();
  const options = await resolve(command, { given, configFile, session });
  await program.execute(command, options);
  return true;
}

/** Settings, then the number of arguments, then the rules: the original's order. */
async function resolve(
  command: CommandDefinition,
  { given: { values: typed, positionals }, configFile, session }: {
    readonly given: GivenArguments;
    readonly configFile: string | undefined;
    readonly session: Session;
  },
): Promise<unknown> {
  const { program } = session;
  const { readSettings } = await import("./settings/settings.ts");
  const { values, origins, stepPath } = await readSettings(typed, {
    flags: command.flags,
    env: (name) => program.env(name),
    configFile,
    notice: (message) => session.say(message),
  });
  session.learnFormat(command, values);
  requireCount(positionals, command);
  session.file = positionals[0];
  return await command.resolve({
    flags: Object.fromEntries(values),
    positionals,
    origins,
    stepPath,
    cwd: () => program.cwd(),
    env: (name) => session.variable(name),
  });
}

function requireCount(
  positionals: readonly string[],
  command: CommandDefinition,
): void {
  const wanted = Object.keys(command.positionals).length;
  if (positionals.length === wanted) return;
  const amount = positionals.length < wanted ? "not enough" : "too many";
  throw new RekeyError(
    "usage",
    `${amount} positional arguments were provided in '${command.programInErrors} ${
      usageOf(command)
    }'`,
  );
}
