/**
 * JSON that keeps every member of an object, also those that stand there twice.
 *
 * `JSON.parse` keeps the last of two members; Go's encoding/json, by which
 * step-ca reads its files, decodes both into the same place. A reader that
 * forgets the first one could miss a claim that step-ca obeys.
 *
 * The engine still does the parsing: only the punctuation of objects is turned
 * into that of arrays before.
 */

/** A JSON object as the list of its members, in the order of the file. */
export interface JsonMembers {
  readonly members: readonly (readonly [name: string, value: JsonTree])[];
}

export type JsonTree =
  | null
  | boolean
  | number
  | string
  | readonly JsonTree[]
  | JsonMembers;

/** Punctuation, and all the rest but strings. */
const TOKEN = /[{}[\]:,]|[^"{}[\]:,]+/y;

/**
 * Parses JSON text.
 *
 * @throws {SyntaxError} the engine's own, which may quote the text
 */
export function parseJsonMembers(text: string): JsonTree {
  // Refuses what is no JSON, so that the rewriting can trust its brackets.
  JSON.parse(text);
  const open: { readonly isObject: boolean; isBeforeName: boolean }[] = [];
  let rewritten = "";
  for (const token of tokensOf(text)) {
    const within = open.at(-1);
    switch (token) {
      case "{":
        open.push({ isObject: true, isBeforeName: true });
        rewritten += '{"members":[';
        break;
      case "[":
        open.push({ isObject: false, isBeforeName: false });
        rewritten += token;
        break;
      case "}":
        open.pop();
        // An object without members closes no pair.
        rewritten += within?.isBeforeName === true ? "]}" : "]]}";
        break;
      case "]":
        open.pop();
        rewritten += token;
        break;
      case ":":
        rewritten += ",";
        break;
      case ",":
        if (within?.isObject === true) {
          within.isBeforeName = true;
          rewritten += "],";
        } else rewritten += token;
        break;
      default:
        if (within?.isBeforeName === true && token.startsWith('"')) {
          within.isBeforeName = false;
          rewritten += "[";
        }
        rewritten += token;
    }
  }
  return JSON.parse(rewritten);
}

function* tokensOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at;
    const token = text[at] === '"'
      ? text.slice(at, endOfString(text, at))
      : TOKEN.exec(text)?.[0] ?? "";
    yield token;
    at += token.length;
  }
}

/** Without a pattern, whose stack a string of some MiB would exceed. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let before = end;
    while (text[before - 1] === "\\") before--;
    if ((end - before) % 2 === 0) return end + 1;
  }
}

/** Whether it is an object; everything else in a tree is an array or a scalar. */
export function isJsonMembers(
  value: JsonTree | undefined,
): value is JsonMembers {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
