/** Can the layout of this pair be changed? Asked before anything is. */
import { RekeyError } from "../../base/errors.ts";
import { permissions } from "../disk/attributes.ts";
import { diskCall, statIfExists } from "../disk/disk.ts";
import { resolveTarget, type Target } from "../disk/target.ts";
import { examineTargets } from "../plain/examine.ts";
import type { InstallOptions, Layout, Pair } from "../transaction.ts";

/**
 * Refuses what no change of the layout makes possible.
 *
 * @throws {RekeyError} kind `install`
 */
export function requireVersionable(
  { certificate, key }: Pair<Target>,
  { inPlace, givenKeyFile }: Pick<InstallOptions, "inPlace" | "givenKeyFile">,
): void {
  const { path, version } = certificate;
  if (inPlace === true) {
    throw new RekeyError(
      "install",
      `cannot overwrite ${path} in place: it is a link to a version`,
      { hint: { remedy: "replace files" } },
    );
  }
  if (key !== undefined) return;
  const given = givenKeyFile === undefined
    ? undefined
    : resolveTarget(givenKeyFile).version?.directory;
  if (version !== undefined && given === version.directory) return;
  throw new RekeyError(
    "install",
    `the versioned layout keeps the key beside the certificate ${path}, and the new one would have its key elsewhere`,
    { hint: { remedy: "name the new key" } },
  );
}

/**
 * @param how.mayTry false: no file is made to see whether one can be
 * @throws {RekeyError} kind `install`: a name is missing, cannot be replaced,
 *   or its file would be open to others in the other layout
 */
export function requireChangeable(
  { certificate, key }: Pair<Target>,
  to: Layout,
  { mayTry }: { readonly mayTry: boolean } = { mayTry: true },
): void {
  if (key === undefined) {
    throw new RekeyError(
      "install",
      `the layout of ${certificate.path} changes only together with its key, and no key is written`,
      { hint: { remedy: "name the key of the pair" } },
    );
  }
  for (const { path, file } of [certificate, key]) {
    if (diskCall("open", path, () => statIfExists(file)) !== undefined) {
      continue;
    }
    throw new RekeyError(
      "install",
      `cannot change the layout: ${path} does not exist`,
      { hint: "name two files that are there, or two new ones" },
    );
  }
  if (to === "plain") return;
  if (mayTry) examineTargets({ certificate, key }, { allowsInPlace: false });
  requireGuarded(key, certificate);
  requireOwnFolder(certificate);
}

/** In a sticky directory, what we make could not be replaced by the pair's owner. */
function requireOwnFolder({ path, directory, file }: Target): void {
  if (Deno.build.os === "windows") return;
  const folder = diskCall("open", path, () => Deno.statSync(directory));
  if ((permissions(folder) & 0o1000) === 0) return;
  const { uid } = diskCall("open", path, () => Deno.statSync(file));
  if (uid === diskCall("open", path, () => Deno.uid())) return;
  throw new RekeyError(
    "install",
    `cannot change the layout of ${path}: it belongs to uid ${uid}, who could not replace what we make in this sticky directory`,
    { hint: "run as the owner of the file" },
  );
}

/** A key that only its directory hides must not move to one that is open. */
function requireGuarded(key: Target, certificate: Target): void {
  if (key.directory === certificate.directory) return;
  const { path } = key;
  const mode = permissions(diskCall("open", path, () => Deno.statSync(path)));
  const [around, beside] = [key, certificate].map(({ directory }) =>
    permissions(diskCall("open", path, () => Deno.statSync(directory)))
  );
  const exposed = [0o070, 0o007].some((others) =>
    (mode & others & 0o044) !== 0 && ((around ?? 0) & others & 0o011) === 0 &&
    ((beside ?? 0) & others & 0o011) !== 0
  );
  if (!exposed) return;
  throw new RekeyError(
    "install",
    `cannot move ${path} beside the certificate: its mode is ${
      mode.toString(8).padStart(4, "0")
    }, and only its directory keeps others away`,
    { hint: `close it first: chmod 600 ${path}` },
  );
}
