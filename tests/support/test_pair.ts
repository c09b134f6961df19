/**
 * Pairs and requests for tests of an authority, made as the pipeline makes them.
 */
import type { RekeyRequest, RenewRequest } from "../../src/ca/authority.ts";
import type { KeySpec, RenewBy } from "../../src/base/options.ts";
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import { createCsr } from "../../src/pki/keys/csr.ts";
import type { KeyPair } from "../../src/pki/keys/key_pair.ts";
import {
  generatePrivateKey,
  loadPrivateKey,
} from "../../src/pki/keys/private_key.ts";
import type { OpensslPair } from "./openssl_ca.ts";

/** Certificate and key as PEM. */
export type PemPair = Pick<OpensslPair, "certificate" | "key">;

/** The pair as the program loads it. */
export async function keyPair(pair: PemPair): Promise<KeyPair> {
  const [leaf, ...issuers] = parseChain(encode(pair.certificate));
  if (leaf === undefined) throw new Error("no certificate");
  const loaded = await loadPrivateKey(
    encode(pair.key),
    () => Promise.reject(new Error("the keys of tests are not encrypted")),
  );
  return { chain: [leaf, ...issuers], ...loaded };
}

/** A request for the key of the pair. */
export async function renewRequest(
  pair: PemPair,
  by: RenewBy = "certificate",
): Promise<RenewRequest> {
  const { signal } = new AbortController();
  return { current: await keyPair(pair), by, signal };
}

/** A request for a new key, authenticated by the pair. */
export async function rekeyRequest(
  pair: PemPair,
  { signal = new AbortController().signal, spec = P256 }: {
    readonly signal?: AbortSignal;
    readonly spec?: KeySpec;
  } = {},
): Promise<RekeyRequest> {
  return {
    current: await keyPair(pair),
    csr: await createCsr(await generatePrivateKey(spec)),
    signal,
  };
}

const P256: KeySpec = { kty: "EC", curve: "P-256" };

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
