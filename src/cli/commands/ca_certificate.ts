import { RekeyError } from "../../base/errors.ts";
import type { KeyPairFiles } from "../../base/options.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";
import type { OneTimeToken } from "../../ca/online/one_time_token.ts";
import type { EnrolOptions } from "../../engine/enrol.ts";
import {
  ANY_COMMAND,
  CA_ASKER,
  ERROR_MEANINGS,
  exitCodes,
} from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { EnrolmentOptions } from "../process/enrolment.ts";
import type { Program } from "../process/program.ts";
import { requiredBy } from "../resolve/authority.ts";
import {
  CA_FLAGS,
  PROVISIONER_FLAGS,
  REFUSED_FLAGS,
  requiredWithoutToken,
  requireSubject,
  requireSupported,
  resolveCa,
  resolveProvisioner,
  resolveTime,
  resolveToken,
  SAN_FLAGS,
  TOKEN_FLAGS,
  unusedFlags,
  VALIDITY_FLAGS,
  withoutEffect,
} from "../resolve/enrol.ts";
import { requireDistinct, resolvePair } from "../resolve/files.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";
import { resolveNewKeySpec } from "../resolve/new_key.ts";
import { resolveWrite } from "../resolve/write.ts";

const OWN_FLAGS = {
  ...TOKEN_FLAGS,
  ...SAN_FLAGS,
  ...VALIDITY_FLAGS,
  ...PROVISIONER_FLAGS,
  "kty": REKEY_FLAGS.kty,
  "curve": REKEY_FLAGS.curve,
  "size": REKEY_FLAGS.size,
  "password-file": {
    ...REKEY_FLAGS["password-file"],
    help:
      "The path to the <file> containing the password to encrypt the new private key, where it stands on the command line beside --token or --provisioner-password-file. Without them it is the password of the provisioner, and the key is not encrypted.",
  },
  "force": REKEY_FLAGS.force,
  "layout": REKEY_FLAGS.layout,
  "in-place": REKEY_FLAGS["in-place"],
  "state-dir": REKEY_FLAGS["state-dir"],
  "key-mode": REKEY_FLAGS["key-mode"],
  "cert-mode": REKEY_FLAGS["cert-mode"],
  "owner": REKEY_FLAGS.owner,
  "group": REKEY_FLAGS.group,
  "lock-timeout": REKEY_FLAGS["lock-timeout"],
  "webroot": withoutEffect("ACME", "directory"),
  ...CA_FLAGS,
} as const;

const ACME =
  "ACME is not supported: use an ACME client, such as certbot, lego or Caddy";
const TEMPLATE = "data for templates is not supported: Smallstep's step has it";

interface CertificateOptions extends EnrolOptions, EnrolmentOptions {
  readonly warnings: readonly string[];
  readonly isJson: boolean;
}

