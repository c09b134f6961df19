/**
 * Flags of the commands that answer questions about certificates, and what they
 * mean to a server that is asked for its own. Data, and what reads it.
 */
import type { PeerOptions } from "../../answers/peer_address.ts";
import { systemRoots } from "../../answers/roots.ts";
import type { FlagDefinition, FlagDefinitions } from "../grammar/command.ts";

/** Of every command that takes the certificate of a server, too. */
export const PEER_FLAGS = {
  "roots": {
    kind: "text",
    group: "authority",
    placeholder: "roots",
    help:
      "The root certificates that the server's certificate has to lead to: a file, a comma-separated list of files, or a directory. Defaults to the roots of the system.",
  },
  "servername": {
    kind: "text",
    group: "authority",
    placeholder: "name",
    help:
      "The <name> to ask the server for, which its certificate has to have. Defaults to the host of its address.",
  },
} as const satisfies FlagDefinitions;

/** Of those that print what a server shows, verified or not. */
export const INSECURE_FLAG = {
  kind: "boolean",
  group: "authority",
  help: "Take the certificate of a server without verifying it.",
} as const satisfies FlagDefinition;

/** Of those that print one certificate unless told otherwise. */
export const BUNDLE_FLAG = {
  kind: "boolean",
  group: "files",
  help: "All certificates of the file or server, not only the first one.",
} as const satisfies FlagDefinition;

/** Of those that write one file, or standard output. */
export const OUT_FLAG = {
  kind: "text",
  group: "files",
  placeholder: "file",
  help: "The <file> to write, instead of standard output.",
} as const satisfies FlagDefinition;

/** How a server is to be asked. */
export function resolvePeer(
  { flags, env }: {
    readonly flags: {
      readonly roots?: string | undefined;
      readonly servername?: string | undefined;
      readonly insecure?: boolean | undefined;
      readonly bundle?: boolean | undefined;
    };
    env(name: string): string | undefined;
  },
): PeerOptions {
  return {
    servername: flags.servername || undefined,
    roots: flags.roots ? [flags.roots] : systemRoots(env),
    insecure: flags.insecure === true,
    needsIssuers: flags.bundle === true,
  };
}
