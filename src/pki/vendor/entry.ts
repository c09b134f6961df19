/**
 * What `deno task vendor` bundles into peculiar.js, and its types.
 *
 * reflect-metadata comes first: the library registers its classes with it
 * while it is imported.
 */
import "reflect-metadata";
export * as asn1Pkcs8 from "@peculiar/asn1-pkcs8";
export * as asn1Schema from "@peculiar/asn1-schema";
export * as asn1X509 from "@peculiar/asn1-x509";
export * as x509 from "@peculiar/x509";
