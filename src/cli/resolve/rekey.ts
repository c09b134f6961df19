/**
 * Flags and settings made into RekeyOptions: every rule about combinations.
 *
 * The order of the rules and their texts are the original's (smallstep/cli
 * command/ca/rekey.go:234-398), so that the first mistake on a line is
 * reported in the same words; the rules that it lacks follow. Reads no file,
 * asks nobody: what is wrong with a line is known before anything is touched.
 */
import type { RekeyOptions, RunMode } from "../../base/options.ts";
import { SETTING_NAMES } from "../remedies.ts";
import type { Invocation } from "../grammar/command.ts";
import { resolveAuthority, resolveUrl } from "./authority.ts";
import {
  readFiles,
  requireDistinct,
  requireOneReader,
  resolvePair,
  resolvePasswordFiles,
} from "./files.ts";
import { FlagReader } from "./flag_reader.ts";
import type { REKEY_FLAGS } from "./flags.ts";
import { resolveEncryption, resolveNewKey } from "./new_key.ts";
import { resolveHooks, resolveSignal } from "./reload.ts";
import { resolveWrite } from "./write.ts";

/**
 * Resolves a line whose grammar is right.
 *
 * @throws {RekeyError} kind `usage`; kind `config` for an unusable --ca-url
 */
export function resolveRekey(
  invocation: Invocation<typeof REKEY_FLAGS>,
): RekeyOptions {
  const flags = new FlagReader(invocation);
  const { stepPath, positionals, cwd } = invocation;
  const logFormat = flags.choice(
    "log-format",
    (choices) => `options are ${choices.join(", ")}`,
  );
  const url = resolveUrl(flags);
  const mode = resolveMode(flags);
  const signal = resolveSignal(flags);
  const authority = resolveAuthority(flags, { url, stepPath });
  const newKey = resolveNewKey(flags);
  const pair = resolvePair(flags, positionals);
  const passwordFiles = resolvePasswordFiles(flags);
  const hooks = resolveHooks(flags);
  const read = readFiles(flags, { passwordFiles, authority });
  const isDaemon = mode.run === "daemon";
  requireOneReader(pair, { read, isDaemon });
  requireDistinct(pair, { read, cwd });
  return {
    ...pair,
    newKey,
    authority,
    passwordFiles,
    encryptNewKey: resolveEncryption(flags),
    overwrite: flags.values.force === true || isDaemon ? "always" : "ask",
    write: resolveWrite(flags, invocation.env),
    reload: { signal, ...hooks },
    mode,
    names: SETTING_NAMES,
    logFormat,
    dryRun: resolveDryRun(flags),
  };
}

/** --dry-run and --json, which is for its plan only. */
function resolveDryRun(flags: FlagReader): RekeyOptions["dryRun"] {
  const { values } = flags;
  if (values["dry-run"] === true) return values.json === true ? "json" : "text";
  // From a variable or a file it is a default that simply has no use here.
  if (values.json !== true || !flags.isTyped("json")) return undefined;
  throw flags.usage("flag '--json' requires the '--dry-run' flag", {
    flags: ["json"],
    hint: "--log-format json writes the log of a run as JSON",
  });
}

/**
 * Once or for ever, and at what time.
 *
 * Negative durations mean "rekey now" in a single run, as in the original; a
 * daemon would schedule them after the certificate's end, so they are refused.
 */
function resolveMode(flags: FlagReader): RunMode {
  const isDaemon = flags.values.daemon === true;
  const expiresInMs = flags.durationMs("expires-in") ?? 0;
  const periodMs = flags.durationMs("rekey-period") ?? 0;
  if (periodMs < 0) throw flags.invalid("rekey-period", "must not be negative");
  if (isDaemon && expiresInMs < 0) {
    throw flags.invalid(
      "expires-in",
      "must not be negative with the '--daemon' flag",
    );
  }
  if (expiresInMs > 0 && periodMs > 0) {
    throw flags.usage(
      "flag '--expires-in' is incompatible with '--rekey-period'",
      { flags: ["expires-in", "rekey-period"] },
    );
  }
  if (periodMs > 0 && !isDaemon) {
    throw flags.usage("flag '--rekey-period' requires the '--daemon' flag", {
      flags: ["rekey-period"],
    });
  }
  if (!isDaemon) {
    // Zero or less means "rekey now", as it does in the original.
    return expiresInMs > 0
      ? { run: "once", onlyIfExpiresInMs: expiresInMs }
      : { run: "once" };
  }
  if (periodMs > 0) {
    return { run: "daemon", schedule: { rule: "period", periodMs } };
  }
  if (expiresInMs > 0) {
    return {
      run: "daemon",
      schedule: { rule: "before-expiry", beforeMs: expiresInMs },
    };
  }
  return { run: "daemon", schedule: { rule: "two-thirds" } };
}
