/**
 * Removes hidden files that may hold a private key, and none that is the last
 * key of the certificate that stands.
 *
 * What a crash left is removed by its name; but whoever restored a file, or
 * took one away, since then may have made a hidden copy the only one. So each
 * file is opened and compared before it goes. What cannot be told, since it is
 * encrypted or since there is no certificate to compare it with, stays.
 */
import { bestEffort, bestEffortOf } from "../../base/os_error.ts";
import { equalBytes } from "../../base/bytes.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { parseChain } from "../../pki/certificate/certificate.ts";
import { loadPrivateKey } from "../../pki/keys/private_key.ts";
import {
  discard,
  diskCall,
  entriesOf,
  lstatIfExists,
  readBehind,
  readIfExists,
} from "../disk/disk.ts";
import { isStagedNote, stagedBeside } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import {
  CURRENT,
  inDirectory,
  type Target,
  VERSION_FILES,
} from "../disk/target.ts";
import type { InstallWarning, Pair } from "../transaction.ts";

/** A hidden file that stays. */
export interface KeptKey {
  readonly file: string;
  /**
   * `last`: it is the key of the certificate that stands, and the visible one
   * is not. `unknown`: that cannot be ruled out. `no certificate`: nothing is
   * there that it could be compared with.
   */
  readonly because: "last" | "unknown" | "no certificate";
}

/** The contents of a certificate and its key. */
export interface KnownPair {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

export interface DiscardOptions {
  /** Known of what its maker could not put in force any more. */
  readonly isNeverInForce?: boolean;
  /** Known, by its digest, to be the key of a certificate that does not stand. */
  readonly isOfAnother?: boolean;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** The one way in which hidden files beside a pair are removed. */
export class HiddenKeys {
  #pair: Pair<Target>;
  #known: KnownPair | undefined;
  readonly #kept = new Map<string, KeptKey>();

  constructor(pair: Pair<Target>) {
    this.#pair = pair;
  }

  /** After a change of where the names lead. */
  lookAgain(pair: Pair<Target>): void {
    this.#pair = pair;
  }

  /** A pair that was put in place, and belongs together. */
  know(pair: KnownPair): void {
    this.#known = pair;
  }

  /** Tries again what was kept in doubt; what cannot be removed stays kept. */
  async discardKept(): Promise<void> {
    for (const { file } of this.kept) {
      await bestEffortOf(() => this.discard(file));
    }
  }

  /** What stayed so far. */
  get kept(): readonly KeptKey[] {
    return [...this.#kept.values()];
  }

  /**
   * Removes a file, a link or a directory of versions, whole, if it is there;
   * or nothing of it, when it holds the last key of the certificate.
   *
   * @returns whether it is gone
   * @throws the system's error
   */
  async discard(path: string, options: DiscardOptions = {}): Promise<boolean> {
    const mayGo = await this.mayGo(path, options);
    if (!mayGo) return false;
    discard(path);
    for (const file of this.#kept.keys()) {
      if (lstatIfExists(file) === undefined) this.#kept.delete(file);
    }
    return true;
  }

  /** Whether {@linkcode discard} would remove it; what would stay counts as kept. */
  async mayGo(
    path: string,
    { isNeverInForce = false, isOfAnother = false }: DiscardOptions = {},
  ): Promise<boolean> {
    let mayGo = true;
    for (const file of filesIn(path)) {
      const because = await this.#reasonToKeep(file, path);
      if (because === undefined) continue;
      if (because === "no certificate" && isNeverInForce) continue;
      if (because === "unknown" && isOfAnother) continue;
      this.#kept.set(file, { file, because });
      mayGo = false;
    }
    return mayGo;
  }

  async #reasonToKeep(
    file: string,
    removed: string,
  ): Promise<KeptKey["because"] | undefined> {
    // A staged note that a killed root could not give away is unreadable.
    const content = isStagedNote(file) ? readThrough(file) : read(file);
    if (content === undefined || !isPrivateKey(content)) return undefined;
    const visible = this.#visible(removed);
    if (visible.some((other) => equalBytes(other, content))) return undefined;
    const certificate = readThrough(this.#pair.certificate.path) ?? EMPTY;
    if (this.#isKnown(certificate, visible)) return undefined;
    const standing = publicKeyIn(certificate);
    if (standing === undefined) {
      return this.#isWaiting(file) ? undefined : "no certificate";
    }
    for (const other of visible) {
      if (await fits(other, standing) === true) return undefined;
    }
    const isFitting = await fits(content, standing);
    if (isFitting !== undefined) return isFitting ? "last" : undefined;
    return "unknown";
  }

  #isKnown(certificate: Bytes, visible: readonly Bytes[]): boolean {
    const known = this.#known;
    return known !== undefined && equalBytes(certificate, known.certificate) &&
      visible.some((other) => equalBytes(other, known.key));
  }

  /** What the user's names lead to, unless that is about to be removed. */
  #visible(removed: string): readonly Bytes[] {
    const { certificate, key } = this.#pair;
    const version = certificate.version?.directory;
    const served = version === undefined
      ? undefined
      : inDirectory(version, `${CURRENT}/${VERSION_FILES.key}`);
    return [certificate.path, key?.path ?? served].flatMap((file) => {
      if (file === undefined || leadsInto(file, removed)) return [];
      return readThrough(file) ?? [];
    });
  }

