/**
 * All states that a power cut can leave during one traced run, each once, and
 * how to make one of them real.
 */
import { createHash } from "node:crypto";
import type {
  DiskState,
  FileState,
  PowerCutModel,
  UnsyncedContent,
} from "./power_cut.ts";
import { seeded } from "./sweep.ts";
import { describePoint, type Point } from "./tracer/tracer.ts";

/** One state, and a moment at which the power leaves it. */
export interface PowerCut {
  readonly state: DiskState;
  readonly description: string;
}

/** Pending changes of which all subsets are tried; of more, a choice. */
const MOST_FOR_ALL = 6;
/** Random subsets of more changes. */
const RANDOM_SUBSETS = 24;

/** The states before the first and after each of the points. */
export function* powerCuts(
  model: PowerCutModel,
  points: readonly Point[],
): Generator<PowerCut> {
  const seen = new Set<string>();
  yield* newCuts(model, "at first", seen);
  for (const point of points) {
    model.replay(point);
    yield* newCuts(model, `after ${describePoint(point)}`, seen);
  }
}

/** The states of this moment that are not in `seen`. */
export function* newCuts(
  model: PowerCutModel,
  when: string,
  seen = new Set<string>(),
): Generator<PowerCut> {
  for (const kept of subsets(model.pending())) {
    for (const unsynced of UNSYNCED) {
      const state = model.cut(kept, unsynced);
      const key = stateKey(state);
      if (seen.has(key)) continue;
      seen.add(key);
      yield {
        state,
        description: `power cut ${when}, changes kept: ${[
          ...kept,
        ]}, content ${unsynced}`,
      };
    }
  }
}

const UNSYNCED: readonly UnsyncedContent[] = [
  "kept",
  "emptied",
  "as last fsynced",
];

function subsets(changes: readonly number[]): Set<number>[] {
  if (changes.length <= MOST_FOR_ALL) {
    return Array.from(
      { length: 2 ** changes.length },
      (_, bits) => new Set(changes.filter((_, index) => bits >> index & 1)),
    );
  }
  const random = seeded("subsets");
  return [
    // In order, as a file system with one journal has it.
    ...changes.map((_, count) => new Set(changes.slice(0, count))),
    new Set(changes),
    ...changes.map((one) => new Set([one])),
    ...changes.map((one) => new Set(changes.filter((each) => each !== one))),
    ...Array.from(
      { length: RANDOM_SUBSETS },
      () => new Set(changes.filter(() => random() < 0.5)),
    ),
  ];
}

/** Equal for equal states. */
export function stateKey(state: DiskState): string {
  const names = new Map<FileState["id"], number>();
  const entries = [...state].sort(([left], [right]) => left < right ? -1 : 1);
  return JSON.stringify(entries.map(([path, entry]) => {
    if (typeof entry === "string" || "leadsTo" in entry) return [path, entry];
    const { id, bytes, mode, uid, gid } = entry;
    const number = names.get(id) ?? names.size;
    names.set(id, number);
    return [path, number, digestOf(bytes), mode, uid, gid];
  }));
}

/** Many states share one array of replayed content. */
const digests = new WeakMap<Uint8Array, string>();

function digestOf(bytes: Uint8Array): string {
  const digest = digests.get(bytes) ??
    createHash("sha256").update(bytes).digest("hex");
  digests.set(bytes, digest);
  return digest;
}

/**
 * Makes the state real in directories of another place: a path of the old place
 * in a file or link becomes one of the new place.
 */
export async function materialise(
  state: DiskState,
  place: { readonly from: string; readonly to: string },
): Promise<void> {
  const moved = (text: string) => text.replaceAll(place.from, place.to);
  const made = new Map<FileState["id"], string>();
  for (const [oldPath, entry] of state) {
    const path = moved(oldPath);
    if (entry === "directory") {
      await Deno.mkdir(path, { recursive: true });
    } else if ("leadsTo" in entry) {
      await Deno.symlink(moved(entry.leadsTo), path);
    } else {
      const other = made.get(entry.id);
      if (other !== undefined) {
        await Deno.link(other, path);
        continue;
      }
      made.set(entry.id, path);
      await Deno.writeFile(path, movedBytes(entry.bytes, moved));
      await Deno.chmod(path, entry.mode);
      if (Deno.uid() === 0) await Deno.chown(path, entry.uid, entry.gid);
    }
  }
}

/** Reserved space is filled with random bytes: no text to be changed. */
function movedBytes(
  bytes: Uint8Array,
  moved: (text: string) => string,
): Uint8Array {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return new TextEncoder().encode(moved(text));
  } catch (error) {
    if (error instanceof TypeError) return bytes;
    throw error;
  }
}
