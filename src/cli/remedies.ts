/**
 * The words of each remedy: the one place that knows which flag does what.
 */
import type { Hint, Remedy } from "../base/remedy.ts";

/** What to print behind `hint: `. */
export function hintText(hint: Hint): string {
  return typeof hint === "string" ? hint : remedyText(hint);
}

function remedyText({ remedy }: Remedy): string {
  switch (remedy) {
    case "allow expired":
      return "use --force to go back to it all the same";
  }
}
