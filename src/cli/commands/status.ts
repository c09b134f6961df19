import type { StatusQuestion, Verdict } from "../../answers/status.ts";
import { ERROR_KINDS } from "../../base/errors.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { requireDistinct, resolvePair } from "../resolve/files.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { JSON_FLAG, REKEY_FLAGS } from "../resolve/flags.ts";
import { resolveStateFolders } from "../resolve/write.ts";

/** What a health check reads. */
const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  "usable": 0,
  "due": 1,
  "not yet valid": ERROR_KINDS.pair.exitCode,
  "expired": ERROR_KINDS.pair.exitCode,
  "broken": ERROR_KINDS.pair.exitCode,
};

type StatusOptions = Omit<StatusQuestion, "now" | "signal"> & {
  readonly isJson: boolean;
};

export const command = defineCommand({
  path: ["status"],
  brief: "say how a certificate and its key stand",
  programInErrors: "step-rekey",
  description: [
    "step-rekey status says what is there, whether certificate and key belong together, when the certificate is due, how the pair stands on disk, and what is unfinished: an interrupted install, a reload that no service was told of, another process that works on it. It asks nobody, waits for nothing and changes nothing.",
    "Its exit code is for health checks: 0 as long as the pair can be used and is not due.",
  ],
  positionals: {
    "crt-file": "The certificate in PEM format.",
    "key-file": "The key file of the certificate.",
  },
  flags: {
    "password-file": {
      ...REKEY_FLAGS["password-file"],
      help:
        "The path to the <file> containing the password of the private key. Without it, an encrypted key is not checked.",
    },
    "expires-in": {
      ...REKEY_FLAGS["expires-in"],
      help:
        "The <duration> before the certificate's end from which on it is due. By default it is due after two thirds of its life, as for the daemon of ca rekey.",
    },
    "state-dir": {
      ...REKEY_FLAGS["state-dir"],
      help: "The <directory> of --state-dir of ca rekey, where that was given.",
    },
    "json": JSON_FLAG,
  },
  exitCodes: [
    { code: "0", when: "the pair can be used, and is not due" },
    { code: "1", when: "the pair can be used, and is due" },
    ...exitCodes("", {
      usage: ERROR_MEANINGS.usage,
      pair:
        "a file is missing or unusable, certificate and key do not belong together, or the certificate has expired or is not valid yet",
      bug: ERROR_MEANINGS.bug,
      config: "defaults.json or contexts are unusable",
    }).filter(({ code }) => code !== "0"),
  ],
  examples: [
    ["Look at a pair", "status internal.crt internal.key"],
    [
      "In a health check of a container",
      "status --json internal.crt internal.key",
    ],
  ],
  resolve(invocation) {
    const flags = new FlagReader<typeof REKEY_FLAGS>(invocation);
    const pair = resolvePair(flags, invocation.positionals);
    requireDistinct(pair, { read: [], cwd: invocation.cwd });
    const beforeMs = flags.durationMs("expires-in") ?? 0;
    if (beforeMs < 0) throw flags.invalid("expires-in", "must not be negative");
    return {
      files: pair.input,
      passwordFile: flags.text("password-file"),
      schedule: beforeMs > 0
        ? { rule: "before-expiry", beforeMs } as const
        : { rule: "two-thirds" } as const,
      stateFolders: resolveStateFolders(flags, invocation.env),
      isJson: invocation.flags.json === true,
    };
  },
  async run({ isJson, ...options }: StatusOptions, { stdout }: Program) {
    const [{ statusOf }, { statusJson, statusText }] = await Promise.all([
      import("../../answers/status.ts"),
      import("../../answers/status_text.ts"),
    ]);
    const now = new Date();
    const { signal } = new AbortController();
    const status = await statusOf({ ...options, now, signal });
    const { files } = options;
    if (isJson) {
      const { jsonAnswer } = await import("../../observe/json_line.ts");
      stdout.write(jsonAnswer(statusJson(status, { files })));
    } else {
      const columns = stdout.isTerminal() ? stdout.columns() || 80 : undefined;
      stdout.write(statusText(status, { files, now, columns }));
    }
    return EXIT_CODES[status.verdict];
  },
});
