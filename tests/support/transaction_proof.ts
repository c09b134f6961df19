/**
 * Looks for a way in which an install, of this source or of a broken copy of
 * it, loses or mixes a pair: kills, power cuts, a second one during recovery,
 * failing and short calls, and somebody else's change meanwhile.
 *
 * The states come from the tracer's log of one real run; recovery runs in this
 * process. Contents are generations: what belongs together says the same number.
 */
import { generation } from "./install_child.ts";
import { PowerCutModel, type Survivors } from "./power_cut.ts";
import { materialise, type PowerCut, powerCuts } from "./power_cut_states.ts";
import type { TempDir } from "./temp_dir.ts";
import {
  describePoint,
  type Point,
  trace,
  type TraceOptions,
} from "./tracer/tracer.ts";

/** How the pair of a proof stands on disk. */
export type ProofLayout = "plain" | "in place" | "versioned";

/** Options of the install, as install_child.ts takes them. */
const OPTIONS: Readonly<Record<ProofLayout, string>> = {
  plain: "{}",
  "in place": '{"inPlace":true}',
  versioned: '{"layout":"versioned"}',
};

/** A checkout, whole or in part: `src` and `tests/support/install_child.ts`. */
export interface ProofSubject {
  readonly root: string;
  readonly layout: ProofLayout;
}

/** What openPair() of the subject is. */
type OpenPairModule = typeof import("../../src/files/open_pair.ts");

interface PairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The generation of both; 0 when they do not belong together. */
type Generation = number;

/** One search; `find()` gives the first fault in words. */
export class TransactionProof {
  readonly #subject: ProofSubject;
  readonly #dir: TempDir;
  readonly #files: OpenPairModule;
  #count = 0;

  private constructor(
    subject: ProofSubject,
    dir: TempDir,
    files: OpenPairModule,
  ) {
    this.#subject = subject;
    this.#dir = dir;
    this.#files = files;
  }

  /** In an empty directory. */
  static async start(
    subject: ProofSubject,
    dir: TempDir,
  ): Promise<TransactionProof> {
    return new TransactionProof(
      subject,
      dir,
      await import(`file://${subject.root}/src/files/open_pair.ts`),
    );
  }

  /** Undefined: nothing was found. */
  async find(): Promise<string | undefined> {
    const place = await this.#newPair();
    const first = await this.#trace(place, 2);
    return await this.#findInRun(first) ??
      await this.#findInStates(first) ??
      await this.#findWithForeign(first) ??
      await this.#findInRecovery(first) ??
      await this.#findInFaults(first.points);
  }

