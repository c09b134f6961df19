/**
 * May this certificate be rekeyed or renewed? The rules of a running step-ca
 * (smallstep/certificates authority/authorize.go:306-333,
 * authority/provisioner/controller.go:179-197).
 *
 * Pure: the answer depends on the arguments alone.
 */
import type { Act } from "../../base/act.ts";
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import { formatInstant } from "../../base/duration.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import { provisionerReference } from "../../pki/certificate/step_extension.ts";
import type { CaConfig, Provisioner } from "./config/ca_config.ts";
import type { CertificateRecord } from "./database/certificate_record.ts";

/** step-ca's text for every refusal of this kind; it keeps the reason in its log. */
const UNAUTHORIZED =
  "The request lacked necessary authorization to be completed. Please see " +
  "the certificate authority logs for more info.";

export interface Circumstances {
  readonly now: Date;
  /** Of the CA's database; undefined when it has none, or was not asked. */
  readonly record?: CertificateRecord | undefined;
  readonly act: Act;
}

/**
 * @throws {RekeyError} kind `pair` for an expired certificate, kind `refused`
 *   for one that its provisioner does not let rekey
 */
export function authorizeReissue(
  certificate: Certificate,
  config: CaConfig,
  { now, record, act }: Circumstances,
): void {
  if (record?.isRevoked === true) {
    throw unauthorized("certificate has been revoked");
  }
  const provisioner = findProvisioner(certificate, config, record);
  const { allowRenewalAfterExpiry = config.claims.allowRenewalAfterExpiry } =
    provisioner?.claims ?? {};
  const isLate = now > certificate.notAfter;
  if (
    isLate && (provisioner === undefined || allowRenewalAfterExpiry !== true)
  ) {
    throw expired(certificate, act);
  }
  // A certificate without the extension, from outside of step: always allowed.
  if (provisioner === undefined) return;
  const { type, name, claims } = provisioner;
  if (type === "scep" || type === "sshpop") {
    throw unauthorized("provisioner.AuthorizeRenew not implemented");
  }
  if (claims.disableRenewal ?? config.claims.disableRenewal ?? false) {
    throw unauthorized(
      `renew is disabled for provisioner '${shortened(name)}'`,
    );
  }
  if (now < certificate.notBefore) {
    throw unauthorized(
      `certificate is not yet valid ${formatInstant(now)} vs ${
        formatInstant(certificate.notBefore)
      }`,
    );
  }
}

function findProvisioner(
  certificate: Certificate,
  config: CaConfig,
  record: CertificateRecord | undefined,
): Provisioner | undefined {
  const recorded = config.provisioners.find(({ id }) =>
    id === record?.provisionerId
  );
  return recorded ?? findByExtension(certificate, config);
}

/** Undefined without the extension; one that names nobody is refused. */
function findByExtension(
  certificate: Certificate,
  { provisioners }: CaConfig,
): Provisioner | undefined {
  const reference = provisionerReference(certificate);
  if (reference.kind === "absent") return undefined;
  const found = reference.kind === "named"
    // By name alone, as the original: type and credential are not compared.
    ? provisioners.find(({ name }) => name === reference.name)
    : undefined;
  if (found === undefined) throw unauthorized("provisioner not found");
  return found;
}

function expired({ notAfter }: Certificate, act: Act): RekeyError {
  return new RekeyError(
    "pair",
    `cannot ${act} an expired certificate: expired on ${
      formatInstant(notAfter)
    }`,
    {
      hint:
        'set the claim "allowRenewalAfterExpiry" of its provisioner, or get a new certificate',
    },
  );
}

function unauthorized(reason: string): RekeyError {
  return new RekeyError("refused", UNAUTHORIZED, {
    hint: `the reason: ${reason}`,
  });
}
