/**
 * Digests of file contents, as the journal has them.
 */

/** The SHA-256 of `content` in hexadecimal. */
export async function sha256(
  content: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return digest.toHex();
}
