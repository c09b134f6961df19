/**
 * How a certificate and its key stand: what is there, whether it can be used,
 * and when it is due.
 */
import { RekeyError } from "../base/errors.ts";
import type { KeyPairFiles, KeySpec, Schedule } from "../base/options.ts";
import type { Terminal } from "../base/runtime.ts";
import { equalBytes } from "../base/bytes.ts";
import { type DueTimes, dueTimes } from "../engine/schedule.ts";
import { loadChain, loadKey } from "../files/pair/key_pair.ts";
import { lookAtPair, type PairState } from "../files/pair_state.ts";
import type {
  Certificate,
  CertificateChain,
} from "../pki/certificate/certificate.ts";

export interface StatusQuestion {
  readonly files: KeyPairFiles;
  /** Opens the key; without it, an encrypted one is not checked. */
  readonly passwordFile: string | undefined;
  /** By which the certificate is renewed. */
  readonly schedule: Schedule;
  readonly stateFolders: readonly string[];
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** What was found about the key. */
export type KeyStatus =
  | {
    /** `unchecked`: there is no certificate to compare it with. */
    readonly state: "matches" | "mismatch" | "unchecked";
    readonly spec: KeySpec;
  }
  /** Whether it belongs to the certificate is not known. */
  | { readonly state: "encrypted" }
  | { readonly state: "unusable"; readonly problem: string };

/** In one word, the worst that was found. */
export type Verdict = "usable" | "due" | "expired" | "not yet valid" | "broken";

export interface Status {
  readonly verdict: Verdict;
  /** Why it is broken; undefined otherwise. */
  readonly problem: string | undefined;
  /** Undefined when the certificate cannot be read. */
  readonly chain: CertificateChain | undefined;
  readonly key: KeyStatus;
  readonly due: DueTimes | undefined;
  /** Undefined when the folder cannot be looked at. */
  readonly disk: PairState | undefined;
}

/**
 * Answers in any case that a file can be in: what is wrong with the pair is part
 * of the answer. Changes nothing, and asks nobody.
 */
export async function statusOf(question: StatusQuestion): Promise<Status> {
  const { files, schedule, stateFolders, now } = question;
  const chain = await orProblem(loadChain(files.certificate));
  const leaf = "problem" in chain ? undefined : chain.value[0];
  const key = await keyStatus(leaf, question);
  const disk = await orProblem(
    lookAtPair(files, { certificate: leaf, stateFolders }),
  );
  const due = leaf && dueTimes(leaf, schedule, leaf.notBefore);
  // What was not ended explains the rest.
  const problem = [disk, chain, keyProblem(key, files)]
    .map((found) => "problem" in found ? found.problem : undefined)
    .find((found) => found !== undefined);
  return {
    verdict: verdictOf({ problem, leaf, due, now }),
    problem,
    chain: "problem" in chain ? undefined : chain.value,
    key,
    due,
    disk: "problem" in disk ? undefined : disk.value,
  };
}

function verdictOf({ problem, leaf, due, now }: {
  readonly problem: string | undefined;
  readonly leaf: Certificate | undefined;
  readonly due: DueTimes | undefined;
  readonly now: Date;
}): Verdict {
  if (problem !== undefined || leaf === undefined) return "broken";
  if (leaf.notAfter < now) return "expired";
  if (leaf.notBefore > now) return "not yet valid";
  return due !== undefined && due.to <= now ? "due" : "usable";
}

async function keyStatus(
  leaf: Certificate | undefined,
  { files, passwordFile, signal }: StatusQuestion,
): Promise<KeyStatus> {
  const sealed = new Error("the key is encrypted");
  const nobody: Terminal = {
    confirm: () => Promise.reject(sealed),
    readPassword: () => Promise.reject(sealed),
    busy: () => ({ [Symbol.dispose]() {} }),
  };
  try {
    const source = { file: passwordFile, terminal: nobody, signal };
    const { key: { publicKey, spec } } = await loadKey(files.key, source);
    if (leaf === undefined) return { state: "unchecked", spec };
    const isOwn = equalBytes(publicKey, leaf.publicKey);
    return { state: isOwn ? "matches" : "mismatch", spec };
  } catch (error) {
    if (error === sealed) return { state: "encrypted" };
    if (!(error instanceof RekeyError)) throw error;
    return { state: "unusable", problem: error.message };
  }
}

function keyProblem(
  key: KeyStatus,
  { certificate, key: keyFile }: KeyPairFiles,
): { readonly problem: string | undefined } {
  if (key.state === "unusable") return key;
  return {
    problem: key.state === "mismatch"
      ? `${keyFile} is not the key of the certificate in ${certificate}`
      : undefined,
  };
}

async function orProblem<T>(
  work: Promise<T>,
): Promise<{ readonly value: T } | { readonly problem: string }> {
  try {
    return { value: await work };
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return { problem: error.message };
  }
}
