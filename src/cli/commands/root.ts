import {
  ANY_COMMAND,
  CA_ASKER,
  exitCodes,
  FILE_WRITER,
  ROOT_ANSWER,
} from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import {
  type Address,
  ADDRESS_FLAGS,
  type Fingerprint,
  FINGERPRINT_FLAGS,
  resolveAddress,
  resolveFingerprint,
} from "../resolve/authority_info.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

interface RootOptions extends Address {
  readonly fingerprint: Fingerprint;
  /** Undefined: standard output. */
  readonly file: string | undefined;
  readonly isForced: boolean;
  readonly isJson: boolean;
}

export const command = defineCommand({
  path: ["ca", "root"],
  brief: "download and validate the root certificate",
  programInErrors: "step",
  description: [
    "step-rekey ca root downloads the root certificate that has the --fingerprint, which is what proves it: the connection itself proves nothing. It is written to <root-file>, or printed.",
  ],
  positionals: {},
  optionalPositionals: {
    "root-file": "File to write root certificate (PEM format)",
  },
  flags: { ...ADDRESS_FLAGS, ...FINGERPRINT_FLAGS, "force": REKEY_FLAGS.force },
  exitCodes: exitCodes("the root certificate is written or printed", {
    ...ANY_COMMAND,
    ...FILE_WRITER,
    ...CA_ASKER,
    ...ROOT_ANSWER,
  }),
  examples: [
    ["Print the root certificate of defaults.json", "ca root"],
    [
      "Download the root certificate of any CA",
      "ca root root_ca.crt --ca-url https://ca.example:9000 \\\n--fingerprint 0d7d3834cf187726cf331c40a31aa7ef6b29ba4df601416c9788f6ee01058cf3",
    ],
  ],
  resolve(invocation) {
    const { flags, positionals: [file] } = invocation;
    return {
      ...resolveAddress(invocation, "step ca root"),
      fingerprint: resolveFingerprint(invocation, "step ca root"),
      file: file || undefined,
      isForced: flags.force === true,
      isJson: flags.json === true,
    };
  },
  async run(options: RootOptions, program: Program) {
    const { url, timeoutMs, fingerprint: { digest } } = options;
    const { askForCertificates } = await import(
      "../process/save_certificates.ts"
    );
    return await askForCertificates(options, program, {
      async fetch(asker) {
        const { fetchRoot } = await import("../../ca/online/authority_info.ts");
        return [await fetchRoot({ url, timeoutMs, ...asker }, digest)];
      },
      saved: (file) => `The root certificate has been saved in ${file}.`,
    });
  },
});
