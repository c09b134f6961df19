/**
 * Which signature algorithm an issuer's key uses, and the signing itself.
 *
 * The choice is Go's x509.CreateCertificate with step-ca's template: by curve
 * for EC; for RSA the algorithm with which the issuer's own certificate is
 * signed, where that is a sound RSA one.
 */
import { readDer } from "../asn1/der.ts";
import type { Certificate } from "../certificate/certificate.ts";
import {
  CURVES,
  HASHES,
  KEY_OID,
  nameOf,
  RSA_ALGORITHM,
  type SignatureHash,
  signingParameters,
} from "../keys/algorithms.ts";
import type { PrivateKey } from "../keys/private_key.ts";
import { readPssParameters } from "../verify/signature.ts";
import { asn1X509, serialize, x509 } from "../asn1/x509.ts";

/** An algorithm that fits the issuer's key. */
export interface IssuerSignature {
  /** AlgorithmIdentifier DER. */
  readonly algorithmDer: Uint8Array<ArrayBuffer>;
  /** The content of signatureValue. */
  sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** The algorithm with which `key` signs below the certificate `issuer`. */
export function issuerSignature(
  key: PrivateKey,
  issuer: Certificate,
): IssuerSignature {
  const { spec, signingKey } = key;
  switch (spec.kty) {
    case "OKP":
      return {
        algorithmDer: algorithmDer(KEY_OID.ed25519),
        sign: (data) => sign(signingParameters(spec), signingKey, data),
      };
    case "EC": {
      const { hash } = CURVES[spec.curve];
      const algorithm = { name: "ECDSA", namedCurve: spec.curve, hash };
      return {
        algorithmDer: algorithmDer(HASHES[hash].ecdsa),
        sign: async (data) =>
          toDerSignature(algorithm, await sign(algorithm, signingKey, data)),
      };
    }
    case "RSA":
      return rsaSignature(key, issuer);
  }
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

function rsaSignature(key: PrivateKey, issuer: Certificate): IssuerSignature {
  const { oid, parameters } = issuer.signatureAlgorithm;
  if (oid === KEY_OID.rsaPss && parameters !== undefined) {
    const own = readPssParameters(readDer(parameters));
    if (own !== undefined && own.saltLength === HASHES[own.hash].bytes) {
      return pssSignature(key, own.hash);
    }
  }
  const hash = nameOf(HASHES, { rsa: oid }) ?? "SHA-256";
  return {
    algorithmDer: algorithmDer(HASHES[hash].rsa, null),
    sign: async (data) => {
      const { name } = RSA_ALGORITHM;
      return sign({ name }, await importKey(key, { name, hash }), data);
    },
  };
}

function pssSignature(
  key: PrivateKey,
  hash: SignatureHash,
): IssuerSignature {
  return {
    algorithmDer: algorithmDer(KEY_OID.rsaPss, pssParameters(hash).buffer),
    sign: async (data) => {
      const name = "RSA-PSS";
      const algorithm = { name, saltLength: HASHES[hash].bytes };
      return sign(algorithm, await importKey(key, { name, hash }), data);
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

async function sign(
  algorithm: Algorithm | EcdsaParams | RsaPssParams,
  key: CryptoKey,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(algorithm, key, data));
}

/** r and s side by side as SEQUENCE { r, s } (RFC 3279 §2.2.3). */
function toDerSignature(
  algorithm: EcKeyAlgorithm,
  signature: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const der = new x509.AsnEcSignatureFormatter()
    .toAsnSignature(algorithm, signature.buffer);
  if (der === null) throw new TypeError("not an ECDSA signature");
  return new Uint8Array(der);
}

function algorithmDer(
  oid: string,
  parameters?: ArrayBuffer | null,
): Uint8Array<ArrayBuffer> {
  const identifier = new asn1X509.AlgorithmIdentifier({ algorithm: oid });
  if (parameters !== undefined) identifier.parameters = parameters;
  return serialize(identifier);
}
