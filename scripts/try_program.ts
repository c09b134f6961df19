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
