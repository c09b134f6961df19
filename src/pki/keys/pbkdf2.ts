/**
 * PBKDF2 (RFC 8018 §5.2) over every hash that key files use.
 */

/** The hash inside the HMAC. */
export type Pbkdf2Hash =
  | "SHA-1"
  | "SHA-224"
  | "SHA-256"
  | "SHA-384"
  | "SHA-512";

/** How key files name the HMAC with each hash (RFC 8018 §B.1.2). */
export const PBKDF2_HASH_OIDS: Readonly<Record<Pbkdf2Hash, string>> = {
  "SHA-1": "1.2.840.113549.2.7",
  "SHA-224": "1.2.840.113549.2.8",
  "SHA-256": "1.2.840.113549.2.9",
  "SHA-384": "1.2.840.113549.2.10",
  "SHA-512": "1.2.840.113549.2.11",
};

/** What the derivation depends on besides the password. */
export interface Pbkdf2Settings {
  readonly hash: Pbkdf2Hash;
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
