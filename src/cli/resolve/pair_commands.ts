/**
 * The options of `ca rollback` and `ca layout`.
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type { LayoutOptions, RollbackOptions } from "../../base/options.ts";
import { SETTING_NAMES } from "../remedies.ts";
import type { Invocation } from "../grammar/command.ts";
import { requireDistinct, resolvePair } from "./files.ts";
import { FlagReader } from "./flag_reader.ts";
import type { REKEY_FLAGS } from "./flags.ts";
import { resolveHooks, resolveSignal } from "./reload.ts";
import { resolveLockTimeout } from "./write.ts";

/** @throws {RekeyError} kind `usage` */
export function resolveRollback(
  invocation: Invocation<typeof REKEY_FLAGS>,
): RollbackOptions {
  const { positionals, cwd } = invocation;
  const flags = new FlagReader(invocation);
  const pair = resolvePair(flags, positionals);
  requireDistinct(pair, { read: [], cwd });
  const signal = resolveSignal(flags);
  return {
    pair: pair.output,
    passwordFile: flags.text("password-file"),
    allowExpired: flags.values.force === true,
    lockTimeoutMs: resolveLockTimeout(flags),
    reload: { signal, ...resolveHooks(flags) },
    names: SETTING_NAMES,
  };
}

/** @throws {RekeyError} kind `usage` */
export function resolveLayoutChange(
  invocation: Invocation<typeof REKEY_FLAGS>,
): LayoutOptions {
  const { positionals: [layout = "", ...files], cwd } = invocation;
  const flags = new FlagReader(invocation);
  const pair = resolvePair(flags, files);
  requireDistinct(pair, { read: [], cwd });
  if (layout !== "plain" && layout !== "versioned") {
    throw new RekeyError(
      "usage",
      `argument <layout> must be plain or versioned, not ${
        JSON.stringify(shortened(layout))
      }`,
      { hint: "step-rekey ca layout versioned <crt-file> <key-file>" },
    );
  }
  return {
    pair: pair.output,
    layout,
    lockTimeoutMs: resolveLockTimeout(flags),
  };
}
