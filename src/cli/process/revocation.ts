/** Has a certificate renewed no more, by its own word or by a provisioner's. */
import { formatInstant } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import type { CaChoice, KeyPairFiles } from "../../base/options.ts";
import {
  clientCertificateHint,
  isForClients,
  isSelfSigned,
  tlsIdentity,
} from "../../ca/online/client_certificate.ts";
import {
  revokeCertificate,
  type RevokedBy,
} from "../../ca/online/one_time_requests.ts";
import {
  type TokenChoice,
  tokenValidity,
} from "../../ca/online/one_time_token.ts";
import type { TrustedCa } from "../../ca/online/trusted_ca.ts";
import { loadChain, loadKeyPair } from "../../files/pair/key_pair.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import type { Asker } from "./ask_authority.ts";
import { makeToken, type TokenTools } from "./one_time_token.ts";
import { openCa } from "./open_ca.ts";

/** Whose word counts, and for which certificate. */
export type Revoker =
  | {
    readonly from: "pair";
    readonly files: KeyPairFiles;
    readonly passwordFile: string | undefined;
  }
  /** The serial number is decimal. */
  | {
    readonly from: "token";
    readonly serial: string;
    readonly choice: TokenChoice;
  };

export interface RevocationOptions {
  readonly ca: CaChoice;
  readonly revoker: Revoker;
  readonly reason: string;
  /** RFC 5280 §5.3.1. */
  readonly reasonCode: number;
}

/**
 * @returns the serial number, decimal
 * @throws {RekeyError} as `openCa` and `makeToken`; kind `pair` for a pair that
 *   cannot be used; kind `refused`, also when it is revoked already
 */
export async function revoke(
  { revoker, ...options }: RevocationOptions,
  tools: Asker & TokenTools,
): Promise<string> {
  const { reason, reasonCode } = options;
  const word = revoker.from === "pair"
    ? await ownWord(revoker, tools)
    : revoker;
  const ca = await openCa(options.ca, tools);
  const by = word.from === "pair" ? word.by : {
    kind: "token",
    token: await tokenOf(ca, word, tools),
  } as const;
  tools.say("CA", ca.url);
  const { serial } = word;
  await revokeCertificate(ca, { serial, reason, reasonCode, by });
  return serial;
}

type RevokerOf<From extends Revoker["from"]> = Extract<
  Revoker,
  { from: From }
>;

async function ownWord(
  { files, passwordFile: file }: RevokerOf<"pair">,
  { terminal, signal, clock }: Asker,
): Promise<{ from: "pair"; serial: string; by: RevokedBy }> {
  const chain = await loadChain(files.certificate);
  const pair = await loadKeyPair(chain, files, { file, terminal, signal });
  const [certificate] = chain;
  const serial = BigInt(`0x${certificate.serial}`).toString();
  await requireOwnWord(certificate, { serial, now: clock.now() });
  return {
    from: "pair",
    serial,
    by: {
      kind: "certificate",
      identity: tlsIdentity(pair),
      clientCertificateHint: clientCertificateHint(certificate, clock.now()),
    },
  };
}

/**
 * Refuses a certificate that cannot speak for itself, before the CA is asked:
 * TLS takes none that is over or for servers only.
 *
 * @throws {RekeyError} kind `pair`
 */
async function requireOwnWord(
  certificate: Certificate,
  { serial, now }: { readonly serial: string; readonly now: Date },
): Promise<void> {
  const { notAfter } = certificate;
  const isOver = notAfter < now;
  if (
    !isOver && isForClients(certificate) && !await isSelfSigned(certificate)
  ) {
    return;
  }
  const [why, hint] = await isSelfSigned(certificate)
    ? [
      "it is self-signed: no CA has issued it",
      "a certificate that is its own root is taken out of use where it is trusted",
    ]
    : [
      isOver
        ? `it expired on ${formatInstant(notAfter)}, and TLS takes it no more`
        : "it is not for client authentication (no clientAuth in its extended key usage)",
      `revoke it by a provisioner's word: step-rekey ca revoke ${serial}`,
    ];
  throw new RekeyError(
    "pair",
    `the certificate cannot be revoked by itself: ${why}`,
    { hint },
  );
}

async function tokenOf(
  ca: TrustedCa,
  { serial: subject, choice }: RevokerOf<"token">,
  tools: Asker & TokenTools,
): Promise<string> {
  if (choice.from === "user") return choice.text;
  const validity = tokenValidity(ca.clock.now());
  const wish = { subject, names: [], purpose: "revoke", validity } as const;
  return await makeToken(ca, choice.provisioner, { tools, wish });
}
