/**
 * A process that installs one pair of files over another, goes back to the one
 * before, or changes how it stands on disk: to be traced, or to have its disk
 * die.
 *
 * Arguments: certificate file, key file; `plain` or `versioned` to change the
 * layout, `rollback`, or else the options of the install as JSON and the new
 * files. With `DISK_DIES_AT=N` the command in `DISK_DIES_BY` is run right before
 * the N-th fsync. Prints `done` and the warnings; else the error, and ends with
 * its exit code.
 */
import { RekeyError } from "../../src/base/errors.ts";
import { type InstallWarning, mapPair } from "../../src/files/transaction.ts";
import { encodePair, open } from "./install_child.ts";

async function change(): Promise<readonly InstallWarning[]> {
  const [certificate = "", key = "", what = "", ...given] = Deno.args;
  using pair = await open({ certificate, key });
  if (what === "rollback") {
    pair.findPrevious().putBack();
    return [];
  }
  if (what === "plain" || what === "versioned") {
    await pair.changeLayout(what);
    return [];
  }
  const [newCertificate = "", newKey = ""] = given;
  using install = await pair.prepareInstall(JSON.parse(what));
  await install.settle();
  const fresh = { certificate: newCertificate, key: newKey };
  return await install.commit(
    encodePair(mapPair(fresh, (file) => Deno.readTextFileSync(file))),
  );
}

/** The runtime has no other place at which a disk could die. */
function letDiskDie(at: number, command: string): void {
  const { prototype } = Deno.FsFile;
  const sync = prototype.syncSync;
  let count = 0;
  prototype.syncSync = function (this: Deno.FsFile) {
    if (++count === at) {
      new Deno.Command("sh", { args: ["-c", command] }).outputSync();
    }
    sync.call(this);
  };
}

if (import.meta.main) {
  const at = Number(Deno.env.get("DISK_DIES_AT") ?? "0");
  if (at > 0) letDiskDie(at, Deno.env.get("DISK_DIES_BY") ?? "");
  try {
    const warnings = await change();
    console.log("done", warnings.map(({ message }) => message).join("; "));
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    console.log(error.message);
    Deno.exitCode = error.exitCode;
  }
}
