/** docs/benchmarks.md, from what was measured. */
import { anchorVersion } from "../../scripts/anchors.ts";
import { BASE_VERSION } from "../support/base_runtime.ts";
import { SETTLE_MS } from "./daemons.ts";
import type { Sample, Table } from "./table.ts";

/** What was measured, by the titles of the tables. */
export type Tables = Readonly<Record<string, Table>>;

const REKEY = "one rekey, ";

/** Of the table of a rekey's stages. */
export const STAGES_TITLE = "stages of one rekey";

/** The whole page. */
export function page(
  tables: Tables,
  { rounds, rekeys, machine }: {
    readonly rounds: number;
    /** In one process. */
    readonly rekeys: number;
    readonly machine: string;
  },
): string {
  const rekeyTitles = Object.keys(tables)
    .filter((title) => title.startsWith(REKEY));
  const starts = Object.keys(tables)
    .filter((title) => /^(?:--version$|certificate )/.test(title));
  return [
    `# Benchmarks

Written by \`deno task bench\`, which measures this program from a checkout, as
one JavaScript file (\`deno task bundle\`) and compiled (\`deno task compile\`)
beside the original, \`step\` ${
      anchorVersion("step")
    }, in the same run, against the same real
step-ca. Medians; in brackets how often the original's it is, which is the
median of the ratios of each round.

![How often the original's it is](benchmarks.svg)`,
    section("What it costs", losses(tables)),
    section(
      "Start-up and answers",
      wallTable(tables, starts, (title) => `\`${title}\``),
    ),
    section(
      "One rekey",
      wallTable(tables, rekeyTitles, (title) => title.slice(REKEY.length)),
      `The search for the primes of an RSA key is the runtime's, and luck: it
takes from half to twice its median.`,
      FLOOR,
    ),
    section(
      "The stages of one rekey",
      stagesTable(tables),
      `Milliseconds from the start, under strace, which slows all of them. Until it is
locked: the runtime starts, the modules are loaded, the line and the settings are
read. Until it asks: the pair is read, the disk has the space, the cryptography
library is seeded, the new key and its request are made. Until it installs: TLS,
the CA's answer, and its proof.`,
    ),
    section("Processor and memory of one rekey", ownTable(tables)),
    section(
      "A daemon",
      daemonTable(tables),
      `Idle: ${
        SETTLE_MS / 1000
      } s after the start, while it waits for its first rekey. At work: ${rekeys}
rekeys in one process, a second apart; the original's \`ca rekey --daemon\` only
renews, with the key that is there. Private is the memory that the process alone
has; the rest is mapped code, which programs of the same runtime share.`,
    ),
    section("Method", method(rounds)),
    section("Machine", machine),
  ].join("\n\n") + "\n";
}

const FLOOR =
  `The rows \`empty\` are what any program on the runtime takes that does
nothing; that makes the one key that seeds the runtime's cryptography library;
and that sends one request by mutual TLS besides.
[Start-up](architecture.md#start-up) says what the rest is made of.`;

function method(rounds: number): string {
  return `The contestants take turns, once a round in ${rounds} rounds (a quarter of
them for RSA-4096) after one that does not count. A process is measured from its
start to its end by what the kernel says of it. Pairs are on a disk, with every
fsync. \`deno run\` has its cache. Only what stands in one table may be compared:
machines drift.`;
}

/** What is slower or larger than the original, in words. */
function losses(tables: Tables): string {
  const times = (title: string, name: string, column = "wallMs") => {
    const value = tables[title]?.[name]?.[`× of ${column}`];
    return value === undefined ? "–" : value.toFixed(1);
  };
  const forms = (title: string, column?: string) =>
    ["source", "one file", "compiled"]
      .map((name) => times(title, name, column)).join(", ");
  const rekey = `${REKEY}EC P-256`;
  return `In multiples of the original, from a checkout, as one file, compiled:

- one rekey takes ${forms(rekey)} times as long, ${
    forms(rekey, "cpuMs")
  } times the processor time and ${forms(rekey, "peakMiB")} times the memory;
- \`--version\` takes ${forms("--version")} times as long;
- an idle daemon holds ${
    forms("idle daemon", "residentMiB")
  } times the memory, ${
    forms("idle daemon", "privateMiB")
  } times of what is its own;
- a rekey of a running daemon takes ${
    forms("rekeys in one process", "cpuMsARekey")
  } times the processor time.

The runtime alone, seeded and with one request, takes ${
    times(rekey, "empty, deno run + seeding + mTLS request")
  } times as long as the original's whole rekey, and ${
    times(rekey, "empty, compiled + seeding + mTLS request")
  } compiled.`;
}

