/** Certificates of X.509 version 1: what openssl makes without extensions. */
import type { OpensslPair } from "./openssl_ca.ts";
import { runOk } from "./run.ts";

/** One named `Old`, signed with SHA-1 by `issuer` or, without one, by itself; PEM. */
export async function oldCertificate(
  directory: string,
  issuer?: OpensslPair,
): Promise<string> {
  const work = await Deno.makeTempDir({ dir: directory });
  const [key, csr] = [`${work}/key`, `${work}/csr`];
  await runOk("openssl", [
    ...["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Old"],
    ...["-keyout", key, "-out", csr],
  ]);
  const signer = issuer === undefined
    ? ["-signkey", key]
    : ["-CA", issuer.certificateFile, "-CAkey", issuer.keyFile];
  const { stdout } = await runOk("openssl", [
    ...["x509", "-req", "-in", csr, "-set_serial", "1", "-sha1", ...signer],
  ]);
  return stdout;
}
