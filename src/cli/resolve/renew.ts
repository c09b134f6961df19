/**
 * Flags and settings of `ca renew` made into options of the same pipeline: the
 * key is the one that is there.
 *
 * Order and texts of the rules are the original's (smallstep/cli
 * command/ca/renew.go:198-330). Reads no file, asks nobody.
 */
import type { RekeyOptions } from "../../base/options.ts";
import type { Invocation } from "../grammar/command.ts";
import { SETTING_NAMES } from "../remedies.ts";
import { FlagReader } from "./flag_reader.ts";
import { type PAIR_FLAGS, RENEW_FLAGS } from "./flags.ts";
import { resolvePass } from "./rekey.ts";

/**
 * Resolves a line whose grammar is right.
 *
 * @throws {RekeyError} kind `usage`; kind `config` for an unusable --ca-url
 */
export function resolveRenew(
  invocation: Invocation<typeof RENEW_FLAGS>,
): RekeyOptions {
  const flags = new FlagReader<typeof PAIR_FLAGS>(invocation, RENEW_FLAGS);
  const by = flags.values.mtls === false ? "token" : "certificate";
  return {
    ...resolvePass(flags, invocation, {
      calledAs: "step ca renew",
      newKey: () => ({ from: "current", by }),
    }),
    encryptNewKey: "as-current",
    names: { ...SETTING_NAMES, period: "--renew-period" },
  };
}
