import { RekeyError } from "../../base/errors.ts";
import { ANY_COMMAND, exitCodes, FILE_WRITER } from "../exit_codes.ts";
import { defineCommand, type FlagDefinitions } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { type Named, requireOther } from "../resolve/files.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

const FLAGS = {
  "ca": {
    kind: "list",
    group: "files",
    placeholder: "file",
    help:
      "The <file> with a CA or intermediate certificate that is added. It may be given several times.",
  },
  "password-file": {
    ...REKEY_FLAGS["password-file"],
    help:
      "The path to the <file> containing the password that encrypts the .p12 file. Without it the password is asked for.",
  },
  "key-password-file": {
    kind: "text",
    group: "key",
    placeholder: "file",
    help:
      "The path to the <file> containing the password of <key-path>, where that is encrypted. Without it the password is asked for.",
  },
  "no-password": {
    kind: "boolean",
    group: "key",
    help:
      "Encrypt with an empty password, so that everybody can read the private key. Requires the --insecure flag.",
  },
  "force": REKEY_FLAGS.force,
  "insecure": {
    kind: "boolean",
    group: "key",
    help: "Allow --no-password.",
  },
} as const satisfies FlagDefinitions;

interface P12Options {
  readonly out: string;
  /** Undefined for a file of trusted certificates. */
  readonly identity:
    | { readonly certificate: string; readonly key: string }
    | undefined;
  readonly caFiles: readonly string[];
  readonly passwordFile: string | undefined;
  readonly keyPasswordFile: string | undefined;
  readonly hasPassword: boolean;
  readonly isForced: boolean;
}

export const command = defineCommand({
  path: ["certificate", "p12"],
  brief: "put a certificate and its key into a .p12 file",
  programInErrors: "step",
  description: [
    "step-rekey certificate p12 makes a .p12 file (PFX, PKCS #12), as Java, Windows and browsers import it: of a certificate with its chain and its key, or, without them, of the CAs of --ca, which Java trusts then.",
    "Key and certificates are encrypted with AES-256 and the file is authenticated with HMAC-SHA-256, where step writes RC2 and triple DES; OpenSSL, Java 8u301 and Windows 10 or later read it. Java takes only passwords in ASCII. The private key is never written in plain text, and it has to belong to the certificate.",
  ],
  positionals: { "p12-path": "The .p12 file to write." },
  optionalPositionals: {
    "crt-path": "The certificate in PEM format, with its chain.",
    "key-path": "The private key of the certificate.",
  },
  flags: FLAGS,
  exitCodes: exitCodes("written", {
    ...ANY_COMMAND,
    ...FILE_WRITER,
    pair:
      "a certificate or the key is missing, malformed or mismatched, or the password of the key is wrong",
  }),
  examples: [
    [
      "Package a certificate and its key",
      "certificate p12 --password-file p12.pass \\\ninternal.p12 internal.crt internal.key",
    ],
    [
      "Add an intermediate certificate",
      "certificate p12 --ca intermediate.crt \\\ninternal.p12 internal.crt internal.key",
    ],
    [
      "Make a trust store for Java",
      "certificate p12 --ca root_ca.crt trust.p12",
    ],
  ],
  resolve(invocation): P12Options {
    const { positionals: [out = "", certificate = "", key = ""], cwd } =
      invocation;
    const flags = new FlagReader(invocation, FLAGS);
    const { ca: caFiles = [] } = flags.values;
    const passwordFile = flags.text("password-file");
    const hasPassword = flags.values["no-password"] !== true;
    if ((certificate === "") !== (key === "")) {
      throw new RekeyError(
        "usage",
        "missing positional argument: a certificate needs its key, too",
        { hint: "step-rekey certificate p12 <p12-path> <crt-path> <key-path>" },
      );
    }
    if (certificate === "" && caFiles.length === 0) {
      throw new RekeyError(
        "usage",
        "flag '--ca' must be provided when no <crt_path> and <key_path> are present",
      );
    }
    if (!hasPassword && passwordFile !== undefined) {
      throw flags.usage(
        "flag '--no-password' is incompatible with '--password-file'",
        { flags: ["no-password", "password-file"] },
      );
    }
    if (!hasPassword && flags.values.insecure !== true) {
      throw flags.usage("flag '--no-password' requires the '--insecure' flag", {
        flags: ["no-password"],
      });
    }
    const keyPasswordFile = flags.text("key-password-file");
    const read: readonly Named[] = [
      ["argument <crt-path>", certificate],
      ["argument <key-path>", key],
      ...caFiles.map((file): Named => ["flag '--ca'", file]),
      ["flag '--password-file'", passwordFile ?? ""],
      ["flag '--key-password-file'", keyPasswordFile ?? ""],
    ];
    for (const file of read.filter(([, path]) => path !== "")) {
      requireOther(["argument <p12-path>", out], file, {
        cwd,
        hint: "the .p12 file needs a name of its own",
      });
    }
    return {
      out,
      identity: certificate === "" ? undefined : { certificate, key },
      caFiles,
      passwordFile,
      keyPasswordFile,
      hasPassword,
      isForced: flags.values.force === true,
    };
  },
  async run(options, program: Program) {
    const { openOutputFile } = await import("../process/output_file.ts");
    const { out, isForced, identity, caFiles } = options;
    const file = await openOutputFile(out, { isForced }, program);
    const { runtime: { terminal }, signal } = file;
    const { readContents, readNewPassword } = await import(
      "../../answers/pkcs12_contents.ts"
    );
    const source = { terminal, signal };
    const contents = await readContents({ identity, caFiles }, {
      ...source,
      file: options.keyPasswordFile,
    });
    const password = options.hasPassword
      ? await readNewPassword({ ...source, file: options.passwordFile })
      : "";
    // `as string`: as in pki/keys/private_key.ts.
    const { encodePkcs12 }: typeof import("../../pki/pkcs12/pkcs12.ts") =
      await import("../../pki/pkcs12/pkcs12.ts" as string);
    await file.write(await encodePkcs12(contents, password));
    program.stderr.write(`Your .p12 bundle has been saved as ${out}.\n`);
    return 0;
  },
});
