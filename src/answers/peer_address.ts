/**
 * How users name a server in the place of a file, and how it is asked then.
 */
import { RekeyError } from "../base/errors.ts";
import { shortened } from "../base/printable.ts";

/** How a server is asked. */
export interface PeerOptions {
  /** The name that the server is asked for, and has to have; its host if undefined. */
  readonly servername: string | undefined;
  /** Files or directories of roots; the first that is there counts. */
  readonly roots: readonly string[];
  /** Believe whatever the server shows. */
  readonly insecure: boolean;
  /** Whether its issuers are wanted, too. */
  readonly needsIssuers: boolean;
}

/** A server that speaks TLS from the first byte on. */
export interface PeerAddress {
  /** A name or an address, without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** The port of each prefix where none is given (smallstep/cli remote.go). */
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "tcp:": 443,
  "tls:": 443,
  "https:": 443,
  "smtps:": 465,
  "ldaps:": 636,
};

/**
 * The server that `source` names; undefined when it is the path of a file.
 *
 * @throws {RekeyError} kind `usage` for a server's address that is none
 */
export function peerAddress(source: string): PeerAddress | undefined {
  const protocol = /^([a-z]+:)\/\//i.exec(source)?.[1]?.toLowerCase() ?? "";
  if (!Object.hasOwn(DEFAULT_PORTS, protocol)) return undefined;
  // The URL standard knows hosts of some schemes only, https among them.
  const rest = source.slice(protocol.length);
  const url = URL.parse(`https:${rest}`);
  if (url === null) {
    throw new RekeyError("usage", `error parsing URL '${shortened(source)}'`, {
      hint: "write it as https://HOST or https://HOST:PORT",
    });
  }
  const isDefault = protocol === "https:" || /:443(?:[/?#]|$)/.test(rest);
  const port = url.port !== "" || isDefault
    ? Number(url.port || 443)
    : DEFAULT_PORTS[protocol] ?? 443;
  return { hostname: url.hostname.replace(/^\[|\]$/g, ""), port };
}
