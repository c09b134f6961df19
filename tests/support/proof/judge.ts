/**
 * Says whether a list of system calls keeps the promises of an install, whatever
 * interrupts it.
 *
 * The calls are replayed in memory. Each state that a kill after any of them,
 * or the power, can leave is made real, the program's own recovery repairs it,
 * and then there has to be one pair, whole, with nothing beside it. The judge
 * knows calls and files only, so that an altered list is judged as a recorded
 * one.
 */
import { generation, recoverPair } from "../install_child.ts";
import { type DiskState, PowerCutModel } from "../power_cut.ts";
import {
  materialise,
  newCuts,
  type PowerCut,
  powerCuts,
  stateKey,
} from "../power_cut_states.ts";
import { describePoint, type Point } from "../tracer/tracer.ts";
import {
  NEW,
  OLD,
  type PairFiles,
  type Recorder,
  type Recording,
} from "./recording.ts";

/** Generations of both files; 0: no file, not whole, or none of ours. */
interface Look {
  readonly certificate: number;
  readonly key: number;
  /** Temporary files. */
  readonly left: readonly string[];
}

/** One state: as a reader sees it, and after the next run of the program. */
interface Findings {
  readonly before: Look;
  readonly after: Look;
  /** Why recovery failed. */
  readonly error?: string;
}

/** What has to hold besides: how a run that nothing interrupts ends. */
export type Ending = "new" | "old" | "either";

/** Judges lists of calls. States that it has seen it does not repair again. */
export class Judge {
  readonly #recorder: Recorder;
  readonly #findings = new Map<string, Findings>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** The first broken promise in words; undefined: there is none. */
  async violation(
    recording: Recording,
    options: { readonly calls?: readonly Point[]; readonly ending: Ending },
  ): Promise<string | undefined> {
    const calls = options.calls ?? recording.calls;
    return await this.#inKills(recording, calls) ??
      await this.violationAtEnd(recording, options) ??
      await this.#inPowerCuts(recording, calls);
  }

  /** Kills first: they are few, and say most. */
  async #inKills(
    recording: Recording,
    calls: readonly Point[],
  ): Promise<string | undefined> {
    const mixed = [];
    for (const kill of killsOf(recording, calls)) {
      const { before, ...findings } = await this.#find(kill.state, recording);
      const fault = faultOf(findings, kill, recording);
      if (fault !== undefined) return fault;
      // A repair may begin with a mixture, and end it late.
      if (recording.kind === "repair" || isPair(before, recording)) continue;
      if (before.certificate === NEW) {
        return `the new certificate is there before its key, ${kill.description}`;
      }
      mixed.push(kill.description);
    }
    return mixed.length > MOST_MIXTURES[recording.layout.mixture]
      ? `more mixtures than promised, ${mixed.join("; ")}`
      : undefined;
  }

  /** The same for a run that nothing interrupts, and for the time after it. */
  async violationAtEnd(
    recording: Recording,
    { calls = recording.calls, ending }: {
      readonly calls?: readonly Point[];
      readonly ending: Ending;
    },
  ): Promise<string | undefined> {
    const model = new PowerCutModel(recording.before);
    for (const call of calls) model.replay(call);
    const { before } = await this.#find(model.now(), recording);
    if (!isEnding(before, ending, recording)) {
      return `the run ends with another pair than it says`;
    }
    if (before.left.length > 0) return `the run leaves ${before.left}`;
    for (const cut of newCuts(model, "after the run")) {
      const { after } = await this.#find(cut.state, recording);
      if (!isEnding(after, ending, recording)) {
        return `the pair is lost again, ${cut.description}`;
      }
    }
    return undefined;
  }

  async #inPowerCuts(
    recording: Recording,
    calls: readonly Point[],
  ): Promise<string | undefined> {
    const model = new PowerCutModel(recording.before);
    for (const cut of powerCuts(model, calls)) {
      const { before, ...findings } = await this.#find(cut.state, recording);
      const fault = faultOf(findings, cut, recording);
      if (fault !== undefined) return fault;
      const { mixture, targetCount } = recording.layout;
      if (mixture !== "never" || targetCount === 1) continue;
      if (!isPair(before, recording)) return `no pair, ${cut.description}`;
    }
    return undefined;
  }

  async #find(state: DiskState, recording: Recording): Promise<Findings> {
    const { place, files } = recording;
    const key = stateKey(state).replaceAll(place, "");
    const known = this.#findings.get(key);
    if (known !== undefined) return known;
    const to = await this.#recorder.newPlace();
    await materialise(state, { from: place, to });
    const moved = {
      certificate: files.certificate.replace(place, to),
      key: files.key?.replace(place, to),
    };
    const before = await look(moved, to);
    const error = await recoverPair(moved).then(() => undefined, String);
    const findings = {
      before,
      after: await look(moved, to),
      ...error !== undefined && { error },
    };
    await Deno.remove(to, { recursive: true });
    this.#findings.set(key, findings);
    return findings;
  }
}

