/**
 * Which signature algorithm an issuer's key uses, and the signing itself.
 *
 * The choice is Go's x509.CreateCertificate with step-ca's template: by curve
 * for EC; for RSA the algorithm with which the issuer's own certificate is
 * signed, where that is a sound RSA one.
 */
import { readDer } from "../asn1/der.ts";
import type { Certificate } from "../certificate/certificate.ts";
import type { PrivateKey } from "../keys/private_key.ts";
import { readPssParameters } from "../verify/rsa_pss.ts";
import { asn1Schema, asn1X509, x509 } from "../asn1/x509.ts";

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
        algorithmDer: algorithmDer("1.3.101.112"),
        sign: (data) => sign({ name: "Ed25519" }, signingKey, data),
      };
    case "EC": {
      const { oid, hash } = ECDSA[spec.curve];
      const algorithm = { name: "ECDSA", namedCurve: spec.curve, hash };
      return {
        algorithmDer: algorithmDer(oid),
        sign: async (data) =>
          toDerSignature(algorithm, await sign(algorithm, signingKey, data)),
      };
    }
    case "RSA":
      return rsaSignature(key, issuer);
  }
}

const ECDSA = {
  "P-256": { oid: "1.2.840.10045.4.3.2", hash: "SHA-256" },
  "P-384": { oid: "1.2.840.10045.4.3.3", hash: "SHA-384" },
  "P-521": { oid: "1.2.840.10045.4.3.4", hash: "SHA-512" },
} as const;

/** RFC 4055 §5. */
const PKCS1: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.11", "SHA-256"],
  ["1.2.840.113549.1.1.12", "SHA-384"],
  ["1.2.840.113549.1.1.13", "SHA-512"],
]);

const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
const RSASSA_PSS = "1.2.840.113549.1.1.10";

/** RFC 4055 §3.1, each hash with itself in MGF1 and a salt of its length. */
const PSS: Readonly<
  Record<string, { readonly saltLength: number; readonly parameters: string }>
> = {
  "SHA-256": {
    saltLength: 32,
    parameters:
      "3034a00f300d06096086480165030402010500a11c301a06092a864886f70d" +
      "010108300d06096086480165030402010500a203020120",
  },
  "SHA-384": {
    saltLength: 48,
    parameters:
      "3034a00f300d06096086480165030402020500a11c301a06092a864886f70d" +
      "010108300d06096086480165030402020500a203020130",
  },
  "SHA-512": {
    saltLength: 64,
    parameters:
      "3034a00f300d06096086480165030402030500a11c301a06092a864886f70d" +
      "010108300d06096086480165030402030500a203020140",
  },
};

function rsaSignature(key: PrivateKey, issuer: Certificate): IssuerSignature {
  const { oid, parameters } = issuer.signatureAlgorithm;
  if (oid === RSASSA_PSS && parameters !== undefined) {
    const own = readPssParameters(readDer(parameters));
    const pss = own && PSS[own.hash];
    if (own !== undefined && pss?.saltLength === own.saltLength) {
      return pssSignature(key, own.hash, pss);
    }
  }
  const chosen = PKCS1.has(oid) ? oid : SHA256_WITH_RSA;
  const hash = PKCS1.get(chosen) ?? "SHA-256";
  return {
    algorithmDer: algorithmDer(chosen, null),
    sign: async (data) => {
      const name = "RSASSA-PKCS1-v1_5";
      return sign({ name }, await importKey(key, { name, hash }), data);
    },
  };
}

function pssSignature(
  key: PrivateKey,
  hash: string,
  pss: { readonly saltLength: number; readonly parameters: string },
): IssuerSignature {
  return {
    algorithmDer: algorithmDer(
      RSASSA_PSS,
      Uint8Array.fromHex(pss.parameters).buffer,
    ),
    sign: async (data) => {
      const name = "RSA-PSS";
      const algorithm = { name, saltLength: pss.saltLength };
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
  return new Uint8Array(asn1Schema.AsnConvert.serialize(
    new asn1X509.AlgorithmIdentifier({
      algorithm: oid,
      ...parameters !== undefined && { parameters },
    }),
  ));
}
