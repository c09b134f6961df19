/**
 * Cuts text into pieces that hold one PEM block each, without looking into them.
 *
 * For text in which a damaged block must not spoil the others: `--root`, and
 * what a CA sends. Linear in the length of the text, whatever it holds.
 */

/** The text from each `-----BEGIN ` up to the next one, in order. */
export function pemPieces(text: string): readonly string[] {
  return text.split(/(?=-----BEGIN )/).filter((piece) =>
    piece.startsWith("-----BEGIN ")
  );
}
