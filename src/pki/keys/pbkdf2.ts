/**
 * PBKDF2 (RFC 8018 §5.2) over every hash that key files use.
 */
import type { HmacHash } from "./algorithms.ts";

/** What the derivation depends on besides the password. */
export interface Pbkdf2Settings {
  readonly hash: HmacHash;
  readonly salt: Uint8Array<ArrayBuffer>;
  /** At least 1. The caller bounds it: 2,000,000 take about a second. */
  readonly iterations: number;
  /** Length of the key. */
  readonly bytes: number;
}

/** The key that the password gives, computed off the main thread. */
export async function derivePbkdf2(
  password: string,
  { hash, salt, iterations, bytes }: Pbkdf2Settings,
): Promise<Uint8Array<ArrayBuffer>> {
  const secret = new TextEncoder().encode(password);
  if (hash === "SHA-224") {
    // Web Crypto does not have SHA-224, and loading node:crypto takes 28 ms.
    const { pbkdf2 } = await import("node:crypto");
    return new Promise((resolve, reject) => {
      pbkdf2(secret, salt, iterations, bytes, "sha224", (error, key) => {
        if (error) return reject(error);
        resolve(new Uint8Array(key));
      });
    });
  }
  const material = await crypto.subtle.importKey(
    "raw",
    secret,
    "PBKDF2",
    false,
    ["deriveBits"],
  );
  return new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "PBKDF2", hash, salt, iterations },
      material,
      bytes * 8,
    ),
  );
}
