import { RekeyError } from "../../base/errors.ts";
import type { LayoutOptions } from "../../base/options.ts";
import { shortened } from "../../base/printable.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";
import { requireDistinct, resolvePair } from "../resolve/files.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { resolveLockTimeout } from "../resolve/write.ts";

export const command = defineCommand({
  path: ["ca", "layout"],
  brief: "change how a certificate and its key stand on disk",
  programInErrors: "step-rekey",
  description: [
    "step-rekey ca layout moves a certificate and its key into the versioned layout, or back to two plain files. The contents stay as they are, also behind both names and at every moment, and a change that is interrupted is finished by the next command on the pair.",
    "In the versioned layout numbered pairs stand in a hidden directory beside <crt-file>, and both files are links to the current one, which changes in one rename. The last 5 pairs are kept, keys included. The way back to plain files removes all pairs but the current one.",
  ],
  positionals: {
    "layout": "plain or versioned.",
    "crt-file": "The certificate in PEM format.",
    "key-file": "The key file of the certificate.",
  },
  flags: { "lock-timeout": REKEY_FLAGS["lock-timeout"] },
  exitCodes: exitCodes("the pair is in that layout", {
    usage: ERROR_MEANINGS.usage,
    pair: "the certificate or key is missing, malformed or mismatched",
    bug: ERROR_MEANINGS.bug,
    install:
      "the files cannot be written; the next command on the pair goes on",
    busy: ERROR_MEANINGS.busy,
    config: "defaults.json or contexts are unusable",
    interrupted:
      "stopped by signal n (129 SIGHUP, 130 SIGINT, 143 SIGTERM), before the change",
  }),
  examples: [
    [
      "Keep the last pairs, and swap certificate and key in one rename",
      "ca layout versioned internal.crt internal.key",
    ],
    ["Return to two plain files", "ca layout plain internal.crt internal.key"],
  ],
  resolve(invocation) {
    const { positionals: [layout = "", ...files], cwd } = invocation;
    const flags = new FlagReader(invocation);
    const pair = resolvePair(flags, files);
    requireDistinct(pair, { read: [], cwd });
    if (layout !== "plain" && layout !== "versioned") {
      throw new RekeyError(
        "usage",
        `argument <layout> must be plain or versioned, not ${
          JSON.stringify(shortened(layout))
        }`,
        { hint: "step-rekey ca layout versioned <crt-file> <key-file>" },
      );
    }
    return {
      pair: pair.output,
      layout,
      lockTimeoutMs: resolveLockTimeout(flags),
    };
  },
  async run(options: LayoutOptions, program: Program) {
    const { processSignals } = await import("../process/signals.ts");
    const { stop } = processSignals("once");
    const [{ changeLayout }, { denoRuntime }] = await Promise.all([
      import("../../engine/rollback.ts"),
      import("../process/deno_runtime.ts"),
    ]);
    const file = options.pair.certificate;
    const runtime = denoRuntime({ run: "once", file }, program);
    await changeLayout(options, runtime, stop);
    return 0;
  },
});
