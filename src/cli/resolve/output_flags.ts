/** Flags of the commands that write one file, or standard output. */
import type { FlagDefinition } from "../grammar/command.ts";

/** Each command says what it writes. */
export const OUT_FLAG = {
  kind: "text",
  group: "files",
  placeholder: "file",
} as const satisfies Omit<FlagDefinition, "help">;
