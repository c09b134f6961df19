/**
 * Who signs: the CA of --ca-url, or its files with --offline.
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type { AuthorityOptions } from "../../base/options.ts";
import { joinPath } from "../settings/step_path.ts";
import type { FlagReader } from "./flag_reader.ts";

/** Limit of --connect-timeout and --timeout when they are not set, in ms. */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * The URL of --ca-url; offline it may be missing.
 *
 * @param calledAs the command, as a message names it
 * @throws {RekeyError} kind `usage` or `config`
 */
export function resolveUrl(
  flags: FlagReader,
  calledAs: string,
): CaUrl | undefined {
  const value = flags.text("ca-url");
  if (value !== undefined) return parseCaUrl(value);
  if (flags.values.offline === true) return undefined;
  throw flags.usage(requiredBy(calledAs)("ca-url"), {
    flags: ["ca-url"],
    hint:
      "give --ca-url or set STEP_CA_URL; step-rekey ca bootstrap writes it into defaults.json",
  });
}

/**
 * --root, --offline, --ca-config, --ignore-database and the limits of time.
 *
 * @throws {RekeyError} kind `usage`; kind `config` for a URL without a host
 */
export function resolveAuthority(
  flags: FlagReader,
  { url, stepPath }: {
    readonly url: CaUrl | undefined;
    /** Where files are that no flag names. */
    readonly stepPath: string;
  },
): AuthorityOptions {
  const timeouts = resolveTimeouts(flags);
  const ignoreDatabase = resolveIgnoredDatabase(flags);
  if (url === undefined || flags.values.offline === true) {
    const config = flags.values["ca-config"] ??
      joinPath(stepPath, "config", "ca.json");
    if (config === "") throw flags.invalid("ca-config");
    return { mode: "offline", config, ignoreDatabase };
  }
  return {
    mode: "online",
    url: requireHost(url),
    root: flags.text("root") ?? defaultRoot(stepPath),
    ...timeouts,
  };
}

/** `step ca x` requires it, in the original's words. */
export function requiredBy(command: string): (flag: string) => string {
  return (flag) => `'${command}' requires the '--${flag}' flag`;
}

/**
 * The URL, which has a host.
 *
 * @throws {RekeyError} kind `config`
 */
export function requireHost({ url, hasHost }: CaUrl): string {
  if (hasHost) return url;
  throw new RekeyError(
    "config",
    `error parsing endpoint: url '${shortened(url)}' is not valid`,
    { hint: "write --ca-url as https://host:port" },
  );
}

/** The root certificate of `$(step path)`. */
export function defaultRoot(stepPath: string): string {
  return joinPath(stepPath, "certs", "root_ca.crt");
}

/** --connect-timeout and --timeout. */
export function resolveTimeouts(
  flags: FlagReader,
): { readonly connectTimeoutMs: number; readonly timeoutMs: number } {
  const limitMs = (flag: "connect-timeout" | "timeout") =>
    flags.limitMs(flag, { mayBeZero: false }) ?? DEFAULT_TIMEOUT_MS;
  return {
    connectTimeoutMs: limitMs("connect-timeout"),
    timeoutMs: limitMs("timeout"),
  };
}

/**
 * Whether the CA's database is ignored. What is as dangerous has to be said
 * each time: a variable that somebody set once, or a file of defaults, is not
 * enough.
 *
 * @throws {RekeyError} kind `usage` with such a value, and without --offline
 */
function resolveIgnoredDatabase(flags: FlagReader): boolean {
  const { values } = flags;
  if (values["ignore-database"] !== true) return false;
  if (!flags.isTyped("ignore-database")) {
    if (values.offline !== true) return false;
    throw flags.usage(
      "flag '--ignore-database' has to stand on the command line",
      { flags: ["ignore-database"] },
    );
  }
  if (values.offline === true) return true;
  throw flags.usage("flag '--ignore-database' requires the '--offline' flag", {
    flags: ["ignore-database"],
    hint: "online, the certificate authority itself asks its database",
  });
}

