/**
 * How the new pair is written: layout, owner, mode, lock. Errors are of
 * kind `usage`.
 */
import type { WriteOptions } from "../../base/options.ts";
import type { FlagReader } from "./flag_reader.ts";

/**
 * --layout, --in-place, --state-dir, --key-mode, --cert-mode, --owner, --group
 * and --lock-timeout.
 */
export function resolveWrite(
  flags: FlagReader,
  env: (name: string) => string | undefined,
): WriteOptions {
  const layout = flags.values.layout === "" ? undefined : flags.choice(
    "layout",
    (choices) => `must be ${choices.join(" or ")}`,
  );
  const inPlace = flags.values["in-place"] === true;
  if (inPlace && layout === "versioned") {
    throw flags.usage(
      "flag '--in-place' is incompatible with '--layout versioned'",
      { flags: ["in-place", "layout"] },
    );
  }
  return {
    layout,
    inPlace,
    attributes: resolveAttributes(flags),
    lockTimeoutMs: resolveLockTimeout(flags),
    stateFolders: resolveStateFolders(flags, env),
  };
}

/**
 * --state-dir, else every place that is meant for such a thing: the service's
 * own (systemd.exec(5); the first of several), that of step, and the user's
 * (XDG Base Directory Specification).
 */
export function resolveStateFolders(
  flags: FlagReader,
  env: (name: string) => string | undefined,
): readonly string[] {
  const given = flags.text("state-dir");
  if (given !== undefined) {
    if (given.startsWith("/")) return [given];
    throw flags.invalid("state-dir", "must be an absolute path", {
      hint: "the next run has to find it, from wherever it is started",
    });
  }
  const home = env("HOME");
  return [
    env("STATE_DIRECTORY")?.split(":")[0],
    env("STEPPATH"),
    env("XDG_STATE_HOME"),
    home && `${home}/.local/state`,
  ].filter((folder) => folder?.startsWith("/"))
    .map((folder) => `${folder}/step-rekey`);
}

function resolveAttributes(flags: FlagReader): WriteOptions["attributes"] {
  return {
    certificateMode: resolveFileMode(flags, "cert-mode"),
    keyMode: resolveFileMode(flags, "key-mode"),
    owner: resolveName(flags, "owner"),
    group: resolveName(flags, "group"),
  };
}

/** --lock-timeout in ms; 0 when it is not set. */
export function resolveLockTimeout(flags: FlagReader): number {
  return flags.limitMs("lock-timeout", { mayBeZero: true }) ?? 0;
}

function resolveFileMode(
  flags: FlagReader,
  flag: "cert-mode" | "key-mode",
): number | undefined {
  const text = flags.text(flag);
  if (text === undefined) return undefined;
  if (!/^(?:0o?)?[0-7]{3}$/.test(text)) {
    throw flags.invalid(
      flag,
      "must be an octal mode",
      { hint: "write three octal digits, such as 0640" },
    );
  }
  const mode = parseInt(text.slice(-3), 8);
  if ((mode & 0o400) !== 0) return mode;
  throw flags.invalid(
    flag,
    "must let the owner read",
    {
      hint: "the next rekey has to read the file: 0400, 0600, 0640 or 0644",
    },
  );
}

/** Ids are unsigned 32-bit numbers, of which the last means "none" (chown(2)). */
const LAST_ID = 2 ** 32 - 2;

/** A user or group as passwd(5) may hold it: no colon, no control character. */
function resolveName(
  flags: FlagReader,
  flag: "owner" | "group",
): string | undefined {
  const name = flags.text(flag);
  if (name !== undefined && /^\d+$/.test(name) && Number(name) > LAST_ID) {
    throw flags.invalid(flag, `a number must be at most ${LAST_ID}`);
  }
  // deno-lint-ignore no-control-regex -- these are what must not be in it
  if (name === undefined || !/[:\s\u0000-\u001f]/.test(name)) return name;
  throw flags.invalid(
    flag,
    `must be the name or number of one ${flag === "owner" ? "user" : "group"}`,
  );
}
