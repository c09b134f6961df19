/**
 * The question to the CA: a certificate for a new key, or for the one that is
 * there.
 */
import type { Act } from "../base/act.ts";
import type { RekeyOptions } from "../base/options.ts";
import type { Log } from "../base/runtime.ts";
import {
  CannotRekeyError,
  type CertificateAuthority,
} from "../ca/authority.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { createCsr } from "../pki/keys/csr.ts";
import type { KeyPair } from "../pki/keys/key_pair.ts";
import type { PrivateKey } from "../pki/keys/private_key.ts";

/** What the CA issued, unverified, and for which key: `renew`, the current one. */
export interface Answer {
  readonly issued: readonly Certificate[];
  readonly act: Act;
}

/**
 * Asks once; twice where no rekey is possible and the key may stay.
 *
 * @param request.key the new key; a request proves that we hold it (RFC 2986).
 *   The old one only authenticates, and never signs a CSR.
 * @throws {RekeyError} as the authority
 */
export async function askForCertificate(
  { current, key, signal }: {
    readonly current: KeyPair;
    readonly key: PrivateKey;
    readonly signal: AbortSignal;
  },
  { authority, options: { newKey, renewFallback }, log }: {
    readonly authority: CertificateAuthority;
    readonly options: Pick<RekeyOptions, "newKey" | "renewFallback">;
    readonly log: Log;
  },
): Promise<Answer> {
  if (newKey.from === "current") {
    const { by } = newKey;
    const issued = await authority.renew({ current, by, signal });
    return { issued, act: "renew" };
  }
  const csr = await createCsr(key);
  try {
    const issued = await authority.rekey({ current, csr, signal });
    return { issued, act: "rekey" };
  } catch (error) {
    if (!(error instanceof CannotRekeyError) || !renewFallback) throw error;
    log.write({
      event: "warning",
      message: `${
        error.message.replace(/\.$/, "")
      }; the key stays, and the certificate is renewed by token`,
    });
    const issued = await authority.renew({ current, by: "token", signal });
    return { issued, act: "renew" };
  }
}
