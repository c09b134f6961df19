/**
 * Which files a rekey reads and writes, and that no two of them get in each
 * other's way. Paths are compared as text; two names of one file on disk are
 * found later, where the files are opened. Errors are of kind `usage`.
 */
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type {
  AuthorityOptions,
  KeyPairFiles,
  PasswordFiles,
} from "../../base/options.ts";
import { absolutePath, STANDARD_INPUT } from "../../base/paths.ts";
import { cleanPath } from "../settings/step_path.ts";
import type { FlagReader } from "./flag_reader.ts";

/** The files of the pair. */
export interface PairFiles {
  readonly input: KeyPairFiles;
  readonly output: KeyPairFiles;
}

/** The flag of a command that names another file for the certificate. */
export function outFlag(flags: FlagReader): "out-cert" | "out" {
  return flags.knows("out-cert") ? "out-cert" : "out";
}

/** The positional arguments and --out-cert, --out-key, --out. */
export function resolvePair(
  flags: FlagReader,
  [certificate = "", key = ""]: readonly string[],
): PairFiles {
  if (certificate === "") throw argument("<crt-file> must not be empty");
  if (key === "") throw argument("<key-file> must not be empty");
  if (key === STANDARD_INPUT) {
    throw argument("<key-file> cannot be standard input");
  }
  const out = outFlag(flags);
  const output = {
    certificate: flags.text(out) ?? certificate,
    key: flags.text("out-key") ?? key,
  };
  for (const flag of [out, "out-key"] as const) {
    if (flags.text(flag) !== STANDARD_INPUT) continue;
    throw flags.invalid(
      flag,
      "standard output cannot be replaced in one step",
      { hint: "name a file; ./- is one called -" },
    );
  }
  if (output.certificate === STANDARD_INPUT) {
    throw argument(
      `<crt-file> can be standard input only with the '--${out}' flag`,
    );
  }
  return { input: { certificate, key }, output };
}

/**
 * --password-file and its more exact siblings.
 *
 * @throws {RekeyError} kind `usage` for one that has nothing to open
 */
export function resolvePasswordFiles(flags: FlagReader): PasswordFiles {
  requireCompanion(flags, ["private-key-password-file", "private-key"]);
  requireCompanion(flags, ["ca-password-file", "offline"]);
  const general = flags.text("password-file");
  const privateKey = flags.text("private-key") === undefined
    ? undefined
    : flags.text("private-key-password-file") ?? general;
  const ca = flags.values.offline === true
    ? flags.text("ca-password-file") ?? general
    : undefined;
  return { key: general, privateKey, ca };
}

function requireCompanion(
  flags: FlagReader,
  [flag, companion]:
    | readonly ["private-key-password-file", "private-key"]
    | readonly ["ca-password-file", "offline"],
): void {
  // From a variable or a file it is a default that simply has no use here.
  if (!flags.isTyped(flag) || flags.values[companion]) return;
  throw flags.usage(`flag '--${flag}' requires the '--${companion}' flag`, {
    flags: [flag],
  });
}

/** A file that is only read, by the flag that names it. */
export type ReadFile = readonly [flag: string, path: string | undefined];

/** Flags for which `-` is standard input. */
const INPUT_FLAGS: readonly string[] = [
  "password-file",
  "private-key-password-file",
  "ca-password-file",
  "ca-config",
];

/** Every file that a rekey reads besides the pair. */
export function readFiles(
  flags: FlagReader,
  { passwordFiles: { key, privateKey, ca }, authority }: {
    readonly passwordFiles: PasswordFiles;
    readonly authority: AuthorityOptions;
  },
): readonly ReadFile[] {
  // Without a flag of their own these are the one --password-file again.
  const own = (path: string | undefined) => path === key ? undefined : path;
  return [
    ["private-key", flags.text("private-key")],
    ["password-file", key],
    ["private-key-password-file", own(privateKey)],
    ["ca-password-file", own(ca)],
    ["root", authority.mode === "online" ? authority.root : undefined],
    ["ca-config", authority.mode === "offline" ? authority.config : undefined],
    ["pid-file", flags.text("pid-file")],
  ];
}

