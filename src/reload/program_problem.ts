/** Whether a program of the user could be run, before it is too late to ask. */
import { isOsError } from "../base/os_error.ts";

/** Why a program cannot be run, as words behind "is". */
export type ProgramProblem =
  | "not found in $PATH"
  | "no file"
  | "no executable file";

/**
 * What is wrong with `program`, a path or a name in $PATH; undefined also where
 * that cannot be found out. A look only: what is started later is decided then,
 * by the system.
 */
export async function programProblem(
  program: string,
): Promise<ProgramProblem | undefined> {
  if (Deno.build.os === "windows") return undefined;
  try {
    if (program.includes("/")) {
      const file = await statIfPossible(program);
      if (file === undefined) return "no file";
      return isExecutable(file) ? undefined : "no executable file";
    }
    for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
      if (program === "") break;
      const file = await statIfPossible(`${folder || "."}/${program}`);
      if (file !== undefined && isExecutable(file)) return undefined;
    }
    return "not found in $PATH";
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

async function statIfPossible(
  file: string,
): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (isOsError(error)) return undefined;
    throw error;
  }
}

/** Whether somebody may run it whom this process may belong to. */
function isExecutable({ isFile, mode, uid }: Deno.FileInfo): boolean {
  if (!isFile) return false;
  if (mode === null) return true;
  const self = Deno.uid();
  // Of its groups a process knows one only; the bits of the group are also
  // the widest ones of an access list.
  const bits = self === 0 ? 0o111 : self === uid ? 0o100 : 0o011;
  return (mode & bits) !== 0;
}
