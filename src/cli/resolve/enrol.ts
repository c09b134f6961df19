/**
 * What `ca certificate`, `ca token` and `ca revoke` share: the CA, the
 * provisioner, the one-time token. Errors are of kind `usage` unless said.
 *
 * Texts are the original's (smallstep/cli command/ca/certificate.go, token.go,
 * revoke.go, utils/cautils/certificate_flow.go).
 */
import { parseGoDuration } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import type { CaChoice, ProvisionerChoice } from "../../base/options.ts";
import type { Hint } from "../../base/remedy.ts";
import type {
  OneTimeToken,
  TokenChoice,
} from "../../ca/online/one_time_token.ts";
import type {
  FlagDefinition,
  FlagDefinitions,
  Invocation,
} from "../grammar/command.ts";
import {
  defaultRoot,
  parseCaUrl,
  requireHost,
  resolveTimeouts,
} from "./authority.ts";
import { resolveRoot } from "./authority_info.ts";
import { FlagReader } from "./flag_reader.ts";
import { JSON_FLAG, REKEY_FLAGS } from "./flags.ts";

/** Of whoever asks a CA for something. */
export const CA_FLAGS = {
  "ca-url": REKEY_FLAGS["ca-url"],
  "root": REKEY_FLAGS.root,
  "connect-timeout": REKEY_FLAGS["connect-timeout"],
  "timeout": REKEY_FLAGS.timeout,
  "context": REKEY_FLAGS.context,
  "json": JSON_FLAG,
} as const satisfies FlagDefinitions;

/** Of whoever makes a token. */
export const PROVISIONER_FLAGS = {
  "issuer": {
    kind: "text",
    names: ["provisioner", "issuer"],
    group: "authority",
    placeholder: "name",
    help:
      "The <name> of the provisioner to use. It may be left out where the CA has one JWK provisioner only.",
  },
  "kid": {
    kind: "text",
    group: "authority",
    placeholder: "kid",
    help: "The <kid> of the key of the provisioner to use.",
  },
  "provisioner-password-file": {
    kind: "text",
    group: "key",
    placeholder: "file",
    help:
      "The path to the <file> containing the password to decrypt the key of the provisioner. Defaults to --password-file, and then to a question at the terminal.",
  },
} as const satisfies FlagDefinitions;

/** Of whoever may have a token already. */
export const TOKEN_FLAGS = {
  "token": {
    kind: "text",
    group: "authority",
    placeholder: "token",
    help:
      "The one-time <token> that the CA is shown. Everybody on this machine can read it in the list of processes: better in the variable STEP_TOKEN.",
  },
} as const satisfies FlagDefinitions;

/** Of whoever names what a certificate is for. */
export const SAN_FLAGS = {
  "san": {
    kind: "list",
    group: "authority",
    placeholder: "name",
    help:
      "A Subject Alternative Name: a DNS name, an IP address, an email address or a URI. The flag may stand several times. Defaults to <subject>.",
  },
} as const satisfies FlagDefinitions;

const TIME_HELP =
  `A time is written as in RFC 3339, a duration from now as a sequence of decimal numbers with units, such as "24h" or "-5m".`;

/** Of whoever sets a begin and an end. */
export const VALIDITY_FLAGS = {
  "not-before": {
    kind: "text",
    group: "schedule",
    placeholder: "time",
    help: `When the validity begins. ${TIME_HELP}`,
  },
  "not-after": {
    kind: "text",
    group: "schedule",
    placeholder: "time",
    help: `When the validity ends. ${TIME_HELP}`,
  },
} as const satisfies FlagDefinitions;

/** What to do instead of flags that are for other kinds of provisioners. */
export const ONLY_JWK =
  "only JWK provisioners are supported: Smallstep's step has the others";
const WITH_TOKEN: Hint = {
  remedy: "make the token elsewhere",
  command: "step ca token --x5c-cert <file> --x5c-key <file>",
};

/** Flags of the original that stand for ways that are not gone here. */
export const REFUSED_FLAGS: Readonly<Record<string, Hint>> = {
  "offline":
    "leave it out, and ask the CA: only ca rekey and ca renew work offline",
  "ca-config": "the CA's own files are read by ca rekey and ca renew only",
  "x5c-cert": WITH_TOKEN,
  "x5c-key": WITH_TOKEN,
  "x5c-insecure": WITH_TOKEN,
  "nebula-cert": ONLY_JWK,
  "nebula-key": ONLY_JWK,
  "k8ssa-token-path": ONLY_JWK,
};

/** A flag that the original takes and leaves without effect, too. */
export function withoutEffect(
  what: "ACME" | "SSH",
  placeholder: string,
): FlagDefinition & { readonly kind: "text" } {
  return {
    kind: "text",
    group: "authority",
    placeholder,
    help:
      `Accepted, and without effect as in step: it is for ${what}, which is not supported.`,
  };
}

/** A warning for each of `names` that is set. */
export function unusedFlags(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[],
): readonly string[] {
  return names.filter((name) => values[name] !== undefined)
    .map((name) => `flag '--${name}' has no effect here`);
}

