import type { CaChoice, ProvisionerChoice } from "../../base/options.ts";
import {
  ANY_COMMAND,
  CA_ASKER,
  exitCodes,
  FILE_WRITER,
} from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { requiredBy } from "../resolve/authority.ts";
import {
  CA_FLAGS,
  ONLY_JWK,
  PROVISIONER_FLAGS,
  REFUSED_FLAGS,
  requireSubject,
  resolveCa,
  resolveProvisioner,
  resolveTime,
  SAN_FLAGS,
  timeOf,
  unusedFlags,
  VALIDITY_FLAGS,
  withoutEffect,
} from "../resolve/enrol.ts";
import { OUT_FLAG } from "../resolve/answer_flags.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

const OWN_FLAGS = {
  ...SAN_FLAGS,
  "not-before": {
    ...VALIDITY_FLAGS["not-before"],
    help: "When the token begins to be good. Defaults to now.",
  },
  "not-after": {
    ...VALIDITY_FLAGS["not-after"],
    help: "When the token ends to be good. Defaults to 5m.",
  },
  "revoke": {
    kind: "boolean",
    group: "authority",
    help:
      "Make a token that revokes the certificate with the serial number <subject>.",
  },
  ...PROVISIONER_FLAGS,
  "password-file": {
    ...REKEY_FLAGS["password-file"],
    help: "The same as --provisioner-password-file, which goes before it.",
  },
  "output-file": {
    ...OUT_FLAG,
    help: "The <file> to write the token to, instead of standard output.",
  },
  "force": REKEY_FLAGS.force,
  "cert-not-before": withoutEffect("SSH", "time"),
  "cert-not-after": withoutEffect("SSH", "time"),
  ...CA_FLAGS,
} as const;

/** Mode of a new file with a token: the original's. */
const TOKEN_MODE = 0o600;

interface TokenOptions {
  readonly ca: CaChoice;
  readonly provisioner: ProvisionerChoice;
  readonly subject: string;
  readonly names: readonly string[];
  readonly purpose: "sign" | "revoke";
  readonly notBefore: string;
  readonly notAfter: string;
  /** Undefined: standard output. */
  readonly file: string | undefined;
  readonly isForced: boolean;
  readonly isJson: boolean;
  readonly warnings: readonly string[];
}

const SSH = "SSH certificates are not supported: Smallstep's step has them";

export const command = defineCommand({
  path: ["ca", "token"],
  brief: "make a one-time token for a certificate",
  programInErrors: "step",
  description: [
    "step-rekey ca token makes a one-time token by which somebody else gets a certificate for <subject>, and prints it. It is signed with the key of a JWK provisioner, which the CA keeps, sealed with the password of the provisioner.",
    "A token is good once, and for five minutes.",
  ],
  positionals: {
    "subject":
      "The common name of the certificate, and its only name without --san; with --revoke the serial number.",
  },
  flags: OWN_FLAGS,
  refusedFlags: {
    ...REFUSED_FLAGS,
    "x5c-cert": ONLY_JWK,
    "x5c-key": ONLY_JWK,
    "x5c-insecure": ONLY_JWK,
    "key": "leave it out: the CA keeps the key of the provisioner",
    "renew": "renew with ca renew, which makes its own tokens",
    "rekey": SSH,
    "ssh": SSH,
    "host": SSH,
    "principal": SSH,
    "n": SSH,
    "sshpop-cert": SSH,
    "sshpop-key": SSH,
  },
  exitCodes: exitCodes("the token is printed or written", {
    ...ANY_COMMAND,
    ...FILE_WRITER,
    ...CA_ASKER,
    pair: "the password of the provisioner is missing or wrong",
  }),
  examples: [
    [
      "Make a token for a host with two names",
      "ca token --san internal.example.com --san 10.0.0.1 \\\n--provisioner admin --provisioner-password-file password.txt \\\ninternal.example.com",
    ],
    [
      "Make a token that revokes a certificate",
      "ca token --revoke 308893286343609293989051180431574390766",
    ],
  ],
  async resolve(invocation): Promise<TokenOptions> {
    const { flags: values, positionals: [subject = ""] } = invocation;
    const flags = new FlagReader(invocation, OWN_FLAGS);
    const missing = requiredBy("step ca token");
    const isRevoke = values.revoke === true;
    if (isRevoke && values.san !== undefined) {
      throw flags.usage("flag '--san' is incompatible with '--revoke'", {
        flags: ["san", "revoke"],
      });
    }
    requireSubject(subject);
    return {
      ca: await resolveCa(invocation, { missing }),
      provisioner: resolveProvisioner(invocation, flags.text("password-file")),
      subject,
      names: values.san ?? [],
      purpose: isRevoke ? "revoke" : "sign",
      notBefore: resolveTime(invocation, "not-before"),
      notAfter: resolveTime(invocation, "not-after"),
      file: values["output-file"] || undefined,
      isForced: values.force === true,
      isJson: values.json === true,
      warnings: unusedFlags(values, ["cert-not-before", "cert-not-after"]),
    };
  },
  async run(options: TokenOptions, program: Program) {
    const [{ askAuthority }, { jsonAnswer }] = await Promise.all([
      import("../process/ask_authority.ts"),
      import("../../observe/json_line.ts"),
    ]);
    return await askAuthority(program, options.subject, async (asker) => {
      const [
        { makeToken, sayTo },
        { openCa },
        { tokenValidity },
        { openSingleFile },
      ] = await Promise.all([
        import("../process/one_time_token.ts"),
        import("../process/open_ca.ts"),
        import("../../ca/online/one_time_token.ts"),
        import("../../files/single_file.ts"),
      ]);
      for (const message of options.warnings) {
        asker.log.write({ event: "warning", message });
      }
      const now = asker.clock.now();
      const validity = tokenValidity(now, {
        notBefore: timeOf(options.notBefore, now),
        notAfter: timeOf(options.notAfter, now),
      });
      const { subject, names, purpose, file, isForced, isJson } = options;
      const opened = file === undefined ? undefined : await openSingleFile(
        file,
        {
          mode: TOKEN_MODE,
          overwrite: isForced ? "without asking" : "ask",
          runtime: asker,
          signal: asker.signal,
        },
      );
      const ca = await openCa(options.ca, asker);
      const say = isJson ? () => {} : sayTo(program);
      const tools = { ...asker, say };
      const wish = { subject, names, purpose, validity };
      const token = await makeToken(ca, options.provisioner, { tools, wish });
      await opened?.write(new TextEncoder().encode(token));
      if (isJson) {
        const { notAfter } = validity;
        program.stdout.write(jsonAnswer({ subject, token, notAfter }));
      } else if (file === undefined) program.stdout.write(`${token}\n`);
      return 0;
    });
  },
});
