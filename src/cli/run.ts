/**
 * From the tokens of a command line to an exit code.
 *
 * The only place that prints errors. The order is: find the command, read its
 * arguments, fill in the settings, run. Help is answered before any setting is
 * read, so that a broken defaults.json cannot hide it.
 */
import { RekeyError } from "../errors.ts";
import {
  type CommandEntry,
  findRoute,
  GroupSyntaxError,
  PROGRAM,
  type Route,
} from "./catalogue.ts";
import type { CommandDefinition, Invocation } from "./command.ts";
import {
  canonicalArguments,
  FlagSyntaxError,
  type GivenArguments,
  parseArguments,
} from "./go_arguments.ts";
import { denoProgram, type Program } from "./program.ts";
import type { Settings } from "./settings.ts";
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
  try {
    await dispatch(await findCommand(args, program), program);
    return 0;
  } catch (error) {
    const { reportFailure } = await import("./report.ts");
    const { text, exitCode } = reportFailure(error, isDebugging(program));
    program.stderr.write(text);
    return exitCode;
  }
}

async function findCommand(
  args: readonly string[],
  program: Program,
): Promise<Route> {
  try {
    return findRoute(args);
  } catch (error) {
    if (error instanceof GroupSyntaxError) {
      const help = await helpOf(error.group, program);
      program.stdout.write(`Incorrect Usage. ${error.message}\n\n${help}`);
    }
    throw error;
  }
}

async function dispatch(route: Route, program: Program): Promise<void> {
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
      await runCommand(route, program);
  }
}

async function runCommand(
  { entry, rest, configFile }: Extract<Route, { kind: "command" }>,
  program: Program,
): Promise<void> {
  const command = await entry.load();
  try {
    const given = parseArguments(rest, command.flags);
    if (given.help) {
      program.stdout.write(await helpOf(entry, program));
      return;
    }
    command.prepare?.(program);
    const invocation = await prepareInvocation(entry, command, {
      given,
      configFile,
      program,
    });
    await command.run(invocation, program);
  } catch (error) {
    if (error instanceof FlagSyntaxError) {
      const help = await helpOf(entry, program);
      program.stdout.write(`Incorrect Usage: ${error.message}\n\n${help}`);
    }
    throw error;
  }
}

/** Settings, then the number of arguments, then types: the original's order. */
async function prepareInvocation(
  entry: CommandEntry,
  command: CommandDefinition,
  from: {
    readonly given: GivenArguments;
    readonly configFile: string | undefined;
    readonly program: Program;
  },
): Promise<Invocation<CommandDefinition["flags"]>> {
  const { given } = from;
  // Loaded while the settings are read: the library takes 10 ms.
  const tree = import("./command_tree.ts");
  const { settings, stepPath } = await readSettings(command, from);
  requireCount(given.positionals, command);
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
  { given, configFile, program }: {
    readonly given: GivenArguments;
    readonly configFile: string | undefined;
    readonly program: Program;
  },
): Promise<{ readonly settings: Settings; readonly stepPath: string }> {
  const [{ fillIn, readDefaults }, { findStepPath }] = await Promise.all([
    import("./settings.ts"),
    import("./step_path.ts"),
  ]);
  const env = (name: string) => program.env(name);
  const wanted = given.values.get("context") || env("STEP_CONTEXT");
  const stepPath = await findStepPath(env, wanted);
  if (stepPath.chosenAutomatically) {
    // The original also makes it the current context. Choosing is not ours to
    // remember: a rekey from a timer must not change what `step` does next.
    program.stderr.write(`✔ Context: ${stepPath.context?.name}\n`);
  }
  const defaults = await readDefaults(stepPath, {
    configFile,
    warn: (message) => program.stderr.write(`${message}\n`),
  });
  const settings = fillIn(given.values, command.flags, { env, defaults });
  return { settings, stepPath: stepPath.path };
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
