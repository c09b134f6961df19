/**
 * The door to the X.509 library: the only file that imports it.
 *
 * `vendor/peculiar.js` is @peculiar/x509 and the ASN.1 schemas of its family,
 * bundled by `deno task vendor` from the versions that deno.lock pins; `deno
 * task ok` proves that the file is that bundle. Loaded as the 400 modules they
 * are published as, they cost 110 ms at each start; in one file, 10 ms.
 */
// @ts-types="../vendor/entry.ts"
export {
  asn1Csr,
  asn1Ecc,
  asn1Pkcs8,
  asn1Rsa,
  asn1Schema,
  asn1X509,
  x509,
} from "../vendor/peculiar.js";
