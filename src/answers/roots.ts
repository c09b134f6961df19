/**
 * The roots that an answer believes in: those that are named, or the system's.
 */
import { isThere } from "../base/os_error.ts";
import { readCertificatePool } from "../ca/online/root_certificates.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";

/**
 * Where systems keep their public roots, as Go looks for them (crypto/x509
 * root_linux.go, root_bsd.go).
 */
const SYSTEM_ROOTS: readonly string[] = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/local/etc/ssl/cert.pem",
];

/** The places of the system's roots; SSL_CERT_FILE or SSL_CERT_DIR replaces them. */
export function systemRoots(
  env: (name: string) => string | undefined,
): readonly string[] {
  const own = env("SSL_CERT_FILE") || env("SSL_CERT_DIR");
  return own ? [own] : SYSTEM_ROOTS;
}

/**
 * The certificates of the first place that is there.
 *
 * @throws {RekeyError} kind `config`, about the last place where there is none
 */
export async function readRoots(
  places: readonly string[],
): Promise<readonly Certificate[]> {
  for (const place of places.slice(0, -1)) {
    if (await isThere(place)) return await readCertificatePool(place);
  }
  return await readCertificatePool(places.at(-1) ?? "");
}
