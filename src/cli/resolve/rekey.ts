/**
 * Flags and settings made into RekeyOptions: every rule about combinations.
 *
 * The order of the rules and their texts are the original's (smallstep/cli
 * command/ca/rekey.go:234-398), so that the first mistake on a line is
 * reported in the same words; the rules that it lacks follow. Reads no file,
 * asks nobody: what is wrong with a line is known before anything is touched.
 */
import { RekeyError } from "../../base/errors.ts";
import type {
  AuthorityOptions,
  NewKey,
  PasswordFiles,
  RekeyOptions,
} from "../../base/options.ts";
import { SETTING_NAMES } from "../remedies.ts";
import { type CaUrl, parseCaUrl } from "./ca_url.ts";
import type { Invocation } from "../grammar/command.ts";
import type { REKEY_FLAGS } from "../grammar/rekey_flags.ts";
import { resolveKeySpec } from "./key_spec.ts";
import { isLogFormat } from "../settings/log_format.ts";
import { joinPath } from "../settings/paths.ts";
import {
  type PairFiles,
  requireDistinct,
  requireOneReader,
  resolvePair,
  resolvePasswordFiles,
} from "./files.ts";
import { resolveIgnoredDatabase } from "./database.ts";
import { resolveMode } from "./mode.ts";
import { resolveHooks, resolveSignal } from "./reload.ts";
import { resolveWrite } from "./write.ts";
import { RekeyInput } from "./input.ts";

/** Limit of --connect-timeout and --timeout when they are not set, in ms. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** A day, in ms: more is a mistake, and timers end at 24.8 days. */
const MOST_TIMEOUT_MS = 86_400_000;

/**
 * Resolves a line whose grammar is right.
 *
 * @param cwd the working directory; only called to compare a relative path
 *   with an absolute one
 * @throws {RekeyError} kind `usage`; kind `config` for an unusable --ca-url
 */
export function resolveRekey(
  invocation: Invocation<typeof REKEY_FLAGS>,
  cwd: () => string,
): RekeyOptions {
  const input = new RekeyInput(invocation);
  const { stepPath } = invocation;
  requireLogFormat(input);
  const url = resolveUrl(input);
  const mode = resolveMode(input);
  const signal = resolveSignal(input);
  const authority = resolveAuthority(input, url, stepPath);
  const newKey = resolveNewKey(input);
  const pair = resolvePair(input, invocation.positionals);
  const passwordFiles = resolvePasswordFiles(input);
  const hooks = resolveHooks(input);
  requireOneReader(
    standardInputUsers(pair, passwordFiles, authority),
    mode.run === "daemon",
  );
  requireDistinct(pair, {
    read: readOnlyFiles(input, passwordFiles, authority),
    cwd,
  });
  return {
    ...pair,
    newKey,
    authority,
    passwordFiles,
    encryptNewKey: resolveEncryption(input),
    overwrite: input.flags.force === true || mode.run === "daemon"
      ? "always"
      : "ask",
    write: resolveWrite(input),
    reload: {
      ...(signal !== undefined && { signal }),
      ...hooks,
    },
    mode,
    names: SETTING_NAMES,
    ...input.text("log-format") === "json" && { logFormat: "json" },
  };
}

function requireLogFormat(input: RekeyInput): void {
  const format = input.flags["log-format"];
  if (format === undefined || isLogFormat(format)) return;
  throw input.invalid("log-format", "options are text, json");
}

function resolveUrl(input: RekeyInput): CaUrl | undefined {
  const value = input.text("ca-url");
  if (value !== undefined) return parseCaUrl(value);
  if (input.flags.offline === true) return undefined;
  throw input.usage("'step ca rekey' requires the '--ca-url' flag", {
    flags: ["ca-url"],
    hint:
      "give --ca-url or set STEP_CA_URL; step ca bootstrap writes it into defaults.json",
  });
}

