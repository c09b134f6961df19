/**
 * By which name the program was called: a link or a copy with the original's
 * name stands in for it.
 */
import { isOsError } from "../../base/os_error.ts";

/** The program's name in help and messages of its own. */
export const PROGRAM = "step-rekey";

/** The names that the original is installed by. */
const STEP_NAMES = ["step", "step-cli"] as const;
export type StepName = typeof STEP_NAMES[number];

/** `1`: as if the program were called by the name of the original. */
const AS_STEP = "STEP_REKEY_AS_STEP";

/** The name that the program was called by, where it is the original's. */
export function calledAs(): StepName | undefined {
  try {
    if (Deno.env.get(AS_STEP) === "1") return "step";
    // From source, the name is Deno's.
    if (!Deno.build.standalone) return undefined;
    const file = commandName().split(/[\\/]/).at(-1)?.replace(/\.exe$/i, "");
    return STEP_NAMES.find((name) => name === file);
  } catch (error) {
    // Few permissions, or no /proc: it has its own name then.
    if (isOsError(error)) return undefined;
    throw error;
  }
}

/** As it was typed: the runtime tells the file behind a link only. */
function commandName(): string {
  return Deno.build.os === "linux"
    ? Deno.readTextFileSync("/proc/self/cmdline").split("\0")[0] ?? ""
    : Deno.execPath();
}
