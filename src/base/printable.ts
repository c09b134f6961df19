/**
 * Text from outside (file names, a CA's words) that is safe for a terminal.
 */

/**
 * `text` with control characters as `\xHH`, so that a name can neither move
 * the cursor nor break a line in two. Colours and line ends of the program
 * itself are added afterwards.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}

/** As {@linkcode printable}, for text whose line ends are its own. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
