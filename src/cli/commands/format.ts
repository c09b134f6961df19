import { modeOfInput, readDocument } from "../../answers/documents.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";
import { documentPem } from "../../pki/inspect/documents.ts";
import { ANY_COMMAND, exitCodes, FILE_WRITER } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { OUT_FLAG } from "../resolve/answer_flags.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

interface FormatOptions {
  /** A file, or `-`. */
  readonly source: string;
  /** Undefined: standard output. */
  readonly out: string | undefined;
  readonly isForced: boolean;
}

export const command = defineCommand({
  path: ["certificate", "format"],
  brief: "turn a certificate from PEM into DER, and back",
  programInErrors: "step",
  description: [
    "step-rekey certificate format writes a certificate or a certificate request (CSR) in the other encoding: PEM becomes DER, and DER becomes PEM. DER holds one: of several in a PEM file the first one is taken, and other blocks, such as keys, are skipped.",
    "A file of --out is written whole or not at all. One that is new gets the mode of <crt-file>, one that is replaced keeps its own.",
  ],
  positionals: {},
  optionalPositionals: {
    "crt-file":
      "The file with the certificate or request. - and nothing mean standard input.",
  },
  flags: {
    "out": OUT_FLAG,
    "force": REKEY_FLAGS.force,
  },
  exitCodes: exitCodes("written", {
    ...ANY_COMMAND,
    ...FILE_WRITER,
    pair: "the file is missing, or is no certificate and no request",
  }),
  examples: [
    [
      "Write a certificate as DER",
      "certificate format --out internal.der internal.crt",
    ],
    [
      "Keep a copy in DER of each certificate that a daemon gets",
      'ca rekey --daemon internal.crt internal.key \\\n--exec "step-rekey certificate format --force --out internal.der internal.crt"',
    ],
  ],
  resolve({ flags, positionals: [source] }): FormatOptions {
    return {
      source: source || STANDARD_INPUT,
      out: flags.out || undefined,
      isForced: flags.force === true,
    };
  },
  async run({ source, out, isForced }, program: Program) {
    const { document, wasPem } = await readDocument(source);
    const bytes = wasPem
      ? document.value.der
      : new TextEncoder().encode(documentPem(document));
    const { writeAnswer } = await import("../process/output_file.ts");
    return await writeAnswer(bytes, {
      out,
      mode: () => modeOfInput(source),
      isForced,
      saved: (file) => `Your certificate has been saved in ${file}`,
    }, program);
  },
});