const URL_HINT = "write it as https://host:port";

/** A URL of a CA, taken apart. */
export interface CaUrl {
  /** `https://host[:port]`; only `https://` when there is no host. */
  readonly url: string;
  readonly hasHost: boolean;
}

/**
 * The value of --ca-url, made into `https://host[:port]`.
 *
 * As the original (smallstep/cli flags/flags.go:649-705): the scheme may be
 * left out, an IPv6 address may come without brackets, and user, path, query
 * and fragment are dropped. Unlike it, brackets are believed, and a second
 * port is refused instead of dropped. A missing host is not an error here:
 * offline it does not matter.
 *
 * @param value not empty
 * @throws {RekeyError} kind `config`
 */
export function parseCaUrl(value: string): CaUrl {
  const full = value.includes("://") ? value : `https://${value}`;
  const fail = (what: string) =>
    new RekeyError(
      "config",
      `invalid value '${
        shortened(withoutUser(full))
      }' for flag '--ca-url'; ${what}`,
      { hint: URL_HINT },
    );
  const [, scheme, authority, rest] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(full) ?? [];
  if (
    scheme === undefined || authority === undefined || rest === undefined ||
    hasControl(full) || /%(?![0-9a-f]{2})/i.test(rest)
  ) {
    throw fail("invalid URL");
  }
  if (scheme.toLowerCase() !== "https") throw fail("must have https scheme");
  const found = splitHost(authority.slice(authority.lastIndexOf("@") + 1));
  if (found === undefined) throw fail("invalid URL");
  const { host, port } = found;
  const url = `https://${host}${port === "" ? "" : `:${port}`}`;
  if (host === "") return { url, hasHost: false };
  if (!isUsable(url)) throw fail("invalid URL");
  return { url, hasHost: true };
}

interface HostAndPort {
  /** With brackets around an IPv6 address. */
  readonly host: string;
  readonly port: string;
}

function splitHost(text: string): HostAndPort | undefined {
  if (text.startsWith("[")) {
    const [, host, port = ""] = /^(\[[^\]]*\])(?::(\d*))?$/.exec(text) ?? [];
    return host === undefined ? undefined : { host, port };
  }
  const colon = text.lastIndexOf(":");
  if (text.indexOf(":") !== colon) return splitBareIpv6(text, colon);
  const host = colon === -1 ? text : text.slice(0, colon);
  const port = colon === -1 ? "" : text.slice(colon + 1);
  return /^\d*$/.test(port) ? { host, port } : undefined;
}

/**
 * An IPv6 address without brackets. As in the original, a last group behind
 * what is an address already is a port: `2001:db8::1:8443`.
 */
function splitBareIpv6(
  text: string,
  lastColon: number,
): HostAndPort | undefined {
  const before = text.slice(0, lastColon);
  const last = text.slice(lastColon + 1);
  if (isIpv6(before) && /^\d+$/.test(last)) {
    return { host: `[${before}]`, port: last };
  }
  return isIpv6(text) ? { host: `[${text}]`, port: "" } : undefined;
}

function isIpv6(text: string): boolean {
  return /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`https://[${text}]`);
}

/** Whether the platform can connect to it: port 1 to 65535, a legal host. */
function isUsable(url: string): boolean {
  if (/[\s\\%]/.test(url) || /:0+$/.test(url)) return false;
  return URL.canParse(url);
}

function hasControl(text: string): boolean {
  // deno-lint-ignore no-control-regex -- these are what must not be in it
  return /[\x00-\x1f\x7f-\x9f]/.test(text);
}

/** A URL may carry a password; it must not reach a terminal or a log. */
function withoutUser(url: string): string {
  return url.replace(/^([^:]*:\/\/)[^/?#]*@/, "$1***@");
}