  /** Whether a certificate waits still for its first name, and the key with it. */
  #isWaiting(file: string): boolean {
    const { certificate, key } = this.#pair;
    const beside = key && stagedBeside(file, { from: key, to: certificate });
    return beside !== undefined && lstatIfExists(beside) !== undefined;
  }
}

/** What to say about each: where it is, and how to put it back. */
export function keptKeyWarnings(
  { certificate, key }: Pair<Target>,
  kept: readonly KeptKey[],
): readonly InstallWarning[] {
  return kept.map(({ file, because }) => ({
    message: `${unpin(file)} stays: ${
      because === "last"
        ? `it is the private key of ${certificate.path}, and it is nowhere else`
        : because === "unknown"
        ? `it may be the only private key of ${certificate.path}`
        : `it holds a private key, and ${certificate.path} is not there to compare it with (is a file system not mounted?)`
    }`,
    hint: {
      remedy: "put the key back",
      from: unpin(file),
      to: key?.path,
    },
  }));
}

const EMPTY = new Uint8Array();

/** What {@linkcode discard} of a path removes; links are not followed. */
function filesIn(path: string): readonly string[] {
  const info = lstatIfExists(path);
  // One that a killed root could not give away yet may be unreadable.
  if (info?.isFile === true) return info.size === 0 ? [] : [path];
  if (info?.isDirectory !== true) return [];
  return entriesOf(path).flatMap((name) => filesIn(inDirectory(path, name)));
}

function read(file: string): Bytes | undefined {
  const content = diskCall("read", unpin(file), () => readIfExists(file));
  return content instanceof Uint8Array ? content : undefined;
}

/** Undefined also for what cannot be read: then it fits nothing. */
function readThrough(file: string): Bytes | undefined {
  let content: ReturnType<typeof readBehind>;
  bestEffort(() => content = readBehind(file));
  return content instanceof Uint8Array ? content : undefined;
}

function leadsInto(file: string, directory: string): boolean {
  let real = file;
  bestEffort(() => real = Deno.realPathSync(file));
  const removed = unpin(directory);
  return real === removed || real.startsWith(`${removed}/`);
}

/** Whether there is a block that can be a private key, whatever surrounds it. */
function isPrivateKey(content: Bytes): boolean {
  return new TextDecoder().decode(content).includes("PRIVATE KEY-----");
}

function publicKeyIn(content: Bytes): Bytes | undefined {
  try {
    return parseChain(content)[0].publicKey;
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** Undefined for a key that is encrypted, or not understood. */
async function fits(
  key: Bytes,
  publicKey: Bytes,
): Promise<boolean | undefined> {
  if (!isPrivateKey(key)) return false;
  const sealed = new Error("the key is encrypted");
  try {
    const loaded = await loadPrivateKey(key, () => Promise.reject(sealed));
    return equalBytes(loaded.key.publicKey, publicKey);
  } catch (error) {
    if (error === sealed || error instanceof MalformedError) return undefined;
    throw error;
  }
}
