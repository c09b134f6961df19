import type { FingerprintFormat } from "../../answers/fingerprint.ts";
import type { PeerOptions } from "../../answers/peer_address.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";
import { jsonAnswer } from "../../observe/json_line.ts";
import { ANY_COMMAND, CERTIFICATE_READER, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
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
  "sha1": {
    kind: "boolean",
    group: "program",
    help:
      "Use SHA-1, which nothing should rely on, instead of SHA-256. Requires the --insecure flag.",
  },
  "format": {
    kind: "text",
    group: "program",
    placeholder: "format",
    help: "How the fingerprint is written. If unset, default is hex.",
    choices: {
      hex: "Hexadecimal, lower case",
      base64: "Base64",
      "base64-url": "Base64 for URLs",
      "base64-raw": "Base64 without padding",
      "base64-url-raw": "Base64 for URLs without padding",
    },
  },
  "bundle": BUNDLE_FLAG,
  ...PEER_FLAGS,
  "insecure": INSECURE_FLAG,
  "json": JSON_FLAG,
} as const;

interface Question {
  readonly source: string;
  readonly peer: PeerOptions;
  readonly isBundle: boolean;
  readonly hash: "SHA-1" | "SHA-256";
  readonly format: FingerprintFormat;
  readonly isJson: boolean;
}

export const command = defineCommand({
  path: ["certificate", "fingerprint"],
  brief: "print the fingerprint of a certificate",
  programInErrors: "step",
  description: [
    "step-rekey certificate fingerprint prints the SHA-256 of a certificate's DER: of the first one of a file or server, or of all of them with --bundle.",
  ],
  positionals: {},
  optionalPositionals: {
    "crt-file":
      "The path of the certificate, PEM or DER, or the address of a server that shows its own: https://, tls://, tcp://, smtps:// or ldaps:// and its host. Standard input if it is - or left out.",
  },
  flags: FLAGS,
  exitCodes: exitCodes("printed", {
    ...ANY_COMMAND,
    ...CERTIFICATE_READER,
    untrusted: "the server's certificate does not verify",
  }),
  examples: [
    ["Print the fingerprint of a root", "certificate fingerprint root_ca.crt"],
    [
      "Print those of a server's certificate and its issuers",
      "certificate fingerprint --bundle https://internal.example",
    ],
  ],
  resolve(invocation): Question {
    const flags = new FlagReader(invocation, FLAGS);
    const [source = STANDARD_INPUT] = invocation.positionals;
    const { sha1, insecure, bundle, json } = invocation.flags;
    if (sha1 && !insecure) {
      throw flags.usage("sha1 requires '--insecure' flag", { flags: ["sha1"] });
    }
    return {
      source,
      peer: resolvePeer(invocation),
      isBundle: bundle === true,
      hash: sha1 ? "SHA-1" : "SHA-256",
      format: flags.choice(
        "format",
        (choices) => `must be one of ${choices.join(", ")}`,
      ) ?? "hex",
      isJson: json === true,
    };
  },
  async run(
    { source, peer, isBundle, isJson, ...how }: Question,
    { stdout }: Program,
  ) {
    const { readCertificates } = await import(
      "../../answers/certificate_source.ts"
    );
    const { fingerprintOf } = await import("../../answers/fingerprint.ts");
    const chain = await readCertificates(source, peer);
    const asked = isBundle ? chain : chain.slice(0, 1);
    const fingerprints = await Promise.all(
      asked.map(({ der }) => fingerprintOf(der, how)),
    );
    if (isJson) {
      stdout.write(jsonAnswer({ ...how, fingerprints }));
      return 0;
    }
    for (const [index, text] of fingerprints.entries()) {
      stdout.write(isBundle ? `${index}: ${text}\n` : `${text}\n`);
    }
    return 0;
  },
});
