/**
 * PKCS#12 (RFC 7292): a key with its chain, or trusted certificates, in one file
 * with a password.
 *
 * `vendor/pkijs.js` makes it; this is the door to that library, which is loaded
 * with this file only. Keys and certificates are under PBES2 with AES-256, the
 * whole under an HMAC-SHA256. The original writes RC2 with 40 bits and triple
 * DES, which OpenSSL 3 does not read any more.
 */
// @ts-types="./vendor/entry.ts"
import {
  Attribute,
  AuthenticatedSafe,
  BmpString,
  CertBag,
  CryptoEngine,
  ObjectIdentifier,
  OctetString,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from "./vendor/pkijs.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** What goes into one file. */
export interface Pkcs12Contents {
  /** A key in PKCS#8, and its certificate. */
  readonly identity?: {
    readonly pkcs8: Bytes;
    readonly certificateDer: Bytes;
  } | undefined;
  /** Intermediates of the identity, in their order. */
  readonly chain?: readonly Bytes[];
  /** Certificates that whoever reads the file shall trust, with their names. */
  readonly trusted?: readonly {
    readonly certificateDer: Bytes;
    readonly name: string;
  }[];
}

/** RFC 7292 §4.2 and RFC 2985 §5.5. */
const BAG = {
  certificate: "1.2.840.113549.1.12.10.1.3",
  shroudedKey: "1.2.840.113549.1.12.10.1.2",
} as const;
const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";
const FRIENDLY_NAME = "1.2.840.113549.1.9.20";
const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";
/** By which Java knows that a certificate is to be trusted; the value: for any purpose. */
const JAVA_TRUSTED_KEY_USAGE = "2.16.840.1.113894.746875.1.1";
const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";

/** How a bag lies in the file, by the library's numbers: encrypted, or as it is. */
const ENCRYPTED = 1;
const PLAIN = 0;
/** The integrity of the file is proved by a password. */
const BY_PASSWORD = 0;

/**
 * Of PBKDF2, for each of two bags. Windows refuses files of more than 600,000
 * in all (KB5025823).
 */
const ITERATIONS = 250_000;

/**
 * Of the MAC, as OpenSSL 3 has it: its key derivation is in no system library,
 * and more of it in JavaScript takes seconds.
 */
const MAC_ITERATIONS = 2048;

const HASH = "SHA-256";

/** @param password may be empty: then the file is open to everybody */
export async function encodePkcs12(
  { identity, chain = [], trusted = [] }: Pkcs12Contents,
  password: string,
): Promise<Bytes> {
  const engine = new CryptoEngine({ crypto });
  const secret = new TextEncoder().encode(password).buffer;
  const encryption = {
    password: secret,
    contentEncryptionAlgorithm: {
      name: "AES-CBC",
      length: 256,
      // For the type: the library draws it.
      iv: new Uint8Array(),
    },
    hmacHashAlgorithm: HASH,
    iterationCount: ITERATIONS,
  };
  const keyId = identity === undefined
    ? []
    : [await localKeyId(identity.certificateDer)];
  const certificates = [
    ...identity === undefined
      ? []
      : [certificateBag(identity.certificateDer, keyId)],
    ...chain.map((der) => certificateBag(der)),
    ...trusted.map(({ certificateDer, name }) =>
      certificateBag(certificateDer, [
        attribute(FRIENDLY_NAME, new BmpString({ value: name })),
        attribute(
          JAVA_TRUSTED_KEY_USAGE,
          new ObjectIdentifier({ value: ANY_EXTENDED_KEY_USAGE }),
        ),
      ])
    ),
  ];
  const bags = [
    { privacyMode: ENCRYPTED, value: contents(certificates) },
  ];
  if (identity !== undefined) {
    const bagValue = new PKCS8ShroudedKeyBag({
      parsedValue: PrivateKeyInfo.fromBER(identity.pkcs8),
    });
    await bagValue.makeInternalValues(encryption, engine);
    const key = new SafeBag({
      bagId: BAG.shroudedKey,
      bagValue,
      bagAttributes: keyId,
    });
    // The bag is encrypted itself.
    bags.push({ privacyMode: PLAIN, value: contents([key]) });
  }
  const safe = new AuthenticatedSafe({ parsedValue: { safeContents: bags } });
  await safe.makeInternalValues({
    safeContents: bags.map(({ privacyMode }) =>
      privacyMode === ENCRYPTED ? { ...encryption } : {}
    ),
  }, engine);
  const file = new PFX({
    parsedValue: { integrityMode: BY_PASSWORD, authenticatedSafe: safe },
  });
  await file.makeInternalValues({
    password: secret,
    iterations: MAC_ITERATIONS,
    pbkdf2HashAlgorithm: HASH,
    hmacHashAlgorithm: HASH,
  }, engine);
  return new Uint8Array(file.toSchema().toBER());
}

function contents(safeBags: SafeBag[]): SafeContents {
  return new SafeContents({ safeBags });
}

/** With the certificate's own bytes: the library would encode it anew. */
function certificateBag(
  der: Bytes,
  bagAttributes: Attribute[] = [],
): SafeBag {
  const certId = X509_CERTIFICATE;
  const certValue = new OctetString({ valueHex: new Uint8Array(der).buffer });
  return new SafeBag({
    bagId: BAG.certificate,
    bagValue: new CertBag({ certId, certValue }),
    ...(bagAttributes.length > 0 && { bagAttributes }),
  });
}

/** What joins a key and its certificate: any octets, by custom these. */
async function localKeyId(certificateDer: Bytes): Promise<Attribute> {
  const digest = await crypto.subtle.digest("SHA-1", certificateDer);
  return attribute(LOCAL_KEY_ID, new OctetString({ valueHex: digest }));
}

function attribute(type: string, value: object): Attribute {
  return new Attribute({ type, values: [value] });
}
