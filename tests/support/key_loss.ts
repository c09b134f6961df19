/**
 * Looks for a way in which a private key is lost: a kill anywhere in a run, then
 * acts of a person, then another run.
 *
 * The states come from the tracer's log of one real run for each layout; the run
 * that follows happens in this process.
 */
import { RekeyError } from "../../src/base/errors.ts";
import { ROOT } from "../../scripts/paths.ts";
import { encodePair, open } from "./install_child.ts";
import { type DiskState, PowerCutModel, readDisk } from "./power_cut.ts";
import { materialise } from "./power_cut_states.ts";
import { runOk } from "./run.ts";
import type { TempDir } from "./temp_dir.ts";
import { describePoint, trace } from "./tracer/tracer.ts";

/** A certificate and its key, as PEM. */
export interface TextPair {
  readonly certificate: string;
  readonly key: string;
}

/** `backup` is older than `old`; `other` has nothing to do with them. */
export type Owner = "backup" | "old" | "fresh" | "other";

const OWNERS: readonly Owner[] = ["backup", "old", "fresh", "other"];

export type TextPairs = Readonly<Record<Owner, TextPair>>;

/** Makes them by openssl; with encrypted keys where a password is given. */
export async function makePairs(
  dir: TempDir,
  password?: string,
): Promise<TextPairs> {
  const pairs = await Promise.all(OWNERS.map(async (owner) => {
    const [key, certificate] = [
      dir.file(`${owner}.key`),
      dir.file(`${owner}.crt`),
    ];
    await runOk("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-subj", `/CN=${owner}`],
      ...["-pkeyopt", "ec_paramgen_curve:P-256", "-out", certificate],
      ...["-keyout", key, "-days", "30"],
      ...password === undefined ? ["-nodes"] : ["-passout", `pass:${password}`],
    ]);
    return [owner, {
      certificate: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(key),
    }] as const;
  }));
  return Object.fromEntries(pairs) as Record<Owner, TextPair>;
}

/** How a pair stands, and the run that is killed. */
export interface LossLayout {
  readonly name: string;
  readonly keyFolder: "tls" | "private";
  /** False: the names are free. */
  readonly isThere?: boolean;
  readonly isVersioned?: boolean;
  /** The third argument of pair_child.ts. */
  readonly what: string;
}

export const LOSS_LAYOUTS: readonly LossLayout[] = [
  { name: "one folder", keyFolder: "tls", what: "{}" },
  { name: "two folders", keyFolder: "private", what: "{}" },
  { name: "new names", keyFolder: "private", isThere: false, what: "{}" },
  { name: "in place", keyFolder: "private", what: '{"inPlace":true}' },
  { name: "versioned", keyFolder: "tls", isVersioned: true, what: "{}" },
  {
    name: "versioned, two folders",
    keyFolder: "private",
    isVersioned: true,
    what: "{}",
  },
  {
    name: "new versioned names",
    keyFolder: "private",
    isThere: false,
    what: '{"layout":"versioned"}',
  },
  { name: "to versioned", keyFolder: "private", what: "versioned" },
  {
    name: "to plain",
    keyFolder: "private",
    isVersioned: true,
    what: "plain",
  },
  {
    name: "rollback",
    keyFolder: "private",
    isVersioned: true,
    what: "rollback",
  },
];

/** A state on disk that a kill leaves. */
interface KillState {
  readonly disk: DiskState;
  readonly description: string;
}

/** All kills of one run. */
export class KeyLossSearch {
  readonly layout: LossLayout;
  readonly states: readonly KillState[];
  readonly #pairs: TextPairs;
  readonly #dir: TempDir;
  readonly #from: string;
  #count = 0;

  private constructor(
    layout: LossLayout,
    { states, pairs, dir, from }: {
      readonly states: readonly KillState[];
      readonly pairs: TextPairs;
      readonly dir: TempDir;
      readonly from: string;
    },
  ) {
    this.layout = layout;
    this.states = states;
    this.#pairs = pairs;
    this.#dir = dir;
    this.#from = from;
  }

