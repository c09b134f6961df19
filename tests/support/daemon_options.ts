/**
 * Options of a daemon for tests that look at one part of them.
 */
import { SETTING_NAMES } from "../../src/cli/remedies.ts";
import type {
  KeyPairFiles,
  RekeyOptions,
  ReloadOptions,
} from "../../src/base/options.ts";

/** The options for a pair that is replaced in place. */
export function daemonOptions(
  pair: KeyPairFiles,
  reload: ReloadOptions,
): RekeyOptions {
  return {
    input: pair,
    output: pair,
    newKey: { from: "generate", spec: { kty: "EC", curve: "P-256" } },
    authority: { mode: "offline", config: "none" },
    passwordFiles: {},
    encryptNewKey: "as-current",
    overwrite: "always",
    write: {
      inPlace: false,
      attributes: {},
      lockTimeoutMs: 0,
      stateFolders: [],
    },
    reload,
    mode: { run: "daemon", schedule: { rule: "two-thirds" } },
    names: SETTING_NAMES,
  };
}
