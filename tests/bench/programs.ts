/** Who is measured: the original, this program in its forms, the runtime alone. */
import { buildAnchors, findAnchor } from "../../scripts/anchors.ts";
import { bundleOneFile, compile } from "../../scripts/build.ts";
import { fromFileUrl, ROOT } from "../../scripts/paths.ts";
import { baseRuntime } from "../support/base_runtime.ts";
import type { Program } from "./table.ts";

/** See floor.js. */
const FLOOR = fromFileUrl(new URL("./floor.js", import.meta.url));

export interface Contestants {
  readonly original: Program;
  readonly ours: readonly Program[];
  /** What any program on the runtime takes. */
  readonly floors: readonly Program[];
}

/** Builds all of them in `directory`. */
export async function contestants(directory: string): Promise<Contestants> {
  const missing = await buildAnchors();
  const step = await findAnchor("step");
  if (missing !== undefined || step === undefined) {
    throw new Error(`no original to compare with: ${missing}`);
  }
  const original = { name: "step", command: [step] };
  const deno = [Deno.execPath(), "run", "--allow-all", "--no-prompt"];
  const bundle = await bundleOneFile(directory);
  const ours = [
    { name: "source", command: [...deno, `${ROOT}main.ts`] },
    { name: "one file", command: [...deno, "--no-config", bundle] },
  ];
  const floors = [
    { name: "empty, deno run", command: [...deno, "--no-config", FLOOR] },
  ];
  const runtime = await baseRuntime();
  if (typeof runtime === "string") {
    console.error(`no compiled program: ${runtime}`);
    return { original, ours, floors };
  }
  const { deno: DENO_BIN, denort: DENORT_BIN } = runtime;
  const build = async (name: string, entry?: string) => [
    await compile(`${directory}/${name}`, { DENO_BIN, DENORT_BIN, entry }),
  ];
  ours.push({ name: "compiled", command: await build("ours") });
  floors.push({
    name: "empty, compiled",
    command: await build("floor", FLOOR),
  });
  return { original, ours, floors };
}

export function withWords(program: Program, words: readonly string[]): Program {
  return { ...program, command: [...program.command, ...words] };
}
