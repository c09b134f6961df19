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
import { resolveAuthority, resolveUrl } from "./authority.ts";
import {
  outFlag,
  readFiles,
  requireDistinct,
  requireOneReader,
  resolvePair,
  resolvePasswordFiles,
} from "./files.ts";
import { FlagReader } from "./flag_reader.ts";
import { type PAIR_FLAGS, RENEW_FLAGS } from "./flags.ts";
import { resolveMode } from "./mode.ts";
import { resolveHooks, resolveSignal } from "./reload.ts";
import { resolveWrite } from "./write.ts";

/**
 * Resolves a line whose grammar is right.
 *
 * @throws {RekeyError} kind `usage`; kind `config` for an unusable --ca-url
 */
export function resolveRenew(
  invocation: Invocation<typeof RENEW_FLAGS>,
): RekeyOptions {
  const flags = new FlagReader<typeof PAIR_FLAGS>(invocation, RENEW_FLAGS);
  const { stepPath, positionals, cwd, env } = invocation;
  const logFormat = flags.choice(
    "log-format",
    (choices) => `options are ${choices.join(", ")}`,
  );
  const url = resolveUrl(flags, "ca renew");
  const mode = resolveMode(flags);
  const signal = resolveSignal(flags);
  const authority = resolveAuthority(flags, { url, stepPath });
  const pair = resolvePair(flags, positionals);
  const passwordFiles = resolvePasswordFiles(flags);
  const hooks = resolveHooks(flags);
  const read = readFiles(flags, { passwordFiles, authority });
  const isDaemon = mode.run === "daemon";
  requireOneReader(pair, { read, isDaemon });
  requireDistinct(pair, { read, cwd, out: outFlag(flags) });
  return {
    ...pair,
    newKey: {
      from: "current",
      by: flags.values.mtls === false ? "token" : "certificate",
    },
    authority,
    passwordFiles,
    encryptNewKey: "as-current",
    overwrite: flags.values.force === true || isDaemon ? "always" : "ask",
    write: resolveWrite(flags, env),
    reload: { signal, ...hooks },
    mode,
    names: { ...SETTING_NAMES, period: "--renew-period" },
    logFormat,
  };
}
