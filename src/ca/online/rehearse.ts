/**
 * A request for a certificate without the request: all that can go wrong before
 * it, tried.
 */
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import { fetchHealth, type VerifiedAuthority } from "./authority_info.ts";
import {
  clockWarning,
  refuseSelfSigned,
  refuseServersOnly,
  tlsIdentity,
} from "./client_certificate.ts";
import { readRootCertificates } from "./root_certificates.ts";

/**
 * Connects as `rekey` does, with the current certificate, and asks for the CA's
 * health. An expired certificate identifies nobody: its renewal by token is not
 * tried.
 *
 * @returns what the CA says of itself
 * @throws {RekeyError} as `rekey` of an online authority
 */
export async function rehearseRequest(
  current: KeyPair,
  authority: VerifiedAuthority,
): Promise<string> {
  const { root, log, clock } = authority;
  const [certificate] = current.chain;
  const now = clock.now();
  const roots = await readRootCertificates(root, log);
  await refuseSelfSigned(certificate, roots, "rekey");
  refuseServersOnly(certificate, "rekey");
  const warning = clockWarning(certificate, now);
  if (warning !== undefined) log.write({ event: "warning", message: warning });
  const isExpired = certificate.notAfter < now;
  return await fetchHealth(
    authority,
    isExpired ? undefined : tlsIdentity(current),
  );
}
