/**
 * PEM: the text form of certificates and keys (RFC 7468), with the headers of
 * RFC 1421 that old encrypted keys carry.
 *
 * Lenient about what editors and mail programs do to a file (a byte order mark,
 * line ends, white space, text around the blocks), strict about the content: a
 * damaged block is an error, never skipped, because what follows it in the file
 * could be taken for what was meant.
 */
import { MalformedError } from "./malformed.ts";

/** One block between `-----BEGIN label-----` and `-----END label-----`. */
export interface PemBlock {
  readonly label: string;
  /** In file order, names as written; the last of equal names counts. */
  readonly headers: ReadonlyMap<string, string>;
  /** The decoded content: DER, unless the headers say that it is encrypted. */
  readonly der: Uint8Array<ArrayBuffer>;
}

const BEGIN = "-----BEGIN ";
const DASHES = "-----";

/** RFC 7468 §2: the width that generators must use. */
const COLUMNS = 64;

/**
 * RFC 7468 §3. Without the rule that a label has no two dashes in a row, a key
 * whose line ends got lost would be one long label, and end up in an error.
 */
const BEGIN_LINE =
  /^-----BEGIN (?=[ -~]{0,64}-----$)((?:[!-,.-~]+(?:[- ][!-,.-~]+)*)?)-----$/;

/** Whether the content claims to be PEM: it contains `-----BEGIN `. */
export function isPem(content: Uint8Array): boolean {
  return textOf(content).includes(BEGIN);
}

/**
 * Every block of the content in file order; text around them is skipped.
 *
 * @throws {MalformedError} when a block is damaged: no or another END line, a
 *   broken BEGIN line, no valid base64
 */
export function parsePem(content: Uint8Array): readonly PemBlock[] {
  const lines = textOf(content).split(/\r\n|\n|\r/);
  const blocks: PemBlock[] = [];
  let next = 0;
  while (next < lines.length) {
    if (!lines[next]?.startsWith(BEGIN)) {
      next++;
      continue;
    }
    const read = readBlock(lines, { start: next, number: blocks.length + 1 });
    blocks.push(read.block);
    next = read.next;
  }
  return blocks;
}

/** The block as PEM: 64 columns, LF, final newline. */
export function toPem(
  label: string,
  der: Uint8Array,
  headers: ReadonlyMap<string, string> = new Map(),
): string {
  let text = `${BEGIN}${label}${DASHES}\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\n`;
  if (headers.size > 0) text += "\n";
  const base64 = der.toBase64();
  for (let at = 0; at < base64.length; at += COLUMNS) {
    text += `${base64.slice(at, at + COLUMNS)}\n`;
  }
  return `${text}-----END ${label}${DASHES}\n`;
}

/**
 * Cuts text into pieces that begin with a BEGIN line, one block each, without a
 * look into them: a damaged block in `--root` or in a CA's answer must not spoil
 * the others.
 */
export function pemPieces(text: string): readonly string[] {
  return text.split(/(?=-----BEGIN )/).filter((piece) =>
    piece.startsWith(BEGIN)
  );
}

/** Index of the BEGIN line of a block, and its number, from 1. */
interface BlockPlace {
  readonly start: number;
  readonly number: number;
}

function readBlock(
  lines: readonly string[],
  place: BlockPlace,
): { readonly block: PemBlock; readonly next: number } {
  const begin = lines[place.start] ?? "";
  const label = BEGIN_LINE.exec(begin.trimEnd())?.[1];
  if (label === undefined) {
    throw damaged(place, 'its BEGIN line should end with "-----"');
  }
  const end = findEnd(lines, place, label);
  const body = lines.slice(place.start + 1, end);
  const headers = readHeaders(body);
  const base64 = body.slice(headers.lines).join("\n");
  const der = decodeBase64(base64);
  if (der === undefined) {
    throw damaged(place, "its content is not valid base64", label);
  }
  return { block: { label, headers: headers.headers, der }, next: end + 1 };
}

function findEnd(
  lines: readonly string[],
  place: BlockPlace,
  label: string,
): number {
  const wanted = `-----END ${label}${DASHES}`;
  for (let at = place.start + 1; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (!line.startsWith(DASHES)) continue;
    if (line.trimEnd() === wanted) return at;
    break;
  }
  throw damaged(place, `its END line is missing or names another label`, label);
}

/** RFC 1421 §4.4: `Name: value` lines, which a blank line ends. */
function readHeaders(
  body: readonly string[],
): { readonly headers: Map<string, string>; readonly lines: number } {
  const headers = new Map<string, string>();
  let last: string | undefined;
  let lines = 0;
  for (const line of body) {
    const colon = line.indexOf(":");
    if (last !== undefined && /^[ \t]+\S/.test(line)) {
      // A folded line continues the value of the one before.
      headers.set(last, `${headers.get(last) ?? ""}${line.trim()}`);
    } else if (colon >= 0) {
      last = line.slice(0, colon).trim();
      headers.set(last, line.slice(colon + 1).trim());
    } else {
      break;
    }
    lines++;
  }
  return { headers, lines };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const dense = text.replaceAll(/[ \t\n\v\f]+/g, "");
  // Without its padding, a block cut at its end could pass for a whole one.
  if (dense.length % 4 !== 0) return undefined;
  try {
    return Uint8Array.fromBase64(dense);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function damaged(
  place: BlockPlace,
  fault: string,
  label?: string,
): MalformedError {
  const name = label === undefined ? "" : ` ${JSON.stringify(label)}`;
  return new MalformedError(
    `damaged PEM block ${place.number}${name} in line ${
      place.start + 1
    }: ${fault}`,
  );
}

/** Without a byte order mark; what is not UTF-8 can only be text around blocks. */
function textOf(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}
