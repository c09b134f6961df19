import type { PeerOptions } from "../../answers/peer_address.ts";
import type { RenewalWindow } from "../../answers/renewal_due.ts";
import { jsonAnswer } from "../../observe/json_line.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import {
  BUNDLE_FLAG,
  PEER_FLAGS,
  resolvePeer,
} from "../resolve/answer_flags.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { JSON_FLAG, REKEY_FLAGS } from "../resolve/flags.ts";

const FLAGS = {
  "expires-in": {
    ...REKEY_FLAGS["expires-in"],
    placeholder: "window",
    help:
      'Since when a certificate needs renewal: a share of its life that is used, such as "66%", or the time that is left, such as "1h15m". Defaults to 66%.',
  },
  ...PEER_FLAGS,
  "bundle": BUNDLE_FLAG,
  "verbose": {
    kind: "boolean",
    names: ["verbose", "v"],
    group: "program",
    help: "Say the answer in words, too.",
  },
  "json": JSON_FLAG,
} as const;

/** Where `--expires-in` says nothing. */
const DEFAULT_PERCENT = 66;

interface Question {
  readonly source: string;
  readonly window: RenewalWindow;
  readonly peer: PeerOptions;
  /** Whether one of the issuers may be the one that is due. */
  readonly isBundle: boolean;
  readonly words: "none" | "text" | "json";
}

export const command = defineCommand({
  path: ["certificate", "needs-renewal"],
  brief: "tell whether it is due",
  programInErrors: "step",
  description: [
    "step-rekey certificate needs-renewal says by its exit code whether a certificate has used so much of its life that it should be renewed. It prints nothing but errors.",
    "It can be the ExecCondition of a systemd unit that renews: an error is 255 there, also one on the command line, so that the unit fails, and is not skipped for ever.",
  ],
  positionals: {
    "crt-file":
      "The path of the certificate, PEM or DER, or the address of a server that shows its own: https://, tls://, tcp://, smtps:// or ldaps:// and its host.",
  },
  flags: FLAGS,
  exitCodes: [
    { code: "0", when: "it needs renewal" },
    { code: "1", when: "it does not need renewal" },
    { code: "2", when: "there is no such file" },
    { code: "255", when: "any other error" },
  ],
  exitCodeOf: ({ kind, cause }) =>
    kind === "pair" && cause instanceof Deno.errors.NotFound ? 2 : 255,
  examples: [
    [
      "Check whether the certificate has used 66 percent of its life",
      "certificate needs-renewal internal.crt",
    ],
    [
      "Check whether it expires within 1 hour and 15 minutes",
      "certificate needs-renewal internal.crt --expires-in 1h15m",
    ],
    [
      "Check the certificate of a server",
      "certificate needs-renewal https://internal.example \\\n--expires-in 75% --roots root_ca.crt",
    ],
  ],
  resolve(invocation): Question {
    const flags = new FlagReader(invocation, FLAGS);
    const [source = ""] = invocation.positionals;
    const { json, verbose, bundle } = invocation.flags;
    return {
      source,
      window: resolveWindow(flags),
      peer: resolvePeer(invocation),
      isBundle: bundle === true,
      words: json ? "json" : verbose ? "text" : "none",
    };
  },
  async run({ source, window, peer, isBundle, words }, program: Program) {
    const { readCertificates } = await import(
      "../../answers/certificate_source.ts"
    );
    const { isRenewalDue, usedPercent } = await import(
      "../../answers/renewal_due.ts"
    );
    const chain = await readCertificates(source, peer);
    const now = new Date();
    const asked = isBundle ? chain : chain.slice(0, 1);
    const due = asked.find((each) => isRenewalDue(each, window, now));
    const needsRenewal = due !== undefined;
    if (words === "json") {
      const { notBefore, notAfter } = due ?? chain[0];
      program.stdout.write(jsonAnswer({
        needsRenewal,
        notBefore,
        notAfter,
        usedPercent: usedPercent({ notBefore, notAfter }, now),
      }));
    } else if (words === "text") {
      if (needsRenewal) program.stdout.write("certificate needs renewal\n");
      else program.stderr.write("certificate does not need renewal\n");
    }
    return needsRenewal ? 0 : 1;
  },
});

/** `75%`, or a duration. */
function resolveWindow(flags: FlagReader<typeof FLAGS>): RenewalWindow {
  const text = flags.text("expires-in") ?? `${DEFAULT_PERCENT}%`;
  if (!text.endsWith("%")) {
    return {
      rule: "before-expiry",
      beforeMs: flags.durationMs("expires-in") ?? 0,
    };
  }
  if (!/^[-+]?\d+%$/.test(text)) throw flags.invalid("expires-in");
  const percent = parseInt(text);
  if (percent < 0 || percent > 100) {
    throw flags.invalid("expires-in", "value must be in range 0-100%");
  }
  return { rule: "used", percent };
}
