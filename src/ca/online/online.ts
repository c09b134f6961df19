/**
 * The CA over the network: `POST /rekey`, authenticated by the current pair.
 *
 * One request and no retry (an expired certificate needs one before it); who
 * repeats, and when, is decided above. What the CA sends is not verified here
 * either: {@linkcode verifyAnswer} of authority.ts does that.
 */
import { RekeyError } from "../../base/errors.ts";
import { formatInstant } from "../../base/duration.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import type { Csr } from "../../pki/keys/csr.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import type { Clock, Log } from "../../base/runtime.ts";
import { parseAnswer } from "./answer.ts";
import type { CertificateAuthority } from "../authority.ts";
import type { ReachableAddresses } from "./connection.ts";
import {
  clientCertificateHint,
  clockWarning,
  refuseCertainly,
  tlsIdentity,
} from "./client_certificate.ts";
import { provisionerReference } from "../../pki/certificate/step_extension.ts";
import type { RefusalContext } from "./refusal.ts";
import { readRootCertificates } from "./root_certificates.ts";
import { postOverTls, ReadyClient, type TlsPost } from "./tls_post.ts";

export interface OnlineAuthorityOptions {
  /** `https://host[:port]`, without path. */
  readonly url: string;
  /** File, directory or comma-separated list of files with root certificates. */
  readonly root: string;
  /** For the TCP connection, in ms. */
  readonly connectTimeoutMs: number;
  /** For a whole request: connection, TLS, answer; in ms. */
  readonly timeoutMs: number;
  /** Kept from pass to pass, so that a try begins where one before ended. */
  readonly reachable?: ReachableAddresses | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * An authority for one pass: it reads `--root` once.
 *
 * Call pinTrust() of trust.ts at the start of the process, else roots that
 * something else loaded before are trusted as well.
 */
export function createOnlineAuthority(
  options: OnlineAuthorityOptions,
): CertificateAuthority {
  const { root, reachable = new Map() } = options;
  const cache: { roots?: Promise<readonly Certificate[]> } = {};
  const roots = () => cache.roots ??= readRootCertificates(root, options.log);
  const ready = new WeakMap<KeyPair, ReadyClient>();
  return {
    onPathProblem: "refuse",
    roots,
    async check({ current, signal }) {
      const { rehearseRequest } = await import("./rehearse.ts");
      return await rehearseRequest(current, { ...options, signal });
    },
    prepare(current, trust) {
      const client = unlessUnusable(() =>
        new ReadyClient({
          url: new URL(REKEY_PATH, options.url),
          trust,
          identity: tlsIdentity(current),
        })
      );
      if (client !== undefined) ready.set(current, client);
      return client;
    },
    async rekey(request) {
      const trust = await roots();
      const { signal } = request;
      const pass = { ...options, reachable, trust, ready, signal };
      const { current, csr } = request;
      const [certificate] = current.chain;
      await refuseCertainly(certificate, trust);
      const warning = clockWarning(certificate, options.clock.now());
      if (warning !== undefined) {
        options.log.write({ event: "warning", message: warning, once: true });
      }
      const isExpired = certificate.notAfter < options.clock.now();
      const pair = isExpired ? await renewExpired(current, pass) : current;
      return await rekeyOver(pair, csr, pass);
    },
  };
}

const REKEY_PATH = "/rekey";

/** What is wrong is said when it is needed. */
function unlessUnusable(make: () => ReadyClient): ReadyClient | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof RekeyError) return undefined;
    throw error;
  }
}

interface Pass extends OnlineAuthorityOptions {
  readonly reachable: ReachableAddresses;
  /** By the pair that identifies them. */
  readonly ready: WeakMap<KeyPair, ReadyClient>;
  readonly trust: readonly Certificate[];
  readonly signal: AbortSignal;
}

async function rekeyOver(
  pair: KeyPair,
  { pem }: Csr,
  pass: Pass,
): Promise<readonly Certificate[]> {
  const [certificate] = pair.chain;
  return await ask(REKEY_PATH, pass, {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ csr: pem }),
    identity: tlsIdentity(pair),
    client: pass.ready.get(pair),
    clientCertificateHint: clientCertificateHint(certificate, pass.clock.now()),
    secrets: base64Lines(pem),
  });
}

/** Short lines would tear other text apart, and tell nothing. */
function base64Lines(pem: string): readonly string[] {
  return pem.split("\n").filter((line) => /^[A-Za-z0-9+/=]{16,}$/.test(line));
}

/**
 * A fresh certificate for the same key, by token: where the CA allows it, the
 * key can then be replaced as usual (smallstep/certificates#2689: `/rekey`
 * itself takes no token).
 */
async function renewExpired(current: KeyPair, pass: Pass): Promise<KeyPair> {
  const { clock, log } = pass;
  const expiry = formatInstant(current.chain[0].notAfter);
  const { createRenewToken } = await import("./renew_token.ts");
  try {
    const token = await createRenewToken(current, {
      audience: new URL("/renew", pass.url).href,
      now: clock.now(),
    });
    const chain = await ask("/renew", pass, {
      headers: {
        "Authorization": `Bearer ${token}`,
        "Content-Type": "application/json",
      },
      body: "",
      clientCertificateHint: "the CA asks for a client certificate",
      secrets: [token, ...token.split(".")],
    });
    const renewed = withChain(current, chain);
    log.write({
      event: "warning",
      message:
        `the current certificate expired on ${expiry}; the CA renewed it once more, so that it can be rekeyed`,
    });
    return renewed;
  } catch (error) {
    throw beyondRecovery(error, current.chain[0]);
  }
}

/**
 * A refusal means that the CA does not renew expired certificates: a change of
 * its policy helps, so a daemon goes on asking.
 */
function beyondRecovery(error: unknown, certificate: Certificate): unknown {
  if (!(error instanceof RekeyError)) return error;
  if (error.kind !== "refused" && error.kind !== "pair") return error;
  const first = provisionerReference(certificate).kind === "absent"
    ? "the certificate does not name its provisioner, which a renewal needs"
    : 'the claim "allowRenewalAfterExpiry" of its provisioner would allow it';
  return new RekeyError(
    "pair",
    `cannot rekey an expired certificate: expired on ${
      formatInstant(certificate.notAfter)
    }; ${error.message}`,
    {
      hint: `${first}; else get a new one with "step ca certificate"`,
      retry: error.kind === "refused" ? "slowly" : undefined,
      cause: error,
    },
  );
}

function withChain(
  current: KeyPair,
  [leaf, ...issuers]: readonly Certificate[],
): KeyPair {
  if (
    leaf === undefined || !equalBytes(leaf.publicKey, current.key.publicKey)
  ) {
    throw new RekeyError(
      "untrusted",
      "error rekeying certificate: the CA renewed the expired certificate for another key",
    );
  }
  return { ...current, chain: [leaf, ...issuers] };
}

type Question =
  & Pick<TlsPost, "headers" | "body" | "identity" | "client">
  & Pick<TlsPost, "clientCertificateHint">
  & Pick<RefusalContext, "secrets">;

/** The chain of a success; anything else is thrown. */
async function ask(
  path: string,
  pass: Pass,
  { secrets, ...question }: Question,
): Promise<readonly Certificate[]> {
  const url = new URL(path, pass.url);
  const reply = await postOverTls({ ...pass, ...question, url });
  if (reply.status >= 200 && reply.status < 300) return parseAnswer(reply.body);
  const { refusalOf } = await import("./refusal.ts");
  throw refusalOf(reply, { url, now: pass.clock.now(), secrets });
}