  async #recover(place: string): Promise<void> {
    using _repaired = await this.#files.openPair(filesOf(place), {
      lockTimeoutMs: 0,
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      log: { write: () => {} },
      signal: new AbortController().signal,
    });
  }

  async #newPair(): Promise<string> {
    const place = this.#newPlace();
    await Deno.mkdir(`${place}/tls`, { recursive: true });
    if (this.#subject.layout === "versioned") {
      await this.#install(place, 1, {});
      return place;
    }
    const { certificate, key } = generation(1);
    const files = filesOf(place);
    await Deno.writeTextFile(files.certificate, certificate, { mode: 0o600 });
    await Deno.writeTextFile(files.key, key, { mode: 0o600 });
    return place;
  }

  #newPlace(): string {
    return this.#dir.file(`place-${++this.#count}-`);
  }

  #install(
    place: string,
    number: number,
    options: Pick<TraceOptions, "point" | "action">,
  ): ReturnType<typeof trace> {
    const { root, layout } = this.#subject;
    const { certificate, key } = filesOf(place);
    return trace([
      ...[Deno.execPath(), "run", "-A", "--no-check", "--no-config"],
      `${root}/tests/support/install_child.ts`,
      ...[certificate, key, String(number), "1", OPTIONS[layout]],
    ], {
      ...options,
      directories: [`${place}/tls`],
      log: this.#dir.file("trace.log"),
    });
  }

  async #trace(place: string, number: number): Promise<TracedInstall> {
    const models = {
      model: await PowerCutModel.of([`${place}/tls`]),
      killModel: await PowerCutModel.of([`${place}/tls`]),
    };
    const { points, stdout, stderr } = await this.#install(place, number, {});
    return { place, number, points, said: stdout + stderr, ...models };
  }

  async #findInRun(run: TracedInstall): Promise<string | undefined> {
    if (!run.said.includes(`installed ${run.number}`)) {
      return `the run failed: ${run.said}`;
    }
    const left = await temporaryFiles(run.place);
    if (left.length > 0) return `left after the run: ${left}`;
    const renames = run.points.filter(({ second = "" }) =>
      /\/host\.(crt|key)$/.test(second)
    );
    if (renames.at(-1)?.second?.endsWith(".key")) {
      return "the certificate is renamed before its key";
    }
    return undefined;
  }

  /** Kills first: they are few, and say most. */
  async #findInStates(run: TracedInstall): Promise<string | undefined> {
    const kills = killStates(run);
    const mixed: string[] = [];
    for (const kill of kills) {
      const { before, fault } = await this.#judge(kill, run);
      if (fault !== undefined) return fault;
      if (before === 0) mixed.push(kill.description);
    }
    const most = { plain: 1, "in place": kills.length, versioned: 0 };
    if (mixed.length > most[this.#subject.layout]) {
      return `a mixture, ${mixed.join("; ")}`;
    }
    for (const cut of powerCuts(run.model, run.points)) {
      const { fault } = await this.#judge(cut, run);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #judge(
    cut: PowerCut,
    run: TracedInstall,
  ): Promise<{ readonly before: Generation; readonly fault?: string }> {
    const open = openKey(cut.survivors);
    if (open !== undefined) {
      return { before: 0, fault: `${open} is open, ${cut.description}` };
    }
    const place = await this.#make(cut, run.place);
    const before = await generationOf(place);
    if (before === 0 && this.#subject.layout === "versioned") {
      return { before, fault: `no pair, ${cut.description}` };
    }
    try {
      await this.#recover(place);
    } catch (error) {
      return { before, fault: `${error}, ${cut.description}` };
    }
    const after = await generationOf(place);
    const left = await temporaryFiles(place);
    await Deno.remove(place, { recursive: true });
    if (after !== run.number && after !== run.number - 1) {
      return { before, fault: `no pair after recovery, ${cut.description}` };
    }
    if (left.length > 0) {
      return { before, fault: `left ${left}, ${cut.description}` };
    }
    return { before };
  }

  async #make(cut: PowerCut, from: string): Promise<string> {
    const place = this.#newPlace();
    await Deno.mkdir(place);
    await materialise(cut, { from, to: place });
    return place;
  }

  /** Somebody else writes the certificate after a kill. */
  async #findWithForeign(run: TracedInstall): Promise<string | undefined> {
    if (this.#subject.layout !== "plain") return undefined;
    for (const kill of killStates(run)) {
      const place = await this.#make(kill, run.place);
      const { certificate } = filesOf(place);
      await Deno.remove(certificate);
      await Deno.writeTextFile(certificate, "somebody else's");
      await this.#recover(place);
      if (await Deno.readTextFile(certificate) !== "somebody else's") {
        return `somebody else's file is overwritten, ${kill.description}`;
      }
      await Deno.remove(place, { recursive: true });
    }
    return undefined;
  }

  /** A second kill or power cut while the first kill is repaired. */
  async #findInRecovery(run: TracedInstall): Promise<string | undefined> {
    if (this.#subject.layout === "versioned") return undefined;
    for (const kill of killStates(run)) {
      if (kill.isPair) continue;
      const place = await this.#make(kill, run.place);
      const second = await this.#trace(place, 2);
      // The pair of before is not one, so the recovery decides which it is.
      const cuts = [
        ...killStates(second),
        ...powerCuts(second.model, second.points),
      ];
      for (const cut of cuts) {
        const { fault } = await this.#judge(cut, second);
        if (fault !== undefined) {
          return `after a kill ${kill.description}: ${fault}`;
        }
      }
    }
    return undefined;
  }

  /** The last rename fails from then on; writes take a few bytes only. */
  async #findInFaults(
    points: readonly Point[],
  ): Promise<string | undefined> {
    const rename = points.findLast(({ call }) => call === "rename");
    const faults = [
      ...rename === undefined ? [] : [
        { point: rename, action: "fail:5:once" as const },
        { point: rename, action: "fail:5:same" as const },
      ],
      ...points.filter(({ data }) => data !== undefined).map((point) => ({
        point,
        action: "short:100" as const,
      })),
    ];
    for (const { point, action } of faults) {
      const place = await this.#newPair();
      const run = await this.#install(place, 2, { point: point.point, action });
      const where = `${action} at ${describePoint(point)}: ${run.stdout}`;
      if (run.hit === undefined) return `was not hit, ${where}`;
      const after = await generationOf(place);
      if (after === 0) return `no pair, ${where}`;
      const isDone = run.stdout.includes("installed 2");
      if (isDone !== (after === 2)) return `it says something else, ${where}`;
      const left = await temporaryFiles(place);
      if (left.length > 0) return `left ${left}, ${where}`;
    }
    return undefined;
  }
}

