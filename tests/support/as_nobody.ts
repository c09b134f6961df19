/**
 * Runs a program of ours as another user, who sees neither our home nor our
 * checkout. Only root can do that.
 */
import { run, runOk, type RunResult } from "./run.ts";
import type { TempDir } from "./temp_dir.ts";

/** Uid and gid of nobody. */
const NOBODY = "65534";

/** Whether this process may become somebody else. Tests that need it are ignored elsewhere. */
export const CAN_CHANGE_USER: boolean = Deno.build.os === "linux" &&
  Deno.uid() === 0 &&
  await run("setpriv", [`--reuid=${NOBODY}`, "true"])
    .then(({ code }) => code === 0, () => false);

/** A command line and its environment. */
export interface NobodyCommand {
  readonly words: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Copies what a module needs to where nobody may read it.
 *
 * @returns the command that runs a module, by its path in the checkout, as nobody
 */
export async function prepareNobody(
  dir: TempDir,
): Promise<(module: string, args: readonly string[]) => NobodyCommand> {
  const root = decodeURIComponent(
    new URL("../../", import.meta.url).pathname,
  );
  const copy = dir.file("checkout");
  const cache = dir.file("cache");
  await Deno.mkdir(`${copy}/tests`, { recursive: true });
  await Deno.mkdir(cache);
  await Deno.chown(cache, Number(NOBODY), Number(NOBODY));
  await runOk("cp", ["-r", `${root}src`, copy]);
  await runOk("cp", [`${root}main.ts`, copy]);
  await runOk("cp", ["-r", `${root}tests/support`, `${copy}/tests`]);
  await runOk("cp", [Deno.execPath(), `${copy}/deno`]);
  await runOk("chmod", ["-R", "go+rX", copy]);
  await Deno.chmod(dir.path, 0o755);
  return (module, args) => ({
    words: [
      "setpriv",
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      "--clear-groups",
      `${copy}/deno`,
      "run",
      "-A",
      "--no-check",
      "--no-config",
      `${copy}/${module}`,
      ...args,
    ],
    env: { DENO_DIR: cache, HOME: cache, DENO_NO_UPDATE_CHECK: "1" },
  });
}

/** Runs a module as nobody. */
export async function runAsNobody(
  dir: TempDir,
  module: string,
  args: readonly string[],
): Promise<RunResult> {
  const command = await prepareNobody(dir);
  const { words: [first, ...words], env } = command(module, args);
  return await run(first, words, { stdin: "\n", env, cwd: "/" });
}
