/**
 * From the tokens of a command line to an exit code.
 *
 * The only place that prints errors. The order is: find the command, read its
 * arguments, fill in the settings, run. Help is answered before any setting is
 * read, so that a broken defaults.json cannot hide it.
 */
import { RekeyError } from "../base/errors.ts";
import {
  type CommandEntry,
  findRoute,
  GroupSyntaxError,
  PROGRAM,
  type Route,
} from "./catalogue.ts";
import type { CommandDefinition, Invocation } from "./grammar/command.ts";
import {
  canonicalArguments,
  FlagSyntaxError,
  type GivenArguments,
  parseArguments,
} from "./grammar/go_arguments.ts";
import type { LogFormat } from "../base/options.ts";
import {
  formatInSettings,
  formatInWords,
  formatOf,
  LOG_FORMAT_FLAG,
  LOG_FORMAT_VARIABLE,
} from "./settings/log_format.ts";
import { denoProgram, type Program } from "./process/program.ts";
import type { Settings } from "./settings/settings.ts";
import { VERSION } from "./version.ts";

/**
 * Runs a command line.
 *
 * @returns the exit code; never throws
 */
export async function run(
  args: readonly string[],
  program: Program = denoProgram(),
): Promise<number> {
  const voice: Voice = { format: formatInWords(args) };
  const session = { program, voice };
  try {
    await dispatch(await findCommand(args, session), session);
    return 0;
  } catch (error) {
    const { reportFailure } = await import("./process/report.ts");
    const { text, exitCode } = reportFailure(error, {
      debug: isDebugging(program),
      format: formatFor(session),
      file: voice.file,
    });
    program.stderr.write(text);
    return exitCode;
  }
}

/** How the program speaks, as far as that is known yet. */
interface Voice {
  format: LogFormat | undefined;
  /** Path of the certificate. */
  file?: string | undefined;
}

/** The variable is only looked at when there is something to say. */
function formatFor({ program, voice }: Session): LogFormat {
  return voice.format ??
    formatOf(variable(program.env, LOG_FORMAT_VARIABLE)) ?? "text";
}

/** What each step of a run has at hand. */
interface Session {
  readonly program: Program;
  readonly voice: Voice;
}

async function findCommand(
  args: readonly string[],
  session: Session,
): Promise<Route> {
  try {
    return findRoute(args);
  } catch (error) {
    if (error instanceof GroupSyntaxError && formatFor(session) === "text") {
      const help = await helpOf(error.group, session.program);
      session.program.stdout.write(
        `Incorrect Usage. ${error.message}\n\n${help}`,
      );
    }
    throw error;
  }
}

async function dispatch(route: Route, session: Session): Promise<void> {
  const { program } = session;
  switch (route.kind) {
    case "version":
      program.stdout.write(
        `${PROGRAM} ${VERSION} (${Deno.build.os}/${Deno.build.arch})\n`,
      );
      return;
    case "help":
      program.stdout.write(await helpOf(route.entry, program));
      return;
    case "command":
      await runCommand(route, session);
  }
}

async function runCommand(
  { entry, rest, configFile }: Extract<Route, { kind: "command" }>,
  session: Session,
): Promise<void> {
  const { program, voice } = session;
  const command = await entry.load();
  if (!Object.hasOwn(command.flags, LOG_FORMAT_FLAG)) voice.format = "text";
  try {
    const given = parseArguments(rest, command.flags);
    if (given.help) {
      program.stdout.write(await helpOf(entry, program));
      return;
    }
    voice.format = formatInSettings(given.values) ?? voice.format;
    command.prepare?.(program);
    const invocation = await prepareInvocation(entry, command, {
      given,
      configFile,
      session,
    });
    await command.run(invocation, program);
  } catch (error) {
    if (error instanceof FlagSyntaxError && formatFor(session) === "text") {
      const help = await helpOf(entry, program);
      program.stdout.write(`Incorrect Usage: ${error.message}\n\n${help}`);
    }
    throw error;
  }
}

