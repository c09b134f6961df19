/**
 * Certificates that a CA gave, in a file or on standard output.
 */
import { sha256 } from "../../base/bytes.ts";
import { openSingleFile } from "../../files/single_file.ts";
import {
  type Certificate,
  chainToPem,
} from "../../pki/certificate/certificate.ts";
import { formatInstant } from "../../base/duration.ts";
import { jsonAnswer } from "../../observe/json_line.ts";
import { askAuthority, type Asker } from "./ask_authority.ts";
import type { Program } from "./program.ts";

export interface SaveOptions {
  /** Of the CA. */
  readonly url: string;
  /** Undefined: standard output. */
  readonly file: string | undefined;
  readonly isForced: boolean;
  readonly isJson: boolean;
}

export interface WantedCertificates {
  /** Called when it is clear that the file may be written. */
  fetch(asker: Asker): Promise<readonly Certificate[]>;
  /** What to say about it. */
  saved(file: string): string;
}

/** @returns the exit code */
export async function askForCertificates(
  { url, file, isForced, isJson }: SaveOptions,
  program: Program,
  { fetch, saved }: WantedCertificates,
): Promise<number> {
  return await askAuthority(program, file ?? url, async (asker) => {
    const opened = file === undefined ? undefined : await openSingleFile(file, {
      overwrite: isForced ? "without asking" : "ask",
      runtime: asker,
      signal: asker.signal,
    });
    const certificates = await fetch(asker);
    const pem = chainToPem(certificates);
    await opened?.write(new TextEncoder().encode(pem));
    if (isJson) {
      const described = await Promise.all(certificates.map(describe));
      program.stdout.write(
        jsonAnswer({ file: file ?? null, certificates: described }),
      );
    } else if (file === undefined) program.stdout.write(pem);
    else program.stderr.write(`${saved(file)}\n`);
    return 0;
  });
}

async function describe(certificate: Certificate) {
  return {
    subject: certificate.subject,
    fingerprint: await sha256(certificate.der),
    notAfter: formatInstant(certificate.notAfter),
    pem: chainToPem([certificate]),
  };
}
