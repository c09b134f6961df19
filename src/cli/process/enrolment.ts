/** Who signs a first certificate, and what for: a CA, by a one-time token. */
import { RekeyError } from "../../base/errors.ts";
import type { CaChoice, ProvisionerChoice } from "../../base/options.ts";
import { requestCertificate } from "../../ca/online/one_time_requests.ts";
import {
  namesFor,
  type NameWish,
  readOneTimeToken,
  type TokenChoice,
  tokenValidity,
} from "../../ca/online/one_time_token.ts";
import type { TrustedCa } from "../../ca/online/trusted_ca.ts";
import type { Enrolment } from "../../engine/enrol.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import {
  type RequestedNames,
  requestedNames,
} from "../../pki/certificate/requested_names.ts";
import type { Asker } from "./ask_authority.ts";
import { makeToken, type TokenTools } from "./one_time_token.ts";
import { openCa } from "./open_ca.ts";

export interface EnrolmentOptions extends NameWish {
  readonly ca: CaChoice;
  readonly by: TokenChoice;
  /** As they were typed; empty: the CA's default. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * Opens the CA, and makes the token where there is none.
 *
 * @throws {RekeyError} as `openCa` and `makeToken`; kind `usage` for a name that
 *   no certificate can have
 */
export async function openEnrolment(
  options: EnrolmentOptions,
  tools: Asker & TokenTools,
): Promise<Enrolment> {
  const { by, notBefore, notAfter } = options;
  // Before the CA is asked for anything.
  if (by.from === "provisioner") asRequested(options.subject, options.names);
  const ca = await openCa(options.ca, tools);
  const { text, token } = by.from === "user"
    ? by
    : await madeToken(ca, options, { tools, provisioner: by.provisioner });
  const { commonName, names, namesFrom } = namesFor(token, options);
  const requested = asRequested(commonName, names);
  tools.say("CA", ca.url);
  return {
    roots: ca.trust,
    requested,
    namesFrom,
    request: (csr) =>
      requestCertificate(ca, { csr, token: text, notBefore, notAfter }),
  };
}

async function madeToken(
  ca: TrustedCa,
  { subject, names }: NameWish,
  { tools, provisioner }: {
    readonly tools: TokenTools;
    readonly provisioner: ProvisionerChoice;
  },
) {
  const validity = tokenValidity(ca.clock.now());
  const wish = { subject, names, purpose: "sign", validity } as const;
  const text = await makeToken(ca, provisioner, { tools, wish });
  return { text, token: readOneTimeToken(text) };
}

function asRequested(
  commonName: string,
  names: readonly string[],
): RequestedNames {
  try {
    return requestedNames(commonName, names);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new RekeyError("usage", error.message, { hint: error.hint });
  }
}