/** One run, and models of what was there before it. */
interface TracedInstall {
  readonly place: string;
  readonly number: number;
  readonly points: readonly Point[];
  readonly said: string;
  readonly model: PowerCutModel;
  readonly killModel: PowerCutModel;
}

/** A kill: everything is kept. */
interface KillState extends PowerCut {
  readonly isPair: boolean;
}

const killStatesOf = new WeakMap<TracedInstall, readonly KillState[]>();

function killStates(run: TracedInstall): readonly KillState[] {
  const known = killStatesOf.get(run);
  if (known !== undefined) return known;
  const states = run.points.map((point) => {
    run.killModel.replay(point);
    const survivors = run.killModel.cut(
      new Set(run.killModel.pending()),
      "kept",
    );
    return {
      survivors,
      description: `killed after ${describePoint(point)}`,
      isPair: isPair(survivors),
    };
  });
  killStatesOf.set(run, states);
  return states;
}

function isPair(survivors: Survivors): boolean {
  const numbers = [...survivors].flatMap(([path, entry]) =>
    /\/host\.(crt|key)$/.test(path) && typeof entry === "object" &&
      "bytes" in entry
      ? [generationIn(new TextDecoder().decode(entry.bytes))]
      : []
  );
  return numbers.length === 2 && numbers[0] === numbers[1] && numbers[0] !== 0;
}

/** Of a text that is a certificate or key of install_child.ts, whole. */
function generationIn(text: string): Generation {
  const number = Number(/generation (\d+)/.exec(text)?.[1] ?? "0");
  const { certificate, key } = generation(number);
  return text === certificate || text === key ? number : 0;
}

/** A file with a key, or with room for one, that is not its owner's alone. */
function openKey(survivors: Survivors): string | undefined {
  for (const [path, entry] of survivors) {
    if (typeof entry !== "object" || !("bytes" in entry)) continue;
    if (/\.key|key\.pem/.test(path) && (entry.mode & 0o077) !== 0) return path;
  }
  return undefined;
}

function filesOf(place: string): PairFiles {
  return {
    certificate: `${place}/tls/host.crt`,
    key: `${place}/tls/host.key`,
  };
}

async function generationOf(place: string): Promise<Generation> {
  const { certificate, key } = filesOf(place);
  try {
    const [one, other] = [
      generationIn(await Deno.readTextFile(certificate)),
      generationIn(await Deno.readTextFile(key)),
    ];
    return one === other ? one : 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** But for locks of processes that were killed. */
async function temporaryFiles(place: string): Promise<string[]> {
  const left: string[] = [];
  const visit = async (directory: string) => {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      if (name === ".host.crt.versions") await visit(`${directory}/${name}`);
      else if (name.startsWith(".") && !name.endsWith("-lock")) left.push(name);
      else if (isDirectory && !/^\d+$/.test(name)) left.push(name);
    }
  };
  await visit(`${place}/tls`);
  return left;
}
