/**
 * A process that installs one pair of files over another, or changes how it
 * stands on disk, to be traced.
 *
 * Arguments: certificate file, key file; `plain` or `versioned` to change the
 * layout, else the options of the install as JSON and the new files.
 */
import { mapPair } from "../../src/files/transaction.ts";
import { encodePair, open } from "./install_child.ts";

if (import.meta.main) {
  const [certificate = "", key = "", what = "", ...given] = Deno.args;
  using pair = await open({ certificate, key });
  if (what === "plain" || what === "versioned") await pair.changeLayout(what);
  else {
    const [newCertificate = "", newKey = ""] = given;
    using install = await pair.prepareInstall(JSON.parse(what));
    const fresh = { certificate: newCertificate, key: newKey };
    await install.commit(
      encodePair(mapPair(fresh, (file) => Deno.readTextFileSync(file))),
    );
  }
}