/** What the arguments of a command are completed from. */
interface Given {
  readonly given: GivenArguments;
  readonly configFile: string | undefined;
  readonly session: Session;
}

/** Settings, then the number of arguments, then types: the original's order. */
async function prepareInvocation(
  entry: CommandEntry,
  command: CommandDefinition,
  from: Given,
): Promise<Invocation<CommandDefinition["flags"]>> {
  const { given, session: { voice } } = from;
  // Loaded while the settings are read: the library takes 10 ms.
  const tree = import("./grammar/command_tree.ts");
  const { settings, stepPath } = await readSettings(command, from);
  voice.format = formatInSettings(settings.values) ?? voice.format;
  requireCount(given.positionals, command);
  voice.file = given.positionals[0];
  const { parseTyped } = await tree;
  const { flags, positionals } = await parseTyped(
    [
      ...entry.path,
      ...canonicalArguments(
        { values: settings.values, positionals: given.positionals },
        command.flags,
      ),
    ],
    { name: PROGRAM, commands: [[entry.path, command]] },
  );
  return { flags, positionals, origins: settings.origins, stepPath };
}

async function readSettings(
  command: CommandDefinition,
  { given, configFile, session }: Given,
): Promise<{ readonly settings: Settings; readonly stepPath: string }> {
  const [{ fillIn, readDefaults }, { findStepPath }] = await Promise.all([
    import("./settings/settings.ts"),
    import("./settings/step_path.ts"),
  ]);
  const env = (name: string) => session.program.env(name);
  const wanted = given.values.get("context") || env("STEP_CONTEXT");
  const stepPath = await findStepPath(env, wanted);
  if (stepPath.chosenAutomatically) {
    // The original also makes it the current context. Choosing is not ours to
    // remember: a rekey from a timer must not change what `step` does next.
    await say(session, `✔ Context: ${stepPath.context?.name}`);
  }
  const warnings: string[] = [];
  const defaults = await readDefaults(stepPath, {
    configFile,
    warn: (message) => warnings.push(message),
  });
  for (const message of warnings) await say(session, message);
  const settings = fillIn(given.values, command.flags, { env, defaults });
  return { settings, stepPath: stepPath.path };
}

/** A line on standard error before there is a log. */
async function say(session: Session, message: string): Promise<void> {
  const { stderr } = session.program;
  if (formatFor(session) === "text") {
    stderr.write(`${message}\n`);
    return;
  }
  const { jsonLine } = await import("../observe/json_line.ts");
  stderr.write(
    jsonLine({ time: new Date(), level: "info", event: "notice", message }),
  );
}

function requireCount(
  positionals: readonly string[],
  { positionals: wanted, usageInErrors }: CommandDefinition,
): void {
  if (positionals.length === wanted.length) return;
  const amount = positionals.length < wanted.length ? "not enough" : "too many";
  throw new RekeyError(
    "usage",
    `${amount} positional arguments were provided in '${usageInErrors}'`,
  );
}

async function helpOf(
  entry: Extract<Route, { kind: "help" }>["entry"],
  program: Program,
): Promise<string> {
  const { commandHelp, groupHelp } = await import("./help.ts");
  const style = helpStyle(program);
  return "load" in entry
    ? commandHelp(await entry.load(), entry.path, style)
    : groupHelp(entry, style);
}

function helpStyle({ stdout, env }: Program): { readonly bold: boolean } {
  return { bold: stdout.isTerminal() && !variable(env, "NO_COLOR") };
}

function isDebugging({ env }: Program): boolean {
  return variable(env, "STEPDEBUG") === "1";
}

/** Help and errors must come out even where the environment may not be read. */
function variable(env: Program["env"], name: string): string | undefined {
  try {
    return env(name);
  } catch {
    return undefined;
  }
}
