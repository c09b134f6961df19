/**
 * `ca rollback`: the words of the command, and the way into the engine.
 */
import { SETTING_NAMES } from "../remedies.ts";
import type { RollbackOptions } from "../../base/options.ts";
import { defineCommand } from "../grammar/command.ts";
import { RekeyInput } from "../resolve/input.ts";
import { REKEY_FLAGS } from "../grammar/rekey_flags.ts";

/** The command. */
export const rollbackCommand = defineCommand({
  path: ["ca", "rollback"],
  brief: "return to the certificate and key before",
  usage: [
    "ca rollback <crt-file> <key-file>",
    "[--force] [--password-file=<file>] [--lock-timeout=<duration>]",
    "[--pid=<int>] [--pid-file=<file>] [--signal=<int>] [--exec=<string>]",
    "[--exec-timeout=<duration>]",
  ],
  usageInErrors: "step-rekey ca rollback <crt-file> <key-file>",
  description: [
    "step-rekey ca rollback puts the pair in force again that was there before the last rekey, in one rename, and then tells the service. It needs the versioned layout, which keeps the last 5 pairs: see --layout of ca rekey, and ca layout.",
    "It can be called again to go back further. The pair that is left stays, and the next rekey makes a new one; a daemon does so as soon as the certificate that is in force again is due.",
  ],
  positionals: [
    { name: "crt-file", help: "The certificate, a link to its version." },
    { name: "key-file", help: "The key file of the certificate." },
  ],
  flags: {
    "force": {
      kind: "boolean",
      names: ["f", "force"],
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
  examples: [
    {
      says: "Return to the pair before the last rekey, and reload nginx",
      command:
        'ca rollback --exec "nginx -s reload" \\\ninternal.crt internal.key',
    },
  ],
  async run(invocation, program) {
    const { requireDistinct, resolvePair } = await import(
      "../resolve/files.ts"
    );
    const { resolveHooks, resolveSignal } = await import(
      "../resolve/reload.ts"
    );
    const { resolveLockTimeout } = await import("../resolve/write.ts");
    const input = new RekeyInput(invocation);
    const pair = resolvePair(input, invocation.positionals);
    requireDistinct(pair, { read: [], cwd: () => program.cwd() });
    const signal = resolveSignal(input);
    const passwordFile = input.text("password-file");
    const options: RollbackOptions = {
      pair: pair.output,
      ...(passwordFile !== undefined && { passwordFile }),
      allowExpired: input.flags.force === true,
      lockTimeoutMs: resolveLockTimeout(input),
      reload: {
        ...(signal !== undefined && { signal }),
        ...resolveHooks(input),
      },
      names: SETTING_NAMES,
    };
    await program.rollback(options);
  },
});
