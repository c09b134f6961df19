import {
  DER_NULL,
  writeAlgorithm,
  writeInteger,
  writeOctetBits,
  writeSequence,
} from "../asn1/der_writer.ts";
import { CURVES, HASHES, KEY_OID, signingParameters } from "./algorithms.ts";
import type { PrivateKey } from "./private_key.ts";

/** A key together with an algorithm that fits it. */
export interface Signer {
  /** AlgorithmIdentifier DER. */
  readonly algorithmDer: Uint8Array<ArrayBuffer>;
  /** DER of `data` (DER as well) with algorithm and signature behind it. */
  signed(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

export interface SigningMethod {
  readonly key: CryptoKey;
  readonly algorithm: Algorithm | EcdsaParams | RsaPssParams;
}

/**
 * The algorithm that Go chooses for the key: by curve for EC, and PKCS#1 v1.5
 * with SHA-256 for RSA (crypto/x509, signingParamsForKey).
 */
export function signerOf({ spec, signingKey: key }: PrivateKey): Signer {
  const method = { key, algorithm: signingParameters(spec) };
  switch (spec.kty) {
    case "OKP":
      return makeSigner(writeAlgorithm(KEY_OID.ed25519), () => method);
    case "RSA":
      return makeSigner(
        writeAlgorithm(HASHES["SHA-256"].rsa, DER_NULL),
        () => method,
      );
    case "EC":
      return makeSigner(
        writeAlgorithm(HASHES[CURVES[spec.curve].hash].ecdsa),
        () => method,
      );
  }
}

/** @param open how to sign; called for each signature */
export function makeSigner(
  algorithmDer: Uint8Array<ArrayBuffer>,
  open: () => SigningMethod | Promise<SigningMethod>,
): Signer {
  return {
    algorithmDer,
    async signed(data) {
      const { key, algorithm } = await open();
      const plain = new Uint8Array(
        await crypto.subtle.sign(algorithm, key, data),
      );
      const isEcdsa = algorithm.name === "ECDSA";
      const signature = isEcdsa ? toDerSignature(plain) : plain;
      return writeSequence(data, algorithmDer, writeOctetBits(signature));
    },
  };
}

/** r and s side by side as SEQUENCE { r, s } (RFC 3279 §2.2.3). */
function toDerSignature(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = signature.length / 2;
  return writeSequence(
    writeInteger(signature.subarray(0, half)),
    writeInteger(signature.subarray(half)),
  );
}
