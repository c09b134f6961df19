/** docs/benchmarks.svg: bars of how often the original's it is. */
import type { Tables } from "./page.ts";

/** What is shown: a title, the table and the column that it is from. */
const GROUPS = [
  ["--version", "--version", "wallMs"],
  ["needs-renewal", "certificate needs-renewal", "wallMs"],
  ["one rekey, P-256", "one rekey, EC P-256", "wallMs"],
  ["one rekey, Ed25519", "one rekey, Ed25519", "wallMs"],
  ["one rekey, RSA-2048", "one rekey, RSA-2048", "wallMs"],
  ["idle daemon, resident", "idle daemon", "residentMiB"],
  ["idle daemon, private", "idle daemon", "privateMiB"],
  ["daemon, CPU a rekey", "rekeys in one process", "cpuMsARekey"],
] as const;

/** The forms of this program, in colours that differ in brightness, too. */
const FORMS = {
  "source": "#9ecae1",
  "one file": "#4292c6",
  "compiled": "#084594",
};

/** Measures in pixels. */
const LEFT = 170;
const WIDTH = 720;
const BAR = 13;
const GAP = 14;
const TOP = 34;

export function chart(tables: Tables): string {
  const values = GROUPS.map(([, title, column]) =>
    Object.keys(FORMS).map((form) => tables[title]?.[form]?.[`× of ${column}`])
  );
  const most = Math.max(2, ...values.flat().map((value) => value ?? 0));
  const scale = (WIDTH - LEFT - 50) / most;
  const group = Object.keys(FORMS).length * BAR + GAP;
  const height = TOP + GROUPS.length * group + 24;
  const bars = GROUPS.flatMap(([name], index) => {
    const top = TOP + index * group;
    return [
      text(LEFT - 8, top + group / 2 - 3, name, "end"),
      ...Object.values(FORMS).flatMap((colour, form) => {
        const value = values[index]?.[form];
        if (value === undefined) return [];
        const y = top + form * BAR;
        return [
          `<rect x="${LEFT}" y="${y}" width="${
            (value * scale).toFixed(1)
          }" height="${BAR - 2}" fill="${colour}"/>`,
          text(LEFT + value * scale + 4, y + BAR - 3, value.toFixed(2)),
        ];
      }),
    ];
  });
  const legend = Object.entries(FORMS).flatMap(([form, colour], index) => [
    `<rect x="${
      LEFT + index * 110
    }" y="10" width="11" height="11" fill="${colour}"/>`,
    text(LEFT + index * 110 + 16, 20, form),
  ]);
  const one = LEFT + scale;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>Times and memory as multiples of the original's</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${[...legend, ...bars].join("\n")}
<line x1="${one.toFixed(1)}" y1="${TOP - 6}" x2="${one.toFixed(1)}" y2="${
    height - 20
  }" stroke="#d62728" stroke-dasharray="4 3"/>
${text(one, height - 6, "the original: 1", "middle")}
</svg>
`;
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: "start" | "middle" | "end" = "start",
): string {
  return `<text x="${x.toFixed(1)}" y="${
    y.toFixed(1)
  }" text-anchor="${anchor}">${content}</text>`;
}
