/**
 * Makes a set of states for tests/testdata/upgrade: runs the program of this
 * checkout under the tracer, kills it, and writes down what it left.
 *
 *     deno run -A tests/support/upgrade/make.ts 1.0.0
 *
 * The argument names the set, after the version that makes it. A set is never
 * changed again.
 */
import { createDevCa, type DevCa } from "../../../scripts/dev_ca.ts";
import { prepareNobody } from "../as_nobody.ts";
import { KEY_PASSWORD } from "../openssl_reads.ts";
import { program } from "../program.ts";
import { run, runOk } from "../run.ts";
import { tempDir } from "../temp_dir.ts";
import { describePoint, type Point, trace } from "../tracer/tracer.ts";
import {
  at,
  type PairText,
  readEntries,
  withoutPlace,
  writeFixture,
} from "./fixtures.ts";
import { type Scene, STATES, type UpgradeState } from "./states.ts";

/** The certificates must not expire as long as the states are kept. */
const YEARS_100 = {
  notBefore: new Date("2026-01-01T00:00:00Z"),
  notAfter: new Date("2125-12-31T23:59:59Z"),
};

/** Of the CA, and of the program's settings: no part of a state. */
const OTHERS = /^(ca|log|settings)$/;

/** A folder with a CA, and the pair before the run. */
async function prepare(state: UpgradeState): Promise<Scene> {
  const place = await Deno.realPath(await Deno.makeTempDir());
  await Deno.mkdir(`${place}/ca`);
  const ca = await createDevCa(`${place}/ca`, { validity: YEARS_100 });
  for (const folder of new Set(["tls", folderOf(state)])) {
    await Deno.mkdir(`${place}/${folder}`, { mode: 0o755 });
  }
  const { isEncrypted = false, stem = "host" } = state;
  const { certificateFile, keyFile } = await ca.issue("host", {
    validity: YEARS_100,
    ...isEncrypted && { password: KEY_PASSWORD },
  });
  if (isEncrypted) {
    await Deno.writeTextFile(`${place}/password`, `${KEY_PASSWORD}\n`);
  }
  const input = {
    certificate: `tls/${stem}.crt`,
    key: `${folderOf(state)}/${stem}.key`,
  };
  await Deno.rename(certificateFile, `${place}/${input.certificate}`);
  await Deno.rename(keyFile, `${place}/${input.key}`);
  await Deno.chmod(`${place}/${input.certificate}`, 0o644);
  await Deno.chmod(`${place}/${input.key}`, 0o640);
  const scene = {
    ...{ place, input, ca: caFlags(ca) },
    ...state.isForeignFolder
      ? await asNobody(place, input)
      : asOurselves(place),
  };
  for (const words of state.before ?? []) await play(scene, words);
  state.arrange?.(scene);
  return scene;
}

function folderOf({ folders = 1 }: UpgradeState): string {
  return folders === 1 ? "tls" : "private";
}

function caFlags({ configFile, passwordFile }: DevCa): readonly string[] {
  return [
    ...["--offline", "--ca-config", configFile],
    ...["--ca-password-file", passwordFile],
  ];
}

type Start = Pick<Scene, "command" | "env">;

function asOurselves(place: string): Start {
  const { command, args } = program();
  return {
    command: (words) => [command, ...args, ...words],
    env: { STEPPATH: `${place}/settings`, DENO_NO_UPDATE_CHECK: "1" },
  };
}

/** Who owns the files of a pair, and not their folder. */
async function asNobody(
  place: string,
  { certificate, key }: PairText,
): Promise<Start> {
  const own = ["ca", "state", certificate, key].map((name) =>
    `${place}/${name}`
  );
  await Deno.mkdir(`${place}/state`, { mode: 0o700 });
  await runOk("chown", ["-R", "nobody:nogroup", ...own]);
  await Deno.chmod(place, 0o755);
  const command = await prepareNobody(await tempDir());
  const { env } = command("main.ts", []);
  return {
    command: (words) => command("main.ts", words).words,
    env: { ...env, STEPPATH: `${place}/settings` },
  };
}

/** The whole command line. */
function line(scene: Scene, words: readonly string[]): readonly string[] {
  const { place, input } = scene;
  const asksCa = words.includes("rekey") || words.includes("renew");
  return scene.command([
    ...words.map((word) => at(word, place)),
    ...asksCa ? ["--force", ...scene.ca] : [],
    ...[`${place}/${input.certificate}`, `${place}/${input.key}`],
  ]);
}

async function play(scene: Scene, words: readonly string[]): Promise<void> {
  const [command = "", ...args] = line(scene, words);
  const { stderr } = await run(command, args, { env: scene.env });
  console.error(stderr.trimEnd());
}

/** The number of the point at which the run has to die, learned from a run that lives. */
async function pointOf(state: UpgradeState): Promise<number> {
  const scene = await prepare(state);
  const { points, stderr } = await traced(state, scene);
  await Deno.remove(scene.place, { recursive: true });
  const { at: call } = state.kill ?? { at: /^$/ };
  const found = points.find((point) => call.test(inWords(point)));
  if (found === undefined) {
    const list = points.map(inWords).join("\n");
    throw new Error(`${state.name}: no point ${call} in\n${list}\n${stderr}`);
  }
  return found.point;
}

function inWords(point: Point): string {
  return describePoint(point).replace(/^point \d+, /, "");
}

async function traced(
  state: UpgradeState,
  scene: Scene,
  kill: Partial<Parameters<typeof trace>[1]> = {},
) {
  return await trace(line(scene, state.run), {
    ...kill,
    directories: [scene.place],
    log: `${await Deno.makeTempDir()}/log`,
    env: scene.env,
  });
}

async function make(set: string, state: UpgradeState): Promise<void> {
  const point = state.kill === undefined ? undefined : await pointOf(state);
  const scene = await prepare(state);
  const { place, input } = scene;
  const files = state.files ?? input;
  const old = pairText(place, files);
  const { hit, stderr } = await traced(
    state,
    scene,
    point === undefined
      ? {}
      : { point, action: `kill-${state.kill?.when ?? "after"}` },
  );
  if (point !== undefined && hit === undefined) throw new Error(stderr);
  state.then?.(scene);
  const { story, flags = [], ends, layout = "plain", tells = false } = state;
  const found = readEntries(place, (path) => OTHERS.test(path));
  const entries = withoutPlace(found, place);
  writeFixture({ set, name: state.name }, {
    ...{ story, flags, input, files, old, ends, layout, tells, entries },
  });
  await Deno.remove(place, { recursive: true });
}

function pairText(
  place: string,
  { certificate, key }: PairText,
): PairText | undefined {
  try {
    return {
      certificate: Deno.readTextFileSync(`${place}/${certificate}`),
      key: Deno.readTextFileSync(`${place}/${key}`),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const [set = "", only] = Deno.args;
if (!/^\d+\.\d+\.\d+$/.test(set)) throw new Error("which version is it?");
for (const state of STATES) {
  if (only !== undefined && !state.name.startsWith(only)) continue;
  console.error(state.name);
  await make(set, state);
}
