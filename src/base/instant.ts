/**
 * Instants as text.
 */

/** RFC 3339 in UTC, without a fraction: `2026-01-31T12:00:00Z`. */
export function formatInstant(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}
