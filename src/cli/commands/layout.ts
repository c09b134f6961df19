/**
 * `ca layout`: the words of the command, and the way into the engine.
 */
import { RekeyError } from "../../base/errors.ts";
import type { LayoutOptions } from "../../base/options.ts";
import { defineCommand } from "../grammar/command.ts";
import { RekeyInput } from "../resolve/input.ts";
import { REKEY_FLAGS } from "../grammar/rekey_flags.ts";

/** The command. */
export const layoutCommand = defineCommand({
  path: ["ca", "layout"],
  brief: "change how a certificate and its key stand on disk",
  usage: [
    "ca layout <layout> <crt-file> <key-file>",
    "[--lock-timeout=<duration>]",
  ],
  usageInErrors: "step-rekey ca layout <layout> <crt-file> <key-file>",
  description: [
    "step-rekey ca layout moves a certificate and its key into the versioned layout, or back to two plain files. The contents stay as they are, also behind both names and at every moment, and a change that is interrupted is finished by the next command on the pair.",
    "In the versioned layout numbered pairs stand in a hidden directory beside <crt-file>, and both files are links to the current one, which changes in one rename. The last 5 pairs are kept, keys included. The way back to plain files removes all pairs but the current one.",
  ],
  positionals: [
    { name: "layout", help: "plain or versioned." },
    { name: "crt-file", help: "The certificate in PEM format." },
    { name: "key-file", help: "The key file of the certificate." },
  ],
  flags: { "lock-timeout": REKEY_FLAGS["lock-timeout"] },
  examples: [
    {
      says: "Keep the last pairs, and swap certificate and key in one rename",
      command: "ca layout versioned internal.crt internal.key",
    },
    {
      says: "Return to two plain files",
      command: "ca layout plain internal.crt internal.key",
    },
  ],
  async run(invocation, program) {
    const { requireDistinct, resolvePair } = await import(
      "../resolve/files.ts"
    );
    const { resolveLockTimeout } = await import("../resolve/write.ts");
    const [layout = "", ...files] = invocation.positionals;
    const input = new RekeyInput(invocation);
    const pair = resolvePair(input, files);
    requireDistinct(pair, { read: [], cwd: () => program.cwd() });
    const options: LayoutOptions = {
      layout: resolveLayout(layout),
      pair: pair.output,
      lockTimeoutMs: resolveLockTimeout(input),
    };
    await program.changeLayout(options);
  },
});

function resolveLayout(layout: string): LayoutOptions["layout"] {
  if (layout === "plain" || layout === "versioned") return layout;
  throw new RekeyError(
    "usage",
    `argument <layout> must be plain or versioned, not ${
      JSON.stringify(layout)
    }`,
    { hint: "step-rekey ca layout versioned <crt-file> <key-file>" },
  );
}
