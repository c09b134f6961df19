/** A CA, with the root certificates that prove it. */
import { sha256 } from "../../base/bytes.ts";
import { RekeyError } from "../../base/errors.ts";
import type { CaChoice, RootChoice } from "../../base/options.ts";
import { fetchRoot } from "../../ca/online/authority_info.ts";
import { readRootCertificates } from "../../ca/online/root_certificates.ts";
import type { TrustedCa } from "../../ca/online/trusted_ca.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import type { Asker } from "./ask_authority.ts";

/**
 * Reads the roots, or fetches the one that is named by its digest.
 *
 * @throws {RekeyError} kind `config`; those of a request
 */
export async function openCa(
  { root, ...choice }: CaChoice,
  asker: Asker,
): Promise<TrustedCa> {
  const { clock, signal, log } = asker;
  const ca = { ...choice, clock, signal };
  if (root.from === "file") {
    const trust = await readRootCertificates(root.path, log);
    return { ...ca, trust, root: root.path };
  }
  const { digest } = root;
  const certificate = await heldRoot(root) ??
    await fetchRoot({ ...choice, ...asker }, digest);
  return { ...ca, trust: [certificate], root: `the token (${digest})` };
}

async function heldRoot(
  { path, digest }: Extract<RootChoice, { from: "digest" }>,
): Promise<Certificate | undefined> {
  try {
    const roots = await readRootCertificates(path, { write: () => {} });
    for (const root of roots) {
      if (await sha256(root.der) === digest) return root;
    }
    return undefined;
  } catch (error) {
    // The CA has it, too.
    if (error instanceof RekeyError && error.kind === "config") {
      return undefined;
    }
    throw error;
  }
}
