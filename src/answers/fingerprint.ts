/**
 * Fingerprints of certificates: the digest of their DER, as text.
 */

/** How a digest is written. */
export type FingerprintFormat =
  | "hex"
  | "base64"
  | "base64-url"
  | "base64-raw"
  | "base64-url-raw";

/** @returns the digest; the formats called `raw` have no padding */
export async function fingerprintOf(
  der: Uint8Array<ArrayBuffer>,
  { hash, format }: {
    readonly hash: "SHA-1" | "SHA-256";
    readonly format: FingerprintFormat;
  },
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(hash, der));
  if (format === "hex") return digest.toHex();
  return digest.toBase64({
    alphabet: format.startsWith("base64-url") ? "base64url" : "base64",
    omitPadding: format.endsWith("-raw"),
  });
}
