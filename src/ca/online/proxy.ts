/**
 * Which proxy a request goes through, by the rules of the original: Go's
 * golang.org/x/net/http/httpproxy. Pure.
 *
 * The runtime has rules of its own (ALL_PROXY counts, loopback is not exempt,
 * `host:port` in NO_PROXY is unknown), so it is told the outcome instead.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  isInBlock,
  parseAddress,
  plainAddress,
} from "../../base/ip_address.ts";
import { equalBytes } from "../../base/bytes.ts";

/** Values of the variables; upper case wins, as in the original. */
export interface ProxySettings {
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/**
 * The proxy for an https URL, or undefined to connect directly. Never for
 * `localhost` and loopback addresses.
 *
 * @throws {RekeyError} kind `config` when the proxy's address is unusable; the
 *   original connects directly then, around the proxy that was asked for
 */
export function proxyFor(
  target: URL,
  { httpsProxy, noProxy }: ProxySettings,
): URL | undefined {
  if (!httpsProxy || isExempt(target, noProxy ?? "")) return undefined;
  const proxy = parseProxy(httpsProxy);
  if (proxy !== undefined) return proxy;
  // The value may hold a password and is not shown.
  throw new RekeyError(
    "config",
    "HTTPS_PROXY does not hold the address of a proxy",
    { hint: "it should look like http://proxy.example:3128" },
  );
}

/** A proxy for messages: its address without user and password. */
export function proxyName(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}

const SCHEMES: readonly string[] = ["http:", "https:", "socks5:", "socks5h:"];

/** A value without scheme means http. */
function parseProxy(value: string): URL | undefined {
  const text = value.includes("://") ? value : `http://${value}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return SCHEMES.includes(url.protocol) && url.hostname !== ""
    ? url
    : undefined;
}

interface Target {
  readonly host: string;
  readonly port: string;
  /** 4 or 16 bytes when the host is an address. */
  readonly address: Uint8Array | undefined;
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const address = addressOf(host);
  const isLoopback = host === "::1" ||
    (address?.length === 4 && address[0] === 127);
  if (host === "localhost" || isLoopback) return true;
  const target = { host, port: url.port || "443", address };
  return noProxy.split(",").some((entry) =>
    matches(entry.trim().toLowerCase(), target)
  );
}

function matches(entry: string, target: Target): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const block = parseBlock(entry);
  if (block !== undefined) {
    return target.address !== undefined && isInBlock(target.address, block);
  }
  const { host, port } = splitPort(entry);
  if (port !== undefined && port !== target.port) return false;
  const address = addressOf(host);
  if (address !== undefined) {
    return target.address !== undefined && equalBytes(address, target.address);
  }
  return matchesDomain(host, target.host);
}

/** `a.b` matches itself and what is below it, `.a.b` and `*.a.b` only the latter. */
function matchesDomain(pattern: string, host: string): boolean {
  const domain = pattern.startsWith("*.") ? pattern.slice(1) : pattern;
  if (domain === "") return false;
  if (domain.startsWith(".")) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function splitPort(
  entry: string,
): { readonly host: string; readonly port?: string | undefined } {
  const bracketed = /^\[(.*)\](?::(\d*))?$/.exec(entry);
  if (bracketed !== null) {
    return { host: bracketed[1] ?? "", port: bracketed[2] };
  }
  const plain = /^([^:]*):(\d+)$/.exec(entry);
  return plain === null
    ? { host: entry }
    : { host: plain[1] ?? "", port: plain[2] };
}

interface Block {
  readonly address: Uint8Array;
  readonly mask: Uint8Array;
}

function parseBlock(entry: string): Block | undefined {
  const [, text = "", length] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const address = addressOf(text);
  const bits = Number(length);
  if (address === undefined || bits > address.length * 8) return undefined;
  const mask = address.map((_, at) =>
    0xff00 >> Math.min(8, Math.max(0, bits - at * 8))
  );
  return { address, mask };
}

/** An IPv4 address in an IPv6 one counts as IPv4, as in Go. */
function addressOf(text: string): Uint8Array | undefined {
  const address = parseAddress(text);
  return address && plainAddress(address);
}
