/**
 * Text from outside (file names, a CA's words) that is safe for a terminal.
 */

/**
 * `text` with control characters as `\xHH`, so that a name can neither move
 * the cursor, nor break a line in two, nor turn it around. Colours and line ends of the program
 * itself are added afterwards.
 */
export function printable(text: string): string {
  return text.replace(
    // Not \p{Cc}: the first such class of a process costs a quarter of a ms.
    // deno-lint-ignore no-control-regex -- these are what must not be in it
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}

/** A character as JSON may write it: `\u2028`, two of them above U+FFFF. */
export function escapeForJson(character: string): string {
  return character.split("").map((unit) =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  ).join("");
}

/** Characters of foreign text that a message shows at most. */
const MOST_CHARACTERS = 200;

/** A key in PEM, and a token (RFC 7519) with what belongs to it. */
const SECRETS = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*-----|$)/gs,
  /eyJ[\w-]{8,}\.[\w.-]*/g,
] as const;

/** `text` without what looks like a secret; somebody may have typed it in a wrong place. */
export function withoutSecrets(text: string): string {
  const [key, token] = SECRETS;
  return text.replace(key, "[private key]").replace(token, "[token]");
}

/**
 * Foreign text for a message, without secrets: whole, or cut in the middle (`abc…xyz`) where it
 * is longer than `most` characters. A name of 100 kB must not fill a log.
 */
export function shortened(foreign: string, most = MOST_CHARACTERS): string {
  const text = withoutSecrets(foreign);
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  // No half of a surrogate pair.
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(-half).replace(/^[\udc00-\udfff]/, "");
  return `${head}…${tail}`;
}

/** Characters of a line at most, whatever it is made of. */
const MOST_OF_A_LINE = 2_000;

/**
 * A line for a log or a terminal, cut as {@linkcode shortened} where several
 * long names, or a path, make it endless.
 */
export function shortenedLine(line: string): string {
  return shortened(line, MOST_OF_A_LINE);
}

/** As {@linkcode printable}, for text whose line ends are its own. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
