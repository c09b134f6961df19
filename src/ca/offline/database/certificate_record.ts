/**
 * The two rows that the CA's database has about a certificate
 * (smallstep/certificates db/db.go: RevokedCertificateInfo, CertificateData).
 */
import { JsonObject, JsonTypeError } from "../config/json_object.ts";
import { CorruptDatabaseError } from "./file/corrupt_database_error.ts";

export interface CertificateRecord {
  readonly isRevoked: boolean;
  /** Id of the provisioner that issued it; undefined when it is not recorded. */
  readonly provisionerId: string | undefined;
  /**
   * The folder when it is empty, and so no step-ca has ever used it: what is
   * known of any certificate that one issued is elsewhere.
   */
  readonly emptyFolder?: string;
}

/** Rows exist for revoked certificates, and for no others. */
export const REVOKED_TABLE = "revoked_x509_certs";

/** Rows of all certificates. */
export const CERTIFICATE_TABLE = "x509_certs";

/** Rows of certificates with their provisioner. */
export const DATA_TABLE = "x509_certs_data";

/**
 * @param file the database, for messages
 * @throws {CorruptDatabaseError} when the record of the provisioner is not what it should be
 */
export function readRecord(
  { revocation, data }: {
    readonly revocation: Uint8Array | undefined;
    readonly data: Uint8Array | undefined;
  },
  file: string,
): CertificateRecord {
  // Whatever the row says.
  if (revocation !== undefined) {
    return { isRevoked: true, provisionerId: undefined };
  }
  const provisionerId = data && readProvisionerId(data, file);
  return { isRevoked: false, provisionerId: provisionerId || undefined };
}

/** Whether a row of revocations names the serial number that is its key. */
export function isWholeRevocation(key: Uint8Array, value: Uint8Array): boolean {
  try {
    return parseObject(value).text("Serial") === new TextDecoder().decode(key);
  } catch (error) {
    if (isParseError(error)) return false;
    throw error;
  }
}

/** Whether a row with a provisioner is one; it has no serial number but its key. */
export function isWholeData(key: Uint8Array, value: Uint8Array): boolean {
  try {
    parseObject(value);
    return /^\d+$/.test(new TextDecoder().decode(key));
  } catch (error) {
    if (isParseError(error)) return false;
    throw error;
  }
}

/** Empty when the record names none. */
function readProvisionerId(data: Uint8Array, file: string): string {
  try {
    return parseObject(data).object("provisioner")?.text("id") ?? "";
  } catch (error) {
    if (!isParseError(error)) throw error;
    // Without it the provisioner's "disableRenewal" could be passed by.
    throw new CorruptDatabaseError(file, `has a damaged row in ${DATA_TABLE}`, {
      cause: error,
    });
  }
}

function parseObject(bytes: Uint8Array): JsonObject {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  return JsonObject.parse(text);
}

/** Malformed UTF-8, malformed JSON, another type of member. */
function isParseError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof SyntaxError ||
    error instanceof JsonTypeError;
}
