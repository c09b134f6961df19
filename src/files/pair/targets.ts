/**
 * Which files a pass writes, and which pair the service finds after it.
 */
import type { KeyPairFiles, RekeyOptions } from "../../base/options.ts";
import type { InstallTargets } from "../install.ts";

type Choice = Pick<RekeyOptions, "newKey" | "output">;

/** The files that are replaced. */
export function installTargets({ newKey, output }: Choice): InstallTargets {
  // A given key stays in its own file unless --out-key asks for a copy.
  if (newKey.from === "file" && !newKey.writeCopy) {
    return { certificate: output.certificate };
  }
  return output;
}

/** The files that belong together after a pass. */
export function servedPair({ newKey, output }: Choice): KeyPairFiles {
  return newKey.from === "file" && !newKey.writeCopy
    ? { certificate: output.certificate, key: newKey.path }
    : output;
}
