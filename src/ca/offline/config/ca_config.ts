/**
 * What the offline CA takes from ca.json, and the original's rules for it
 * (smallstep/certificates authority/config/config.go:300-383).
 *
 * Pure: text in, settings out. Whatever needs the network, a KMS or a database
 * server is refused by name here.
 */
import { RekeyError } from "../../../base/errors.ts";
import {
  type Claims,
  DEFAULT_LIFETIMES,
  lifetimesFault,
  readClaims,
  readLifetimes,
} from "./claims.ts";
import {
  type DatabaseSettings,
  readDatabaseSettings,
} from "./database_settings.ts";
import { checkConfigTypes } from "./config_schema.ts";
import { JsonObject, JsonTypeError } from "./json_object.ts";
import {
  collectionFault,
  knownProvisioners,
  type Provisioner,
  readProvisioner,
} from "./provisioner.ts";
import { sshFault, templatesFault } from "./ssh_config.ts";
import { refuseUnsupported } from "./unsupported_config.ts";

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
  /** Undefined: the CA has none, and so cannot revoke. */
  readonly database?: DatabaseSettings | "ignored" | undefined;
}

export type { Claims, Provisioner };

const DEFAULT_BACKDATE = 60_000_000_000n;

/** What the command line says about it. */
export interface CaConfigOptions {
  /** True: a database is not looked at, of whatever type it is. */
  readonly ignoreDatabase?: boolean | undefined;
}

/**
 * Reads and checks ca.json.
 *
 * @param file its name, for messages
 * @throws {RekeyError} kind `config`
 */
export function parseCaConfig(
  text: string,
  file: string,
  options: CaConfigOptions = {},
): CaConfig {
  try {
    return readConfig(parseJson(text), { file, ...options });
  } catch (error) {
    if (!(error instanceof JsonTypeError)) throw error;
    throw invalid(`error reading ${file}: ${error.message}`);
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
  options: CaConfigOptions & { readonly file: string },
): CaConfig {
  const { file } = options;
  checkConfigTypes(config);
  const authority = config.object("authority");
  const members = knownProvisioners(authority);
  refuseUnsupported(config, file);
  if (authority === undefined || members.length === 0) {
    throw invalid(`error parsing ${file}: no provisioners found`);
  }
  const lifetimes = readLifetimes(authority, DEFAULT_LIFETIMES);
  const settings: CaConfig = {
    roots: config.texts("root", { orOne: true }),
    certificate: config.text("crt"),
    key: config.text("key"),
    password: config.text("password"),
    backdate: authority.duration("backdate") ?? DEFAULT_BACKDATE,
    claims: readClaims(authority),
    provisioners: members.map((member) => readProvisioner(member, lifetimes)),
    ...readDatabase(config, options),
  };
  // From here on in the order of step-ca, whose first fault is the one shown.
  checkAddresses(config);
  checkPaths(settings);
  checkAddressForms(config);
  checkTlsVersions(config);
  for (const fault of [sshFault(config), templatesFault(config)]) {
    if (fault !== undefined) throw invalid(fault);
  }
  checkCrl(config);
  checkAuthority(settings);
  const fault = lifetimesFault(lifetimes);
  if (fault !== undefined) {
    throw invalid(`error generating provisioner config: ${fault}`);
  }
  const unusable = collectionFault(members);
  if (unusable !== undefined) throw invalid(unusable);
  return settings;
}

function readDatabase(
  config: JsonObject,
  { file, ignoreDatabase }: CaConfigOptions & { readonly file: string },
): Pick<CaConfig, "database"> {
  const database = config.object("db");
  if (database === undefined) return {};
  if (ignoreDatabase === true) return { database: "ignored" };
  return { database: readDatabaseSettings(database, file) };
}

function checkPaths({ roots, certificate, key }: CaConfig): void {
  if (roots.length === 0 || roots.includes("")) {
    throw invalid("root cannot be empty");
  }
  if (certificate === "") throw invalid("crt cannot be empty");
  if (key === "") throw invalid("key cannot be empty");
}

function checkAuthority({ backdate, provisioners }: CaConfig): void {
  if (provisioners.filter(({ type }) => type === "k8ssa").length > 1) {
    throw invalid(
      "cannot have more than one kubernetes service account provisioner",
    );
  }
  if (backdate < 0n) {
    throw invalid("authority.backdate cannot be less than 0");
  }
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
  // As step-ca, which takes zero for its default.
  const least = tls?.number("minVersion") || 1.2;
  const most = tls?.number("maxVersion") || 1.3;
  if (least > most) {
    throw invalid("tls minVersion cannot exceed tls maxVersion");
  }
}

function checkCrl(config: JsonObject): void {
  const crl = config.object("crl");
  if (crl === undefined) return;
  const cache = crl.duration("cacheDuration") ?? 0n;
  const renew = crl.duration("renewPeriod") ?? 0n;
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

function invalid(message: string): RekeyError {
  return new RekeyError("config", message);
}
