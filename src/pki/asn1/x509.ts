/**
 * The door to the X.509 library: the only file that imports it.
 *
 * `vendor/peculiar.js` is @peculiar/x509 and the ASN.1 schemas of its family,
 * bundled by `deno task vendor` from the versions that deno.lock pins; `deno
 * task ok` proves that the file is that bundle. Loaded as the 400 modules they
 * are published as, they cost 110 ms at each start; in one file, 10 ms.
 */
// @ts-types="../vendor/entry.ts"
import { asn1Schema } from "../vendor/peculiar.js";

// @ts-types="../vendor/entry.ts"
export { asn1Pkcs8, asn1Schema, asn1X509, x509 } from "../vendor/peculiar.js";

/** How one field is encoded: what the library's decorator takes. */
type FieldSchema = Parameters<typeof asn1Schema.AsnProp>[0];

/**
 * Says how the fields of a class are encoded, in their order. Instead of the
 * library's decorators, which are of the kind that Deno does not compile.
 */
export function defineSchema<T extends object>(
  type: new () => T,
  fields: Partial<Readonly<Record<keyof T & string, FieldSchema>>>,
): void {
  for (const [name, field] of Object.entries<FieldSchema | undefined>(fields)) {
    if (field !== undefined) asn1Schema.AsnProp(field)(type.prototype, name);
  }
}

/** DER of an object that has a schema. */
export function serialize(value: object): Uint8Array<ArrayBuffer> {
  return new Uint8Array(asn1Schema.AsnConvert.serialize(value));
}
