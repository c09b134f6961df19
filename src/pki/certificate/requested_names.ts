/**
 * The names that a certificate is asked for: texts become a subject and
 * subjectAltName (RFC 5280 §4.1.2.6, §4.2.1.6).
 */
import { parseAddress, plainAddress } from "../../base/ip_address.ts";
import { DER_TAG } from "../asn1/der.ts";
import {
  writeDer,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
} from "../asn1/der_writer.ts";
import { MalformedError } from "../asn1/malformed.ts";
import { EXTENSION_OID } from "./certificate.ts";
import { COMMON_NAME, STRING_TAG } from "./distinguished_name.ts";
import { generalNameToText, readAlternativeNames } from "./general_name.ts";

export interface RequestedNames {
  readonly commonName: string;
  /** As `Certificate.names` has them: `DNS:a`. */
  readonly names: readonly string[];
  /** DER of the subject, with the common name and nothing else. */
  readonly subjectDer: Uint8Array<ArrayBuffer>;
  /** DER of subjectAltName as an extension; absent when there are no names. */
  readonly extensionDer?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Sorts texts as the original does (smallstep/cli crypto/x509util/crt.go:61-83):
 * an IP address, else a URI where it has a scheme, else an email address where
 * it has an `@`, else a DNS name. Repetitions and empty texts are dropped.
 *
 * @throws {MalformedError} for a text that is not ASCII
 */
export function requestedNames(
  commonName: string,
  alternatives: readonly string[],
): RequestedNames {
  const texts = [...new Set(alternatives)].filter((text) => text !== "");
  const value = writeSequence(...texts.map(alternativeName));
  return {
    commonName,
    names: readAlternativeNames(value).map(generalNameToText),
    subjectDer: subjectOf(commonName),
    extensionDer: texts.length === 0 ? undefined : writeSequence(
      writeObjectIdentifier(EXTENSION_OID.subjectAltName),
      writeOctetString(value),
    ),
  };
}

/** As Go's pkix.Name with nothing but a common name. */
function subjectOf(commonName: string): Uint8Array<ArrayBuffer> {
  // X.680 §41.4: what PrintableString may hold.
  const tag = /^[A-Za-z0-9 '()+,./:=?-]*$/.test(commonName)
    ? STRING_TAG.printable
    : STRING_TAG.utf8;
  const attribute = writeSequence(
    writeObjectIdentifier(COMMON_NAME),
    writeDer(tag, new TextEncoder().encode(commonName)),
  );
  return writeSequence(writeDer(DER_TAG.set, attribute));
}

/** Identifier octets of the choices of GeneralName. */
const NAME_TAG = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;

function alternativeName(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address !== undefined) {
    return writeDer(NAME_TAG.ip, plainAddress(address));
  }
  // deno-lint-ignore no-control-regex -- what is no ASCII
  if (/[^\x00-\x7f]/.test(text)) {
    throw new MalformedError(
      `x509: ${JSON.stringify(text)} cannot be encoded as an IA5String`,
      { hint: 'write an internationalised name in its "xn--" form' },
    );
  }
  const tag = /^[a-z][a-z0-9+.-]*:/i.test(text)
    ? NAME_TAG.uri
    : text.includes("@")
    ? NAME_TAG.email
    : NAME_TAG.dns;
  return writeDer(tag, new TextEncoder().encode(text));
}
