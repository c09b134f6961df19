/**
 * Owner and mode of the files that are written.
 *
 * Set on the file that was made and on no other: in a directory that somebody
 * else may change, a name can lead elsewhere from one system call to the next.
 */
import { RekeyError } from "../../base/errors.ts";
import type { WriteOptions } from "../../base/options.ts";
import { bestEffort, osReason } from "../../base/os_error.ts";
import { diskCall, isSameFile, PINNED_PREFIX, type Role } from "./disk.ts";

/** What a new file gets instead of what the replaced one had. */
export type AttributeChoice = WriteOptions["attributes"];

/** Owner and mode of one file; an owner that is undefined is who runs us. */
export interface FileAttributes {
  /** Permission bits, at most 0777. */
  readonly mode: number;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Whether the owner is one that the user chose, for messages. */
  readonly isChosen?: boolean | undefined;
}

/** Mode of what nobody else has to read; as the original creates its files. */
export const PRIVATE_MODE = 0o600;

/**
 * What a file may hand on to its successor: a file of ours is never executed
 * with the rights of another user, whoever prepared the one before.
 */
const HANDED_ON = 0o777;

/** The permission bits of a mode, with setuid, setgid and sticky. */
export function permissions({ mode }: Deno.FileInfo): number {
  return (mode ?? PRIVATE_MODE) & 0o7777;
}

/**
 * The attributes of what replaces `info`: the same, but for what was chosen.
 *
 * @param info undefined when there is no such file yet
 * @throws {RekeyError} kind `usage` for an owner or group that does not exist
 */
export function attributesFor(
  role: Role,
  info: Deno.FileInfo | undefined,
  choice: AttributeChoice,
): FileAttributes {
  const chosen = role === "key" ? choice.keyMode : choice.certificateMode;
  const uid = idOf(choice.owner, "owner");
  const gid = idOf(choice.group, "group");
  return {
    mode: chosen ?? modeToKeep(info),
    uid: uid ?? info?.uid ?? undefined,
    gid: gid ?? info?.gid ?? undefined,
    isChosen: (uid ?? gid) !== undefined,
  };
}

/** 0600 for what is no file: the mode of a link says nothing. */
function modeToKeep(info: Deno.FileInfo | undefined): number {
  return info?.isFile === true ? permissions(info) & HANDED_ON : PRIVATE_MODE;
}

/** Owner and mode that a copy of a file gets. */
export function copiedAttributes(info: Deno.FileInfo): FileAttributes {
  return {
    mode: modeToKeep(info),
    uid: info.uid ?? undefined,
    gid: info.gid ?? undefined,
  };
}

/**
 * Owner and mode of a copy of a file that is for its owner alone, should he have
 * to go on where root was killed. Who is not root cannot give anything away.
 */
export function privateTo(info: Deno.FileInfo | undefined): FileAttributes {
  if (ownUid() !== 0) return { mode: PRIVATE_MODE };
  return {
    mode: PRIVATE_MODE,
    uid: info?.uid ?? undefined,
    gid: info?.gid ?? undefined,
  };
}

/**
 * Looks up the owner and group that were chosen, before anything is done.
 *
 * @throws {RekeyError} kind `usage` for a name that is unknown
 */
export function requireKnownOwners(choice: AttributeChoice): void {
  idOf(choice.owner, "owner");
  idOf(choice.group, "group");
}

const DATABASES = { owner: "/etc/passwd", group: "/etc/group" } as const;

/** Names as passwd(5) and group(5) have them: NAME:PASSWORD:NUMBER:… */
function idOf(
  name: string | undefined,
  flag: keyof typeof DATABASES,
): number | undefined {
  if (name === undefined) return undefined;
  if (/^\d{1,10}$/.test(name)) return Number(name);
  const file = DATABASES[flag];
  const line = readDatabase(file, flag).split("\n")
    .map((text) => text.split(":"))
    .find(([found]) => found === name);
  const id = Number(line?.[2] ?? "none");
  if (Number.isInteger(id)) return id;
  throw new RekeyError(
    "usage",
    `--${flag} names ${JSON.stringify(name)}, which is not in ${file}`,
    { hint: "give the number instead; id(1) shows it" },
  );
}

function readDatabase(file: string, flag: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new RekeyError(
      "usage",
      `--${flag}: read ${file} failed: ${osReason(error)}`,
      { hint: "give the number instead of the name", cause: error },
    );
  }
}

/**
 * Owner and mode of what stands beside a target for a while and holds no key.
 *
 * Whoever rules the folder must be able to go on after root was killed: it
 * belongs to the folder's owner, and where a group may write the folder, that
 * group may open it.
 *
 * @param groupBits what such a group may do, 0040 or 0060
 */
