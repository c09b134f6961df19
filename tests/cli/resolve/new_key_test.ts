/** --kty, --curve and --size, row by row. */
import { FlagReader } from "../../../src/cli/resolve/flag_reader.ts";
import { resolveNewKeySpec } from "../../../src/cli/resolve/new_key.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";

type Row = readonly [
  kty: string | undefined,
  curve: string | undefined,
  size: bigint | undefined,
];

function title([kty, curve, size]: Row): string {
  return [["--kty", kty], ["--curve", curve], ["--size", size]]
    .map(([flag, value]) => value === undefined ? "" : `${flag} '${value}'`)
    .filter((text) => text !== "").join(" ") || "no flag";
}

function specOf([kty, curve, size]: Row) {
  const flags = { kty, curve, size };
  return resolveNewKeySpec(new FlagReader({ flags, origins: new Map() }));
}

const GOOD: readonly (readonly [Row, object])[] = [
  [[undefined, undefined, undefined], { kty: "EC", curve: "P-256" }],
  [["EC", undefined, undefined], { kty: "EC", curve: "P-256" }],
  [["EC", "P-256", undefined], { kty: "EC", curve: "P-256" }],
  [["EC", "P-384", undefined], { kty: "EC", curve: "P-384" }],
  [["EC", "P-521", undefined], { kty: "EC", curve: "P-521" }],
  [["OKP", undefined, undefined], { kty: "OKP", curve: "Ed25519" }],
  [["OKP", "", undefined], { kty: "OKP", curve: "Ed25519" }],
  [["OKP", "Ed25519", undefined], { kty: "OKP", curve: "Ed25519" }],
  [["RSA", undefined, undefined], { kty: "RSA", bits: 2048 }],
  [["RSA", undefined, 2048n], { kty: "RSA", bits: 2048 }],
  [["RSA", undefined, 3000n], { kty: "RSA", bits: 3000 }],
  [["RSA", undefined, 16384n], { kty: "RSA", bits: 16384 }],
  // The manual's defaults, which the original does not keep.
  [[undefined, "P-256", undefined], { kty: "EC", curve: "P-256" }],
  [[undefined, "P-384", undefined], { kty: "EC", curve: "P-384" }],
  [[undefined, "P-521", undefined], { kty: "EC", curve: "P-521" }],
  [[undefined, "Ed25519", undefined], { kty: "OKP", curve: "Ed25519" }],
  [[undefined, undefined, 4096n], { kty: "RSA", bits: 4096 }],
];

for (const [row, spec] of GOOD) {
  Deno.test(`resolveNewKeySpec() makes ${title(row)} into ${JSON.stringify(spec)}`, () => {
    assertEquals(specOf(row), spec);
  });
}

function ecCurve(curve: string): string {
  return `flag '--kty EC' is incompatible with flag '--curve ${curve}'\n\n  Option(s): --curve P-256, P-384, P-521`;
}

function okpCurve(curve: string): string {
  return `flag '--kty OKP' is incompatible with flag '--curve ${curve}'\n\n  Option(s): --curve Ed25519`;
}

const EC_SIZE = "flag '--size' is incompatible with flag '--kty EC'";
const OKP_SIZE = "flag '--size' is incompatible with flag '--kty OKP'";
const RSA_CURVE = "flag '--curve' is incompatible with flag '--kty RSA'";
const TOO_SMALL =
  "flag '--size' requires at least 2048 unless '--insecure' flag is provided";

const BAD: readonly (readonly [Row, string])[] = [
  [["EC", "", undefined], ecCurve("")],
  [["EC", "Ed25519", undefined], ecCurve("Ed25519")],
  [["EC", "p-256", undefined], ecCurve("p-256")],
  [["EC", "P-224", undefined], ecCurve("P-224")],
  [["EC", undefined, 2048n], EC_SIZE],
  [["EC", "P-256", 2048n], EC_SIZE],
  [["EC", "nonsense", 2048n], EC_SIZE],
  [["OKP", "P-256", undefined], okpCurve("P-256")],
  [["OKP", "ed25519", undefined], okpCurve("ed25519")],
  [["OKP", undefined, 0n], OKP_SIZE],
  [["OKP", "P-256", 2048n], OKP_SIZE],
  [["RSA", "P-256", undefined], RSA_CURVE],
  [["RSA", "", undefined], RSA_CURVE],
  [["RSA", "P-256", 1n], RSA_CURVE],
  [["RSA", undefined, 2047n], TOO_SMALL],
  [["RSA", undefined, 0n], TOO_SMALL],
  [["RSA", undefined, -4096n], TOO_SMALL],
  [[
    "RSA",
    undefined,
    16385n,
  ], "invalid value '16385' for flag '--size'; must be at most 16384"],
  [
    ["RSA", undefined, 2n ** 62n],
    "invalid value '4611686018427387904' for flag '--size'; must be at most 16384",
  ],
  [
    ["oct", undefined, undefined],
    "invalid value 'oct' for flag '--kty'; options are RSA, EC, OKP",
  ],
  [
    ["rsa", undefined, 2048n],
    "invalid value 'rsa' for flag '--kty'; options are RSA, EC, OKP",
  ],
  [
    ["", undefined, undefined],
    "missing value for flag '--kty'; options are RSA, EC, OKP",
  ],
  [[undefined, "P-256", 2048n], EC_SIZE],
  [[undefined, "Ed25519", 256n], OKP_SIZE],
  [[undefined, undefined, 1024n], TOO_SMALL],
  [
    [undefined, "P-224", undefined],
    "invalid value 'P-224' for flag '--curve'; options are P-256, P-384, P-521, Ed25519",
  ],
  [
    [undefined, "", undefined],
    "missing value for flag '--curve'; options are P-256, P-384, P-521, Ed25519",
  ],
];

for (const [row, message] of BAD) {
  Deno.test(`resolveNewKeySpec() refuses ${title(row)}`, () => {
    const error = assertThrows(
      () => specOf(row),
      "usage",
    );
    assertEquals(error.message, message);
  });
}
