/**
 * Whether revocation is checked offline: --ignore-database.
 */
import type { RekeyInput } from "./input.ts";

/**
 * Whether the CA's database is ignored. What is as dangerous has to be said
 * each time: a variable that somebody set once, or a file of defaults, is not
 * enough.
 *
 * @throws {RekeyError} kind `usage` with such a value, and without --offline
 */
export function resolveIgnoredDatabase(input: RekeyInput): boolean {
  const { flags } = input;
  if (flags["ignore-database"] !== true) return false;
  if (!input.isTyped("ignore-database")) {
    if (flags.offline !== true) return false;
    throw input.usage(
      "flag '--ignore-database' has to stand on the command line",
      { flags: ["ignore-database"] },
    );
  }
  if (flags.offline === true) return true;
  throw input.usage("flag '--ignore-database' requires the '--offline' flag", {
    flags: ["ignore-database"],
    hint: "online, the certificate authority itself asks its database",
  });
}
