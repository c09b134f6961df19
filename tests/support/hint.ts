/** Hints as a person reads them who rekeys. */
import { RekeyError } from "../../src/base/errors.ts";
import type { Hint } from "../../src/base/remedy.ts";
import { REKEY_FLAGS } from "../../src/cli/resolve/flags.ts";
import { hintText, type Speaker } from "../../src/cli/remedies.ts";

export const REKEY_SPEAKER: Speaker = {
  name: "step-rekey",
  flags: REKEY_FLAGS,
};

/** The words of a hint; empty when there is none. */
export function hintWords(hint: Hint | undefined): string {
  return hint === undefined ? "" : hintText(hint, REKEY_SPEAKER);
}

/** The words of an error's hint; empty when it has none. */
export function hintOf(error: Error): string {
  return error instanceof RekeyError ? hintWords(error.hint) : "";
}
