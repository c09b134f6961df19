/**
 * One CA, one host certificate and its successor, and what to ask about them.
 */
import {
  UntrustedError,
  verifyIssued,
} from "../../../src/pki/verify/verify.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { run } from "../../support/run.ts";
import {
  CA_EXTENSIONS,
  type CertificateRequest,
  type Issued,
  LEAF_EXTENSIONS,
  NOW,
  OpensslCertificates,
} from "../../support/openssl_certificates.ts";

export const ca = new OpensslCertificates();
export const root = await ca.issue({
  subject: "/O=Acme/CN=Root",
  key: "EC:P-256#root",
  extensions: CA_EXTENSIONS,
});
export const intermediate = await ca.issue({
  subject: "/O=Acme/CN=Intermediate",
  key: "EC:P-256#intermediate",
  issuer: root,
  extensions: CA_EXTENSIONS,
});
export const previous = await makeLeaf({ key: "EC:P-256#previous" });
export const leaf = await makeLeaf();

// openssl adds key identifiers by itself unless it is told not to.
export const WITHOUT_IDS = LEAF_EXTENSIONS.map((line) =>
  line.replace(/(Identifier) = .*/, "$1 = none")
);

export function makeLeaf(
  changes: Partial<CertificateRequest> = {},
): Promise<Issued> {
  return ca.issue({
    subject: "/O=Acme/CN=internal",
    key: "EC:P-256#leaf",
    issuer: intermediate,
    extensions: LEAF_EXTENSIONS,
    ...changes,
  });
}

export function makeIntermediate(
  changes: Partial<CertificateRequest> = {},
): Promise<Issued> {
  return ca.issue({
    subject: "/O=Acme/CN=Intermediate",
    key: "EC:P-256#intermediate",
    issuer: root,
    extensions: CA_EXTENSIONS,
    ...changes,
  });
}

interface Changes {
  readonly previous?: Issued;
  readonly roots?: readonly Issued[];
  readonly publicKey?: Uint8Array;
  readonly now?: Date;
}

export async function verify(
  chain: readonly Issued[],
  changes: Changes = {},
): Promise<readonly string[]> {
  const certificates = chain.map(({ certificate }) => certificate);
  const verified = await verifyIssued(certificates, {
    publicKey: changes.publicKey ?? leaf.certificate.publicKey,
    previous: (changes.previous ?? previous).certificate,
    roots: (changes.roots ?? [root]).map(({ certificate }) => certificate),
    now: changes.now ?? NOW,
  });
  assertEquals(verified.chain, certificates);
  return verified.warnings;
}

export async function refuse(
  chain: readonly Issued[],
  pattern: RegExp,
  changes: Changes = {},
): Promise<void> {
  await assertRejects(() => verify(chain, changes), UntrustedError, pattern);
}

/** Whether openssl accepts the same path. */
async function opensslAccepts(
  chain: readonly Issued[],
  anchor: Issued,
): Promise<boolean> {
  const [first, ...others] = chain;
  const { code } = await run("openssl", [
    ...["verify", "-partial_chain", "-attime", `${NOW.getTime() / 1000}`],
    ...["-no-CAfile", "-no-CApath", "-trusted", anchor.certificateFile],
    ...others.flatMap(({ certificateFile }) => ["-untrusted", certificateFile]),
    first?.certificateFile ?? "",
  ]);
  return code === 0;
}

/** Accepted by both, without a word. */
export async function acceptAsOpenssl(
  chain: readonly Issued[],
  changes: Changes & { readonly anchor?: Issued } = {},
): Promise<void> {
  const anchor = changes.anchor ?? root;
  assertEquals(await verify(chain, { ...changes, roots: [anchor] }), []);
  assert(await opensslAccepts(chain, anchor), "openssl refuses it");
}

/** Refused by both, so that openssl vouches for the input as well. */
export async function refuseAsOpenssl(
  chain: readonly Issued[],
  pattern: RegExp,
  changes: Changes & { readonly anchor?: Issued } = {},
): Promise<void> {
  const anchor = changes.anchor ?? root;
  await refuse(chain, pattern, { ...changes, roots: [anchor] });
  assert(!await opensslAccepts(chain, anchor), "openssl accepts it");
}

export function withNames(names: string): Promise<Issued> {
  const extensions = LEAF_EXTENSIONS.filter((line) => !/AltName/.test(line));
  if (names !== "") extensions.push(`subjectAltName = ${names}`);
  return makeLeaf({ extensions });
}
