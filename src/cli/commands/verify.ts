import type { PeerOptions } from "../../answers/peer_address.ts";
import type { Refusal } from "../../answers/verification.ts";
import { RekeyError } from "../../base/errors.ts";
import { jsonAnswer } from "../../observe/json_line.ts";
import { ANY_COMMAND, CERTIFICATE_READER, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { PEER_FLAGS, resolvePeer } from "../resolve/answer_flags.ts";
import { JSON_FLAG } from "../resolve/flags.ts";

const FLAGS = {
  "host": {
    kind: "text",
    group: "authority",
    placeholder: "host",
    help: "A name or address that the certificate has to be for, too.",
  },
  ...PEER_FLAGS,
  "roots": {
    ...PEER_FLAGS.roots,
    help:
      "The root certificates that the certificate has to lead to: a file, a comma-separated list of files, or a directory. Defaults to the roots of the system.",
  },
  "verbose": {
    kind: "boolean",
    names: ["verbose", "v"],
    group: "program",
    help: "Say so when the certificate verifies.",
  },
  "json": JSON_FLAG,
} as const;

interface Question {
  readonly source: string;
  readonly peer: PeerOptions;
  readonly host: string | undefined;
  readonly isVerbose: boolean;
  readonly isJson: boolean;
}

/** The code of a certificate that does not verify. */
const NO = 1;

export const command = defineCommand({
  path: ["certificate", "verify"],
  brief: "verify a certificate",
  programInErrors: "step",
  description: [
    "step-rekey certificate verify checks the dates of a certificate, its name with --host, and whether it leads to a root over the other certificates of its file, which may stand in any order (RFC 5280, section 6). Any purpose will do. Revocation is not looked at.",
  ],
  positionals: {
    "crt-file":
      "The path of the certificate, with its issuers behind it, or the address of a server that shows its own: https://, tls://, tcp://, smtps:// or ldaps:// and its host.",
  },
  flags: FLAGS,
  exitCodes: exitCodes("it verifies", {
    ...ANY_COMMAND,
    ...CERTIFICATE_READER,
    declined: "it does not verify",
  }),
  exitCodeOf: ({ kind, exitCode }) => kind === "untrusted" ? NO : exitCode,
  examples: [
    [
      "Verify a certificate with a root of one's own",
      "certificate verify internal.crt --roots root_ca.crt",
    ],
    [
      "Verify that it is for a host, too",
      "certificate verify internal.crt --roots root_ca.crt \\\n--host internal.example",
    ],
    [
      "Verify the certificate of a server with the roots of the system",
      "certificate verify https://smallstep.com",
    ],
  ],
  resolve(invocation): Question {
    const { host, verbose, json } = invocation.flags;
    return {
      source: invocation.positionals[0] ?? "",
      peer: resolvePeer(invocation),
      host: host || undefined,
      isVerbose: verbose === true,
      isJson: json === true,
    };
  },
  async run(question: Question, { stdout }: Program) {
    const refusal = await verify(question);
    const isValid = refusal === undefined;
    if (question.isJson) {
      const reason = refusal?.reason ?? null;
      const detail = refusal?.detail ?? null;
      stdout.write(jsonAnswer({ isValid, reason, detail }));
      return isValid ? 0 : NO;
    }
    if (!isValid) {
      throw new RekeyError("untrusted", refusal.reason, {
        hint: refusal.detail,
      });
    }
    if (question.isVerbose) stdout.write("certificate is valid\n");
    return 0;
  },
});

async function verify(
  { source, peer, host }: Question,
): Promise<Refusal | undefined> {
  const [
    { readCertificates },
    { peerAddress },
    { readRoots },
    { findRefusal },
  ] = await Promise.all([
    import("../../answers/certificate_source.ts"),
    import("../../answers/peer_address.ts"),
    import("../../answers/roots.ts"),
    import("../../answers/verification.ts"),
  ]);
  const now = new Date();
  const isServer = peerAddress(source) !== undefined;
  try {
    const chain = await readCertificates(source, peer);
    // A server's chain led to a root in its handshake.
    const roots = isServer ? [chain[0]] : await readRoots(peer.roots);
    const refusal = await findRefusal(chain, { roots, host, now });
    return refusal && {
      ...refusal,
      reason: `failed to verify certificate: ${refusal.reason}`,
    };
  } catch (error) {
    if (error instanceof RekeyError && error.kind === "untrusted") {
      return { reason: error.message };
    }
    throw error;
  }
}
