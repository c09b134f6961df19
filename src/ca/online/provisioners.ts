/**
 * The provisioners of a CA, as it tells everybody, and their sealed keys.
 */
import { shortened } from "../../base/printable.ts";
import { unusableAnswer } from "./answer.ts";
import { askForMembers, type TrustedCa } from "./trusted_ca.ts";

/** What there is to choose by. Text of the CA: to be shown with care. */
export interface Provisioner {
  readonly name: string;
  /** `JWK`, `OIDC`, `X5C`, `ACME`, … */
  readonly type: string;
  /** Of the key that signs its tokens; JWK only. */
  readonly kid?: string | undefined;
}

/** What the original asks for at once. */
const PAGE_SIZE = 100;

/** More provisioners than a CA has: 10,000. */
const MAX_PAGES = 100;

/**
 * All provisioners, in the CA's order.
 *
 * @throws {RekeyError} as askCa
 */
export async function listProvisioners(
  ca: TrustedCa,
): Promise<readonly Provisioner[]> {
  const found: Provisioner[] = [];
  let cursor = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = new URLSearchParams({ cursor, limit: `${PAGE_SIZE}` });
    const members = await askForMembers(ca, {
      path: `/provisioners?${query}`,
    });
    const listed = members.get("provisioners") ?? [];
    if (!Array.isArray(listed)) {
      throw unusable('"provisioners" is not a list');
    }
    found.push(...listed.map(readProvisioner));
    const next = members.get("nextcursor") ?? "";
    if (typeof next !== "string" || next.length > 1024) {
      throw unusable('"nextCursor" is not a short text');
    }
    if (next === "" || next === cursor) return found;
    cursor = next;
  }
  throw unusable(`it has more than ${MAX_PAGES} pages of provisioners`);
}

function readProvisioner(value: unknown): Provisioner {
  const { name, type, key } = membersOf(value);
  if (typeof name !== "string" || typeof type !== "string") {
    throw unusable("a provisioner has no name or type");
  }
  const { kid } = membersOf(key);
  return { name, type, kid: typeof kid === "string" ? kid : undefined };
}

/**
 * The private key of a provisioner, sealed with its password.
 *
 * @returns JWE, not looked into
 * @throws {RekeyError} as askCa
 */
export async function fetchSealedKey(
  ca: TrustedCa,
  kid: string,
): Promise<string> {
  const path = `/provisioners/${encodeURIComponent(kid)}/encrypted-key`;
  const sealed = (await askForMembers(ca, { path })).get("key");
  if (typeof sealed === "string" && sealed !== "") return sealed;
  throw unusable(
    `it holds no encrypted key of the provisioner with kid ${shortened(kid)}`,
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? value as Readonly<Record<string, unknown>>
    : {};
}

function unusable(fault: string) {
  return unusableAnswer(fault, { purpose: "" });
}
