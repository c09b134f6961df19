import { readPublicKey } from "../../answers/documents.ts";
import { ANY_COMMAND, exitCodes, FILE_WRITER } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { OUT_FLAG } from "../resolve/answer_flags.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

interface KeyOptions {
  /** A file, or `-`. */
  readonly source: string;
  /** Undefined: standard output. */
  readonly out: string | undefined;
  readonly isForced: boolean;
}

export const command = defineCommand({
  path: ["certificate", "key"],
  brief: "print the public key of a certificate or key",
  programInErrors: "step",
  description: [
    "step-rekey certificate key prints the public key of a certificate or of a certificate request (CSR), PEM or DER: of the first one in a file; or of a private key in PEM, where there is nothing else. The password of one that is encrypted is asked for. Other than step it never prints a private key.",
  ],
  positionals: {
    "crt-file":
      "The file with the certificate, request or key; - means standard input.",
  },
  flags: {
    "out": { ...OUT_FLAG, names: ["out", "output-file"] },
    "force": REKEY_FLAGS.force,
  },
  exitCodes: exitCodes("written", {
    ...ANY_COMMAND,
    ...FILE_WRITER,
    pair: "the file is missing, or holds no certificate, request or key",
  }),
  examples: [
    ["Print the public key of a certificate", "certificate key internal.crt"],
    [
      "Save the public key of a request",
      "certificate key --out internal.pub internal.csr",
    ],
  ],
  resolve({ flags, positionals: [source = ""] }): KeyOptions {
    return {
      source,
      out: flags.out || undefined,
      isForced: flags.force === true,
    };
  },
  async run({ source, out, isForced }, program: Program) {
    const pem = await readPublicKey(source, async () => {
      const { singleRun } = await import("../process/deno_runtime.ts");
      return singleRun(source, program);
    });
    const { writeAnswer } = await import("../process/output_file.ts");
    return await writeAnswer(new TextEncoder().encode(pem), {
      out,
      isForced,
      saved: (file) => `The public key has been saved in ${file}.`,
    }, program);
  },
});
