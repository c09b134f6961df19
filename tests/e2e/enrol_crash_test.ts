/**
 * SIGKILL before and after system calls of `ca certificate`: a first pair is
 * there whole or, for the next run, not at all; an old key is never lost.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { readTree } from "../support/crash_bench.ts";
import { describeKill, killsAt } from "../support/kills.ts";
import { pairKeyOf, publicKeyOf } from "../support/openssl_reads.ts";
import { program } from "../support/program.ts";
import { run } from "../support/run.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { sample } from "../support/sweep.ts";
import { trace, tracerMissing } from "../support/tracer/tracer.ts";

const missing = tracerMissing ?? stepCaMissing;
const directory = await Deno.realPath(
  Deno.makeTempDirSync({ prefix: "step-rekey-test-" }),
);
const ca = missing === undefined ? await startStepCa(directory) : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});
const env = { STEPPATH: directory, HOME: directory, DENO_NO_UPDATE_CHECK: "1" };

interface Place {
  readonly folder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly log: string;
  readonly command: readonly string[];
}

let count = 0;

async function newPlace(flags: readonly string[]): Promise<Place> {
  const at = `${directory}/case${++count}`;
  const folder = `${at}/tls`;
  await Deno.mkdir(folder, { recursive: true });
  const [certificateFile, keyFile] = [`${folder}/a.crt`, `${folder}/a.key`];
  const { command, args } = program();
  return {
    ...{ folder, certificateFile, keyFile, log: `${at}/trace.log` },
    command: [
      ...[command, ...args, "ca", "certificate", "--force", ...flags],
      ...["--provisioner-password-file", `${directory}/password`],
      ...["host", certificateFile, keyFile],
    ],
  };
}

async function runTo({ command: [command = "", ...args] }: Place) {
  const { code, stderr } = await run(command, args, { env });
  assertEquals(code, 0, stderr);
}

const traced = (
  { command, folder, log }: Place,
  options: Partial<Parameters<typeof trace>[1]> = {},
) => trace(command, { ...options, directories: [folder], log, env });

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

for (const before of ["no pair", "a pair"] as const) {
  for (const layout of ["plain", "versioned"] as const) {
    Deno.test({
      name:
        `ca certificate killed at any system call leaves a whole pair, or what was there: ${before}, ${layout}`,
      ignore: missing !== undefined,
      async fn() {
        const make = async () => {
          const place = await newPlace(["--layout", layout]);
          if (before === "a pair") await runTo(place);
          const key = await contentOf(place.keyFile);
          return { place, key };
        };
        const { points, code, stderr } = await traced((await make()).place);
        assertEquals(code, 0, stderr);
        assert(points.length > 3, "too few points to be all");
        const kills = killsAt(points);
        for (const kill of sample(`${before}, ${layout}`, kills, 2)) {
          const { place, key } = await make();
          const { point: { point }, action } = kill;
          const { hit } = await traced(place, { point, action });
          const context = describeKill(kill);
          assertEquals(hit?.hit, action, context);
          await assertWhole(place, { key, context });
          await runTo(place);
          await pairKeyOf(place);
          const left = Object.keys(await readTree([place.folder]))
            .filter((path) => !/-lock$|\.versions\//.test(path)).sort();
          assertEquals(left, [place.certificateFile, place.keyFile], context);
        }
      },
    });
  }
}

/** What is there belongs together, or is the key alone that will; no key is cut off. */
async function assertWhole(
  { certificateFile, keyFile, folder }: Place,
  { key, context }: {
    readonly key: string | undefined;
    readonly context: string;
  },
): Promise<void> {
  const certificate = await contentOf(certificateFile);
  const found = await contentOf(keyFile);
  for (const text of [certificate, found]) {
    if (text === undefined) continue;
    assert(await publicKeyOf(text) !== undefined, `${context}: cut off`);
  }
  if (key === undefined) {
    const isOrdered = certificate === undefined || found !== undefined;
    assert(isOrdered, `${context}: a certificate without key`);
    return;
  }
  const everything = Object.values(await readTree([folder]));
  const isThere = found !== key && certificate !== undefined &&
      await publicKeyOf(certificate) === await publicKeyOf(found ?? "") ||
    everything.includes(key);
  assert(isThere, `${context}: the old key is lost`);
}