  static async start(
    layout: LossLayout,
    pairs: TextPairs,
    dir: TempDir,
  ): Promise<KeyLossSearch> {
    const from = dir.file(`run-${crypto.randomUUID()}`);
    await prepare(layout, pairs, from);
    const directories = ["tls", "private"].map((name) => `${from}/${name}`);
    const model = new PowerCutModel(await readDisk(directories));
    const { points, code, stdout, stderr } = await trace(
      childCommand(layout, from, dir),
      { directories, log: dir.file("trace.log") },
    );
    if (code !== 0) throw new Error(stdout + stderr);
    const states = points.map((point) => {
      model.replay(point);
      return {
        disk: model.now(),
        description: `killed after ${describePoint(point)}`,
      };
    });
    return new KeyLossSearch(layout, { states, pairs, dir, from });
  }

  /**
   * One kill, some acts, two runs.
   *
   * @returns what was lost, in words
   */
  async try(
    state: KillState,
    acts: readonly PersonsAct[],
  ): Promise<string | undefined> {
    const place = this.#dir.file(`case-${++this.#count}-`);
    await Deno.mkdir(place);
    await materialise(state.disk, { from: this.#from, to: place });
    const files = filesOf(place, this.layout);
    const context = { place, files, pairs: this.#pairs };
    const backs = acts.map((act) => act.do(context));
    const said: string[] = [];
    const first = await this.#run(place, said);
    for (const back of backs) back?.();
    const second = await this.#run(place, said);
    const lost = first ?? second;
    await Deno.remove(place, { recursive: true });
    if (lost === undefined) return undefined;
    const names = acts.map(({ name }) => name).join(", then ");
    return `${this.layout.name}, ${state.description}, ${names}: ${lost} (${
      said.join("; ")
    })`;
  }

  async #run(place: string, said: string[]): Promise<string | undefined> {
    const files = filesOf(place, this.layout);
    const before = textsBelow(place);
    try {
      using _pair = await open(files, ({ kind }) => said.push(kind));
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      said.push(error.message);
    }
    const after = textsBelow(place);
    const standing = textOf(files.certificate);
    for (const owner of OWNERS) {
      const { certificate, key } = this.#pairs[owner];
      if (certificate !== standing) continue;
      if (before.has(key) && !after.has(key)) return `the ${owner} key is gone`;
    }
    // Where no certificate stands, no last key may go that one had before.
    const { key } = this.#pairs.old;
    const isLast = standing === undefined && !after.has(key) &&
      before.has(key) && before.has(this.#pairs.old.certificate);
    return isLast
      ? "the old key is gone, and no certificate stands"
      : undefined;
  }
}

interface ActContext {
  readonly place: string;
  readonly files: TextPair;
  readonly pairs: TextPairs;
}

/** What a person does between two runs; returns how a folder comes back. */
export interface PersonsAct {
  readonly name: string;
  do(context: ActContext): (() => void) | undefined;
}

/** An act, drawn by numbers from 0 to below 1. */
export function drawAct(random: () => number): PersonsAct {
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  const owner = pick(OWNERS);
  const roles = pick(
    [["certificate"], ["key"], ["certificate", "key"]] as const,
  );
  const order = random();
  return pick<() => PersonsAct>([
    () => ({
      name: `puts the ${owner} ${roles.join(" and ")} there`,
      do: ({ files, pairs }) => {
        for (const role of roles) replace(files[role], pairs[owner][role]);
        return undefined;
      },
    }),
    () => ({
      name: `removes the ${roles.join(" and ")}`,
      do({ files }) {
        for (const role of roles) remove(files[role]);
        return undefined;
      },
    }),
    () => ({
      name: `removes a hidden file (${order.toFixed(3)})`,
      do({ place }) {
        const file = hiddenBelow(place).at(
          Math.floor(order * hiddenBelow(place).length),
        );
        if (file !== undefined) remove(file);
        return undefined;
      },
    }),
    () => ({
      name: `replaces a hidden file by the ${owner} key (${order.toFixed(3)})`,
      do({ place, pairs }) {
        const all = hiddenBelow(place).filter((file) =>
          Deno.lstatSync(file).isFile
        );
        const file = all.at(Math.floor(order * all.length));
        if (file !== undefined) replace(file, pairs[owner].key);
        return undefined;
      },
    }),
    () => ({
      name: `copies a hidden file to the ${roles[0]} (${order.toFixed(3)})`,
      do({ place, files }) {
        const all = hiddenBelow(place).filter((file) =>
          Deno.lstatSync(file).isFile && (textOf(file) ?? "").includes("BEGIN")
        );
        const file = all.at(Math.floor(order * all.length));
        const text = file === undefined ? undefined : textOf(file);
        if (text !== undefined) replace(files[roles[0]], text);
        return undefined;
      },
    }),
    () => ({
      name: `has the folder of the ${roles[0]} not mounted for one run`,
      do({ files }) {
        const folder = files[roles[0]].replace(/\/[^/]*$/, "");
        // Away by the act before already.
        if (isThere(`${folder}-away`)) return undefined;
        Deno.renameSync(folder, `${folder}-away`);
        Deno.mkdirSync(folder);
        return () => {
          Deno.removeSync(folder, { recursive: true });
          Deno.renameSync(`${folder}-away`, folder);
        };
      },
    }),
  ])();
}

/** The run of a layout, in a place. */
export function childCommand(
  layout: LossLayout,
  place: string,
  dir: TempDir,
): readonly string[] {
  return [
    ...[Deno.execPath(), "run", "-A", "--no-check", "--no-config"],
    `${ROOT}tests/support/pair_child.ts`,
    ...Object.values(filesOf(place, layout)),
    ...[layout.what, dir.file("fresh.crt"), dir.file("fresh.key")],
  ];
}

/** The paths of a pair in a place. */
export function filesOf(
  place: string,
  { keyFolder }: LossLayout,
): TextPair {
  return {
    certificate: `${place}/tls/host.crt`,
    key: `${place}/${keyFolder}/host.key`,
  };
}

/** Makes the old pair in a place; with a backup pair before it, in versions. */
export async function prepare(
  layout: LossLayout,
  { backup, old }: TextPairs,
  place: string,
): Promise<void> {
  for (const name of ["tls", "private"]) {
    await Deno.mkdir(`${place}/${name}`, { recursive: true });
  }
  if (layout.isThere === false) return;
  const files = filesOf(place, layout);
  const isVersioned = layout.isVersioned === true;
  const first = isVersioned ? backup : old;
  await Deno.writeTextFile(files.certificate, first.certificate);
  await Deno.writeTextFile(files.key, first.key, { mode: 0o600 });
  if (!isVersioned) return;
  using pair = await open(files);
  await pair.changeLayout("versioned");
  using install = await pair.prepareInstall();
  await install.settle();
  await install.commit(encodePair(old));
}

/** As mv(1) does: whoever has the old file goes on with it. */
function replace(file: string, text: string): void {
  try {
    Deno.writeTextFileSync(`${file}~`, text, { mode: 0o600 });
    Deno.renameSync(`${file}~`, file);
  } catch (error) {
    // Another act took its folder away.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function remove(file: string): void {
  try {
    Deno.removeSync(file, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Undefined when there is no such file. */
export function textOf(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** All hidden entries, and all below the hidden directories. */
function hiddenBelow(directory: string, isHidden = false): readonly string[] {
  return [...Deno.readDirSync(directory)]
    .sort((one, other) => one.name < other.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      const path = `${directory}/${name}`;
      const isInside = isHidden || name.startsWith(".");
      const isLock = name.endsWith("-lock");
      return [
        ...isInside && !isLock ? [path] : [],
        ...isDirectory ? hiddenBelow(path, isInside) : [],
      ];
    });
}

/** What all files hold. */
export function textsBelow(directory: string): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const { name, isDirectory, isFile } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    if (isFile) texts.add(Deno.readTextFileSync(path));
    if (isDirectory) textsBelow(path).forEach((text) => texts.add(text));
  }
  return texts;
}
