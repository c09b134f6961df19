import { DER_TAG, DerFields, readDer } from "../asn1/der.ts";
import { readAlgorithm, readOctetBits } from "../asn1/der_values.ts";
import {
  writeDer,
  writeObjectIdentifier,
  writeSequence,
  writeSmallInteger,
} from "../asn1/der_writer.ts";
import { toPem } from "../asn1/pem.ts";
import type { RequestedNames } from "../certificate/requested_names.ts";
import type { PrivateKey } from "./private_key.ts";
import { isValidSignature } from "./signature.ts";
import { signerOf } from "./signing.ts";

/** A signed request: proof that we hold the key. */
export interface Csr {
  /** `CERTIFICATE REQUEST`, 64 columns, final newline. */
  readonly pem: string;
  /** SubjectPublicKeyInfo DER of the new key. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** RFC 2985 §5.4.2. */
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/**
 * Makes a request, signed by the new key itself. Field by field what Go's
 * x509.CreateCertificateRequest makes of the same template.
 *
 * @param names none for a rekey: the CA takes nothing but the public key from
 *   the request (smallstep/certificates api/rekey.go); subject and names are
 *   the current certificate's
 * @throws {TypeError} when the halves of the key do not belong together
 */
export async function createCsr(
  key: PrivateKey,
  names?: RequestedNames,
): Promise<Csr> {
  const { publicKey } = key;
  const attributes = names?.extensionDer === undefined ? [] : [
    writeSequence(
      writeObjectIdentifier(EXTENSION_REQUEST),
      writeDer(DER_TAG.set, writeSequence(names.extensionDer)),
    ),
  ];
  const data = writeSequence(
    writeSmallInteger(0), // version 1
    names?.subjectDer ?? writeSequence(),
    publicKey,
    writeDer(0xa0, ...attributes),
  );
  const der = await signerOf(key).signed(data);
  const fields = new DerFields(readDer(der));
  const signed = {
    data: fields.take().der,
    algorithm: readAlgorithm(fields.take()),
    signature: readOctetBits(fields.take()),
  };
  if (!await isValidSignature(signed, publicKey)) {
    throw new TypeError("the halves of the key do not belong together");
  }
  return { pem: toPem("CERTIFICATE REQUEST", der), publicKey };
}
