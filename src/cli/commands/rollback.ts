import type { RollbackOptions } from "../../base/options.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";
import { SETTING_NAMES } from "../remedies.ts";
import { requireDistinct, resolvePair } from "../resolve/files.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { resolveHooks, resolveSignal } from "../resolve/reload.ts";
import { resolveLockTimeout } from "../resolve/write.ts";

export const command = defineCommand({
  path: ["ca", "rollback"],
  brief: "return to the certificate and key before",
  programInErrors: "step-rekey",
  description: [
    "step-rekey ca rollback puts the pair in force again that was there before the last rekey, in one rename, and then tells the service. It needs the versioned layout, which keeps the last 5 pairs: see --layout of ca rekey, and ca layout.",
    "It can be called again to go back further. The pair that is left stays, and the next rekey makes a new one; a daemon does so as soon as the certificate that is in force again is due.",
  ],
  positionals: {
    "crt-file": "The certificate, a link to its version.",
    "key-file": "The key file of the certificate.",
  },
  flags: {
    "force": {
      ...REKEY_FLAGS.force,
      help: "Return to a certificate that has expired, too.",
    },
    "password-file": {
      ...REKEY_FLAGS["password-file"],
      help:
        "The path to the <file> containing the password to decrypt the private key, which has to prove that it belongs to the certificate.",
    },
    "lock-timeout": REKEY_FLAGS["lock-timeout"],
    "pid": REKEY_FLAGS.pid,
    "pid-file": REKEY_FLAGS["pid-file"],
    "signal": REKEY_FLAGS.signal,
    "exec": REKEY_FLAGS.exec,
    "exec-timeout": REKEY_FLAGS["exec-timeout"],
  },
  exitCodes: exitCodes("the pair before is in force again", {
    usage: ERROR_MEANINGS.usage,
    pair:
      "the pair before is missing, mismatched or expired, there is none, or the password is wrong",
    bug: ERROR_MEANINGS.bug,
    signal:
      "the pair before is in force, but the process could not be signalled",
    install: "the links cannot be changed; the pair is as it was",
    busy: ERROR_MEANINGS.busy,
    config: "defaults.json or contexts are unusable",
    hook: ERROR_MEANINGS.hook.replace(
      "the new pair is installed",
      "the pair before is in force",
    ),
    interrupted: ERROR_MEANINGS.interrupted,
  }),
  examples: [
    [
      "Return to the pair before the last rekey, and reload nginx",
      'ca rollback --exec "nginx -s reload" \\\ninternal.crt internal.key',
    ],
  ],
  resolve(invocation) {
    const flags = new FlagReader(invocation);
    const pair = resolvePair(flags, invocation.positionals);
    requireDistinct(pair, { read: [], cwd: invocation.cwd });
    const signal = resolveSignal(flags);
    return {
      pair: pair.output,
      passwordFile: flags.text("password-file"),
      allowExpired: flags.values.force === true,
      lockTimeoutMs: resolveLockTimeout(flags),
      reload: { signal, ...resolveHooks(flags) },
      names: SETTING_NAMES,
    };
  },
  async run(options: RollbackOptions, program: Program) {
    const { processSignals } = await import("../process/signals.ts");
    const { stop } = processSignals("once");
    const [
      { rollbackPair },
      { createReloader },
      { denoRuntime },
      { checkHookPrograms },
    ] = await Promise.all([
      import("../../engine/rollback.ts"),
      import("../../reload/reloader.ts"),
      import("../process/deno_runtime.ts"),
      import("../process/hook_programs.ts"),
    ]);
    const { pair, reload } = options;
    const runtime = denoRuntime(
      { run: "once", file: pair.certificate },
      program,
    );
    await checkHookPrograms(reload, { run: "once", log: runtime.log });
    const reloader = createReloader(options, {
      files: pair,
      beforeHook: runtime.flushLog,
    });
    await rollbackPair({ options, reloader }, runtime, stop);
    return 0;
  },
});
