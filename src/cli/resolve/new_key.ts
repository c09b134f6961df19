/**
 * The new key: that of --private-key, or one to generate by --kty, --curve and
 * --size; and whether it is encrypted.
 *
 * Texts and order are the original's (smallstep/cli utils/cli.go:20-84), with
 * one repair: the manual's defaults hold for --curve and --size without
 * --kty, so the type is inferred from them. Pure. Errors are of kind
 * `usage`.
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import {
  type EcCurve,
  type KeySpec,
  MAX_RSA_BITS,
  type NewKey,
  type RekeyOptions,
} from "../../base/options.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";
import type { FlagReader } from "./flag_reader.ts";
import { REKEY_FLAGS } from "./flags.ts";

/** Where the new key comes from. */
export function resolveNewKey(flags: FlagReader): NewKey {
  const path = flags.text("private-key");
  if (path === undefined) {
    return { from: "generate", spec: resolveNewKeySpec(flags) };
  }
  for (const flag of ["kty", "curve", "size"] as const) {
    // From a variable or a file it is a default for keys that are generated.
    if (!flags.isTyped(flag)) continue;
    throw flags.usage(
      `flag '--${flag}' is incompatible with flag '--private-key'`,
      {
        flags: ["private-key"],
        hint: "the type of the new key is that of the file",
      },
    );
  }
  if (path === STANDARD_INPUT) {
    throw flags.invalid("private-key", "a key cannot come from standard input");
  }
  if (flags.values.daemon === true) {
    throw flags.usage(
      "flag '--private-key' is incompatible with flag '--daemon'",
      {
        flags: ["private-key", "daemon"],
        hint:
          "leave --private-key out: the daemon makes a new key for every rekey",
      },
    );
  }
  return { from: "file", path, writeCopy: flags.isSet("out-key") };
}

/** Which key to generate. */
export function resolveNewKeySpec(flags: FlagReader): KeySpec {
  try {
    return resolveKeySpec(flags.values);
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // The same error, with the origin of the flags.
    throw flags.usage(error.message, {
      flags: ["kty", "curve", "size"],
      hint: error.hint,
    });
  }
}

/**
 * The manual's "password to encrypt or decrypt the private key". A key that was
 * plain is encrypted only when the flag stands on the command line: in a
 * variable or a file it is a default for keys that are encrypted. Offline,
 * --password-file alone is as a rule the password of the CA's key, so it does
 * not ask for that either.
 */
export function resolveEncryption(
  flags: FlagReader,
): RekeyOptions["encryptNewKey"] {
  if (!flags.text("password-file") || !flags.isTyped("password-file")) {
    return "as-current";
  }
  const isForCa = flags.values.offline === true &&
    flags.text("ca-password-file") === undefined;
  return isForCa ? "as-current" : "always";
}

/** An empty text is set, and undefined is not. */
type KeyFlags = Pick<FlagReader["values"], "kty" | "curve" | "size">;

const CURVES = Object.keys(REKEY_FLAGS.curve.choices);
const EC_CURVES = CURVES.filter(isEcCurve);
/** In the original's order. */
const KEY_TYPES = "RSA, EC, OKP";

const DEFAULT_RSA_BITS = 2048n;
/** Less is too weak (NIST SP 800-57); the original's limit, too. */
const LEAST_RSA_BITS = 2048n;

function resolveKeySpec(flags: KeyFlags): KeySpec {
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
        `invalid value '${
          shortened(kty)
        }' for flag '--kty'; options are ${KEY_TYPES}`,
      );
  }
}

function inferType({ curve, size }: KeyFlags): "EC" | "OKP" | "RSA" {
  if (curve === undefined) return size === undefined ? "EC" : "RSA";
  if (curve === "Ed25519") return "OKP";
  if (isEcCurve(curve)) return "EC";
  const problem = curve === ""
    ? "missing value for flag '--curve'"
    : `invalid value '${shortened(curve)}' for flag '--curve'`;
  throw usage(`${problem}; options are ${CURVES.join(", ")}`);
}

function ecSpec({ curve, size }: KeyFlags): KeySpec {
  if (size !== undefined) throw incompatible("--size", "--kty EC");
  if (curve === undefined) return { kty: "EC", curve: "P-256" };
  if (!isEcCurve(curve)) throw wrongCurve("EC", curve);
  return { kty: "EC", curve };
}

function okpSpec({ curve, size }: KeyFlags): KeySpec {
  if (size !== undefined) throw incompatible("--size", "--kty OKP");
  if (curve !== undefined && curve !== "" && curve !== "Ed25519") {
    throw wrongCurve("OKP", curve);
  }
  return { kty: "OKP", curve: "Ed25519" };
}

function rsaSpec({ curve, size = DEFAULT_RSA_BITS }: KeyFlags): KeySpec {
  if (curve !== undefined) throw incompatible("--curve", "--kty RSA");
  if (size < LEAST_RSA_BITS) {
    throw usage(
      `flag '--size' requires at least ${LEAST_RSA_BITS} unless '--insecure' flag is provided`,
      `an RSA key needs ${LEAST_RSA_BITS} bits or more, and no flag allows less`,
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
  return curve !== "Ed25519" && CURVES.includes(curve);
}

function incompatible(flag: string, other: string): RekeyError {
  return usage(`flag '${flag}' is incompatible with flag '${other}'`);
}

function wrongCurve(kty: "EC" | "OKP", curve: string): RekeyError {
  const options = kty === "EC" ? EC_CURVES.join(", ") : "Ed25519";
  return usage(
    `flag '--kty ${kty}' is incompatible with flag '--curve ${
      shortened(curve)
    }'\n\n  Option(s): --curve ${options}`,
  );
}

function usage(message: string, hint?: string): RekeyError {
  return new RekeyError("usage", message, { hint });
}
