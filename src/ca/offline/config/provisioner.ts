/**
 * The provisioners of ca.json: who may hand out certificates of this CA
 * (smallstep/certificates authority/provisioner).
 */
import {
  type Claims,
  type Lifetimes,
  lifetimesFault,
  readClaims,
  readLifetimes,
} from "./claims.ts";
import { checkProvisionerTypes } from "./config_schema.ts";
import type { JsonObject } from "./json_object.ts";

/** One provisioner. */
export interface Provisioner {
  /** Lower case, as types are compared. */
  readonly type: string;
  readonly name: string;
  /** What the CA's database records of the certificates that it issued. */
  readonly id: string;
  readonly claims: Claims;
  /** Why step-ca could not use it, in its words. It starts all the same. */
  readonly fault?: string;
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

/**
 * The provisioners among the members of `authority`. What step-ca drops for its
 * type is not read either.
 *
 * @throws {JsonTypeError} when one has members of another type
 */
export function knownProvisioners(
  authority: JsonObject | undefined,
): readonly JsonObject[] {
  // To Go a null is an object without members, and so one without type.
  const all = authority?.objects("provisioners", { skipNull: true }) ?? [];
  return all.filter((provisioner) =>
    PROVISIONER_TYPES.has(typeOf(provisioner))
  );
}

/**
 * One provisioner below the limits of the authority.
 *
 * @throws {JsonTypeError}
 */
export function readProvisioner(
  provisioner: JsonObject,
  above: Lifetimes,
): Provisioner {
  checkProvisionerTypes(provisioner);
  const fault = lifetimesFault(readLifetimes(provisioner, above));
  return {
    type: typeOf(provisioner),
    name: provisioner.text("name"),
    id: idOf(provisioner),
    claims: readClaims(provisioner),
    ...fault !== undefined && { fault },
  };
}

/**
 * Why step-ca does not start with them, in its words: one has no key to know it
 * by (jwk.go, Init), or two cannot stand beside each other
 * (collection.go:184-203).
 */
export function collectionFault(
  provisioners: readonly JsonObject[],
): string | undefined {
  const ids = new Set<string>();
  const names = new Set<string>();
  for (const provisioner of provisioners) {
    const isKeyless = typeOf(provisioner) === "jwk" &&
      provisioner.object("key") === undefined;
    if (isKeyless) return "provisioner key cannot be empty";
    const id = idOf(provisioner);
    const name = provisioner.text("name");
    if (ids.has(id)) {
      return "cannot add multiple provisioners with the same id";
    }
    if (names.has(name)) {
      return "cannot add multiple provisioners with the same name";
    }
    ids.add(id);
    names.add(name);
  }
  return undefined;
}

/** What step-ca knows it by; one in a file never has an id of its own. */
function idOf(provisioner: JsonObject): string {
  const type = typeOf(provisioner);
  const name = provisioner.text("name");
  switch (type) {
    case "jwk":
      return `${name}:${provisioner.object("key")?.text("kid") ?? ""}`;
    case "oidc":
      return provisioner.text("clientID");
    case "azure":
      return provisioner.text("tenantID");
    case "k8ssa":
      return "k8ssa/k8sSA-default";
    default:
      return `${type}/${name}`;
  }
}

function typeOf(provisioner: JsonObject): string {
  return provisioner.text("type").toLowerCase();
}
