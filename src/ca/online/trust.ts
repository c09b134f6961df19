/**
 * Makes `--root` the only trust anchor of this process.
 *
 * The runtime adds what createHttpClient is given to a store of its own, which
 * DENO_TLS_CA_STORE, DENO_CERT and NODE_EXTRA_CA_CERTS fill. It reads them once
 * in the life of a process, at the first use of TLS. So the store has to be
 * empty at that moment, and the variables have to be back before a hook starts.
 *
 * At the same moment, or already at its start, it opens the file of
 * SSLKEYLOGFILE and writes there what decrypts its connections: never in a
 * process that holds host keys.
 */
import { proxyFor } from "./proxy.ts";

/** Names the stores that the runtime begins with; an empty value means none. */
const STORE = "DENO_TLS_CA_STORE";

/**
 * What adds to the store, and what the runtime reads about proxies, of which
 * proxy.ts decides instead.
 */
const OTHER_VARIABLES: readonly string[] = [
  "DENO_CERT",
  "NODE_EXTRA_CA_CERTS",
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NO_PROXY",
  "no_proxy",
];

/** Where the runtime writes the secrets of its connections. */
export const KEY_LOG = "SSLKEYLOGFILE";

/** No store has this name, so that reading the variable fails. */
const NO_SUCH_STORE = "step-rekey";

/**
 * Loads the runtime's store, empty. To be called as early as possible, before
 * anything in the process can have used TLS, and not again once it succeeded.
 *
 * `deno run` uses TLS itself when it downloads modules first, and some time
 * after the start to look for a newer Deno; both leave a store with public
 * roots behind, to which `--root` would only be added. Compiled programs do
 * neither, and they would remember the failure that isStoreLoaded() provokes.
 *
 * @returns false when it is too late
 */
export function pinTrust(): boolean {
  if (!Deno.build.standalone && isStoreLoaded()) return false;
  createPinnedClient({ caCerts: [] }).close();
  return true;
}

function isStoreLoaded(): boolean {
  using _environment = changedEnvironment(NO_SUCH_STORE);
  try {
    Deno.createHttpClient({}).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

/** The client's side of mutual TLS. */
export interface TlsIdentity {
  /** Chain, leaf first. */
  readonly certificatePem: string;
  /** Unencrypted PKCS#8; it stays in memory. */
  readonly keyPem: string;
}

/**
 * A client for HTTP/1.1, untouched by the environment: no other root than
 * `caCerts`, no other proxy than the URL `proxy`. The caller closes it.
 *
 * @throws what createHttpClient throws
 */
export function createPinnedClient(
  { caCerts, identity, proxy, allowHost }: {
    readonly caCerts: string[];
    /** Whether a request may name another host than that of its URL. */
    readonly allowHost?: boolean | undefined;
    readonly identity?: TlsIdentity | undefined;
    readonly proxy?: string | undefined;
  },
): Deno.HttpClient {
  const options: Deno.CreateHttpClientOptions = { http2: false, caCerts };
  if (allowHost !== undefined) options.allowHost = allowHost;
  if (proxy !== undefined) options.proxy = { url: proxy };
  using _environment = changedEnvironment("");
  if (identity === undefined) return Deno.createHttpClient(options);
  const { certificatePem: cert, keyPem: key } = identity;
  return Deno.createHttpClient({ ...options, cert, key });
}

/**
 * The proxy that the environment names for a URL; see {@linkcode proxyFor}.
 *
 * @throws {RekeyError} kind `config`
 */
export function environmentProxy(target: URL): URL | undefined {
  return proxyFor(target, {
    httpsProxy: Deno.env.get("HTTPS_PROXY") || Deno.env.get("https_proxy"),
    noProxy: Deno.env.get("NO_PROXY") || Deno.env.get("no_proxy"),
  });
}

/**
 * Nothing may be awaited in this scope: children inherit the environment of
 * the moment in which they start.
 */
function changedEnvironment(store: string): Disposable {
  const saved = [STORE, KEY_LOG, ...OTHER_VARIABLES].map((name) =>
    [name, Deno.env.get(name)] as const
  );
  for (const [name] of saved) Deno.env.delete(name);
  Deno.env.set(STORE, store);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of saved) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}
