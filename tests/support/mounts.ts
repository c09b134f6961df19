/**
 * Real file systems for tests, where the machine lets us mount them.
 */
import { run, runOk } from "./run.ts";
import { tempDir } from "./temp_dir.ts";

/** Whether this process may mount. Tests that need it are ignored elsewhere. */
export const CAN_MOUNT: boolean = await canMount();

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  await using dir = await tempDir();
  const { code } = await run("mount", ["-t", "tmpfs", "none", dir.path]);
  if (code === 0) await runOk("umount", [dir.path]);
  return code === 0;
}

/** Runs mount(8); disposing unmounts `where`. */
export async function mount(
  where: string,
  args: readonly string[],
): Promise<AsyncDisposable> {
  await runOk("mount", [...args, where]);
  return {
    async [Symbol.asyncDispose]() {
      // Lazily: a failed test may still have files open in there.
      await runOk("umount", ["--lazy", where]);
    },
  };
}

/** An empty tmpfs at `where`, of `size` (`64k`). */
export function mountTmpfs(
  where: string,
  size: string,
): Promise<AsyncDisposable> {
  return mount(where, ["-t", "tmpfs", "-o", `size=${size}`, "none"]);
}
