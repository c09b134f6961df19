/**
 * Claims: what a provisioner allows (smallstep/certificates
 * authority/provisioner/claims.go).
 *
 * Only two of them count for a rekey. The durations are checked all the same:
 * a ca.json that step-ca does not start with is not one to sign by.
 */
import { formatGoDuration } from "../../../base/duration.ts";
import type { JsonObject } from "./json_object.ts";

/** Claims that count for a rekey; undefined: as the level above says. */
export interface Claims {
  readonly disableRenewal: boolean | undefined;
  readonly allowRenewalAfterExpiry: boolean | undefined;
}

/**
 * The claims of the authority, or of one provisioner.
 *
 * @throws {JsonTypeError} when one has another type than it should
 */
export function readClaims(owner: JsonObject): Claims {
  const claims = owner.object("claims");
  return {
    disableRenewal: claims?.boolean("disableRenewal"),
    allowRenewalAfterExpiry: claims?.boolean("allowRenewalAfterExpiry"),
  };
}

/** How long a certificate may live; all in nanoseconds. */
export interface Lifetimes {
  readonly least: bigint;
  readonly most: bigint;
  readonly usual: bigint;
}

const MINUTE = 60_000_000_000n;

/** Of a CA that says nothing (authority/config/config.go:49-63). */
export const DEFAULT_LIFETIMES: Lifetimes = {
  least: 5n * MINUTE,
  most: 24n * 60n * MINUTE,
  usual: 24n * 60n * MINUTE,
};

/**
 * The lifetimes of a level. A default that lies outside of the limits above
 * moves them, where the level has no limits of its own.
 *
 * @throws {JsonTypeError} when one is not a duration
 */
export function readLifetimes(owner: JsonObject, above: Lifetimes): Lifetimes {
  const claims = owner.object("claims");
  const usual = claims?.duration("defaultTLSCertDuration");
  const least = claims?.duration("minTLSCertDuration");
  const most = claims?.duration("maxTLSCertDuration");
  return {
    least: least ?? smaller(usual ?? above.least, above.least),
    most: most ?? larger(usual ?? above.most, above.most),
    usual: usual ?? above.usual,
  };
}

/** Why step-ca refuses them, in its words; undefined when it does not. */
export function lifetimesFault(
  { least, most, usual }: Lifetimes,
): string | undefined {
  for (
    const [name, value] of [
      ["MinTLSCertDuration", least],
      ["MaxTLSCertDuration", most],
      ["DefaultTLSCertDuration", usual],
    ] as const
  ) {
    if (value <= 0n) return `claims: ${name} must be greater than 0`;
  }
  for (
    const [name, value, otherName, other] of [
      ["Max", most, "Min", least],
      ["Default", usual, "Min", least],
      ["Max", most, "Default", usual],
    ] as const
  ) {
    if (value >= other) continue;
    const [one, two] = [name, otherName].map((word) => `${word}CertDuration`);
    return `claims: ${one} cannot be less than ${two}: ${one} - ${
      formatGoDuration(value)
    }, ${two} - ${formatGoDuration(other)}`;
  }
  return undefined;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
