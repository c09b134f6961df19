/**
 * Runs command lines inside this process: real grammar, settings and rules,
 * but the engine is replaced by a note of what it was asked to do.
 */
import { run } from "../../src/cli/run.ts";
import type { Program } from "../../src/cli/process/program.ts";
import type {
  LayoutOptions,
  RekeyOptions,
  RollbackOptions,
} from "../../src/base/options.ts";
import { REKEY_SPEAKER } from "./hint.ts";

/** What a command line did. */
export interface LineResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the engine was given; undefined when it was not called. */
  readonly options: RekeyOptions | undefined;
  /** What `ca rollback` was given. */
  readonly rollback: RollbackOptions | undefined;
  /** What `ca layout` was given. */
  readonly layout: LayoutOptions | undefined;
  /** Names of the variables that were asked for. */
  readonly variables: readonly string[];
}

/** The surroundings of a command line. */
export interface LineOptions {
  /** The whole environment; without STEPPATH there are no settings files. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether standard output is a terminal. */
  readonly terminal?: boolean;
  /** How wide it is. */
  readonly columns?: number;
  /** The name that it is called by. */
  readonly calledAs?: "step" | "step-cli";
  /** What the engine throws. */
  readonly failure?: unknown;
}

/** A directory that does not exist: no settings. */
export const NO_SETTINGS = "/nonexistent/step";

/** Runs the tokens. */
export async function runLine(
  args: readonly string[],
  {
    env = {},
    cwd = "/home/user",
    terminal = false,
    columns,
    failure,
    calledAs,
  }: LineOptions = {},
): Promise<LineResult> {
  const output = { stdout: "", stderr: "" };
  const seen: {
    options?: RekeyOptions;
    rollback?: RollbackOptions;
    layout?: LayoutOptions;
    variables: string[];
  } = { variables: [] };
  const end = () =>
    failure === undefined ? Promise.resolve(0) : Promise.reject(failure);
  const sink = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      output[name] += text;
    },
    isTerminal: () => terminal,
    columns: () => columns,
  });
  const surroundings: Readonly<Record<string, string>> = {
    STEPPATH: NO_SETTINGS,
    ...env,
  };
  const program: Program = {
    env(name) {
      seen.variables.push(name);
      return surroundings[name];
    },
    calledAs: () => calledAs,
    cwd: () => cwd,
    stdout: sink("stdout"),
    writeBytes: (bytes) => {
      output.stdout += new TextDecoder().decode(bytes);
    },
    stderr: sink("stderr"),
    pinTrust: () => undefined,
    startAgain: () => Promise.resolve(undefined),
    flush: () => Promise.resolve(),
    speaker: REKEY_SPEAKER,
    execute({ path }, options) {
      const command = path.join(" ");
      if (command === "ca rekey" || command === "ca renew") {
        seen.options = options as RekeyOptions;
      }
      if (command === "ca rollback") seen.rollback = options as RollbackOptions;
      if (command === "ca layout") seen.layout = options as LayoutOptions;
      return end();
    },
  };
  const code = await run(args, program);
  return {
    code,
    ...output,
    options: plain(seen.options),
    rollback: plain(seen.rollback),
    layout: plain(seen.layout),
    variables: seen.variables,
  };
}

/** Plain data without what is undefined: what no flag asks for. */
function plain<T>(options: T | undefined): T | undefined {
  return options === undefined
    ? undefined
    : JSON.parse(JSON.stringify(options));
}
