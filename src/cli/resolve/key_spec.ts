/**
 * --kty, --curve and --size made into the key to generate.
 *
 * Texts and order are the original's (smallstep/cli utils/cli.go:20-84), with
 * one repair: the manual's defaults hold for --curve and --size without
 * --kty, so the type is inferred from them. Pure.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  type EcCurve,
  type KeySpec,
  MAX_RSA_BITS,
} from "../../base/options.ts";

/** The three flags; undefined means not set, which an empty text is not. */
export interface KeyFlags {
  readonly kty: string | undefined;
  readonly curve: string | undefined;
  readonly size: bigint | undefined;
}

const EC_CURVES: readonly EcCurve[] = ["P-256", "P-384", "P-521"];
const KEY_TYPES = "RSA, EC, OKP";

const DEFAULT_RSA_BITS = 2048n;
/** Less is too weak (NIST SP 800-57); the original's limit, too. */
const LEAST_RSA_BITS = 2048n;

/** @throws {RekeyError} kind `usage` */
export function resolveKeySpec(flags: KeyFlags): KeySpec {
  const kty = flags.kty ?? inferType(flags);
  switch (kty) {
    case "EC":
      return ecSpec(flags);
    case "OKP":
      return okpSpec(flags);
    case "RSA":
      return rsaSpec(flags);
    case "":
      throw usage(`missing value for flag '--kty'; options are ${KEY_TYPES}`);
    default:
      throw usage(
        `invalid value '${kty}' for flag '--kty'; options are ${KEY_TYPES}`,
      );
  }
}

function inferType({ curve, size }: KeyFlags): "EC" | "OKP" | "RSA" {
  if (curve === undefined) return size === undefined ? "EC" : "RSA";
  if (curve === "Ed25519") return "OKP";
  if (isEcCurve(curve)) return "EC";
  const problem = curve === ""
    ? "missing value for flag '--curve'"
    : `invalid value '${curve}' for flag '--curve'`;
  throw usage(`${problem}; options are ${EC_CURVES.join(", ")}, Ed25519`);
}

function ecSpec({ curve, size }: KeyFlags): KeySpec {
  if (size !== undefined) throw incompatible("--size", "--kty EC");
  if (curve === undefined) return { kty: "EC", curve: "P-256" };
  if (!isEcCurve(curve)) throw wrongCurve("EC", curve, EC_CURVES.join(", "));
  return { kty: "EC", curve };
}

function okpSpec({ curve, size }: KeyFlags): KeySpec {
  if (size !== undefined) throw incompatible("--size", "--kty OKP");
  if (curve !== undefined && curve !== "" && curve !== "Ed25519") {
    throw wrongCurve("OKP", curve, "Ed25519");
  }
  return { kty: "OKP", curve: "Ed25519" };
}

function rsaSpec({ curve, size = DEFAULT_RSA_BITS }: KeyFlags): KeySpec {
  if (curve !== undefined) throw incompatible("--curve", "--kty RSA");
  if (size < LEAST_RSA_BITS) {
    throw usage(
      `flag '--size' requires at least ${LEAST_RSA_BITS} unless '--insecure' flag is provided`,
      `an RSA key needs ${LEAST_RSA_BITS} bits or more; there is no --insecure here`,
    );
  }
  if (size > BigInt(MAX_RSA_BITS)) {
    throw usage(
      `invalid value '${size}' for flag '--size'; must be at most ${MAX_RSA_BITS}`,
    );
  }
  return { kty: "RSA", bits: Number(size) };
}

function isEcCurve(curve: string): curve is EcCurve {
  return EC_CURVES.some((known) => known === curve);
}

function incompatible(flag: string, other: string): RekeyError {
  return usage(`flag '${flag}' is incompatible with flag '${other}'`);
}

function wrongCurve(kty: string, curve: string, options: string): RekeyError {
  return usage(
    `flag '--kty ${kty}' is incompatible with flag '--curve ${curve}'\n\n  Option(s): --curve ${options}`,
  );
}

function usage(message: string, hint?: string): RekeyError {
  return new RekeyError("usage", message, { hint });
}
