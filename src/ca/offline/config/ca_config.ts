/**
 * What the offline CA takes from ca.json, by the original's rules
 * (smallstep/certificates authority/config/config.go:300-383).
 *
 * Pure: text in, settings out. Members that a rekey has no use for are not
 * looked at; what needs the network, a KMS or a database server is refused by
 * name.
 */
import { RekeyError } from "../../../base/errors.ts";
import { shortened } from "../../../base/printable.ts";
import {
  type DatabaseSettings,
  readDatabaseSettings,
} from "./database_settings.ts";
import { JsonObject, JsonTypeError } from "./json_object.ts";
import {
  type Claims,
  duplicateFault,
  type Provisioner,
  readClaims,
  readProvisioners,
} from "./provisioner.ts";

/** The part of ca.json that signing needs. Paths are as written. */
export interface CaConfig {
  readonly rootFiles: readonly string[];
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Empty: none. */
  readonly password: string;
  /** In nanoseconds. */
  readonly backdate: bigint;
  readonly claims: Claims;
  readonly provisioners: readonly Provisioner[];
  /** Undefined: the CA has none, and so cannot revoke. */
  readonly database: DatabaseSettings | "ignored" | undefined;
}

export type { Claims, Provisioner };

const DEFAULT_BACKDATE = 60_000_000_000n;

export interface CaConfigOptions {
  /** Its name, for messages. */
  readonly file: string;
  /** True: a database is not looked at, of whatever type it is. */
  readonly ignoreDatabase?: boolean | undefined;
}

/**
 * Reads and checks ca.json.
 *
 * @throws {RekeyError} kind `config`
 */
export function parseCaConfig(
  text: string,
  options: CaConfigOptions,
): CaConfig {
  try {
    return readConfig(parseJson(text), options);
  } catch (error) {
    if (!(error instanceof JsonTypeError)) throw error;
    throw invalid(`error reading ${options.file}: ${error.message}`);
  }
}

/** The engine's own message quotes the text, which may hold the password. */
function parseJson(text: string): JsonObject {
  const bare = text.replace(/^\uFEFF/, "");
  try {
    return JsonObject.parse(bare);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const position = / at position (\d+) \(line \d+ column \d+\)$/
      .exec(String(error))?.[1];
    // Where the engine quotes the text, it does not say where the fault is.
    if (position === undefined && bare.trim() !== "") {
      throw new JsonTypeError("invalid JSON");
    }
    const lines = bare.slice(0, Number(position ?? bare.length)).split("\n");
    throw new JsonTypeError(
      `invalid JSON in line ${lines.length}, column ${
        (lines.at(-1)?.length ?? 0) + 1
      }`,
    );
  }
}

function readConfig(
  config: JsonObject,
  { file, ignoreDatabase = false }: CaConfigOptions,
): CaConfig {
  const authority = config.object("authority");
  const provisioners = readProvisioners(authority);
  refuseUnsupported(config, file);
  if (authority === undefined || provisioners.length === 0) {
    throw invalid(`error parsing ${file}: no provisioners found`);
  }
  const db = config.object("db");
  const settings: CaConfig = {
    rootFiles: config.texts("root"),
    certificateFile: config.text("crt"),
    keyFile: config.text("key"),
    password: config.text("password"),
    backdate: authority.duration("backdate") ?? DEFAULT_BACKDATE,
    claims: readClaims(authority),
    provisioners,
    database: db &&
      (ignoreDatabase ? "ignored" : readDatabaseSettings(db, file)),
  };
  const fault = settingsFault(settings) ?? duplicateFault(provisioners);
  if (fault !== undefined) throw invalid(fault);
  return settings;
}

function settingsFault(
  { rootFiles, certificateFile, keyFile, backdate }: CaConfig,
): string | undefined {
  if (rootFiles.length === 0 || rootFiles.includes("")) {
    return "root cannot be empty";
  }
  if (certificateFile === "") return "crt cannot be empty";
  if (keyFile === "") return "key cannot be empty";
  if (backdate < 0n) return "authority.backdate cannot be less than 0";
  return undefined;
}

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

/** A KMS, another CA behind this one, and provisioners in a database. */
function refuseUnsupported(config: JsonObject, file: string): void {
  refuseKms(config, file);
  const authority = config.object("authority");
  const type = authority?.text("type") ?? "";
  if (type !== "" && type.toLowerCase() !== "softcas") {
    throw unsupported(`unsupported cas type ${shortened(type)} in ${file}`);
  }
  if (authority?.flag("enableAdmin") === true) {
    throw unsupported(
      `${file} sets "enableAdmin", so the provisioners and their claims are in the CA's database`,
    );
  }
}

function refuseKms(config: JsonObject, file: string): void {
  const kms = config.object("kms");
  const type = kms?.text("type") || schemeOf(kms?.text("uri") ?? "") ||
    "softkms";
  for (const name of [type.toLowerCase(), schemeOf(config.text("key"))]) {
    if (name === undefined || name === "softkms") continue;
    throw unsupported(`unsupported kms type '${shortened(name)}' in ${file}`);
  }
}

/** The KMS that a URI names, or undefined for a path. */
function schemeOf(uri: string): string | undefined {
  const scheme = /^([a-z0-9]+):/i.exec(uri)?.[1]?.toLowerCase();
  return scheme !== undefined && KMS_SCHEMES.includes(scheme)
    ? scheme
    : undefined;
}

function unsupported(reason: string): RekeyError {
  return new RekeyError("config", `cannot rekey offline: ${reason}`, {
    hint: { remedy: "rekey online" },
  });
}

function invalid(message: string): RekeyError {
  return new RekeyError("config", message);
}
