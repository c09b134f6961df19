/**
 * A root of its own for a script: this machine's files, and what the script
 * changes in them is gone with it.
 */
import { run, type RunResult } from "./run.ts";
import { tempDir } from "./temp_dir.ts";

/** Layers this machine's files under an empty tmpfs, and runs "$3" in there. */
const ENTER = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mount --bind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mkdir "$1/root/input"
mount --bind "$2" "$1/root/input"
exec chroot "$1/root" sh -ec "$3"`;

/** Runs `script` by sh(1) as root there; `input` is its folder /input. */
export async function inChangedRoot(
  input: string,
  script: string,
): Promise<RunResult> {
  await using dir = await tempDir();
  return await run("unshare", [
    ...["--mount", "--propagation", "private"],
    ...["sh", "-c", ENTER, "sh", dir.path, input, script],
  ]);
}

/** Why there is none here; undefined when there is. */
export async function changedRootMissing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "not root on Linux";
  const { code, stderr } = await inChangedRoot("/tmp", "true");
  return code === 0 ? undefined : stderr.trim();
}
