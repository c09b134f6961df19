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

/**
 * Runs a module as nobody.
 *
 * @param module its path in the checkout
 */
export async function runAsNobody(
  dir: TempDir,
  module: string,
  args: readonly string[],
): Promise<RunResult> {
  const root = decodeURIComponent(
    new URL("../../", import.meta.url).pathname,
  );
  const copy = dir.file("checkout");
  const cache = dir.file("cache");
  await Deno.mkdir(`${copy}/tests`, { recursive: true });
  await Deno.mkdir(cache);
  await Deno.chmod(cache, 0o777);
  await runOk("cp", ["-r", `${root}src`, copy]);
  await runOk("cp", ["-r", `${root}tests/support`, `${copy}/tests`]);
  await runOk("cp", [Deno.execPath(), `${copy}/deno`]);
  await runOk("chmod", ["-R", "go+rX", copy]);
  await Deno.chmod(dir.path, 0o755);
  return await run("setpriv", [
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
  ], { stdin: "\n", env: { DENO_DIR: cache, HOME: cache }, cwd: "/" });
}
