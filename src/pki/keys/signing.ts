/**
 * Signatures on requests and certificates, made by Web Crypto.
 */
import {
  DER_NULL,
  writeAlgorithm,
  writeInteger,
  writeSequence,
} from "../asn1/der_writer.ts";
import { CURVES, HASHES, KEY_OID, signingParameters } from "./algorithms.ts";
import type { PrivateKey } from "./private_key.ts";

/** A key together with an algorithm that fits it. */
export interface Signer {
  /** AlgorithmIdentifier DER. */
  readonly algorithmDer: Uint8Array<ArrayBuffer>;
  /** The content of signatureValue. */
  sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * The algorithm that Go chooses for the key: by curve for EC, and PKCS#1 v1.5
 * with SHA-256 for RSA (crypto/x509, signingParamsForKey).
 */
export function signerOf({ spec, signingKey }: PrivateKey): Signer {
  const signPlain = (data: Uint8Array<ArrayBuffer>) =>
    sign(data, { key: signingKey, algorithm: signingParameters(spec) });
  switch (spec.kty) {
    case "OKP":
      return {
        algorithmDer: writeAlgorithm(KEY_OID.ed25519),
        sign: signPlain,
      };
    case "RSA":
      return {
        algorithmDer: writeAlgorithm(HASHES["SHA-256"].rsa, DER_NULL),
        sign: signPlain,
      };
    case "EC": {
      const { hash } = CURVES[spec.curve];
      return {
        algorithmDer: writeAlgorithm(HASHES[hash].ecdsa),
        sign: async (data) => toDerSignature(await signPlain(data)),
      };
    }
  }
}

/** Signs by Web Crypto. */
export async function sign(
  data: Uint8Array<ArrayBuffer>,
  by: {
    readonly key: CryptoKey;
    readonly algorithm: Algorithm | EcdsaParams | RsaPssParams;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(by.algorithm, by.key, data));
}

/** r and s side by side as SEQUENCE { r, s } (RFC 3279 §2.2.3). */
function toDerSignature(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = signature.length / 2;
  return writeSequence(
    writeInteger(signature.subarray(0, half)),
    writeInteger(signature.subarray(half)),
  );
}
