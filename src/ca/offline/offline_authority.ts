/**
 * The CA's own files as an authority: signs what a running step-ca would sign.
 *
 * Never issues without an answer to "is it revoked?": a CA without a database
 * cannot revoke at all, and the database of any other is read first, unless
 * the user says that it shall be ignored. It is never written to.
 */
import { type Act, ACT_WORDS } from "../../base/act.ts";
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import {
  authorityKeyIdentifier,
  subjectKeyIdentifier,
} from "../../pki/certificate/extensions.ts";
import { nameConstraintViolation } from "../../pki/verify/name_constraints.ts";
import { provisionerReference } from "../../pki/certificate/step_extension.ts";
import {
  reissue,
  ReissueError,
  unreadableExtension,
} from "../../pki/issue/reissue.ts";
import { isSignedBy } from "../../pki/verify/certification_path.ts";
import type { Clock, Log, LogEvent, Terminal } from "../../base/runtime.ts";
import {
  type CertificateAuthority,
  type RekeyRequest,
  type RenewRequest,
  throwIfStopped,
} from "../authority.ts";
import { authorizeReissue } from "./authorize.ts";
import { type CaFiles, readCaFiles } from "./ca_files.ts";
import type { CertificateRecord } from "./database/certificate_record.ts";

export interface OfflineAuthorityOptions {
  /** Path of ca.json; `-` is standard input. */
  readonly configFile: string;
  /**
   * What the user said to leave the database out, as the warning about it calls
   * it; undefined: the database is asked.
   */
  readonly databaseIgnoredBy?: string | undefined;
  /** The password of the CA's key, if a file names one. */
  password(): Promise<string | undefined>;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The authority of `--offline`. Its files are read once, at the first use. */
export function createOfflineAuthority(
  options: OfflineAuthorityOptions,
): CertificateAuthority {
  const { configFile, databaseIgnoredBy, password, terminal, log, signal } =
    options;
  const state: { files?: Promise<CaFiles> } = {};
  const files = () =>
    state.files ??= readCaFiles(configFile, {
      ignoreDatabase: databaseIgnoredBy !== undefined,
      password,
      terminal,
      log,
      signal,
    });
  return {
    // Whoever holds the CA's key decides; step-ca would sign it all the same.
    onPathProblem: "warn",
    roots: async () => (await files()).roots,
    rekey: async (request) => {
      const order = { ...request, act: "rekey" as const };
      return await issue(order, await files(), options);
    },
    renew: async (request) => {
      const order = { ...request, act: "renew" as const };
      return await issue(order, await files(), options);
    },
    check: async ({ current, signal }) => {
      const order = { current, signal, act: "rekey" as const };
      await authorize(order, await files(), options);
      return undefined;
    },
  };
}

type Order =
  | (RekeyRequest & { readonly act: "rekey" })
  | (RenewRequest & { readonly act: "renew" });

async function authorize(
  { act, current, signal }: Pick<Order, "act" | "current" | "signal">,
  files: CaFiles,
  { configFile, databaseIgnoredBy, clock, log }: OfflineAuthorityOptions,
): Promise<void> {
  const [previous] = current.chain;
  const { config, issuers: [issuer] } = files;
  throwIfStopped(signal, "the CA signed");
  if (config.database === "ignored" && databaseIgnoredBy !== undefined) {
    log.write(ignoredDatabase(configFile, databaseIgnoredBy));
  }
  refuseUnreadable(previous, act);
  const record = await recordOf(previous, files, { clock, signal });
  authorizeReissue(previous, config, { now: clock.now(), record, act });
  refuseConstrained(previous, files);
  const foreign = await describeForeign(previous, issuer);
  if (foreign !== undefined) {
    log.write({ event: "warning", message: foreign });
  }
  const { emptyFolder } = record ?? {};
  if (emptyFolder !== undefined) {
    refuseUnrecorded(previous, emptyFolder);
    if (foreign === undefined) log.write(neverUsed(emptyFolder));
  }
}

async function issue(
  order: Order,
  files: CaFiles,
  options: OfflineAuthorityOptions,
): Promise<readonly Certificate[]> {
  await authorize(order, files, options);
  const { act, current: { chain: [previous] } } = order;
  const { config, issuers, key } = files;
  const [issuer] = issuers;
  const { clock, log } = options;
  try {
    const leaf = await reissue({
      previous,
      publicKey: order.act === "rekey" ? order.csr.publicKey : undefined,
      issuer,
      issuerKey: key,
      backdate: config.backdate,
      now: clock.now(),
      serial: crypto.getRandomValues(new Uint8Array(16)),
    });
    if (config.database !== undefined) log.write(notRecorded(leaf));
    return [leaf, ...issuers];
  } catch (error) {
    if (!(error instanceof ReissueError)) throw error;
    throw new RekeyError(
      "config",
      `error ${ACT_WORDS[act].doing} certificate: ${error.message}`,
      { cause: error },
    );
  }
}

/** Undefined when there is no database to ask. */
async function recordOf(
  { serial }: Certificate,
  { config: { database } }: CaFiles,
  { clock, signal }: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<CertificateRecord | undefined> {
  if (database === undefined || database === "ignored") return undefined;
  const { readCertificateRecord } = await import("./database/ca_database.ts");
  try {
    return await readCertificateRecord(database, serial, { clock, signal });
  } catch (error) {
    throwIfStopped(signal, "the CA signed");
    throw error;
  }
}

/**
 * Step-ca has used its database before it issues, so an empty one, beside a
 * certificate with the extension that only step-ca writes, is not its database
 * but, for one, a volume that is not mounted.
 */
function refuseUnrecorded(certificate: Certificate, folder: string): void {
  if (provisionerReference(certificate).kind === "absent") return;
  throw new RekeyError(
    "config",
    `the CA's database does not say whether the certificate is revoked: ${
      JSON.stringify(folder)
    } is empty, but step-ca, which issued the certificate, has used a database`,
    {
      hint: {
        remedy: "ignore the database",
        repair: 'mount or restore the database that "db" in ca.json names',
      },
    },
  );
}

function neverUsed(folder: string): LogEvent {
  return {
    event: "warning",
    message:
      `whether the certificate is revoked is NOT certain: this CA signed it, but its database, ${
        JSON.stringify(folder)
      }, is empty`,
    hint: "make sure that the volume of the database is mounted",
  };
}

function ignoredDatabase(configFile: string, flag: string): LogEvent {
  return {
    event: "warning",
    message:
      `${flag}: whether the certificate is revoked was NOT checked, nor which provisioner issued it: the CA's database in ${
        JSON.stringify(configFile)
      } was not read`,
    hint: `leave ${flag} out as soon as the database can be read`,
  };
}

/** step-ca revokes by serial number all the same. */
function notRecorded({ serial }: Certificate): LogEvent {
  return {
    event: "warning",
    message:
      `the new certificate is not recorded in the CA's database: note its serial number, ${
        BigInt(`0x${serial}`)
      }, to be able to revoke it`,
    routine: true,
  };
}

/** Says that a certificate is not of this CA, which signs it anew all the same. */
async function describeForeign(
  previous: Certificate,
  issuer: Certificate,
): Promise<string | undefined> {
  const [theirs, ours] = [previous.issuer, issuer.subject].map((name) =>
    JSON.stringify(shortened(name))
  );
  if (!equalBytes(previous.issuerDer, issuer.subjectDer)) {
    return `the current certificate was issued by ${theirs}, not by this CA, ${ours}`;
  }
  if (await isSignedBy(previous, issuer)) return undefined;
  return `the signature on the current certificate does not verify with the key of this CA, ${ours}`;
}

function refuseUnreadable(certificate: Certificate, act: Act): void {
  const extension = unreadableExtension(certificate);
  if (extension === undefined) return;
  throw new RekeyError(
    "pair",
    `cannot ${act} a certificate that step-ca cannot read: x509: invalid ${extension}`,
  );
}

function refuseConstrained(certificate: Certificate, files: CaFiles): void {
  const violation = nameConstraintViolation(certificate, constrainers(files));
  if (violation === undefined) return;
  throw new RekeyError("refused", shortened(violation), {
    hint: "the name constraints of the CA's own certificates forbid it",
  });
}

/** The bundle, and the roots right above it (authority/authority.go:821-832). */
function constrainers(
  { issuers, roots }: CaFiles,
): readonly Certificate[] {
  const last = issuers.at(-1) ?? issuers[0];
  // As in Go, where no identifier equals no identifier.
  const above = authorityKeyIdentifier(last) ?? NO_IDENTIFIER;
  return [
    ...issuers,
    ...roots.filter((root) =>
      equalBytes(root.subjectDer, last.issuerDer) &&
      equalBytes(subjectKeyIdentifier(root) ?? NO_IDENTIFIER, above)
    ),
  ];
}

const NO_IDENTIFIER = new Uint8Array(0);