function section(title: string, ...parts: readonly string[]): string {
  return [`## ${title}`, ...parts].join("\n\n");
}

/** Times of some tables beside each other. */
function wallTable(
  tables: Tables,
  titles: readonly string[],
  head: (title: string) => string,
): string {
  const names = new Set(
    titles.flatMap((title) => Object.keys(tables[title] ?? {})),
  );
  return markdown(
    ["", ...titles.map(head)],
    [...names].map((name) => [
      name,
      ...titles.map((title) => cell(tables[title]?.[name], "wallMs", "ms")),
    ]),
  );
}

/** What the kernel says of one rekey. */
function ownTable(tables: Tables): string {
  const rows = Object.entries(tables[`${REKEY}EC P-256`] ?? {});
  return markdown(
    ["EC P-256", "processor", "peak memory", "minor faults", "major faults"],
    rows.map(([name, sample]) => [
      name,
      cell(sample, "cpuMs", "ms"),
      cell(sample, "peakMiB", "MiB"),
      plain(sample, "minorFaults"),
      plain(sample, "majorFaults"),
    ]),
  );
}

function stagesTable(tables: Tables): string {
  const columns = ["lockedMs", "askedMs", "installedMs", "endedMs"];
  return markdown(
    ["EC P-256", "locked", "asks", "installs", "ends"],
    Object.entries(tables[STAGES_TITLE] ?? {}).map(([name, sample]) => [
      name,
      ...columns.map((column) => plain(sample, column)),
    ]),
  );
}

function daemonTable(tables: Tables): string {
  const idle = tables["idle daemon"] ?? {};
  const busy = tables["rekeys in one process"] ?? {};
  return markdown(
    [
      "",
      ...["idle: resident", "private", "processor a minute"],
      ...["at work: resident", "private", "processor a rekey"],
    ],
    Object.keys({ ...idle, ...busy }).map((name) => [
      name,
      cell(idle[name], "residentMiB", "MiB"),
      cell(idle[name], "privateMiB", "MiB"),
      plain(idle[name], "cpuMsAMinute", " ms"),
      cell(busy[name], "residentMiB", "MiB"),
      cell(busy[name], "privateMiB", "MiB"),
      cell(busy[name], "cpuMsARekey", "ms"),
    ]),
  );
}

/** A value, and how often the original's it is. */
function cell(
  sample: Sample | undefined,
  column: string,
  unit: string,
): string {
  const value = sample?.[column];
  const times = sample?.[`× of ${column}`];
  if (value === undefined || times === undefined) return "–";
  return `${value.toFixed(1)} ${unit} (${times.toFixed(2)})`;
}

function plain(sample: Sample | undefined, column: string, unit = ""): string {
  const value = sample?.[column];
  return value === undefined || Number.isNaN(value)
    ? "–"
    : `${value.toFixed(0)}${unit}`;
}

function markdown(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [heads, heads.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** Processor, memory, kernel, versions. */
export async function machineText(): Promise<string> {
  const cpu = /^model name\s*: (.*)$/m
    .exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown";
  const kib = /^MemTotal:\s+(\d+)/m
    .exec(await Deno.readTextFile("/proc/meminfo"))?.[1];
  const kernel = /^\d+\.\d+/.exec(Deno.osRelease())?.[0] ?? "";
  return `${cpu}, ${navigator.hardwareConcurrency} cores, ${
    (Number(kib) / 2 ** 20).toFixed(0)
  } GiB, Linux ${kernel}; Deno ${Deno.version.deno} from source, ${BASE_VERSION} compiled;
${new Date().toISOString().slice(0, 10)}.`;
}
