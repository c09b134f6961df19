/**
 * ASN.1 schemas of private-key files that the library has no classes for.
 *
 * Only shapes: what the values mean is checked where they are used. The
 * decorators are called as functions, because Deno compiles the standard ones
 * and the library has the older kind.
 */
import { MalformedKeyError } from "./key_numbers.ts";
import { asn1Pkcs8, asn1Schema, asn1X509 } from "../asn1/x509.ts";

const { AsnConvert, AsnProp, AsnPropTypes, OctetString } = asn1Schema;
const { AlgorithmIdentifier } = asn1X509;

type Algorithm = InstanceType<typeof AlgorithmIdentifier>;
type Octets = InstanceType<typeof OctetString>;

/** RFC 5958 §2; the library's PrivateKeyInfo has no public key. */
export class OneAsymmetricKey {
  version: unknown = 0;
  privateKeyAlgorithm: Algorithm = new AlgorithmIdentifier();
  privateKey: Octets = new OctetString();
  attributes?: InstanceType<typeof asn1Pkcs8.Attributes>;
  publicKey?: ArrayBuffer;
}
AsnProp({ type: AsnPropTypes.Integer })(OneAsymmetricKey.prototype, "version");
AsnProp({ type: AlgorithmIdentifier })(
  OneAsymmetricKey.prototype,
  "privateKeyAlgorithm",
);
AsnProp({ type: OctetString })(OneAsymmetricKey.prototype, "privateKey");
AsnProp({
  type: asn1Pkcs8.Attributes,
  context: 0,
  implicit: true,
  optional: true,
})(OneAsymmetricKey.prototype, "attributes");
AsnProp({
  type: AsnPropTypes.BitString,
  context: 1,
  implicit: true,
  optional: true,
})(OneAsymmetricKey.prototype, "publicKey");

/** RFC 8018 §A.4. */
export class Pbes2Parameters {
  keyDerivationFunc: Algorithm = new AlgorithmIdentifier();
  encryptionScheme: Algorithm = new AlgorithmIdentifier();
}
AsnProp({ type: AlgorithmIdentifier })(
  Pbes2Parameters.prototype,
  "keyDerivationFunc",
);
AsnProp({ type: AlgorithmIdentifier })(
  Pbes2Parameters.prototype,
  "encryptionScheme",
);

/**
 * RFC 8018 §A.2, with the salt as bytes: nobody has ever defined another
 * source of it. Without `prf` it is HMAC-SHA1.
 */
export class Pbkdf2Parameters {
  salt: Octets = new OctetString();
  /** Text when it is too large for four bytes. */
  iterationCount: number | string = 0;
  keyLength?: number | string;
  prf?: Algorithm;
}
AsnProp({ type: OctetString })(Pbkdf2Parameters.prototype, "salt");
AsnProp({ type: AsnPropTypes.Integer })(
  Pbkdf2Parameters.prototype,
  "iterationCount",
);
AsnProp({ type: AsnPropTypes.Integer, optional: true })(
  Pbkdf2Parameters.prototype,
  "keyLength",
);
AsnProp({ type: AlgorithmIdentifier, optional: true })(
  Pbkdf2Parameters.prototype,
  "prf",
);

/** Which schema to read, and what to call the bytes when they do not fit. */
export interface AsnReading<T> {
  readonly schema: new () => T;
  readonly what: string;
}

/**
 * Reads DER.
 *
 * @throws {MalformedKeyError} when the bytes do not fit the schema
 */
export function parseAsn<T>(
  der: Uint8Array | ArrayBuffer,
  { schema, what }: AsnReading<T>,
): T {
  try {
    return AsnConvert.parse(der, schema);
  } catch (cause) {
    throw new MalformedKeyError(what, cause);
  }
}

/** Writes DER. */
export function serializeAsn(value: object): Uint8Array<ArrayBuffer> {
  return new Uint8Array(AsnConvert.serialize(value));
}
