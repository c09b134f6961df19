/**
 * What the offline CA takes from ca.json, and the original's rules for it
 * (smallstep/certificates authority/config/config.go:300-383).
 *
 * Pure: text in, settings out. Whatever needs the network, a KMS or a database
 * is refused by name here.
 */
import { parseGoDuration } from "../../duration.ts";
import { RekeyError } from "../../errors.ts";
import { JsonObject, JsonTypeError } from "./json_object.ts";
import { refuseUnsupported } from "./unsupported_config.ts";

/** Claims that count for a rekey (authority/provisioner/claims.go:11-33). */
export interface Claims {
  readonly disableRenewal: boolean | undefined;
  readonly allowRenewalAfterExpiry: boolean | undefined;
}

/** One provisioner. */
export interface Provisioner {
  /** Lower case, as types are compared. */
  readonly type: string;
  readonly name: string;
  readonly claims: Claims;
}

/** The part of ca.json that signing needs. Paths are as written. */
export interface CaConfig {
  readonly roots: readonly string[];
  readonly certificate: string;
  readonly key: string;
  /** Empty: none. */
  readonly password: string;
  /** In nanoseconds. */
  readonly backdate: bigint;
  readonly claims: Claims;
  readonly provisioners: readonly Provisioner[];
}

/** Provisioners of other types are dropped, as step-ca does. */
const PROVISIONER_TYPES: ReadonlySet<string> = new Set([
  "jwk",
  "oidc",
  "gcp",
  "aws",
  "azure",
  "acme",
  "x5c",
  "k8ssa",
  "sshpop",
  "scep",
  "nebula",
]);

const DEFAULT_BACKDATE = 60_000_000_000n;

/**
 * Reads and checks ca.json.
 *
 * @param file its name, for messages
 * @throws {RekeyError} kind `config`
 */
export function parseCaConfig(text: string, file: string): CaConfig {
  try {
    return readConfig(new JsonObject(parseJson(text)), file);
  } catch (error) {
    if (!(error instanceof JsonTypeError)) throw error;
    throw invalid(`error reading ${file}: ${error.message}`);
  }
}

/** The engine's own message quotes the text, which may hold the password. */
function parseJson(text: string): unknown {
  const bare = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(bare);
  } catch (error) {
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

function readConfig(config: JsonObject, file: string): CaConfig {
  const authority = config.object("authority");
  const provisioners = (authority?.objects("provisioners") ?? [])
    // First the type: what step-ca drops, it does not read either.
    .filter((provisioner) => PROVISIONER_TYPES.has(typeOf(provisioner)))
    .map(readProvisioner);
  refuseUnsupported(config, file);
  if (authority === undefined || provisioners.length === 0) {
    throw invalid(`error parsing ${file}: no provisioners found`);
  }
  const roots = config.texts("root", { orOne: true });
  const certificate = config.text("crt");
  const key = config.text("key");
  checkAddresses(config);
  if (roots.length === 0 || roots.includes("")) {
    throw invalid("root cannot be empty");
  }
  if (certificate === "") throw invalid("crt cannot be empty");
  if (key === "") throw invalid("key cannot be empty");
  checkAddressForms(config);
  checkTlsVersions(config);
  checkCrl(config);
  checkProvisioners(provisioners);
  const backdate = readDuration(authority, "backdate") ?? DEFAULT_BACKDATE;
  if (backdate < 0n) {
    throw invalid("authority.backdate cannot be less than 0");
  }
  return {
    roots,
    certificate,
    key,
    password: config.text("password"),
    backdate,
    claims: readClaims(authority),
    provisioners,
  };
}

function readProvisioner(provisioner: JsonObject): Provisioner {
  return {
    type: typeOf(provisioner),
    name: provisioner.text("name"),
    claims: readClaims(provisioner),
  };
}

function typeOf(provisioner: JsonObject): string {
  return provisioner.text("type").toLowerCase();
}

function readClaims(owner: JsonObject): Claims {
  const claims = owner.object("claims");
  return {
    disableRenewal: claims?.boolean("disableRenewal"),
    allowRenewalAfterExpiry: claims?.boolean("allowRenewalAfterExpiry"),
  };
}

function readDuration(owner: JsonObject, name: string): bigint | undefined {
  const text = owner.text(name);
  if (text === "") return undefined;
  const duration = parseGoDuration(text);
  if (duration === undefined) {
    throw owner.fault(name, `is not a duration: ${JSON.stringify(text)}`);
  }
  return duration;
}

function checkAddresses(config: JsonObject): void {
  if (config.text("address") === "") throw invalid("address cannot be empty");
  if (config.texts("dnsNames", { orOne: false }).length === 0) {
    throw invalid("dnsNames cannot be empty");
  }
}

/** `host:port`; an IPv6 host stands in brackets. */
const ADDRESS = /^(?:\[[^\]]*\]|[^:[\]]*):[^:]*$/;

function checkAddressForms(config: JsonObject): void {
  const address = config.text("address");
  if (!ADDRESS.test(address)) throw invalid(`invalid address ${address}`);
  const metrics = config.text("metricsAddress");
  if (metrics !== "" && !ADDRESS.test(metrics)) {
    throw invalid(`invalid metrics address ${JSON.stringify(metrics)}`);
  }
}

function checkTlsVersions(config: JsonObject): void {
  const tls = config.object("tls");
  const least = tls?.number("minVersion");
  const most = tls?.number("maxVersion");
  if (least && most && least > most) {
    throw invalid("tls minVersion cannot exceed tls maxVersion");
  }
}

function checkCrl(config: JsonObject): void {
  const crl = config.object("crl");
  if (crl === undefined) return;
  const cache = readDuration(crl, "cacheDuration") ?? 0n;
  const renew = readDuration(crl, "renewPeriod") ?? 0n;
  if (cache < 0n) {
    throw invalid("crl.cacheDuration must be greater than or equal to 0");
  }
  if (renew < 0n) {
    throw invalid("crl.renewPeriod must be greater than or equal to 0");
  }
  if (renew > 0n && cache < renew) {
    throw invalid(
      "crl.cacheDuration must be greater than or equal to crl.renewPeriod",
    );
  }
}

function checkProvisioners(provisioners: readonly Provisioner[]): void {
  if (provisioners.filter(({ type }) => type === "k8ssa").length > 1) {
    throw invalid(
      "cannot have more than one kubernetes service account provisioner",
    );
  }
  const names = new Set<string>();
  for (const { name } of provisioners) {
    if (names.has(name)) {
      throw invalid("cannot add multiple provisioners with the same name");
    }
    names.add(name);
  }
}

function invalid(message: string): RekeyError {
  return new RekeyError("config", message);
}
