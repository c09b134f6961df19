/**
 * The public key of a certificate or private key file, as openssl reads it: it
 * tells without our code whether two files belong together.
 */
import { run } from "./run.ts";

/** The password of all encrypted keys of these tests. */
export const KEY_PASSWORD = "key password";

/** By content: a sweep looks at the same files again and again. */
const known = new Map<string, Promise<string | undefined>>();

/** As PEM; undefined for a file that openssl takes for neither. */
export function publicKeyOf(text: string): Promise<string | undefined> {
  const found = known.get(text) ?? askOpenssl(text);
  known.set(text, found);
  return found;
}

async function askOpenssl(text: string): Promise<string | undefined> {
  const args = text.includes("CERTIFICATE")
    ? ["x509", "-noout", "-pubkey"]
    : ["pkey", "-pubout", "-passin", `pass:${KEY_PASSWORD}`];
  const { code, stdout } = await run("openssl", args, { stdin: text });
  return code === 0 ? stdout : undefined;
}