/**
 * Refuses outputs that would overwrite each other or what is only read.
 *
 * @param options.cwd the directory that relative paths start from
 */
export function requireDistinct(
  { input, output }: PairFiles,
  { read, cwd, out = "out-cert" }: {
    readonly read: readonly ReadFile[];
    readonly cwd: () => string;
    readonly out?: ReturnType<typeof outFlag>;
  },
): void {
  const certificate: Named = output.certificate === input.certificate
    ? ["argument <crt-file>", input.certificate]
    : [`flag '--${out}'`, output.certificate];
  const key: Named = output.key === input.key
    ? ["argument <key-file>", input.key]
    : ["flag '--out-key'", output.key];
  const inputCertificate: Named = ["argument <crt-file>", input.certificate];
  const inputKey: Named = ["argument <key-file>", input.key];

  const pairs: (readonly [Named, Named])[] = [
    [inputCertificate, inputKey],
    [certificate, key],
    [certificate, inputKey],
    [key, inputCertificate],
  ];
  for (const [flag, path] of read) {
    if (path === undefined) continue;
    const file: Named = [`flag '--${flag}'`, path];
    pairs.push([certificate, file]);
    // A copy of the given key onto itself loses nothing.
    if (flag !== "private-key") pairs.push([key, file]);
  }
  for (const [one, other] of pairs) {
    const hint = "the certificate and the key need a file each, of their own";
    requireOther(one, other, { cwd, hint });
  }
}

/** What names a file, as messages say it, and the file. */
export type Named = readonly [name: string, path: string];

/** Refuses two names of one file. */
export function requireOther(
  [oneName, one]: Named,
  [otherName, other]: Named,
  { cwd, hint }: { readonly cwd: () => string; readonly hint: string },
): void {
  if (!isSamePath(one, other, cwd)) return;
  throw new RekeyError(
    "usage",
    `${oneName} and ${otherName} name the same file '${shortened(other)}'`,
    { hint },
  );
}

function isSamePath(one: string, other: string, cwd: () => string): boolean {
  if (one === STANDARD_INPUT || other === STANDARD_INPUT) return false;
  // The working directory matters only when one is relative and one is not.
  const isMixed = one.startsWith("/") !== other.startsWith("/");
  const toCompare = (path: string) =>
    cleanPath(isMixed ? absolutePath(path, () => cwd() || ".") : path);
  return toCompare(one) === toCompare(other);
}

/**
 * Refuses what standard input cannot give: two contents, or one content twice.
 */
export function requireOneReader(
  { input }: PairFiles,
  { read, isDaemon }: {
    readonly read: readonly ReadFile[];
    readonly isDaemon: boolean;
  },
): void {
  const users: readonly Named[] = [
    ["argument <crt-file>", input.certificate],
    ...read.filter(([flag]) => INPUT_FLAGS.includes(flag))
      .map(([flag, path = ""]) => [`flag '--${flag}'`, path] as const),
  ];
  const [first, second] = users.filter(([, path]) => path === STANDARD_INPUT);
  if (first !== undefined && second !== undefined) {
    throw new RekeyError(
      "usage",
      `${first[0]} and ${second[0]} cannot both be standard input`,
    );
  }
  if (!isDaemon) return;
  // `<(command)` of a shell is a pipe, which gives its content once.
  const user = first ?? users.find(([, path]) => OPEN_DESCRIPTOR.test(path));
  if (user === undefined) return;
  const [name, path] = user;
  const what = path === STANDARD_INPUT ? "standard input" : path;
  throw new RekeyError(
    "usage",
    `${name} cannot be ${what} with the '--daemon' flag`,
    { hint: "name a file: a daemon reads it again for every rekey" },
  );
}

const OPEN_DESCRIPTOR = /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

function argument(what: string): RekeyError {
  return new RekeyError("usage", `argument ${what}`);
}
