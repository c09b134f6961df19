/**
 * The provisioners of ca.json: who may hand out certificates of this CA, and
 * the claims that say what they allow (smallstep/certificates
 * authority/provisioner).
 */
import type { JsonObject } from "./json_object.ts";

/** Claims that count for a rekey; undefined: as the level above says. */
export interface Claims {
  readonly disableRenewal: boolean | undefined;
  readonly allowRenewalAfterExpiry: boolean | undefined;
}

export interface Provisioner {
  /** Lower case, as types are compared. */
  readonly type: string;
  readonly name: string;
  /** What the CA's database records of the certificates that it issued. */
  readonly id: string;
  readonly claims: Claims;
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
 * The claims of the authority, or of one provisioner.
 *
 * @throws {JsonTypeError} when one has another type than it should
 */
export function readClaims(owner: JsonObject): Claims {
  const claims = owner.object("claims");
  return {
    disableRenewal: claims?.boolean("disableRenewal"),
    allowRenewalAfterExpiry: claims?.boolean("allowRenewalAfterExpiry"),
  };
}

/**
 * The provisioners of `authority`. What step-ca drops for its type is not read
 * any further.
 *
 * @throws {JsonTypeError} when one has members of another type
 */
export function readProvisioners(
  authority: JsonObject | undefined,
): readonly Provisioner[] {
  // To Go a null is an object without members, and so one without type.
  const all = authority?.objects("provisioners", { skipNull: true }) ?? [];
  return all.flatMap((provisioner) => {
    const type = provisioner.text("type").toLowerCase();
    if (!PROVISIONER_TYPES.has(type)) return [];
    return [{
      type,
      name: provisioner.text("name"),
      id: idOf(provisioner, type),
      claims: readClaims(provisioner),
    }];
  });
}

/**
 * Why two of them cannot stand beside each other, in step-ca's words
 * (collection.go:184-203): nothing would tell whose claims count.
 */
export function duplicateFault(
  provisioners: readonly Provisioner[],
): string | undefined {
  const [ids, names] = [new Set<string>(), new Set<string>()];
  for (const { id, name } of provisioners) {
    if (ids.has(id)) return "cannot add multiple provisioners with the same id";
    if (names.has(name)) {
      return "cannot add multiple provisioners with the same name";
    }
    ids.add(id);
    names.add(name);
  }
  return undefined;
}

/** What step-ca knows it by; one in a file never has an id of its own. */
function idOf(provisioner: JsonObject, type: string): string {
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
