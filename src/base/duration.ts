/**
 * Durations ("2h45m", "1.5h", "-300ms") and instants as text.
 *
 * Durations have the grammar, range and printed form of Go's
 * time.ParseDuration and Duration.String, since flags, ca.json and messages
 * all use them. Instants are RFC 3339.
 */

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  "ns": 1n,
  "us": 1_000n,
  "µs": 1_000n, // U+00B5 micro sign
  "μs": 1_000n, // U+03BC Greek letter mu
  "ms": 1_000_000n,
  "s": 1_000_000_000n,
  "m": 60_000_000_000n,
  "h": 3_600_000_000_000n,
};

/** Largest magnitude: Go keeps durations in an int64. */
const MAX_NANOSECONDS = 2n ** 63n - 1n;

/** What durations below a second are printed in. */
const SMALL_UNITS = [
  ["ns", 1n],
  ["µs", 1_000n],
  ["ms", 1_000_000n],
] as const;

const PART = /([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/y;

/**
 * Nanoseconds of a duration text.
 *
 * @returns undefined when Go would not parse it, or when it is out of range
 */
export function parseGoDuration(text: string): bigint | undefined {
  const unsigned = text.replace(/^[-+]/, "");
  if (unsigned === "0") return 0n;
  if (unsigned === "") return undefined;
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < unsigned.length) {
    const match = PART.exec(unsigned);
    if (match === null) return undefined;
    const [, whole = "", fraction = "", unit = ""] = match;
    const size = Object.hasOwn(NANOSECONDS, unit)
      ? NANOSECONDS[unit]
      : undefined;
    if (size === undefined || (whole === "" && fraction === "")) {
      return undefined;
    }
    // Eighteen digits are more than the largest unit can tell apart.
    const digits = fraction.slice(0, 18);
    total += BigInt(whole || "0") * size +
      BigInt(digits || "0") * size / 10n ** BigInt(digits.length);
    if (total > MAX_NANOSECONDS) return undefined;
  }
  return text.startsWith("-") ? -total : total;
}

/** Go's text of a duration in ns: `24h1m0s`, `1m30s`, `499ms`, `1.5µs`, `0s`. */
export function formatGoDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  for (const [unit, size] of SMALL_UNITS) {
    if (value < size * 1_000n) return `${sign}${decimal(value, size)}${unit}`;
  }
  const minutes = value / 60_000_000_000n;
  const seconds = `${decimal(value % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  const hours = minutes / 60n;
  if (hours === 0n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** Go's text of a duration in ms. */
export function formatDurationMs(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1_000_000)));
}

/** The same, rounded to the nearest second, half away from zero. */
export function formatRoundedDuration(ms: number): string {
  const seconds = Math.sign(ms) * Math.round(Math.abs(ms) / 1000);
  return formatGoDuration(BigInt(seconds) * 1_000_000_000n);
}

/** RFC 3339 in UTC, without a fraction: `2026-01-31T12:00:00Z`. */
export function formatInstant(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

/** A quotient with as many decimals as it needs. */
function decimal(value: bigint, size: bigint): string {
  const fraction = String(value % size)
    .padStart(String(size).length - 1, "0").replace(/0+$/, "");
  return fraction === "" || size === 1n
    ? String(value / size)
    : `${value / size}.${fraction}`;
}
