/**
 * Flags and settings made into RekeyOptions: every rule about combinations.
 *
 * The order of the rules and their texts are the original's (smallstep/cli
 * command/ca/rekey.go:234-398), so that the first mistake on a line is
 * reported in the same words; the rules that it lacks follow. Reads no file,
 * asks nobody: what is wrong with a line is known before anything is touched.
 */
import type { RekeyOptions } from "../../base/options.ts";
import { SETTING_NAMES } from "../remedies.ts";
import type { Invocation } from "../grammar/command.ts";
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
import type { PAIR_FLAGS, REKEY_FLAGS } from "./flags.ts";
import { resolveMode } from "./mode.ts";
import { resolveEncryption, resolveNewKey } from "./new_key.ts";
import { resolveHooks, resolveSignal } from "./reload.ts";
import { resolveWrite } from "./write.ts";

/**
 * Resolves a line whose grammar is right.
 *
 * @param calledAs the command, as a message names it
 * @throws {RekeyError} kind `usage`; kind `config` for an unusable --ca-url
 */
export function resolveRekey(
  invocation: Invocation<typeof REKEY_FLAGS>,
  calledAs = "step ca rekey",
): RekeyOptions {
  const flags = new FlagReader(invocation);
  const newKey = () => resolveNewKey(flags);
  return {
    ...resolvePass(flags, invocation, { calledAs, newKey }),
    renewFallback: resolveFallback(flags),
    encryptNewKey: resolveEncryption(flags),
    dryRun: resolveDryRun(flags),
  };
}

/**
 * What a rekey and a renewal have in common, in the order of the original's
 * rules.
 *
 * @throws {RekeyError} as {@linkcode resolveRekey}
 */
export function resolvePass(
  flags: FlagReader,
  { stepPath, positionals, cwd, env }: Pick<
    Invocation<typeof PAIR_FLAGS>,
    "stepPath" | "positionals" | "cwd" | "env"
  >,
  { calledAs, newKey: resolveKey }: {
    readonly calledAs: string;
    readonly newKey: () => RekeyOptions["newKey"];
  },
): Omit<RekeyOptions, "encryptNewKey"> {
  const logFormat = flags.choice(
    "log-format",
    (choices) => `options are ${choices.join(", ")}`,
  );
  const url = resolveUrl(flags, calledAs);
  const mode = resolveMode(flags);
  const signal = resolveSignal(flags);
  const authority = resolveAuthority(flags, { url, stepPath });
  const newKey = resolveKey();
  const pair = resolvePair(flags, positionals);
  const passwordFiles = resolvePasswordFiles(flags);
  const hooks = resolveHooks(flags);
  const read = readFiles(flags, { passwordFiles, authority });
  const isDaemon = mode.run === "daemon";
  requireOneReader(pair, { read, isDaemon });
  requireDistinct(pair, { read, cwd, out: outFlag(flags) });
  return {
    ...pair,
    newKey,
    authority,
    passwordFiles,
    overwrite: flags.values.force === true || isDaemon ? "always" : "ask",
    write: resolveWrite(flags, env),
    reload: { signal, ...hooks },
    mode,
    names: SETTING_NAMES,
    logFormat,
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
 * --renew-fallback: not beside --private-key, which asks for that very key. From
 * a variable or a file it is a default, which has no use there.
 */
function resolveFallback(flags: FlagReader): boolean | undefined {
  if (flags.values["renew-fallback"] !== true) return undefined;
  if (flags.text("private-key") === undefined) return true;
  if (!flags.isTyped("renew-fallback")) return undefined;
  throw flags.usage(
    "flag '--renew-fallback' is incompatible with flag '--private-key'",
    { flags: ["private-key"] },
  );
}