function resolveAuthority(
  input: RekeyInput,
  url: CaUrl | undefined,
  stepPath: string,
): AuthorityOptions {
  const connectTimeoutMs = resolveTimeout(input, "connect-timeout");
  const timeoutMs = resolveTimeout(input, "timeout");
  const ignoreDatabase = resolveIgnoredDatabase(input);
  if (url === undefined || input.flags.offline === true) {
    const config = input.flags["ca-config"] ??
      joinPath(stepPath, "config", "ca.json");
    if (config === "") throw input.invalid("ca-config");
    return {
      mode: "offline",
      config,
      ...ignoreDatabase && { ignoreDatabase },
    };
  }
  if (!url.hasHost) {
    throw new RekeyError(
      "config",
      `error parsing endpoint: url '${url.url}' is not valid`,
      { hint: "write --ca-url as https://host:port" },
    );
  }
  return {
    mode: "online",
    url: url.url,
    root: input.text("root") ?? joinPath(stepPath, "certs", "root_ca.crt"),
    connectTimeoutMs,
    timeoutMs,
  };
}

function resolveTimeout(
  input: RekeyInput,
  flag: "connect-timeout" | "timeout",
): number {
  if (input.flags[flag] === "") throw input.invalid(flag);
  const limitMs = input.durationMs(flag) ?? DEFAULT_TIMEOUT_MS;
  if (limitMs <= 0) throw input.invalid(flag, "must be greater than 0");
  if (limitMs > MOST_TIMEOUT_MS) {
    throw input.invalid(flag, "must be at most 24h");
  }
  return limitMs;
}

function resolveNewKey(input: RekeyInput): NewKey {
  const path = input.text("private-key");
  if (path === undefined) {
    const { kty, curve, size } = input.flags;
    try {
      return { from: "generate", spec: resolveKeySpec({ kty, curve, size }) };
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      // The same error, with the origin of the flags.
      throw input.usage(error.message, {
        flags: ["kty", "curve", "size"],
        hint: error.hint,
      });
    }
  }
  for (const flag of ["kty", "curve", "size"] as const) {
    // From a variable or a file it is a default for keys that are generated.
    if (!input.isTyped(flag)) continue;
    throw input.usage(
      `flag '--${flag}' is incompatible with flag '--private-key'`,
      {
        flags: ["private-key"],
        hint: "the type of the new key is that of the file",
      },
    );
  }
  if (path === "-") {
    throw input.invalid("private-key", "a key cannot come from standard input");
  }
  if (input.flags.daemon === true) {
    throw input.usage(
      "flag '--private-key' is incompatible with flag '--daemon'",
      {
        flags: ["private-key", "daemon"],
        hint:
          "leave --private-key out: the daemon makes a new key for every rekey",
      },
    );
  }
  return { from: "file", path, writeCopy: input.isSet("out-key") };
}

/**
 * The manual's "password to encrypt or decrypt the private key". Offline,
 * --password-file alone is as a rule the password of the CA's key, so it is
 * no wish to encrypt a key that was plain.
 */
function resolveEncryption(
  input: RekeyInput,
): RekeyOptions["encryptNewKey"] {
  if (input.text("password-file") === undefined) return "as-current";
  const isForCa = input.flags.offline === true &&
    input.text("ca-password-file") === undefined;
  return isForCa ? "as-current" : "always";
}

function standardInputUsers(
  { input }: PairFiles,
  passwords: PasswordFiles,
  authority: AuthorityOptions,
): readonly (readonly [string, string | undefined])[] {
  const general: readonly (readonly [string, string | undefined])[] = [
    ["argument <crt-file>", input.certificate],
    ["flag '--password-file'", passwords.key],
  ];
  const config = authority.mode === "offline" ? authority.config : undefined;
  const exact: readonly (readonly [string, string | undefined])[] = [
    ["flag '--private-key-password-file'", passwords.privateKey],
    ["flag '--ca-password-file'", passwords.ca],
  ];
  return [
    ...general,
    // Without a flag of their own these are the one --password-file again.
    ...exact.filter(([, path]) => path !== passwords.key),
    ["flag '--ca-config'", config],
  ];
}

function readOnlyFiles(
  input: RekeyInput,
  passwords: PasswordFiles,
  authority: AuthorityOptions,
): readonly (readonly [string, string | undefined])[] {
  return [
    ["private-key", input.text("private-key")],
    ["password-file", passwords.key],
    ["private-key-password-file", passwords.privateKey],
    ["ca-password-file", passwords.ca],
    ["root", authority.mode === "online" ? authority.root : undefined],
    ["ca-config", authority.mode === "offline" ? authority.config : undefined],
    ["pid-file", input.text("pid-file")],
  ];
}
