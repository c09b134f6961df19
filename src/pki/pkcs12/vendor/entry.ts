/**
 * What `deno task vendor` bundles into pkijs.js, and its types: what makes
 * PKCS#12, and the ASN.1 values that go into it.
 */
export { BmpString, ObjectIdentifier, OctetString } from "asn1js";
export {
  Attribute,
  AuthenticatedSafe,
  CertBag,
  CryptoEngine,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from "pkijs";
