import type { RootList } from "../../ca/online/authority_info.ts";
import {
  ANY_COMMAND,
  CA_ASKER,
  exitCodes,
  FILE_WRITER,
} from "../exit_codes.ts";
import { type CommandDefinition, defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import {
  type Address,
  resolveVerified,
  VERIFIED_FLAGS,
} from "../resolve/authority_info.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

interface RootsOptions extends Address {
  readonly root: string;
  /** Undefined: standard output. */
  readonly file: string | undefined;
  readonly isForced: boolean;
  readonly isJson: boolean;
}

const FLAGS = { ...VERIFIED_FLAGS, "force": REKEY_FLAGS.force } as const;

export const roots = listCommand({
  list: "roots",
  brief: "download all the root certificates",
  content: "all root certificates of the certificate authority",
  argument: {
    "roots-file": "File to write all the root certificates (PEM format)",
  },
  saved: "The root certificate bundle",
});

export const federation = listCommand({
  list: "federation",
  brief: "download all the federated certificates",
  content:
    "all root certificates of the federation that the certificate authority is part of",
  argument: {
    "federation-file": "File to write federation certificates (PEM format)",
  },
  saved: "The federation certificate bundle",
});

/** `ca roots` and `ca federation` differ in what they ask for. */
function listCommand({ list, brief, content, argument, saved }: {
  readonly list: RootList;
  readonly brief: string;
  readonly content: string;
  readonly argument: Readonly<Record<string, string>>;
  readonly saved: string;
}): CommandDefinition<typeof FLAGS, RootsOptions> {
  const name = `step ca ${list}`;
  return defineCommand({
    path: ["ca", list],
    brief,
    programInErrors: "step",
    description: [
      `step-rekey ca ${list} downloads ${content}, over a connection that is verified by --root. They are written to a file, or printed.`,
    ],
    positionals: {},
    optionalPositionals: argument,
    flags: FLAGS,
    exitCodes: exitCodes("the certificates are written or printed", {
      ...ANY_COMMAND,
      ...FILE_WRITER,
      ...CA_ASKER,
      untrusted: "the CA's answer is unusable, or not of CA certificates only",
    }),
    examples: [
      ["Print the certificates", `ca ${list}`],
      [
        "Download them with the flags that ca bootstrap makes unnecessary",
        `ca ${list} ${list}.pem --ca-url https://ca.example:9000 \\\n--root root_ca.crt`,
      ],
    ],
    async resolve(invocation) {
      const { flags, positionals: [file] } = invocation;
      return {
        ...await resolveVerified(invocation, name),
        file: file || undefined,
        isForced: flags.force === true,
        isJson: flags.json === true,
      };
    },
    async run(options: RootsOptions, program: Program) {
      const { url, root, timeoutMs } = options;
      const { askForCertificates } = await import(
        "../process/save_certificates.ts"
      );
      return await askForCertificates(options, program, {
        async fetch(asker) {
          const { fetchRoots } = await import(
            "../../ca/online/authority_info.ts"
          );
          return await fetchRoots({ url, root, timeoutMs, ...asker }, list);
        },
        saved: (file) => `${saved} has been saved in ${file}.`,
      });
    },
  });
}
