import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import type { EntrypointOptions } from "../process/entrypoint.ts";
import { REFUSED_RUN_FLAGS, resolveRun, RUN_FLAGS } from "../resolve/run.ts";

const { signal: _signal, hook: _hook, declined: _declined, ...MEANINGS } =
  ERROR_MEANINGS;

export const command = defineCommand({
  path: ["run"],
  brief: "run a command with a certificate that is kept fresh",
  programInErrors: "step-rekey",
  description: [
    "step-rekey run is the entrypoint of a container. First it makes the pair usable: it repairs what was interrupted, gets a first certificate where there is no pair and a token is given, and rekeys a certificate that is due. A failure ends it here, before the command starts.",
    "Then the command runs, with the streams and the environment of step-rekey, without STEP_TOKEN, and with the absolute paths of the pair in STEP_REKEY_CERT and STEP_REKEY_KEY. As long as it runs, the pair is rekeyed as by ca rekey --daemon, and after each rekey the command gets SIGHUP, or what --signal says; with --exec that program is run instead. A rekey that fails never ends the command.",
    "SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH go to the command; SIGHUP means rekey now. The end of the command ends step-rekey, with its exit code. The log goes to standard error: standard output is the command's alone.",
    "As PID 1 of a container it collects the command and its own hooks, and not the processes that those leave behind.",
  ],
  positionals: {
    "crt-file": "The certificate, as the command reads it.",
    "key-file": "Its private key.",
  },
  program:
    "The program to run, and its arguments, as they are: no shell is involved.",
  flags: RUN_FLAGS,
  refusedFlags: REFUSED_RUN_FLAGS,
  exitCodes: [
    ...exitCodes("the command ended with 0", {
      ...MEANINGS,
      pair: `there is no pair and no token; or ${MEANINGS.pair}`,
      interrupted:
        "stopped by signal n (130 SIGINT, 131 SIGQUIT, 143 SIGTERM) before the command started; or the command was ended by signal n",
    }),
    {
      code: "n",
      when:
        "the exit code of the command; 127 if it is not found and 126 if it is not executable, as in a shell",
    },
  ],
  examples: [
    [
      "Run nginx, which reads its certificates again on SIGHUP",
      "run internal.crt internal.key -- nginx -g 'daemon off;'",
    ],
    [
      "Get the first certificate with a token",
      "run --token $TOKEN internal.crt internal.key -- ./server",
    ],
    [
      "Tell the command by another program",
      "run --exec ./rekeyed internal.crt internal.key -- ./server",
    ],
  ],
  resolve: resolveRun,
  async run(options: EntrypointOptions, program: Program) {
    if (options.rekey.authority.mode === "online") {
      const problem = program.pinTrust();
      if (problem !== undefined) {
        const { beginAgain } = await import("../process/ask_authority.ts");
        return await beginAgain(problem, program);
      }
    }
    // Good for once, and nobody else's.
    Deno.env.delete("STEP_TOKEN");
    const { entrypointSignals } = await import("../process/signals.ts");
    const signals = entrypointSignals();
    const [{ runEntrypoint }, { denoRuntime }] = await Promise.all([
      import("../process/entrypoint.ts"),
      import("../process/deno_runtime.ts"),
    ]);
    const { output: { certificate: file }, logFormat: format } = options.rekey;
    const runtime = denoRuntime(
      { run: "daemon", file, format },
      // Standard output is the command's alone.
      { ...program, stdout: program.stderr },
    );
    return await runEntrypoint(options, runtime, signals);
  },
});
