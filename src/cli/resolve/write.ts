/**
 * How the new pair is written: layout, owner, mode, lock.
 */
import type { WriteOptions } from "../../base/options.ts";
import type { RekeyInput } from "./input.ts";

/** A day, in ms: more is a mistake, and timers end at 24.8 days. */
const MOST_TIMEOUT_MS = 86_400_000;

/**
 * --layout, --in-place, --key-mode, --cert-mode, --owner, --group and
 * --lock-timeout.
 *
 * @throws {RekeyError} kind `usage`
 */
export function resolveWrite(input: RekeyInput): WriteOptions {
  const layout = resolveLayout(input);
  const inPlace = input.flags["in-place"] === true;
  if (inPlace && layout === "versioned") {
    throw input.usage(
      "flag '--in-place' is incompatible with '--layout versioned'",
      { flags: ["in-place", "layout"] },
    );
  }
  return {
    ...(layout !== undefined && { layout }),
    inPlace,
    attributes: resolveAttributes(input),
    lockTimeoutMs: resolveLockTimeout(input),
  };
}

function resolveAttributes(input: RekeyInput): WriteOptions["attributes"] {
  const certificateMode = resolveFileMode(input, "cert-mode");
  const keyMode = resolveFileMode(input, "key-mode");
  const owner = resolveName(input, "owner");
  const group = resolveName(input, "group");
  return {
    ...(certificateMode !== undefined && { certificateMode }),
    ...(keyMode !== undefined && { keyMode }),
    ...(owner !== undefined && { owner }),
    ...(group !== undefined && { group }),
  };
}

/**
 * --lock-timeout in ms; 0 when it is not set.
 *
 * @throws {RekeyError} kind `usage`
 */
export function resolveLockTimeout(input: RekeyInput): number {
  if (input.flags["lock-timeout"] === "") throw input.invalid("lock-timeout");
  const timeoutMs = input.durationMs("lock-timeout") ?? 0;
  if (timeoutMs < 0) {
    throw input.invalid("lock-timeout", "must not be negative");
  }
  if (timeoutMs > MOST_TIMEOUT_MS) {
    throw input.invalid("lock-timeout", "must be at most 24h");
  }
  return timeoutMs;
}

function resolveLayout(input: RekeyInput): WriteOptions["layout"] {
  const layout = input.text("layout");
  if (layout === undefined || layout === "plain" || layout === "versioned") {
    return layout;
  }
  throw input.invalid("layout", "must be plain or versioned");
}

function resolveFileMode(
  input: RekeyInput,
  flag: "cert-mode" | "key-mode",
): number | undefined {
  const text = input.text(flag);
  if (text === undefined) return undefined;
  if (!/^(?:0o?)?[0-7]{3}$/.test(text)) {
    throw input.invalid(
      flag,
      "must be an octal mode",
      "write three octal digits, such as 0640",
    );
  }
  const mode = parseInt(text.slice(-3), 8);
  if ((mode & 0o400) !== 0) return mode;
  throw input.invalid(
    flag,
    "must let the owner read",
    "the next rekey has to read the file: 0400, 0600, 0640 or 0644",
  );
}

/** Ids are unsigned 32-bit numbers, of which the last means "none" (chown(2)). */
const LAST_ID = 2 ** 32 - 2;

/** A user or group as passwd(5) may hold it: no colon, no control character. */
function resolveName(
  input: RekeyInput,
  flag: "owner" | "group",
): string | undefined {
  const name = input.text(flag);
  if (name !== undefined && /^\d+$/.test(name) && Number(name) > LAST_ID) {
    throw input.invalid(flag, `a number must be at most ${LAST_ID}`);
  }
  // deno-lint-ignore no-control-regex -- these are what must not be in it
  if (name === undefined || !/[:\s\u0000-\u001f]/.test(name)) return name;
  throw input.invalid(
    flag,
    `must be the name or number of one ${flag === "owner" ? "user" : "group"}`,
  );
}
