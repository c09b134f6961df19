/**
 * Settings of ca.json that cannot work offline here, each refused by name.
 */
import { RekeyError } from "../../../base/errors.ts";
import type { JsonObject } from "./json_object.ts";

/** Schemes of keys that live elsewhere (go.step.sm/crypto kms/apiv1/options.go). */
const KMS_SCHEMES: readonly string[] = [
  "awskms",
  "azurekms",
  "capi",
  "cloudkms",
  "kms",
  "mackms",
  "pkcs11",
  "sshagentkms",
  "tpmkms",
  "yubikey",
];

const ONLINE_HINT = "rekey online, with --ca-url, while step-ca runs";

/**
 * @throws {RekeyError} kind `config` for a KMS, another CA behind this one, and
 *   provisioners in a database
 */
export function refuseUnsupported(config: JsonObject, file: string): void {
  refuseKms(config, file);
  const authority = config.object("authority");
  const type = authority?.text("type") ?? "";
  if (type !== "" && type.toLowerCase() !== "softcas") {
    throw refusal(
      `cannot rekey offline: unsupported cas type ${type} in ${file}`,
    );
  }
  if (authority?.flag("enableAdmin") === true) {
    throw refusal(
      `cannot rekey offline: ${file} sets "enableAdmin", so the provisioners ` +
        "and their claims are in the CA's database",
    );
  }
}

function refuseKms(config: JsonObject, file: string): void {
  const kms = config.object("kms");
  const uriScheme = schemeOf(kms?.text("uri") ?? "");
  const type = kms?.text("type") || uriScheme || "softkms";
  const keyScheme = schemeOf(config.text("key"));
  for (const name of [type.toLowerCase(), keyScheme]) {
    if (name === undefined || name === "softkms") continue;
    throw refusal(
      `cannot rekey offline: unsupported kms type '${name}' in ${file}`,
    );
  }
}

/** The KMS that a URI names, or undefined for a path. */
function schemeOf(uri: string): string | undefined {
  const scheme = /^([a-z0-9]+):/i.exec(uri)?.[1]?.toLowerCase();
  return scheme !== undefined && KMS_SCHEMES.includes(scheme)
    ? scheme
    : undefined;
}

function refusal(message: string): RekeyError {
  return new RekeyError("config", message, { hint: ONLINE_HINT });
}
