/**
 * The CA over the network: `POST /rekey` and `/renew`, authenticated by the
 * current pair.
 *
 * One request and no retry (an expired certificate needs one before it); who
 * repeats, and when, is decided above. What the CA sends is not verified here
 * either: {@linkcode verifyAnswer} of verified_answer.ts does that.
 */
import { type Act, ACT_WORDS } from "../../base/act.ts";
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type { Hint } from "../../base/remedy.ts";
import { formatInstant } from "../../base/duration.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import type { Csr } from "../../pki/keys/csr.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import type { Clock, Log } from "../../base/runtime.ts";
import { parseAnswer } from "./answer.ts";
import type { CertificateAuthority, RenewRequest } from "../authority.ts";
import type { ReachableAddresses } from "./connection.ts";
import {
  clientCertificateHint,
  clockWarning,
  refuseSelfSigned,
  refuseServersOnly,
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
  const { root, reachable = new Map(), clock } = options;
  const cache: {
    roots?: Promise<readonly Certificate[]>;
    /** By token, which a CA takes once. */
    renewed?: readonly Certificate[];
  } = {};
  const roots = () => cache.roots ??= readRootCertificates(root, options.log);
  const ready = new WeakMap<KeyPair, ReadyClient>();
  const begin = async (
    { current, signal }: Omit<RenewRequest, "by">,
    act: Act,
  ): Promise<Pass> => {
    const trust = await roots();
    const [certificate] = current.chain;
    await refuseSelfSigned(certificate, trust, act);
    const pass = { ...options, reachable, trust, ready, signal, act };
    warn(pass, clockWarning(certificate, clock.now()));
    return pass;
  };
  const renewByToken = async (current: KeyPair, pass: Pass) =>
    cache.renewed ??= await askByToken(current, pass);
  const isExpired = ({ chain: [{ notAfter }] }: KeyPair) =>
    notAfter < clock.now();
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
      const { current, csr } = request;
      const pass = await begin(request, "rekey");
      refuseServersOnly(current.chain[0], "rekey");
      if (!isExpired(current)) return await rekeyOver(current, csr, pass);
      const renewed = withChain(current, await renewByToken(current, pass));
      warn(
        pass,
        `the current certificate expired on ${
          formatInstant(current.chain[0].notAfter)
        }; the CA renewed it once more, so that it can be rekeyed`,
      );
      return await rekeyOver(renewed, csr, pass);
    },
    async renew(request) {
      const { current, by } = request;
      const pass = await begin(request, "renew");
      if (by === "token" || isExpired(current)) {
        return await renewByToken(current, pass);
      }
      refuseServersOnly(current.chain[0], "renew");
      return await ask("/renew", pass, {
        ...byCertificate(current, pass),
        headers: {},
        body: "",
        secrets: [],
      });
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
  /** What was asked for, whatever it takes. */
  readonly act: Act;
}

function warn({ log }: Pass, message: string | undefined): void {
  if (message === undefined) return;
  log.write({ event: "warning", message, once: true });
}

async function rekeyOver(
  pair: KeyPair,
  { pem }: Csr,
  pass: Pass,
): Promise<readonly Certificate[]> {
  return await ask(REKEY_PATH, pass, {
    ...byCertificate(pair, pass),
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ csr: pem }),
    secrets: base64Lines(pem),
  });
}

function byCertificate(
  pair: KeyPair,
  { ready, clock }: Pass,
): Pick<Question, "identity" | "client" | "clientCertificateHint"> {
  return {
    identity: tlsIdentity(pair),
    client: ready.get(pair),
    clientCertificateHint: clientCertificateHint(pair.chain[0], clock.now()),
  };
}

/** Short lines would tear other text apart, and tell nothing. */
function base64Lines(pem: string): readonly string[] {
  return pem.split("\n").filter((line) => /^[A-Za-z0-9+/=]{16,}$/.test(line));
}

/**
 * A fresh certificate for the same key, by token: also without a client
 * certificate, and where the CA allows it, after expiry; the key can then be
 * replaced as usual (smallstep/certificates#2689: `/rekey` itself takes no
 * token).
 */
async function askByToken(
  current: KeyPair,
  pass: Pass,
): Promise<readonly Certificate[]> {
  const { clock } = pass;
  const [certificate] = current.chain;
  const isExpired = certificate.notAfter < clock.now();
  const { createRenewToken } = await import("./renew_token.ts");
  try {
    const token = await createRenewToken(current, {
      audience: new URL("/renew", pass.url).href,
      now: clock.now(),
    });
    if (provisionerReference(certificate).kind === "absent") {
      warn(
        pass,
        "the current certificate does not name its provisioner: only a CA that has it in its database renews it by token",
      );
    }
    return await ask("/renew", pass, {
      headers: {
        "Authorization": `Bearer ${token}`,
        "Content-Type": "application/json",
      },
      body: "",
      clientCertificateHint: "the CA asks for a client certificate",
      secrets: [token, ...token.split(".")],
    });
  } catch (error) {
    throw isExpired ? beyondRecovery(error, certificate, pass) : error;
  }
}

/**
 * A refusal means that the CA does not renew expired certificates: a change of
 * its policy helps, so a daemon goes on asking.
 */
function beyondRecovery(
  error: unknown,
  certificate: Certificate,
  { act }: Pass,
): unknown {
  if (!(error instanceof RekeyError)) return error;
  if (error.kind !== "refused" && error.kind !== "pair") return error;
  return new RekeyError(
    "pair",
    `cannot ${act} an expired certificate: expired on ${
      formatInstant(certificate.notAfter)
    }; ${error.message}`,
    {
      hint: error.kind === "refused"
        ? lateRenewal(certificate)
        : { remedy: "get a new certificate" },
      retry: error.kind === "refused" ? "slowly" : undefined,
      cause: error,
    },
  );
}

/** What the CA's administrator can do. */
function lateRenewal(certificate: Certificate): Hint {
  const provisioner = provisionerReference(certificate);
  if (provisioner.kind === "absent") {
    return { remedy: "get a certificate that names its provisioner" };
  }
  const name = provisioner.kind === "named"
    ? shortened(provisioner.name)
    : undefined;
  return { remedy: "allow late renewal", provisioner: name };
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
  path: typeof REKEY_PATH | "/renew",
  pass: Pass,
  { secrets, ...question }: Question,
): Promise<readonly Certificate[]> {
  const url = new URL(path, pass.url);
  const { doing } = ACT_WORDS[path === "/renew" ? "renew" : "rekey"];
  const name = { url, purpose: `error ${doing} certificate: ` };
  const reply = await postOverTls({ ...pass, ...question, ...name });
  if (reply.status >= 200 && reply.status < 300) {
    return parseAnswer(reply.body, name);
  }
  const { refusalOf } = await import("./refusal.ts");
  throw refusalOf(reply, { ...name, now: pass.clock.now(), secrets });
}
