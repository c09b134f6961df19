/** Hints as a person reads them. */
import { RekeyError } from "../../src/base/errors.ts";
import { hintText } from "../../src/cli/remedies.ts";

/** The words of an error's hint; empty when it has none. */
export function hintOf(error: Error): string {
  return error instanceof RekeyError && error.hint !== undefined
    ? hintText(error.hint)
    : "";
}