/** Kills after which the files are no pair until they are repaired. */
const MOST_MIXTURES = {
  "between the renames": 1,
  "while overwriting": Infinity,
  never: 0,
} as const;

/** The state after each call, when nothing is lost. */
export function killsOf(
  { before }: Recording,
  calls: readonly Point[],
): readonly PowerCut[] {
  const model = new PowerCutModel(before);
  return calls.map((call) => {
    model.replay(call);
    return {
      state: model.now(),
      description: `killed after ${describePoint(call)}`,
    };
  });
}

const FOREIGN = new TextEncoder().encode("somebody else's certificate");

/** The same, but for a certificate that somebody else wrote meanwhile. */
export function withForeign(
  state: DiskState,
  { certificate }: PairFiles,
): DiskState {
  const file = { bytes: FOREIGN, id: "foreign", mode: 0o644, uid: 0, gid: 0 };
  return new Map([...state]).set(certificate, file);
}

/** Whether that certificate is still there after a repair. */
export function keepsForeign(
  { before, files }: Recording,
  calls: readonly Point[],
): boolean {
  const model = new PowerCutModel(before);
  for (const call of calls) model.replay(call);
  const entry = model.now().get(files.certificate);
  return typeof entry === "object" && "bytes" in entry &&
    entry.bytes.toHex() === FOREIGN.toHex();
}

function faultOf(
  { after, error }: Omit<Findings, "before">,
  { state, description }: PowerCut,
  recording: Recording,
): string | undefined {
  const open = openKey(state);
  if (open !== undefined) return `${open} is open to others, ${description}`;
  if (error !== undefined) return `${error}, ${description}`;
  if (!isPair(after, recording)) return `no pair in the end, ${description}`;
  return after.left.length > 0
    ? `${after.left} stays, ${description}`
    : undefined;
}

function isPair(look: Look, recording: Recording): boolean {
  return isEnding(look, "either", recording);
}

function isEnding(
  { certificate, key }: Look,
  ending: Ending,
  { layout, files }: Recording,
): boolean {
  const old = layout.isNew === true ? 0 : OLD;
  const wanted = { new: [NEW], old: [old], either: [old, NEW] }[ending];
  return wanted.includes(certificate) &&
    (files.key === undefined || key === certificate);
}

async function look(
  { certificate, key }: PairFiles,
  place: string,
): Promise<Look> {
  return {
    certificate: await generationOf(certificate),
    key: key === undefined ? 0 : await generationOf(key),
    left: await temporaryFiles(place),
  };
}

/** Of a file that is a certificate or key of install_child.ts, whole. */
async function generationOf(path: string): Promise<number> {
  try {
    const text = await Deno.readTextFile(path);
    const number = Number(/generation (\d+)/.exec(text)?.[1] ?? "0");
    const { certificate, key } = generation(number);
    return text === certificate || text === key ? number : 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** A file with a key, or with room for one, that others may read. */
function openKey(state: DiskState): string | undefined {
  for (const [path, entry] of state) {
    if (typeof entry !== "object" || !("bytes" in entry)) continue;
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (/\bkey\b/.test(name) && (entry.mode & 0o007) !== 0) return name;
  }
  return undefined;
}

/** But for locks, and the directory of versions that is a layout. */
async function temporaryFiles(directory: string): Promise<string[]> {
  const left: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const isKept = !name.startsWith(".") || name.endsWith(".versions") ||
      name.endsWith("-lock");
    if (!isKept) left.push(name);
    else if (isDirectory) {
      left.push(...await temporaryFiles(`${directory}/${name}`));
    }
  }
  return left;
}
