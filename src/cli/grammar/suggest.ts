/**
 * "Did you mean": the known word that is nearest to a mistyped one. Pure.
 */

/** More edits than this are another word, not a mistake; in a short word, one. */
const MOST_EDITS = 3;

/** From this many letters on, a word is long. */
const LONG_WORD = 6;

/**
 * The candidate that the fewest edits lead to (a letter more, less, changed,
 * or two swapped), or undefined when none is near. Short words have to be
 * nearer: "renew" is no slip for "rekey", and following that hint would replace
 * a key that its owner meant to keep.
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  const most = word.length < LONG_WORD ? 1 : MOST_EDITS;
  let fewest = Math.min(most, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    // The distance is at least the difference in length.
    if (Math.abs(candidate.length - word.length) >= fewest) continue;
    const edits = editDistance(word, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    best = candidate;
  }
  return best;
}

/** Optimal string alignment distance. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let edits = Math.min(
        at(current, column - 1) + 1,
        at(last, column) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 &&
        from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
