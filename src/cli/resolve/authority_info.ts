/**
 * Flags of the commands that ask a CA what it tells everybody, or set a host up
 * for it.
 */
import { isThere } from "../../base/os_error.ts";
import type { FlagDefinitions, Invocation } from "../grammar/command.ts";
import {
  defaultRoot,
  parseCaUrl,
  requiredBy,
  requireHost,
} from "./authority.ts";
import { FlagReader } from "./flag_reader.ts";
import { JSON_FLAG, REKEY_FLAGS } from "./flags.ts";

/** Of whoever asks a CA. */
export const ADDRESS_FLAGS = {
  "ca-url": REKEY_FLAGS["ca-url"],
  "timeout": {
    ...REKEY_FLAGS.timeout,
    help:
      "The longest <duration> of the whole request, connection and answer included. Defaults to 15s.",
  },
  "context": REKEY_FLAGS.context,
  "json": JSON_FLAG,
} as const satisfies FlagDefinitions;

/** Of whoever asks a CA that has to prove what it is. */
export const VERIFIED_FLAGS = {
  ...ADDRESS_FLAGS,
  "root": REKEY_FLAGS.root,
} as const satisfies FlagDefinitions;

/** Of whoever knows the root certificate by its digest. */
export const FINGERPRINT_FLAGS = {
  "fingerprint": {
    kind: "text",
    group: "authority",
    placeholder: "fingerprint",
    help:
      "The <fingerprint> of the root certificate: its SHA-256 in hexadecimal, with dashes or colons or without, as step-rekey certificate fingerprint prints it.",
  },
} as const satisfies FlagDefinitions;

/** Longest wait for an answer without --timeout, in ms: the original's. */
const TIMEOUT_MS = 15_000;

/** How a CA is reached. */
export interface Address {
  /** `https://host[:port]`. */
  readonly url: string;
  readonly timeoutMs: number;
}

/**
 * --ca-url and --timeout.
 *
 * @param command as the original calls it: `step ca root`
 * @throws {RekeyError} kind `usage` or `config`
 */
export function resolveAddress(
  invocation: Pick<Invocation<typeof ADDRESS_FLAGS>, "flags" | "origins">,
  command: string,
): Address {
  const flags = new FlagReader(invocation, ADDRESS_FLAGS);
  const value = flags.text("ca-url");
  if (value === undefined) {
    throw flags.usage(requiredBy(command)("ca-url"), {
      flags: ["ca-url"],
      hint: "give --ca-url or set STEP_CA_URL",
    });
  }
  const url = requireHost(parseCaUrl(value));
  const timeoutMs = flags.limitMs("timeout", { mayBeZero: false }) ??
    TIMEOUT_MS;
  return { url, timeoutMs };
}

/**
 * The same, and --root: a file that is there, unless it is named.
 *
 * @throws {RekeyError} as {@linkcode resolveAddress}
 */
export async function resolveVerified(
  invocation: Invocation<typeof VERIFIED_FLAGS>,
  command: string,
): Promise<Address & { readonly root: string }> {
  const address = resolveAddress(invocation, command);
  const root = await resolveRoot(invocation, requiredBy(command)("root"));
  return { ...address, root };
}

/**
 * --root, or the file of `$(step path)`, which has to be there.
 *
 * @param missing says who needs it
 * @throws {RekeyError} kind `usage`
 */
export async function resolveRoot(
  invocation: Pick<
    Invocation<typeof VERIFIED_FLAGS>,
    "flags" | "origins" | "stepPath"
  >,
  missing: string,
): Promise<string> {
  const flags = new FlagReader(invocation, VERIFIED_FLAGS);
  const named = flags.text("root");
  if (named !== undefined) return named;
  const root = defaultRoot(invocation.stepPath);
  if (await isThere(root)) return root;
  throw flags.usage(missing, {
    flags: ["root"],
    hint:
      `there is no ${root}; step-rekey ca bootstrap fetches it, and remembers --ca-url`,
  });
}

/** A digest in the two ways that it is needed. */
export interface Fingerprint {
  /** As it was typed, for a file that the original would write so. */
  readonly typed: string;
  /** 64 lower-case hexadecimal digits. */
  readonly digest: string;
}

/**
 * --fingerprint.
 *
 * @throws {RekeyError} kind `usage` for what cannot be a SHA-256
 */
export function resolveFingerprint(
  invocation: Pick<Invocation<typeof FINGERPRINT_FLAGS>, "flags" | "origins">,
  command: string,
): Fingerprint {
  const flags = new FlagReader(invocation, FINGERPRINT_FLAGS);
  const typed = flags.text("fingerprint")?.trim() ?? "";
  if (typed === "") {
    throw flags.usage(requiredBy(command)("fingerprint"), {
      flags: ["fingerprint"],
      hint:
        "beside the CA, step-rekey certificate fingerprint prints it for root_ca.crt",
    });
  }
  const digest = typed.replaceAll(/[-:]/g, "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digest)) return { typed, digest };
  throw flags.invalid("fingerprint", "a SHA-256 has 64 hexadecimal digits");
}
