/**
 * Which files a rekey reads and writes, and that no two of them get in each
 * other's way. Paths are compared as text; two names of one file on disk are
 * found later, where the files are opened.
 */
import { RekeyError } from "../../base/errors.ts";
import type { KeyPairFiles, PasswordFiles } from "../../base/options.ts";
import { absolutePath } from "../settings/paths.ts";
import type { RekeyInput } from "./input.ts";

const STANDARD_INPUT = "-";

/** The files of the pair. */
export interface PairFiles {
  readonly input: KeyPairFiles;
  readonly output: KeyPairFiles;
}

/**
 * The positional arguments and --out-cert, --out-key.
 *
 * @throws {RekeyError} kind `usage`
 */
export function resolvePair(
  input: RekeyInput,
  [certificate = "", key = ""]: readonly string[],
): PairFiles {
  if (certificate === "") throw argument("<crt-file> must not be empty");
  if (key === "") throw argument("<key-file> must not be empty");
  if (key === STANDARD_INPUT) {
    throw argument("<key-file> cannot be standard input");
  }
  const output = {
    certificate: input.text("out-cert") ?? certificate,
    key: input.text("out-key") ?? key,
  };
  for (const flag of ["out-cert", "out-key"] as const) {
    if (input.text(flag) !== STANDARD_INPUT) continue;
    throw input.invalid(
      flag,
      "standard output cannot be replaced in one step",
      "name a file; ./- is one called -",
    );
  }
  if (output.certificate === STANDARD_INPUT) {
    throw argument(
      "<crt-file> can be standard input only with the '--out-cert' flag",
    );
  }
  return { input: { certificate, key }, output };
}

/**
 * --password-file and its more exact siblings.
 *
 * @throws {RekeyError} kind `usage` for one that has nothing to open
 */
export function resolvePasswordFiles(input: RekeyInput): PasswordFiles {
  requireCompanion(input, "private-key-password-file", "private-key");
  requireCompanion(input, "ca-password-file", "offline");
  const general = input.text("password-file");
  const privateKey = input.text("private-key") === undefined
    ? undefined
    : input.text("private-key-password-file") ?? general;
  const ca = input.flags.offline === true
    ? input.text("ca-password-file") ?? general
    : undefined;
  return {
    ...(general !== undefined && { key: general }),
    ...(privateKey !== undefined && { privateKey }),
    ...(ca !== undefined && { ca }),
  };
}

function requireCompanion(
  input: RekeyInput,
  flag: "private-key-password-file" | "ca-password-file",
  companion: "private-key" | "offline",
): void {
  // From a variable or a file it is a default that simply has no use here.
  if (!input.isTyped(flag) || input.flags[companion]) return;
  throw input.usage(`flag '--${flag}' requires the '--${companion}' flag`, {
    flags: [flag],
  });
}

/** What outputs are compared with, beside each other. */
export interface DistinctOptions {
  /** Other files that must survive, each with the flag that names it. */
  readonly read: readonly (readonly [flag: string, path: string | undefined])[];
  /** The directory that relative paths start from. */
  readonly cwd: () => string;
}

/**
 * Refuses outputs that would overwrite each other or what is only read.
 *
 * @throws {RekeyError} kind `usage`
 */
export function requireDistinct(
  { input, output }: PairFiles,
  { read, cwd }: DistinctOptions,
): void {
  const certificate: Named = output.certificate === input.certificate
    ? ["argument <crt-file>", input.certificate]
    : ["flag '--out-cert'", output.certificate];
  const key: Named = output.key === input.key
    ? ["argument <key-file>", input.key]
    : ["flag '--out-key'", output.key];
  const inputCertificate: Named = ["argument <crt-file>", input.certificate];
  const inputKey: Named = ["argument <key-file>", input.key];

  refuseSame(inputCertificate, inputKey, cwd);
  refuseSame(certificate, key, cwd);
  refuseSame(certificate, inputKey, cwd);
  refuseSame(key, inputCertificate, cwd);
  for (const [flag, path] of read) {
    if (path === undefined || path === STANDARD_INPUT) continue;
    refuseSame(certificate, [`flag '--${flag}'`, path], cwd);
    // A copy of the given key onto itself loses nothing.
    if (flag === "private-key") continue;
    refuseSame(key, [`flag '--${flag}'`, path], cwd);
  }
}

type Named = readonly [name: string, path: string];

function refuseSame(
  [oneName, one]: Named,
  [otherName, other]: Named,
  cwd: () => string,
): void {
  if (!isSamePath(one, other, cwd)) return;
  throw new RekeyError(
    "usage",
    `${oneName} and ${otherName} name the same file '${other}'`,
    { hint: "the certificate and the key need a file each, of their own" },
  );
}

function isSamePath(one: string, other: string, cwd: () => string): boolean {
  if (one === STANDARD_INPUT || other === STANDARD_INPUT) return false;
  // The working directory matters only when one is relative and one is not.
  const mixed = one.startsWith("/") !== other.startsWith("/");
  const directory = mixed ? cwd() : ".";
  return absolutePath(one, directory) === absolutePath(other, directory);
}

/**
 * Refuses what standard input cannot give: two contents, or one content twice.
 *
 * @param users who reads it, if its path is `-`
 * @throws {RekeyError} kind `usage`
 */
export function requireOneReader(
  users: readonly (readonly [name: string, path: string | undefined])[],
  isDaemon: boolean,
): void {
  const readers = users.filter(([, path]) => path === STANDARD_INPUT);
  const [first, second] = readers.map(([name]) => name);
  if (first !== undefined && second !== undefined) {
    throw new RekeyError(
      "usage",
      `${first} and ${second} cannot both be standard input`,
    );
  }
  if (!isDaemon) return;
  if (first !== undefined) {
    throw new RekeyError(
      "usage",
      `${first} cannot be standard input with the '--daemon' flag`,
      { hint: "name a file: a daemon reads it again for every rekey" },
    );
  }
  // `<(command)` of a shell: a pipe, which gives its content once.
  const [pipe] = users.filter(([, path]) => OPEN_DESCRIPTOR.test(path ?? ""));
  if (pipe === undefined) return;
  throw new RekeyError(
    "usage",
    `${pipe[0]} cannot be ${pipe[1]} with the '--daemon' flag`,
    { hint: "name a file: a daemon reads it again for every rekey" },
  );
}

const OPEN_DESCRIPTOR = /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

function argument(what: string): RekeyError {
  return new RekeyError("usage", `argument ${what}`);
}
