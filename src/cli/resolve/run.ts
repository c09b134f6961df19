/**
 * The flags of `run`: those of a daemon of `ca rekey`, a token for the first
 * certificate, and the signal for the command. Errors are of kind `usage`
 * unless said.
 */
import { RekeyError } from "../../base/errors.ts";
import type { RekeyOptions } from "../../base/options.ts";
import type { FlagDefinitions, Invocation } from "../grammar/command.ts";
import type { EntrypointOptions } from "../process/entrypoint.ts";
import {
  requireSupported,
  resolveTime,
  resolveToken,
  TOKEN_FLAGS,
  VALIDITY_FLAGS,
} from "./enrol.ts";
import { FlagReader } from "./flag_reader.ts";
import { REKEY_FLAGS } from "./flags.ts";
import { resolveRekey } from "./rekey.ts";
import { LAST_SIGNAL } from "./reload.ts";

const NAME_THE_PAIR =
  "name the files that the command reads as <crt-file> and <key-file>";

const NEW_KEYS = "leave it out: there is a new key for every certificate";

const TELL_OTHERS =
  'the command itself gets the signal; a daemon of "step-rekey ca rekey" tells another process';

/** Flags of `ca rekey` that have no meaning beside a command. */
export const REFUSED_RUN_FLAGS = {
  "daemon": "leave it out: run rekeys as long as the command runs",
  "dry-run": 'a dry run of "step-rekey ca rekey" shows what would happen',
  "f": "leave it out: run asks nothing",
  "force": "leave it out: run asks nothing",
  "json": "--log-format json writes the log as JSON",
  "out-cert": NAME_THE_PAIR,
  "out-crt": NAME_THE_PAIR,
  "out-key": NAME_THE_PAIR,
  "pid": TELL_OTHERS,
  "pid-file": TELL_OTHERS,
  "private-key": NEW_KEYS,
  "private-key-password-file": NEW_KEYS,
} as const;

const isShared = ([name]: [string, unknown]) =>
  !Object.hasOwn(REFUSED_RUN_FLAGS, name);

const SHARED_FLAGS = Object.fromEntries(
  Object.entries(REKEY_FLAGS).filter(isShared),
) as Omit<typeof REKEY_FLAGS, keyof typeof REFUSED_RUN_FLAGS>;

/** Every flag of `run`. */
export const RUN_FLAGS = {
  ...SHARED_FLAGS,
  "expires-in": {
    ...REKEY_FLAGS["expires-in"],
    help:
      "The amount of time remaining before certificate expiration, at which point a rekey should be attempted. Defaults to a third of the life of the certificate.",
  },
  "rekey-period": {
    ...REKEY_FLAGS["rekey-period"],
    help:
      "The period with which to schedule rekeying of the certificate, instead of --expires-in. At least a minute, or a twentieth of the certificate's life if that is less; shorter ones are raised to it.",
  },
  "reload-attempts": {
    ...REKEY_FLAGS["reload-attempts"],
    help:
      "The <number> of times to try to tell the service of one certificate, with growing pauses. 0 means no limit. Defaults to 20, which takes about an hour.",
  },
  "signal": {
    ...REKEY_FLAGS.signal,
    help:
      "The signal <number> that the command gets after the certificate has been rekeyed, unless there is --exec. 0 means none. Default value is SIGHUP (1).",
    badValueHint: "name the signal by its number, 0 to 31; SIGHUP is 1",
  },
  "token": {
    ...TOKEN_FLAGS.token,
    help:
      "The one-time <token> that gets the first certificate, where there is no pair yet. Everybody on this machine can read it in the list of processes: better in the variable STEP_TOKEN, which is kept from the command.",
  },
  "not-after": {
    ...VALIDITY_FLAGS["not-after"],
    help:
      `When the validity of the first certificate ends. A time is written as in RFC 3339, a duration from now as a sequence of decimal numbers with units, such as "24h".`,
  },
} as const satisfies FlagDefinitions;

/** @throws {RekeyError} also kind `config` for an unusable --ca-url */
export async function resolveRun(
  invocation: Invocation<typeof RUN_FLAGS>,
): Promise<EntrypointOptions> {
  const { flags: { signal: _own, ...flags }, program } = invocation;
  const own = new FlagReader(invocation, RUN_FLAGS);
  const signal = resolveOwnSignal(own);
  const rekey = resolveRekey(
    { ...invocation, flags: { ...flags, daemon: true } },
    "step-rekey run",
  );
  if (program.some((word) => word.includes("\0"))) {
    throw new RekeyError(
      "usage",
      "no word of a command can hold a NUL character",
    );
  }
  return {
    rekey,
    enrol: await resolveEnrol(invocation, rekey),
    words: program,
    signal,
  };
}

function resolveOwnSignal(flags: FlagReader<typeof RUN_FLAGS>): number {
  const { signal = 1n } = flags.values;
  if (signal < 0n || signal > LAST_SIGNAL) {
    throw flags.invalid("signal", undefined, {
      hint: `name a signal by its number, 1 to ${LAST_SIGNAL}, or 0 for none`,
    });
  }
  if (flags.isTyped("signal") && flags.isTyped("exec")) {
    throw flags.usage(
      "flag '--signal' and flag '--exec' are mutually exclusive",
      {
        flags: ["signal", "exec"],
        hint: "the command of --exec has to tell the other one itself",
      },
    );
  }
  return Number(signal);
}

async function resolveEnrol(
  invocation: Invocation<typeof RUN_FLAGS>,
  rekey: RekeyOptions,
): Promise<EntrypointOptions["enrol"]> {
  const { authority, output, newKey, write, passwordFiles } = rekey;
  const notAfter = resolveTime(invocation, "not-after");
  const by = await resolveFirstToken(invocation);
  if (by === undefined || newKey.from !== "generate") return undefined;
  const flags = new FlagReader(invocation, RUN_FLAGS);
  if (authority.mode === "offline") {
    // In the environment it is for another pair, or of an earlier day.
    if (!flags.isTyped("token")) return undefined;
    throw flags.usage(
      "flag '--token' is incompatible with flag '--offline'",
      { flags: ["offline"], hint: "a token is for the CA at --ca-url" },
    );
  }
  if (by instanceof RekeyError) return by;
  const { token } = by;
  const { url, root, connectTimeoutMs, timeoutMs } = authority;
  return {
    // The later rekeys need the file, so a token's own root is not enough.
    ca: {
      ...{ url, connectTimeoutMs, timeoutMs },
      root: { from: "file", path: root },
    },
    by,
    subject: (token.type === "OIDC" ? token.email : undefined) ?? token.subject,
    names: [],
    notBefore: "",
    notAfter,
    files: output,
    newKey: newKey.spec,
    keyPasswordFile: rekey.encryptNewKey === "always"
      ? passwordFiles.key
      : undefined,
    overwrite: "ask",
    write,
  };
}

/** An error is returned, not thrown, where it matters only without a pair: the environment keeps a token for long. */
async function resolveFirstToken(invocation: Invocation<typeof RUN_FLAGS>) {
  const flags = new FlagReader(invocation, RUN_FLAGS);
  try {
    const by = await resolveToken(invocation);
    if (by !== undefined) requireSupported(by.token, flags);
    return by;
  } catch (error) {
    if (!(error instanceof RekeyError) || flags.isTyped("token")) throw error;
    return error;
  }
}
