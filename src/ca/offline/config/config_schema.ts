/**
 * The types of the members of ca.json, also of those that a rekey has no use
 * for: step-ca does not start with a member of another type
 * (smallstep/certificates authority/config/config.go:67-172), and a ca.json
 * that step-ca does not start with is not one to sign by.
 *
 * What is not in here may be anything.
 */
import type { JsonObject } from "./json_object.ts";

type MemberType =
  | "text"
  | "flag"
  | "number"
  | "duration"
  | "texts"
  | "text or texts"
  | Schema
  /** An array of objects. */
  | readonly [Schema];

/** The members of an object. */
interface Schema {
  readonly [name: string]: MemberType;
}

/** Of the authority, and of a provisioner (authority/provisioner/claims.go). */
const CLAIMS: Schema = {
  minTLSCertDuration: "duration",
  maxTLSCertDuration: "duration",
  defaultTLSCertDuration: "duration",
  minUserSSHCertDuration: "duration",
  maxUserSSHCertDuration: "duration",
  defaultUserSSHCertDuration: "duration",
  minHostSSHCertDuration: "duration",
  maxHostSSHCertDuration: "duration",
  defaultHostSSHCertDuration: "duration",
  enableSSHCA: "flag",
  disableRenewal: "flag",
  allowRenewalAfterExpiry: "flag",
  disableSmallstepExtensions: "flag",
};

/** Of every provisioner, whatever its type. */
const PROVISIONER: Schema = { type: "text", name: "text", claims: CLAIMS };

const TEMPLATE: Schema = {
  name: "text",
  type: "text",
  template: "text",
  path: "text",
  comment: "text",
  requires: "texts",
};

const X509_NAMES: Schema = {
  cn: "texts",
  dns: "texts",
  ip: "texts",
  email: "texts",
  uri: "texts",
};

const SSH_NAMES: Schema = {
  dns: "texts",
  ip: "texts",
  email: "texts",
  principal: "texts",
};

const SSH_POLICY: Schema = { allow: SSH_NAMES, deny: SSH_NAMES };

const AUTHORITY: Schema = {
  type: "text",
  certificateAuthority: "text",
  certificateAuthorityFingerprint: "text",
  certificateIssuer: {
    type: "text",
    provisioner: "text",
    crt: "text",
    key: "text",
    password: "text",
  },
  credentialsFile: "text",
  authorityId: "text",
  deploymentType: "text",
  template: {
    country: "text",
    organization: "text",
    organizationalUnit: "text",
    locality: "text",
    province: "text",
    streetAddress: "text",
    serialNumber: "text",
    commonName: "text",
  },
  claims: CLAIMS,
  policy: {
    x509: { allow: X509_NAMES, deny: X509_NAMES, allowWildcardNames: "flag" },
    ssh: { user: SSH_POLICY, host: SSH_POLICY },
  },
  disableIssuedAtCheck: "flag",
  backdate: "duration",
  enableAdmin: "flag",
  disableGetSSHHosts: "flag",
};

const CONFIG: Schema = {
  root: "text or texts",
  federatedRoots: "texts",
  crt: "text",
  key: "text",
  address: "text",
  insecureAddress: "text",
  dnsNames: "texts",
  kms: {
    type: "text",
    credentialsFile: "text",
    uri: "text",
    pin: "text",
    managementKey: "text",
    region: "text",
    profile: "text",
    storageDirectory: "text",
  },
  ssh: {
    hostKey: "text",
    userKey: "text",
    keys: [{ type: "text", federated: "flag" }],
    addUserPrincipal: "text",
    addUserCommand: "text",
    bastion: {
      hostname: "text",
      user: "text",
      port: "text",
      cmd: "text",
      flags: "text",
    },
  },
  db: {
    type: "text",
    dataSource: "text",
    valueDir: "text",
    database: "text",
    badgerFileLoadingMode: "text",
  },
  authority: AUTHORITY,
  tls: {
    cipherSuites: "texts",
    minVersion: "number",
    maxVersion: "number",
    renegotiation: "flag",
  },
  password: "text",
  templates: { ssh: { user: [TEMPLATE], host: [TEMPLATE] } },
  commonName: "text",
  crl: {
    enabled: "flag",
    generateOnRevoke: "flag",
    cacheDuration: "duration",
    renewPeriod: "duration",
    idpURL: "text",
  },
  metricsAddress: "text",
};

/** @throws {JsonTypeError} when a member of ca.json has another type */
export function checkConfigTypes(config: JsonObject): void {
  checkMembers(config, CONFIG);
}

/** @throws {JsonTypeError} when a member of a provisioner has another type */
export function checkProvisionerTypes(provisioner: JsonObject): void {
  checkMembers(provisioner, PROVISIONER);
}

function checkMembers(owner: JsonObject, schema: Schema): void {
  for (const [name, type] of Object.entries(schema)) {
    checkMember(owner, name, type);
  }
}

function checkMember(owner: JsonObject, name: string, type: MemberType): void {
  switch (type) {
    case "text":
      owner.text(name);
      return;
    case "flag":
      owner.flag(name);
      return;
    case "number":
      owner.number(name);
      return;
    case "duration":
      owner.duration(name);
      return;
    case "texts":
    case "text or texts":
      owner.texts(name, { orOne: type !== "texts" });
      return;
  }
  if (isArrayOf(type)) {
    for (const item of owner.objects(name)) checkMembers(item, type[0]);
    return;
  }
  const member = owner.object(name);
  if (member !== undefined) checkMembers(member, type);
}

function isArrayOf(
  type: Schema | readonly [Schema],
): type is readonly [Schema] {
  return Array.isArray(type);
}
