import { RekeyError } from "../../base/errors.ts";
import type { KeyPairFiles } from "../../base/options.ts";
import { shortened } from "../../base/printable.ts";
import { ANY_COMMAND, CA_ASKER, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import { LineError } from "../grammar/go_arguments.ts";
import type { Program } from "../process/program.ts";
import type { RevocationOptions } from "../process/revocation.ts";
import { requiredBy } from "../resolve/authority.ts";
import {
  CA_FLAGS,
  PROVISIONER_FLAGS,
  REFUSED_FLAGS,
  requiredWithoutToken,
  resolveCa,
  resolveProvisioner,
  resolveToken,
  TOKEN_FLAGS,
} from "../resolve/enrol.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

/** RFC 5280 §5.3.1, with the numbers that step-ca knows. */
const REASONS: Readonly<Record<string, number>> = {
  Unspecified: 0,
  KeyCompromise: 1,
  CACompromise: 2,
  AffiliationChanged: 3,
  Superseded: 4,
  CessationOfOperation: 5,
  CertificateHold: 6,
  RemoveFromCRL: 8,
  PrivilegeWithdrawn: 9,
  AACompromise: 10,
};

const OWN_FLAGS = {
  "cert": {
    kind: "text",
    group: "files",
    placeholder: "file",
    help: "The <file> of the certificate to revoke, which itself says so.",
  },
  "key": {
    kind: "text",
    group: "files",
    placeholder: "file",
    help: "The key <file> of the certificate to revoke.",
  },
  "reason": {
    kind: "text",
    group: "authority",
    placeholder: "text",
    help: "Why, as a <text> for people.",
  },
  "reasonCode": {
    kind: "text",
    group: "authority",
    placeholder: "code",
    help: `Why, as a number from 0 to 10 or as one of ${
      Object.keys(REASONS).join(", ")
    }, in any case. Defaults to Unspecified.`,
  },
  ...TOKEN_FLAGS,
  ...PROVISIONER_FLAGS,
  "password-file": {
    ...REKEY_FLAGS["password-file"],
    help:
      "The path to the <file> containing the password to decrypt the private key of --key, or the key of the provisioner.",
  },
  ...CA_FLAGS,
} as const;

interface RevokeOptions extends RevocationOptions {
  readonly isJson: boolean;
}

export const command = defineCommand({
  path: ["ca", "revoke"],
  brief: "have a certificate renewed no more",
  programInErrors: "step",
  description: [
    "step-rekey ca revoke tells the CA to renew and rekey a certificate no more. That is passive: it stays good until it expires, and nobody else is told.",
    "The certificate says so itself, with --cert and --key; or a JWK provisioner does, for the certificate with <serial-number>, with a token that is given or made here.",
  ],
  positionals: {},
  optionalPositionals: {
    "serial-number":
      "The serial number of the certificate in decimal, or in hexadecimal with 0x in front. None with --cert and --key.",
  },
  flags: OWN_FLAGS,
  refusedFlags: REFUSED_FLAGS,
  exitCodes: exitCodes("the certificate is revoked", {
    ...ANY_COMMAND,
    ...CA_ASKER,
    declined: "the certificate is revoked already",
    pair: "certificate or key cannot be used, or a password is wrong",
  }),
  // The original's code for all errors; of this one a script may make something.
  // step-ca tells it from other mistakes (HTTP 400) in words only (certificates
  // authority/tls.go).
  exitCodeOf: ({ exitCode, message }) =>
    /is already revoked/.test(message) ? 1 : exitCode,
  examples: [
    [
      "Revoke a certificate with itself",
      "ca revoke --cert internal.crt --key internal.key",
    ],
    [
      "Revoke a certificate by its serial number",
      "ca revoke 308893286343609293989051180431574390766 \\\n--provisioner admin --provisioner-password-file password.txt \\\n--reasonCode KeyCompromise",
    ],
    [
      "Revoke a certificate with a token of ca token --revoke",
      "ca revoke 308893286343609293989051180431574390766 --token $TOKEN",
    ],
  ],
  async resolve(invocation): Promise<RevokeOptions> {
    const { positionals, flags: values } = invocation;
    const flags = new FlagReader(invocation, OWN_FLAGS);
    const [given = ""] = positionals;
    const reasonCode = resolveReason(flags.text("reasonCode") ?? "");
    const passwordFile = flags.text("password-file");
    const files = resolvePair(flags, positionals);
    const token = files === undefined
      ? await resolveToken(invocation)
      : undefined;
    const ca = await resolveCa(invocation, {
      token: token?.token,
      missing: token === undefined && files === undefined
        ? requiredWithoutToken
        : requiredBy("step ca revoke"),
    });
    const provisioner = resolveProvisioner(invocation, passwordFile);
    return {
      ca,
      revoker: files === undefined
        ? {
          from: "token",
          serial: resolveSerial(flags, { given, holder: token?.token.subject }),
          choice: token ?? { from: "provisioner", provisioner },
        }
        : { from: "pair", files, passwordFile },
      reason: flags.text("reason") ?? "",
      reasonCode,
      isJson: values.json === true,
    };
  },
  async run(options: RevokeOptions, program: Program) {
    const [{ askAuthority }, { jsonAnswer }] = await Promise.all([
      import("../process/ask_authority.ts"),
      import("../../observe/json_line.ts"),
    ]);
    const { revoker, isJson } = options;
    const file = revoker.from === "pair"
      ? revoker.files.certificate
      : options.ca.url;
    return await askAuthority(program, file, async (asker) => {
      const [{ revoke }, { sayTo }] = await Promise.all([
        import("../process/revocation.ts"),
        import("../process/one_time_token.ts"),
      ]);
      const say = isJson ? () => {} : sayTo(program);
      const serial = await revoke(options, { ...asker, say });
      if (isJson) program.stdout.write(jsonAnswer({ serial, revoked: true }));
      else {
        program.stderr.write(
          `Certificate with Serial Number ${serial} has been revoked.\n`,
        );
      }
      return 0;
    });
  },
});

/** --cert and --key, of which none or both are given. */
function resolvePair(
  flags: FlagReader<typeof OWN_FLAGS>,
  positionals: readonly string[],
): KeyPairFiles | undefined {
  const certificate = flags.text("cert");
  const key = flags.text("key");
  if (certificate === undefined && key === undefined) {
    if (positionals.length > 0) return undefined;
    throw new LineError(
      "not enough positional arguments were provided in 'step ca revoke <serial-number>'",
      "<serial-number> is missing, or --cert and --key",
    );
  }
  if (positionals.length > 0) {
    throw new LineError(
      "'step ca revoke --cert <certificate> --key <key>' expects no additional positional arguments",
    );
  }
  if (certificate === undefined || key === undefined) {
    const [given, missing] = key === undefined
      ? ["cert", "key"] as const
      : ["key", "cert"] as const;
    throw flags.usage(`flag '--${given}' requires the '--${missing}' flag`, {
      flags: [given],
    });
  }
  if (flags.isTyped("token")) {
    throw flags.usage("flag '--cert' is incompatible with '--token'", {
      flags: ["cert", "token"],
    });
  }
  return { certificate, key };
}

/** @throws {RekeyError} in the original's words */
function resolveReason(text: string): number {
  if (text === "") return 0;
  if (/^[+-]?\d+$/.test(text)) {
    const code = Number(text);
    if (code >= 0 && code <= 10) return code;
    throw new RekeyError(
      "usage",
      `reasonCode out of bounds. Got ${
        shortened(text)
      }, but want value between 0 and 10`,
    );
  }
  const wanted = text.replaceAll(" ", "").toLowerCase();
  const found = Object.entries(REASONS)
    .find(([name]) => name.toLowerCase() === wanted);
  if (found !== undefined) return found[1];
  throw new RekeyError(
    "usage",
    `unrecognized revocation reason code '${shortened(text)}'`,
    { hint: `one of ${Object.keys(REASONS).join(", ")}` },
  );
}

/** Longest serial number (RFC 5280 §4.1.2.2: 20 octets), in digits. */
const MAX_DIGITS = 49;

/**
 * As decimal text. A CA takes any text for a serial number, and revokes what
 * nobody has.
 *
 * @param numbers.holder what a token is for
 */
function resolveSerial(
  flags: FlagReader<typeof OWN_FLAGS>,
  { given, holder }: {
    readonly given: string;
    readonly holder: string | undefined;
  },
): string {
  const isNumber = /^(?:\d+|0x[0-9a-f]+)$/i.test(given);
  if (!isNumber || given.length > MAX_DIGITS) {
    throw new RekeyError(
      "usage",
      `argument <serial-number> must be a number, not '${shortened(given)}'`,
      { hint: "write a hexadecimal one with 0x in front, and without colons" },
    );
  }
  const serial = BigInt(given).toString();
  if (holder === undefined || holder === serial) return serial;
  throw flags.usage(
    `token subject '${shortened(holder)}' and serial number '${
      shortened(given)
    }' do not match`,
    { flags: ["token"] },
  );
}
