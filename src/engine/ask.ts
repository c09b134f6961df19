/**
 * The question to the CA: a certificate for a new key, or for the one that is
 * there.
 */
import type { RekeyOptions } from "../base/options.ts";
import {
  CannotRekeyError,
  type CertificateAuthority,
} from "../ca/authority.ts";
import {
  type NewKeyContext,
  type NewPrivateKey,
  provideNewKey,
} from "../files/pair/new_key.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { createCsr } from "../pki/keys/csr.ts";
import type { KeyPair } from "../pki/keys/key_pair.ts";

/** What the CA issued, unverified, and the key that it is for. */
export interface Answer {
  readonly issued: readonly Certificate[];
  readonly next: NewPrivateKey;
  /** What the log calls it. */
  readonly event: "rekeyed" | "renewed";
  /** Whether the key stays although a new one was wanted. */
  readonly isFallback: boolean;
}

/**
 * Asks once; twice where no rekey is possible and the key may stay.
 *
 * @param request.wanted the new key; a request proves that we hold it (RFC
 *   2986). The old one only authenticates, and never signs a CSR.
 * @throws {RekeyError} as the authority
 */
export async function askForCertificate(
  { current, wanted, signal }: {
    readonly current: KeyPair;
    readonly wanted: NewPrivateKey;
    readonly signal: AbortSignal;
  },
  { authority, options: { newKey, renewFallback }, context }: {
    readonly authority: CertificateAuthority;
    readonly options: Pick<RekeyOptions, "newKey" | "renewFallback">;
    readonly context: NewKeyContext;
  },
): Promise<Answer> {
  if (newKey.from === "current") {
    const { by } = newKey;
    const issued = await authority.renew({ current, by, signal });
    return { issued, next: wanted, event: "renewed", isFallback: false };
  }
  const csr = await createCsr(wanted.key);
  try {
    const issued = await authority.rekey({ current, csr, signal });
    return { issued, next: wanted, event: "rekeyed", isFallback: false };
  } catch (error) {
    if (!(error instanceof CannotRekeyError) || !renewFallback) throw error;
    context.log.write({
      event: "warning",
      message: `${
        error.message.replace(/\.$/, "")
      }; the key stays, and the certificate is renewed by token`,
    });
    const stays = { from: "current", by: "token" } as const;
    const next = await provideNewKey(stays, context);
    const issued = await authority.renew({ current, by: "token", signal });
    return { issued, next, event: "renewed", isFallback: true };
  }
}
