import { unusable } from "../../answers/certificate_source.ts";
import { readDocuments } from "../../answers/documents.ts";
import type { PeerOptions } from "../../answers/peer_address.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";
import { type Document, documentPem } from "../../pki/inspect/documents.ts";
import { ANY_COMMAND, CERTIFICATE_READER, exitCodes } from "../exit_codes.ts";
import { defineCommand, type FlagDefinitions } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import {
  BUNDLE_FLAG,
  INSECURE_FLAG,
  PEER_FLAGS,
  resolvePeer,
} from "../resolve/answer_flags.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { JSON_FLAG } from "../resolve/flags.ts";

const FLAGS = {
  "format": {
    kind: "text",
    group: "program",
    placeholder: "format",
    help: "The <format> of the output. If unset, default is text.",
    choices: {
      text: "Lines for people",
      json: "One JSON object, or an array of them with --bundle",
      pem: "The certificates themselves",
    },
  },
  ...PEER_FLAGS,
  "bundle": BUNDLE_FLAG,
  "short": {
    kind: "boolean",
    group: "program",
    help: "Print a few lines of text instead of all that is in it.",
  },
  "insecure": INSECURE_FLAG,
  "json": {
    ...JSON_FLAG,
    help:
      "Print one JSON object on one line, with what --format json prints in the array certificates or in request.",
  },
} as const satisfies FlagDefinitions;

interface InspectOptions {
  /** A file, `-`, or the address of a server. */
  readonly source: string;
  readonly isBundle: boolean;
  readonly peer: PeerOptions;
  readonly form: "text" | "short" | "json" | "json line" | "pem";
}

export const command = defineCommand({
  path: ["certificate", "inspect"],
  brief: "print a certificate or a certificate request",
  programInErrors: "step",
  description: [
    "step-rekey certificate inspect prints what is in a certificate or in a certificate request (CSR), PEM or DER, of a file, of standard input, or of a server.",
    "Nothing is verified but the certificate of a server. Of several certificates the first one is printed, unless --bundle asks for all. Control characters in names are shown as \\xHH.",
  ],
  positionals: {},
  optionalPositionals: {
    "crt-file":
      "The file with the certificate or request, or the address of a server, such as https://ca.example.com. - and nothing mean standard input.",
  },
  flags: FLAGS,
  exitCodes: exitCodes("printed", {
    ...ANY_COMMAND,
    ...CERTIFICATE_READER,
    pair: "the file is missing, or is no certificate and no request",
    untrusted: "the server's certificate does not verify",
  }),
  examples: [
    ["Print a certificate", "certificate inspect internal.crt"],
    [
      "Print the certificates of a bundle in a few lines each",
      "certificate inspect --bundle --short internal.crt",
    ],
    [
      "Print the certificate of a server as JSON",
      "certificate inspect --format json --roots root_ca.crt \\\nhttps://ca.example.com",
    ],
  ],
  resolve(invocation): InspectOptions {
    const { flags: values, positionals: [source = STANDARD_INPUT] } =
      invocation;
    const flags = new FlagReader(invocation, FLAGS);
    const format = flags.choice(
      "format",
      (choices) => `options are ${choices.join(", ")}`,
    ) ?? "text";
    if (values.short === true && format !== "text") {
      throw flags.usage(
        `flag '--short' is incompatible with '--format ${format}'`,
        { flags: ["short", "format"] },
      );
    }
    return {
      source: source === "" ? STANDARD_INPUT : source,
      isBundle: values.bundle === true,
      peer: resolvePeer(invocation),
      form: values.json === true
        ? "json line"
        : values.short === true
        ? "short"
        : format,
    };
  },
  async run({ source, isBundle, peer, form }, program: Program) {
    const documents = await readDocuments(source, { isBundle, peer });
    try {
      program.stdout.write(await rendered(documents, form));
    } catch (error) {
      // What is only read when it is shown: keys, names and extensions.
      throw unusable(source, error);
    }
    return 0;
  },
});

async function rendered(
  documents: readonly Document[],
  form: InspectOptions["form"],
): Promise<string> {
  switch (form) {
    case "pem":
      return documents.map(documentPem).join("");
    case "text": {
      const { certificateText, certificateRequestText } = await import(
        "../../pki/inspect/certificate_text.ts"
      );
      return documents.map((document) =>
        document.kind === "certificate"
          ? certificateText(document.value)
          : certificateRequestText(document.value)
      ).join("");
    }
    case "short": {
      const { shortCertificateText, shortRequestText } = await import(
        "../../pki/inspect/short_text.ts"
      );
      const texts = await Promise.all(
        documents.map((document) =>
          document.kind === "certificate"
            ? shortCertificateText(document.value)
            : shortRequestText(document.value)
        ),
      );
      return texts.join("");
    }
    case "json":
    case "json line":
      return await json(documents, form);
  }
}

async function json(
  documents: readonly Document[],
  form: "json" | "json line",
): Promise<string> {
  const { certificateJson, jsonText, requestJson } = await import(
    "../../pki/inspect/certificate_json.ts"
  );
  const [first, ...others] = documents;
  if (first?.kind === "request") {
    const request = requestJson(first.value);
    return form === "json"
      ? `${jsonText(request, 2)}\n`
      : `${jsonText({ request })}\n`;
  }
  const certificates = await Promise.all(
    documents.flatMap((document) =>
      document.kind === "certificate" ? [certificateJson(document.value)] : []
    ),
  );
  if (form === "json line") return `${jsonText({ certificates })}\n`;
  // As the original: an array for several only.
  const [only] = certificates;
  return `${jsonText(others.length === 0 ? only : certificates, 2)}\n`;
}
