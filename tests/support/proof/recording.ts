/**
 * Real runs of an install and of its repair, recorded by the tracer: what was
 * on disk before, and each system call that changed it since.
 *
 * Contents are generations: files that belong together say the same number.
 */
import { LAYOUTS } from "../crash_layouts.ts";
import { generation } from "../install_child.ts";
import { type DiskState, readDisk } from "../power_cut.ts";
import { materialise } from "../power_cut_states.ts";
import { fromFileUrl } from "../../../scripts/paths.ts";
import { type Point, trace, type TraceOptions } from "../tracer/tracer.ts";

const CHILD = fromFileUrl(new URL("../install_child.ts", import.meta.url));

/** What is there first, and what every install brings. */
export const OLD = 1;
export const NEW = 2;

/** Where the pair of a recording stands. */
export type ProofLayout = (typeof LAYOUTS)[number];

/** Every way to install: without other file systems, encryption and commands. */
export const PROOF_LAYOUTS: readonly ProofLayout[] = LAYOUTS.filter((
  { needsMount, isEncrypted, keepsContent, name },
) =>
  !needsMount && !isEncrypted && !keepsContent &&
  !["ca rollback", "ca renew"].includes(name)
);

/** The files of a pair; without `key` only the certificate is installed. */
export interface PairFiles {
  readonly certificate: string;
  readonly key: string | undefined;
}

/** One run. */
export interface Recording {
  readonly kind: "install" | "repair";
  readonly layout: ProofLayout;
  readonly files: PairFiles;
  /** All paths begin with it. */
  readonly place: string;
  readonly before: DiskState;
  readonly calls: readonly Point[];
  /** What the run printed. */
  readonly said: string;
}

/** Makes recordings in directories of its own below `directory`. */
export class Recorder {
  readonly #directory: string;
  #count = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** An install of generation 2 over generation 1, or where nothing was. */
  async install(
    layout: ProofLayout,
    fault: Pick<TraceOptions, "point" | "action"> = {},
  ): Promise<Recording> {
    const place = await this.newPlace();
    const { args, directories, ...made } = await layout.prepare({
      directory: place,
      otherFileSystem: place,
    }, MATERIAL);
    const files = {
      certificate: made.certificate,
      key: layout.targetCount === 1 ? undefined : made.key,
    };
    const before = await readDisk(directories);
    const options = {
      inPlace: args.includes("--in-place"),
      ...args.includes("--layout") && { layout: "versioned" },
    };
    const run = await this.#trace([
      ...[files.certificate, files.key ?? "", String(NEW), "1"],
      JSON.stringify(options),
    ], { ...fault, directories });
    return { kind: "install", layout, files, place, before, ...run };
  }

  /** The repair of each of these states, by one process. */
  async repairs(
    { layout, files, place }: Recording,
    states: readonly DiskState[],
  ): Promise<readonly Recording[]> {
    const begun: Omit<Recording, "calls" | "said">[] = [];
    for (const state of states) {
      const to = await this.newPlace();
      await materialise(state, { from: place, to });
      const moved = (path: string) => path.replace(place, to);
      begun.push({
        kind: "repair",
        layout,
        place: to,
        files: {
          certificate: moved(files.certificate),
          key: files.key === undefined ? undefined : moved(files.key),
        },
        before: await readDisk(
          [...state].flatMap(([path, entry]) =>
            entry === "directory" && !state.has(parentOf(path))
              ? [moved(path)]
              : []
          ),
        ),
      });
    }
    const { calls, said } = await this.#trace(
      [
        "recover",
        ...begun.flatMap(({ files }) => [
          files.certificate,
          files.key ?? "",
        ]),
      ],
      { directories: begun.map(({ place }) => place) },
    );
    return begun.map((recording) => ({
      ...recording,
      said,
      calls: calls.filter(({ path }) => path.startsWith(`${recording.place}/`)),
    }));
  }

  /** An empty directory. */
  async newPlace(): Promise<string> {
    const place = `${this.#directory}/place-${++this.#count}-`;
    await Deno.mkdir(place);
    return place;
  }

  async #trace(
    args: readonly string[],
    options: Omit<TraceOptions, "log">,
  ): Promise<Pick<Recording, "calls" | "said">> {
    const { points, stdout, stderr } = await trace([
      ...[Deno.execPath(), "run", "-A", "--no-check", "--no-config"],
      ...[CHILD, ...args],
    ], { ...options, log: `${this.#directory}/trace.log` });
    return { calls: points, said: stdout + stderr };
  }
}

const old = generation(OLD);

const MATERIAL = {
  ...old,
  earlier: generation(OLD - 1),
  encryptedKey: "",
  givenKey: old.key,
};

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