type Given<Flags extends FlagDefinitions> = Pick<
  Invocation<Flags>,
  "flags" | "origins" | "stepPath"
>;

/**
 * --ca-url and --root, or what a token says in their place.
 *
 * @param needed who needs them when they are missing: `flag '--token'`, or the
 *   command
 * @throws {RekeyError} also kind `config`
 */
export async function resolveCa(
  invocation: Given<typeof CA_FLAGS>,
  { token, missing }: {
    readonly token?: OneTimeToken | undefined;
    readonly missing: (flag: "ca-url" | "root") => string;
  },
): Promise<CaChoice> {
  const flags = new FlagReader(invocation, CA_FLAGS);
  const timeouts = resolveTimeouts(
    new FlagReader<typeof REKEY_FLAGS>(invocation),
  );
  const url = flags.text("ca-url");
  const { audience, rootDigest: digest } = token ?? {};
  const isPinned = digest !== undefined &&
    audience !== undefined && /^http/i.test(audience);
  if (isPinned && !/^[0-9a-f]{64}$/.test(digest)) {
    throw new RekeyError("usage", "the token names no root by its SHA-256");
  }
  if (url === undefined && !isPinned) {
    throw flags.usage(missing("ca-url"), {
      flags: ["ca-url"],
      hint: "give --ca-url or set STEP_CA_URL",
    });
  }
  const ca = {
    url: requireHost(parseCaUrl(url ?? audience ?? "")),
    ...timeouts,
  };
  // Who types a root does not want another one, whatever a token says.
  if (isPinned && !flags.isTyped("root")) {
    const path = flags.text("root") ?? defaultRoot(invocation.stepPath);
    return { ...ca, root: { from: "digest", digest, path } };
  }
  const path = await resolveRoot(invocation, missing("root"));
  return { ...ca, root: { from: "file", path } };
}

/** A token would do as well. */
export function requiredWithoutToken(flag: string): string {
  return `flag '--${flag}' is required unless the '--token' flag is provided`;
}

/** --issuer, --kid and the password of the provisioner. */
export function resolveProvisioner(
  invocation: Pick<Given<typeof PROVISIONER_FLAGS>, "flags" | "origins">,
  passwordFile: string | undefined,
): ProvisionerChoice {
  const flags = new FlagReader(invocation, PROVISIONER_FLAGS);
  return {
    name: flags.text("issuer"),
    kid: flags.text("kid"),
    passwordFile: flags.text("provisioner-password-file") ?? passwordFile,
  };
}

/** --token, if it is given. */
export async function resolveToken(
  invocation: Pick<Given<typeof TOKEN_FLAGS>, "flags" | "origins">,
): Promise<Extract<TokenChoice, { from: "user" }> | undefined> {
  const flags = new FlagReader(invocation, TOKEN_FLAGS);
  const text = flags.text("token");
  if (text === undefined) return undefined;
  const [{ readOneTimeToken }, { MalformedError }] = await Promise.all([
    import("../../ca/online/one_time_token.ts"),
    import("../../pki/asn1/malformed.ts"),
  ]);
  try {
    return { from: "user", text, token: readOneTimeToken(text) };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw flags.usage(error.message, { flags: ["token"] });
  }
}

/** Refuses a token of a provisioner that takes more than the token. */
export function requireSupported(
  { type }: OneTimeToken,
  flags: Pick<FlagReader<typeof TOKEN_FLAGS>, "usage">,
): void {
  if (type === "OIDC" || type === "JWK") return;
  throw flags.usage("token is not supported", {
    flags: ["token"],
    hint: type === "unknown"
      ? "it names neither a root certificate nor an email address"
      : `it is of a provisioner of type ${type}, which only Smallstep's step has`,
  });
}

/**
 * A time or a duration, as it was typed: the CA counts from its own now.
 *
 * @returns empty when it is not set
 */
export function resolveTime(
  invocation: Pick<Given<typeof VALIDITY_FLAGS>, "flags" | "origins">,
  flag: keyof typeof VALIDITY_FLAGS,
): string {
  const flags = new FlagReader(invocation, VALIDITY_FLAGS);
  const text = flags.text(flag) ?? "";
  if (text === "" || instantOf(text) !== undefined) return text;
  flags.durationMs(flag);
  return text;
}

/** What such a text means; nothing for an empty one. */
export function timeOf(text: string, now: Date): Date | undefined {
  if (text === "") return undefined;
  const nanoseconds = parseGoDuration(text) ?? 0n;
  return instantOf(text) ??
    new Date(now.getTime() + Number(nanoseconds / 1_000_000n));
}

/** RFC 3339. */
function instantOf(text: string): Date | undefined {
  const pattern =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
  const date = new Date(pattern.test(text) ? text : NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** @throws {RekeyError} for an empty one: the original asks, and a timer cannot answer */
export function requireSubject(subject: string): void {
  if (subject !== "") return;
  throw new RekeyError("usage", "argument <subject> must not be empty");
}
