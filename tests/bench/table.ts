/** What was measured, as rows of samples, and the medians of them. */

/** A program to measure, with the words that it is called with. */
export interface Program {
  readonly name: string;
  readonly command: readonly string[];
}

/** One measurement, by the names of the columns. */
export type Sample = Readonly<Record<string, number>>;

/** The samples of a program, one for each round. */
export interface Row {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** Medians by row and column; `× of …` is how often the original's it is. */
export type Table = Readonly<Record<string, Sample>>;

/** @param rows the original's first */
export function tableOf(rows: readonly Row[]): Table {
  const [{ samples: originals = [] } = {}] = rows;
  const columns = Object.keys(originals[0] ?? {});
  return Object.fromEntries(rows.map(({ name, samples }) => {
    const cells = columns.flatMap((column) => {
      const values = samples.map((sample) => sample[column] ?? NaN);
      const beside = originals.map((sample) => sample[column] ?? NaN);
      // Of one round: the machine drifts.
      const ratios = values.map((value, round) =>
        value / (beside[round] ?? NaN)
      );
      const least = Math.min(...values) / Math.min(...beside);
      return [
        [column, median(values)],
        [`× of ${column}`, median(ratios)],
        ...column === "wallMs" ? [["× of least", least]] : [],
      ];
    });
    return [name, Object.fromEntries(cells)];
  }));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** For a terminal, with all columns. */
export function printTable(
  title: string,
  table: Table,
  rounds: number,
): void {
  const heads = Object.keys(Object.values(table)[0] ?? {});
  console.log(`\n${title}, ${rounds === 1 ? "1 round" : `${rounds} rounds`}`);
  console.log(`| | ${heads.join(" | ")} |`);
  console.log(`|${" --- |".repeat(heads.length + 1)}`);
  for (const [name, cells] of Object.entries(table)) {
    const texts = heads.map((head) =>
      cells[head]?.toFixed(head.startsWith("×") ? 2 : 1)
    );
    console.log(`| ${name} | ${texts.join(" | ")} |`);
  }
}
