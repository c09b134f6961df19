/**
 * What openssl reads in the files of a pair: it tells without our code which
 * certificate stands there, and whether two files belong together.
 */
import { run, runOk } from "./run.ts";

/** The password of all encrypted keys of the sweeps. */
export const KEY_PASSWORD = "key password";

/** By content: a sweep looks at the same files again and again. */
const known = new Map<string, Promise<string | undefined>>();

/**
 * The public key of a certificate or private key, as PEM; undefined for a text
 * that openssl takes for neither.
 */
export function publicKeyOf(
  text: string,
  password = KEY_PASSWORD,
): Promise<string | undefined> {
  const id = `${password} ${text}`;
  const found = known.get(id) ?? askOpenssl(text, password);
  known.set(id, found);
  return found;
}

async function askOpenssl(
  text: string,
  password: string,
): Promise<string | undefined> {
  const args = text.includes("CERTIFICATE")
    ? ["x509", "-noout", "-pubkey"]
    : ["pkey", "-pubout", "-passin", `pass:${password}`];
  const { code, stdout } = await run("openssl", args, { stdin: text });
  return code === 0 ? stdout : undefined;
}

/** The one public key of both files, as PEM. */
export async function pairKeyOf(
  { certificateFile, keyFile }: {
    readonly certificateFile: string;
    readonly keyFile: string;
  },
  password?: string,
): Promise<string> {
  const [ofCertificate, ofKey] = await Promise.all(
    [certificateFile, keyFile].map(async (file) =>
      await publicKeyOf(await Deno.readTextFile(file), password)
    ),
  );
  if (ofKey === undefined || ofCertificate !== ofKey) {
    throw new Error(`${certificateFile} and ${keyFile} do not belong together`);
  }
  return ofKey;
}

/** The serial number of a certificate file, in hexadecimal. */
export async function serialOf(certificateFile: string): Promise<string> {
  const { stdout } = await runOk("openssl", [
    ...["x509", "-noout", "-serial", "-in", certificateFile],
  ]);
  return stdout.trim().replace(/^serial=/, "");
}
