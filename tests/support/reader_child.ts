/**
 * A service that reads a pair again and again while it is rotated.
 *
 * Arguments: certificate file, key file. Reads the key, the certificate and the
 * key again, and counts what it saw when the key was the same both times, as a
 * careful service would. Prints `ready`, ends with its standard input, and then
 * prints the counts as JSON.
 */
import {
  createPrivateKey,
  createPublicKey,
  X509Certificate,
} from "node:crypto";

/** What the reader saw. */
export interface ReaderCounts {
  /** Reads with the same key before and after the certificate. */
  reads: number;
  /** Files that were missing, or not whole. */
  torn: number;
  /** Whole files that do not belong together. */
  mixed: number;
}

const known = new Map<string, string>();

/** The public key of a whole file; undefined for anything else. */
function publicKey(
  text: string,
  read: (text: string) => string,
): string | undefined {
  const found = known.get(text);
  if (found !== undefined) return found;
  try {
    const key = read(text);
    known.set(text, key);
    return key;
  } catch {
    // Whatever it is, it cannot be used.
    return undefined;
  }
}

function readOnce(
  certificate: string,
  key: string,
  counts: ReaderCounts,
): void {
  let texts: string[];
  try {
    texts = [key, certificate, key].map((path) => Deno.readTextFileSync(path));
  } catch {
    counts.torn++;
    return;
  }
  const [before = "", between = "", after = ""] = texts;
  if (before !== after) return;
  counts.reads++;
  const spki = { type: "spki", format: "pem" } as const;
  const ofKey = publicKey(
    before,
    (text) => String(createPublicKey(createPrivateKey(text)).export(spki)),
  );
  const ofCertificate = publicKey(
    between,
    (text) => String(new X509Certificate(text).publicKey.export(spki)),
  );
  if (ofKey === undefined || ofCertificate === undefined) counts.torn++;
  else if (ofKey !== ofCertificate) counts.mixed++;
}

if (import.meta.main) {
  const [certificate = "", key = ""] = Deno.args;
  const counts: ReaderCounts = { reads: 0, torn: 0, mixed: 0 };
  const state = { isEnded: false };
  Deno.stdin.read(new Uint8Array(1)).then(() => state.isEnded = true);
  console.log("ready");
  while (!state.isEnded) {
    for (let count = 0; count < 50; count++) readOnce(certificate, key, counts);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  console.log(JSON.stringify(counts));
}
