/**
 * Which signature algorithm an issuer's key uses, and the signing itself.
 *
 * The choice is Go's x509.CreateCertificate with step-ca's template: by curve
 * for EC; for RSA the algorithm with which the issuer's own certificate is
 * signed, where that is a sound RSA one.
 */
import { readDer } from "../asn1/der.ts";
import { DER_NULL, writeAlgorithm } from "../asn1/der_writer.ts";
import type { Certificate } from "../certificate/certificate.ts";
import {
  HASHES,
  KEY_OID,
  nameOf,
  RSA_ALGORITHM,
  type SignatureHash,
} from "../keys/algorithms.ts";
import type { PrivateKey } from "../keys/private_key.ts";
import { readPssParameters } from "../keys/signature.ts";
import { sign, type Signer, signerOf } from "../keys/signing.ts";

/** The key `key` with the algorithm with which it signs below `issuer`. */
export function issuerSignature(key: PrivateKey, issuer: Certificate): Signer {
  return key.spec.kty === "RSA" ? rsaSigner(key, issuer) : signerOf(key);
}

/** RFC 4055 §3.1: the hash itself in MGF1 and a salt of its length. */
function pssParameters(hash: SignatureHash): Uint8Array<ArrayBuffer> {
  const { bytes } = HASHES[hash];
  // The last octet of the hash's OID, 2.16.840.1.101.3.4.2.n.
  const n = HASHES[hash].oid.slice(-1).padStart(2, "0");
  return Uint8Array.fromHex(
    `3034a00f300d06096086480165030402${n}0500` +
      `a11c301a06092a864886f70d010108300d06096086480165030402${n}0500` +
      `a2030201${bytes.toString(16)}`,
  );
}

function rsaSigner(key: PrivateKey, issuer: Certificate): Signer {
  const { oid, parameters } = issuer.signatureAlgorithm;
  if (oid === KEY_OID.rsaPss && parameters !== undefined) {
    const own = readPssParameters(readDer(parameters));
    if (own !== undefined && own.saltLength === HASHES[own.hash].bytes) {
      return pssSigner(key, own.hash);
    }
  }
  const hash = nameOf(HASHES, { rsa: oid }) ?? "SHA-256";
  return {
    algorithmDer: writeAlgorithm(HASHES[hash].rsa, DER_NULL),
    sign: async (data) => {
      const { name } = RSA_ALGORITHM;
      const bound = await importKey(key, { name, hash });
      return sign(data, { key: bound, algorithm: { name } });
    },
  };
}

function pssSigner(key: PrivateKey, hash: SignatureHash): Signer {
  return {
    algorithmDer: writeAlgorithm(KEY_OID.rsaPss, pssParameters(hash)),
    sign: async (data) => {
      const name = "RSA-PSS";
      const algorithm = { name, saltLength: HASHES[hash].bytes };
      const bound = await importKey(key, { name, hash });
      return sign(data, { key: bound, algorithm });
    },
  };
}

/** Web Crypto binds an RSA key to one scheme and one hash. */
function importKey(
  { pkcs8 }: PrivateKey,
  algorithm: RsaHashedImportParams,
): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
}
