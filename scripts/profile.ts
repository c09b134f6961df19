/**
 * `deno task profile`: notes which functions one rekey over the network calls,
 * of a P-256 key against the real step-ca, for the builds.
 */
import { buildAnchors } from "./anchors.ts";
import { writeCalled } from "./compiled_at_once.ts";
import { ROOT } from "./paths.ts";
import { runOk } from "../tests/support/run.ts";
import { startStepCa } from "../tests/support/step_ca.ts";
import { tempDir } from "../tests/support/temp_dir.ts";

/** What is read here of a coverage file: V8's own form. */
interface ModuleCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly count: number }[];
  }[];
}

const missing = await buildAnchors();
if (missing !== undefined) throw new Error(missing);
await using directory = await tempDir();
await Deno.mkdir(directory.file("ca"));
await using ca = await startStepCa(directory.file("ca"));
const { certificateFile, keyFile } = await ca.issue("host", "admin");
await runOk(Deno.execPath(), [
  ...["run", "--allow-all", "--no-prompt"],
  `--coverage=${directory.file("coverage")}`,
  ...[`${ROOT}main.ts`, "ca", "rekey", "--force"],
  ...["--ca-url", ca.url, "--root", ca.rootFile, certificateFile, keyFile],
]);
const called = new Map<string, Set<string>>();
for await (const { name } of Deno.readDir(directory.file("coverage"))) {
  if (!name.endsWith(".json")) continue;
  const text = await Deno.readTextFile(directory.file(`coverage/${name}`));
  const { url, functions }: ModuleCoverage = JSON.parse(text);
  const names = functions
    .filter(({ ranges: [whole] }) => (whole?.count ?? 0) > 0)
    .map(({ functionName }) => functionName)
    .filter((name) => /^\w+$/.test(name));
  const path = decodeURIComponent(new URL(url).pathname).replace(ROOT, "");
  if (names.length > 0) called.set(path, new Set(names));
}
await writeCalled(called);
