/**
 * Whether a program is there, before it is needed.
 *
 * A look only: what is started later is decided then, by the system.
 */
import { isOsError } from "../base/os_error.ts";

/**
 * Whether `program` is an executable file: a path, or a name in $PATH. True
 * where that cannot be found out.
 */
export async function isProgram(program: string): Promise<boolean> {
  if (Deno.build.os === "windows") return true;
  try {
    const folders = program.includes("/")
      ? [""]
      : (Deno.env.get("PATH") ?? "").split(":").map((folder) =>
        `${folder || "."}/`
      );
    for (const folder of folders) {
      if (await isExecutable(folder + program)) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return true;
    throw error;
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(file);
    return isFile && ((mode ?? 0o111) & 0o111) !== 0;
  } catch (error) {
    if (isOsError(error)) return false;
    throw error;
  }
}
