/**
 * Which signature algorithm an issuer's key uses: the choice of Go's
 * x509.CreateCertificate with step-ca's template. By curve for EC; for RSA the
 * algorithm with which the issuer's own certificate is signed, where that is a
 * sound RSA one.
 */
import { readDer } from "../asn1/der.ts";
import {
  DER_NULL,
  writeAlgorithm,
  writeDer,
  writeSequence,
  writeSmallInteger,
} from "../asn1/der_writer.ts";
import type { Certificate } from "../certificate/certificate.ts";
import {
  HASHES,
  KEY_OID,
  nameOf,
  RSA_ALGORITHM,
  type SignatureHash,
} from "../keys/algorithms.ts";
import type { PrivateKey } from "../keys/private_key.ts";
import { MGF1_OID, readPssParameters } from "../keys/signature.ts";
import { makeSigner, type Signer, signerOf } from "../keys/signing.ts";

/** The key `key` with the algorithm with which it signs below `issuer`. */
export function issuerSigner(key: PrivateKey, issuer: Certificate): Signer {
  if (key.spec.kty !== "RSA") return signerOf(key);
  const { oid, parameters } = issuer.signatureAlgorithm;
  // Web Crypto binds an RSA key to one scheme and one hash.
  const rsaSigner = (
    algorithmDer: Uint8Array<ArrayBuffer>,
    hash: SignatureHash,
    algorithm: Algorithm | RsaPssParams,
  ) =>
    makeSigner(algorithmDer, async () => {
      const bound = { name: algorithm.name, hash };
      const { subtle } = crypto;
      return {
        key: await subtle.importKey("pkcs8", key.pkcs8, bound, false, ["sign"]),
        algorithm,
      };
    });
  const pss = oid === KEY_OID.rsaPss && parameters !== undefined
    ? readPssParameters(readDer(parameters))
    : undefined;
  if (pss !== undefined && pss.saltLength === HASHES[pss.hash].bytes) {
    const { hash, saltLength } = pss;
    const algorithmDer = writeAlgorithm(KEY_OID.rsaPss, pssParameters(hash));
    return rsaSigner(algorithmDer, hash, { name: "RSA-PSS", saltLength });
  }
  const hash = nameOf(HASHES, { rsa: oid }) ?? "SHA-256";
  const algorithmDer = writeAlgorithm(HASHES[hash].rsa, DER_NULL);
  return rsaSigner(algorithmDer, hash, { name: RSA_ALGORITHM.name });
}

/** RFC 4055 §3.1: the hash itself in MGF1 and a salt of its length. */
function pssParameters(hash: SignatureHash): Uint8Array<ArrayBuffer> {
  const { bytes, oid } = HASHES[hash];
  const algorithm = writeAlgorithm(oid, DER_NULL);
  return writeSequence(
    writeDer(0xa0, algorithm),
    writeDer(0xa1, writeAlgorithm(MGF1_OID, algorithm)),
    writeDer(0xa2, writeSmallInteger(bytes)),
  );
}
