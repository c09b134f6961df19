/** Programs that scripts run. */
import { ROOT } from "./paths.ts";

/**
 * Runs a program that fetches or builds what may be missing. Its errors are
 * shown, its other output is not.
 *
 * @returns a reason when it has not done it
 */
export async function tryProgram(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  try {
    const { code } = await new Deno.Command(program, {
      args,
      env: { ...env },
      stdout: "null",
      stderr: "inherit",
    }).spawn().status;
    return code === 0
      ? undefined
      : `${[program, ...args].join(" ")} exited with status ${code}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${program} is not installed`;
  }
}

/**
 * Standard output of a program.
 *
 * @param options in the checkout, unless `cwd` says otherwise
 * @throws with what it said when it fails
 */
export async function outputOf(
  [program, ...args]: readonly [string, ...string[]],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
  } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: options.cwd ?? ROOT,
    env: { ...options.env },
  }).output();
  if (!success) {
    throw new Error(`${program}: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return new TextDecoder().decode(stdout);
}