export const command = defineCommand({
  path: ["ca", "certificate"],
  brief: "get a first certificate for a new key",
  programInErrors: "step",
  description: [
    "step-rekey ca certificate makes a private key, has the CA sign a certificate for it, verifies that, and writes both: both files or neither.",
    "The CA wants a one-time token. It is given with --token, also for provisioners of type OIDC and X5C, or made here, with the key of a JWK provisioner that the CA keeps, sealed with a password. A token of step names the CA and its root certificate: then --ca-url and --root may be left out.",
    "The certificate has to be for the new key, to have every name that was asked for, and to lead to the root. What a template of the CA adds is a warning. With a token of OIDC the CA takes the names from there.",
  ],
  positionals: {
    "subject":
      "The common name of the certificate, and its only name without --san.",
    "crt-file": "File to write the certificate (PEM format)",
    "key-file": "File to write the private key (PEM format)",
  },
  flags: OWN_FLAGS,
  refusedFlags: {
    ...REFUSED_FLAGS,
    "acme": ACME,
    "standalone": ACME,
    "contact": ACME,
    "http-listen": ACME,
    "set": TEMPLATE,
    "set-file": TEMPLATE,
    "console": {
      remedy: "make the token elsewhere",
      command: "step oauth --oidc --bare --console",
    },
  },
  exitCodes: exitCodes("the certificate and its key are written", {
    ...ANY_COMMAND,
    ...CA_ASKER,
    declined: ERROR_MEANINGS.declined,
    pair: "a password is missing or wrong",
    install:
      "the files cannot be written; what was there is intact, or kept where the message says",
    busy: ERROR_MEANINGS.busy,
    untrusted: ERROR_MEANINGS.untrusted,
    interrupted:
      "stopped by signal n (129 SIGHUP, 130 SIGINT, 143 SIGTERM), before the swap",
  }),
  examples: [
    [
      "Get a certificate with a token",
      "ca certificate --token $TOKEN \\\ninternal.example.com internal.crt internal.key",
    ],
    [
      "Get a certificate with several names, with the password of a provisioner",
      "ca certificate --san internal.example.com --san 10.0.0.1 \\\n--provisioner admin --provisioner-password-file password.txt \\\ninternal.example.com internal.crt internal.key",
    ],
    [
      "Get a certificate for an hour",
      "ca certificate --token $TOKEN --not-after 1h \\\ninternal.example.com internal.crt internal.key",
    ],
  ],
  async resolve(invocation): Promise<CertificateOptions> {
    const { flags: values, positionals, cwd, env } = invocation;
    const [subject = "", ...paths] = positionals;
    const shared = new FlagReader<typeof REKEY_FLAGS>(invocation);
    const own = new FlagReader(invocation, OWN_FLAGS);
    requireSubject(subject);
    const names = values.san ?? [];
    const given = await resolveToken(invocation);
    if (given !== undefined) {
      requireFitting(given.token, { subject, names, flags: own });
    }
    const ca = await resolveCa(invocation, {
      token: given?.token,
      missing: given === undefined
        ? requiredWithoutToken
        : requiredBy("step ca certificate"),
    });
    const passwordFile = own.text("password-file");
    const hasOther = given !== undefined ||
      own.text("provisioner-password-file") !== undefined;
    const keyPasswordFile = own.isTyped("password-file") && hasOther
      ? passwordFile
      : undefined;
    const provisioner = resolveProvisioner(invocation, passwordFile);
    return {
      ca,
      by: given ?? { from: "provisioner", provisioner },
      subject,
      names,
      notBefore: resolveTime(invocation, "not-before"),
      notAfter: resolveTime(invocation, "not-after"),
      files: resolveFiles(shared, {
        paths,
        cwd,
        read: [
          ["password-file", passwordFile],
          ["provisioner-password-file", own.text("provisioner-password-file")],
          ["root", values.root],
        ],
      }),
      newKey: resolveNewKeySpec(shared),
      keyPasswordFile,
      overwrite: values.force === true ? "always" : "ask",
      write: resolveWrite(shared, env),
      isJson: values.json === true,
      warnings: unusedFlags(values, ["webroot"]),
    };
  },
  async run(options: CertificateOptions, program: Program) {
    const [{ askAuthority }, { jsonAnswer }] = await Promise.all([
      import("../process/ask_authority.ts"),
      import("../../observe/json_line.ts"),
    ]);
    const { files, isJson, warnings } = options;
    return await askAuthority(program, files.certificate, async (asker) => {
      const [{ enrol }, { openEnrolment }, { sayTo }] = await Promise.all([
        import("../../engine/enrol.ts"),
        import("../process/enrolment.ts"),
        import("../process/one_time_token.ts"),
      ]);
      const say = isJson ? () => {} : sayTo(program);
      for (const message of warnings) {
        asker.log.write({ event: "warning", message });
      }
      const { serial, names, notBefore, notAfter } = await enrol(
        {
          options,
          openEnrolment: (readPassword) =>
            openEnrolment(options, { ...asker, say, readPassword }),
        },
        asker,
        asker.signal,
      );
      say("Certificate", files.certificate);
      say("Private Key", files.key);
      const answer = { ...files, serial, names, notBefore, notAfter };
      if (isJson) program.stdout.write(jsonAnswer(answer));
      return 0;
    });
  },
});

function resolveFiles(
  flags: FlagReader,
  { paths, read, cwd }: {
    readonly paths: readonly string[];
    readonly read: Parameters<typeof requireDistinct>[1]["read"];
    readonly cwd: () => string;
  },
): KeyPairFiles {
  if (paths[0] === STANDARD_INPUT) {
    throw new RekeyError(
      "usage",
      "argument <crt-file> cannot be standard output",
    );
  }
  const pair = resolvePair(flags, paths);
  requireDistinct(pair, { read, cwd });
  return pair.output;
}

/** Of a token that cannot get this certificate. */
function requireFitting(
  token: OneTimeToken,
  { subject, names, flags }: {
    readonly subject: string;
    readonly names: readonly string[];
    readonly flags: FlagReader<typeof OWN_FLAGS>;
  },
): void {
  const { type, subject: holder } = token;
  requireSupported(token, flags);
  if (type === "OIDC") return;
  if (names.length > 0) {
    throw flags.usage(
      "flag '--token' and flag '--san' are mutually exclusive",
      {
        flags: ["token", "san"],
        hint: "the names stand in the token; give them to ca token",
      },
    );
  }
  if (holder.toLowerCase() === subject.toLowerCase()) return;
  throw flags.usage(
    `token subject '${holder}' and argument '${subject}' do not match`,
    { flags: ["token"] },
  );
}