export function besideAttributes(
  directory: string,
  groupBits: number,
): FileAttributes {
  if (Deno.build.os === "windows") return { mode: PRIVATE_MODE };
  const folder = Deno.statSync(directory);
  const isShared = (permissions(folder) & 0o020) !== 0;
  const isRoot = ownUid() === 0;
  return {
    mode: isShared ? PRIVATE_MODE | groupBits : PRIVATE_MODE,
    uid: isRoot ? folder.uid ?? undefined : undefined,
    gid: isRoot || isShared ? folder.gid ?? undefined : undefined,
  };
}

/**
 * Gives the file owner and mode as far as this process may; without the owner,
 * nobody else gets to open it.
 */
export function giveAway(own: OwnFile, attributes: FileAttributes): void {
  if (bestEffort(() => setOwner(own, attributes))) {
    bestEffort(() => setMode(own, attributes.mode));
  }
}

/** A file that this process made, and how the user knows it. */
export interface OwnFile {
  /** Where its name is now. */
  readonly path: string;
  /** Open on it. */
  readonly file: Deno.FsFile;
  /** The target that messages name. */
  readonly shownPath: string;
}

/**
 * Gives the file its owner and group, where it has others.
 *
 * @throws {RekeyError} kind `install`, `keep the owner of PATH failed: …`
 */
export function setOwner(
  own: OwnFile,
  { uid, gid, isChosen = false }: FileAttributes,
): void {
  if (Deno.build.os === "windows") return;
  const info = statOf(own);
  const [newUid, newGid] = [uid ?? info.uid, gid ?? info.gid];
  if (newUid === null || newGid === null) return;
  if (info.uid === newUid && info.gid === newGid) return;
  try {
    diskCall(`${isChosen ? "set" : "keep"} the owner of`, own.shownPath, () => {
      if (isSafeByName(own.path)) Deno.chownSync(own.path, newUid, newGid);
      else {
        byDescriptor(own, info, (fs, fd) => fs.fchownSync(fd, newUid, newGid));
      }
    });
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    throw new RekeyError(
      "install",
      `${error.message} (${
        isChosen ? "asked for" : "it belongs to"
      } uid ${newUid}, gid ${newGid})`,
      {
        hint: { remedy: isChosen ? "choose no owner" : "choose an owner" },
        cause: error,
      },
    );
  }
}

/**
 * Gives the file its mode, where it has another. After the owner: a change of
 * owner may clear bits (chown(2)).
 */
export function setMode(own: OwnFile, mode: number): void {
  // Windows has no such modes.
  if (Deno.build.os === "windows") return;
  const info = statOf(own);
  if (permissions(info) === mode) return;
  // Without the right to read it, no descriptor can be had: a rare umask. By
  // name, a user can only change files of his own.
  const isReadable = (permissions(info) & 0o400) !== 0 || ownUid() === 0;
  diskCall("set the mode of", own.shownPath, () => {
    if (!isReadable || isSafeByName(own.path)) Deno.chmodSync(own.path, mode);
    else byDescriptor(own, info, (fs, fd) => fs.fchmodSync(fd, mode));
  });
}

function statOf({ file, shownPath }: OwnFile): Deno.FileInfo {
  return diskCall("stat", shownPath, () => file.statSync());
}

/** Whether nobody but us and root can put something else under this name. */
function isSafeByName(path: string): boolean {
  return isOursAlone(path.slice(0, Math.max(path.lastIndexOf("/"), 1)));
}

/**
 * Whether nobody but us and root can change what a real path leads to: not the
 * directory itself, and none on the way to it.
 */
export function isOursAlone(directory: string): boolean {
  // Pinned for the very reason that it is not.
  if (directory.startsWith(PINNED_PREFIX)) return false;
  const own = ownUid();
  for (let end = directory.length; end >= 0;) {
    const { uid, mode } = Deno.lstatSync(directory.slice(0, end) || "/");
    const isOpen = ((mode ?? 0) & 0o022) !== 0 && ((mode ?? 0) & 0o1000) === 0;
    if (isOpen || (uid !== 0 && uid !== own)) return false;
    end = end === 0 ? -1 : directory.lastIndexOf("/", end - 1);
  }
  return true;
}

/** Undefined where the runtime may not tell: then nothing is taken as safe. */
export function ownUid(): number | undefined {
  try {
    return Deno.uid() ?? undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

type NodeFs = typeof import("node:fs");

/**
 * The runtime's own calls know no descriptors; node:fs does, and is loaded only
 * here, since that takes tens of milliseconds.
 */
function byDescriptor(
  { path }: OwnFile,
  expected: Deno.FileInfo,
  change: (fs: NodeFs, descriptor: number) => void,
): void {
  const fs: NodeFs = process.getBuiltinModule("node:fs");
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const { dev, ino } = fs.fstatSync(descriptor);
    if (!isSameFile(expected, { dev, ino })) {
      throw new RekeyError(
        "install",
        `${path} was replaced by somebody else meanwhile`,
      );
    }
    change(fs, descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
