/**
 * Files that Linux shows of this process and of the system, in /proc.
 */

/**
 * The text of `/proc/PATH`, such as `self/status`.
 *
 * Deno opens these files only for a program that has every permission that
 * there is, native libraries included. Without, cat(1) reads them.
 *
 * @throws as a read of the file does
 */
export function procFile(path: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${path}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    const text = byProgram(path);
    if (text === undefined) throw error;
    return text;
  }
}

function byProgram(path: string): string | undefined {
  try {
    const { success, stdout } = new Deno.Command("cat", {
      args: [`/proc/${path.replace(/^self\//, `${Deno.pid}/`)}`],
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    // No such program, or no permission to run one.
    return undefined;
  }
}
