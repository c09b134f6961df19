/**
 * A real ext4 in a file, which can be shut down in the middle of its work: what
 * was not synced by then is lost, and every later call fails.
 */
import { run, runOk } from "./run.ts";
import { mount } from "./mounts.ts";
import { tempDir } from "./temp_dir.ts";

/**
 * Shuts the file system down at which a path is, as after a power cut:
 * FS_IOC_SHUTDOWN (include/uapi/linux/fs.h) without flushing the log.
 */
export const SHUTDOWN = `python3 -c 'if True:
  import fcntl, os, struct, sys
  fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))'`;

/**
 * Mounts the file system in `image` at `where`.
 *
 * @param isNew whether it is made first
 */
export async function mountDisk(
  image: string,
  where: string,
  { isNew = false }: { readonly isNew?: boolean } = {},
): Promise<AsyncDisposable> {
  if (isNew) {
    await runOk("truncate", ["--size", "8M", image]);
    await runOk("mkfs.ext4", ["-q", "-F", image]);
  }
  await mount(where, ["-o", "loop", image]);
  return {
    async [Symbol.asyncDispose]() {
      // At once: it is mounted again, and must not be the same one then.
      await runOk("umount", [where]);
    },
  };
}

/** Why there are no such disks here; undefined where there are, and for root on CI. */
export const diskMissing: string | undefined = await findMissing();

async function findMissing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    return "only root on Linux mounts a disk";
  }
  if (Deno.env.get("CI") === "true") return undefined;
  await using dir = await tempDir();
  const where = dir.file("disk");
  await Deno.mkdir(where);
  try {
    await using _disk = await mountDisk(dir.file("image"), where, {
      isNew: true,
    });
    const { code, stderr } = await run("sh", ["-c", `${SHUTDOWN} ${where}`]);
    return code === 0 ? undefined : stderr.trim();
  } catch (error) {
    return String(error);
  }
}
