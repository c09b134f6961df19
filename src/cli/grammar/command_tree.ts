/**
 * The command tree: definitions made into a Stricli application, which finds
 * the command, checks its arguments and gives their values a type.
 *
 * Stricli sees canonical arguments only (`go_arguments.ts`), so it has nothing
 * to complain about: what it refuses is a defect of ours. It prints nothing of
 * its own and runs nothing: running is left to `run.ts`, whose errors and exit
 * codes Stricli would otherwise take over.
 */
import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command,
  type CommandContext,
  type RouteMap,
  run,
} from "./stricli.ts";
import type {
  CommandDefinition,
  FlagDefinition,
  FlagDefinitions,
  FlagValues,
} from "./command.ts";
import { parseBoolean, parseInteger } from "./values.ts";

/** A command that was found, with the typed values of its arguments. */
export interface ParsedCommand {
  readonly command: CommandDefinition;
  readonly flags: FlagValues<FlagDefinitions>;
  readonly positionals: readonly string[];
}

interface ParseContext extends CommandContext {
  parsed?: ParsedCommand;
}

type Routes = { [word: string]: Command<ParseContext> | Routes };

/** What the tree is made of. */
export interface TreeOptions {
  /** The program's name. */
  readonly name: string;
  /** The definitions by the words that call them. */
  readonly commands: readonly (readonly [
    path: readonly string[],
    command: CommandDefinition,
  ])[];
}

/** Parses canonical tokens, the words of the command in front. */
export async function parseTyped(
  tokens: readonly string[],
  { name, commands }: TreeOptions,
): Promise<ParsedCommand> {
  const routes: Routes = {};
  for (const [path, command] of commands) addRoute(routes, path, command);
  const application = buildApplication<ParseContext>(
    toRouteMap(routes),
    { name, scanner: { allowArgumentEscapeSequence: true } },
    // An empty list of integrations: no --helpAll, no second --version.
    {},
  );
  let complaint = "";
  const write = (text: string) => {
    complaint += text;
  };
  const context: ParseContext & { exitCode?: number } = {
    process: { stdout: { write }, stderr: { write } },
  };
  await run(application, tokens, context);
  if (context.parsed !== undefined) return context.parsed;
  throw new Error(
    `the command tree refuses what the grammar took: ${complaint}`,
  );
}

function addRoute(
  routes: Routes,
  path: readonly string[],
  command: CommandDefinition,
): void {
  const [word, ...rest] = path;
  if (word === undefined) throw new Error("a command needs a name");
  if (rest.length === 0) {
    routes[word] = toCommand(command);
    return;
  }
  const below = routes[word] ?? {};
  if (isCommand(below)) throw new Error(`${word} is a command, not a group`);
  routes[word] = below;
  addRoute(below, rest, command);
}

function isCommand(
  route: Command<ParseContext> | Routes,
): route is Command<ParseContext> {
  return "loader" in route && typeof route.loader === "function";
}

function toRouteMap(routes: Routes): RouteMap<ParseContext> {
  return buildRouteMap({
    routes: Object.fromEntries(
      Object.entries(routes).map((
        [word, route],
      ) => [word, isCommand(route) ? route : toRouteMap(route)]),
    ),
    docs: { brief: "" },
  });
}

function toCommand(command: CommandDefinition): Command<ParseContext> {
  const flags = Object.entries(command.flags).map(([name, flag]) =>
    [name, toFlag(flag)] as const
  );
  return buildCommand<
    FlagValues<FlagDefinitions>,
    readonly string[],
    ParseContext
  >({
    func(flagValues, ...positionals) {
      this.parsed = { command, flags: flagValues, positionals };
    },
    parameters: {
      // Stricli derives its types from one command; ours are made from data.
      flags: Object.fromEntries(flags) as never,
      positional: {
        kind: "array",
        parameter: { brief: "file", parse: (text) => text },
      },
    },
    docs: { brief: command.brief },
  });
}

/** Every flag is optional and has no default here: set means given. */
function toFlag(flag: FlagDefinition): object {
  return {
    kind: "parsed",
    optional: true,
    brief: flag.help,
    parse: parserOf(flag),
  };
}

function parserOf(
  flag: FlagDefinition,
): (text: string) => string | bigint | boolean {
  switch (flag.kind) {
    case "text":
      return (text) => text;
    case "integer":
      return parseInteger;
    case "boolean":
      return parseBoolean;
  }
}
