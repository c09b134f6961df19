/**
 * Whether somebody else replaced the certificate while the daemon waits.
 */
import { bestEffort } from "../base/os_error.ts";
import type { RekeyOptions } from "../base/options.ts";

/**
 * What the certificate's files look like from outside; another text when one
 * of them was replaced or written. No content is read, so it costs nothing in
 * each slice of a wait.
 */
export function pairMark(
  { input, output }: Pick<RekeyOptions, "input" | "output">,
): string {
  return [input.certificate, output.certificate].map(fileMark).join(" ");
}

function fileMark(file: string): string {
  let mark = "none";
  bestEffort(() => {
    const { dev, ino, size, mtime } = Deno.statSync(file);
    mark = [dev, ino, size, mtime?.getTime()].join(":");
  });
  return mark;
}
