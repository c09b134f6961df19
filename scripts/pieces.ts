/**
 * Fewer and larger pieces of a bundle.
 *
 * `deno bundle --code-splitting` makes a piece of each set of modules that the
 * same commands share: 190, of which a rekey loads 76, at 0.2 ms each. Here
 * those that a usual command line loads together become one.
 */
import { type GetModuleInfo, rollup } from "@rollup/wasm-node";

/**
 * What is loaded together, by the names of modules that are imported only when
 * they are needed: they and all that they import. What two of them share is in
 * the first.
 */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  // All that --version takes, and every other line.
  start: ["run"],
  // Questions about a certificate.
  answer: [
    ...["settings", "needs_renewal", "renewal_due", "fingerprint"],
    "certificate_source",
  ],
  // One rekey over the network, of a plain key.
  rekey: ["whole_rekey"],
};

/** Puts the pieces of a bundle in `from`, which begins with main.js, into `to`. */
export async function joinPieces(from: string, to: string): Promise<void> {
  let names: ReadonlyMap<string, string> | undefined;
  await using bundle = await rollup({
    input: `${from}/main.js`,
    external: /^node:/,
    // The bundler has done so.
    treeshake: false,
    onLog(_level, { message }) {
      throw new Error(`the pieces do not fit: ${message}`);
    },
  });
  await bundle.write({
    dir: to,
    chunkFileNames: "[name].js",
    generatedCode: "es2015",
    hoistTransitiveImports: false,
    onlyExplicitManualChunks: true,
    manualChunks(id, { getModuleIds, getModuleInfo }) {
      names ??= joined([...getModuleIds()], getModuleInfo);
      return names.get(id);
    },
  });
}

/** The names of the joined pieces, by the pieces that go into them. */
function joined(
  pieces: readonly string[],
  getModuleInfo: GetModuleInfo,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, modules] of Object.entries(TOGETHER)) {
    const queue = modules.flatMap((module) => {
      const own = pieces.filter((piece) => nameOf(piece) === module);
      if (own.length === 0) throw new Error(`no module is called ${module}`);
      return own;
    });
    for (const piece of queue) {
      if (names.has(piece)) continue;
      names.set(piece, name);
      queue.push(...getModuleInfo(piece)?.importedIds ?? []);
    }
  }
  // A piece that only re-exports what they hold is not worth a file of its own.
  const order = Object.keys(TOGETHER);
  for (const piece of pieces) {
    const { code, importedIds = [] } = getModuleInfo(piece) ?? {};
    if (names.has(piece) || !RE_EXPORTS.test(code ?? "")) continue;
    const places = importedIds.map((id) => order.indexOf(names.get(id) ?? ""));
    const last = order[Math.max(...places)];
    if (!places.includes(-1) && last !== undefined) names.set(piece, last);
  }
  return names;
}

/** Imports and exports, and nothing else. */
const RE_EXPORTS = /^(?:\s*(?:import|export)\b[^;]*;)+\s*$/;

/** Without folder and digest. */
function nameOf(piece: string): string | undefined {
  return /([^/\\]+)-[A-Z0-9]{8}\.js$/.exec(piece)?.[1];
}
