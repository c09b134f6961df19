/**
 * Which proxy a request goes through, by the rules of the original: Go's
 * golang.org/x/net/http/httpproxy. Pure.
 *
 * The runtime has rules of its own (ALL_PROXY counts, loopback is not exempt,
 * `host:port` in NO_PROXY is unknown), so it is told the outcome instead.
 */
import { RekeyError } from "../../base/errors.ts";

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
  readonly address: Address | undefined;
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const address = parseAddress(host);
  if (host === "localhost" || (address && isLoopback(address))) return true;
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
    return target.address !== undefined && contains(block, target.address);
  }
  const { host, port } = splitPort(entry);
  if (port !== undefined && port !== target.port) return false;
  const address = parseAddress(host);
  if (address !== undefined) {
    return target.address !== undefined && sameBytes(address, target.address);
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

type Address = readonly number[];

/** An address block such as 10.0.0.0/8. */
interface Block {
  readonly address: Address;
  readonly bits: number;
}

function parseBlock(entry: string): Block | undefined {
  const [, text, length] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const address = text === undefined ? undefined : parseAddress(text);
  const bits = Number(length);
  return address === undefined || bits > address.length * 8
    ? undefined
    : { address, bits };
}

function contains({ address, bits }: Block, other: Address): boolean {
  return address.length === other.length &&
    address.every((byte, at) => {
      const counted = Math.min(8, Math.max(0, bits - at * 8));
      const mask = (0xff << (8 - counted)) & 0xff;
      return (byte & mask) === ((other[at] ?? 0) & mask);
    });
}

function sameBytes(left: Address, right: Address): boolean {
  return contains({ address: left, bits: left.length * 8 }, right);
}

function isLoopback(address: Address): boolean {
  return address.length === 4
    ? address[0] === 127
    : address.every((byte, at) => byte === (at === 15 ? 1 : 0));
}

/** An IPv4 address in an IPv6 one counts as IPv4, as in Go. */
function parseAddress(text: string): Address | undefined {
  const address = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  const mapped = address?.length === 16 &&
    address.slice(0, 10).every((byte) => byte === 0) &&
    address[10] === 0xff && address[11] === 0xff;
  return mapped ? address.slice(12) : address;
}

function parseIpv4(text: string): Address | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** The URL parser knows every spelling (WHATWG URL §3.5) and gives one back. */
function parseIpv6(text: string): Address | undefined {
  const literal = `http://[${text}]`;
  if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(literal)) return undefined;
  const [head = "", tail] = new URL(literal).hostname.slice(1, -1).split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [
    ...left.map((group) => parseInt(group, 16)),
    ...zeros,
    ...right.map((group) => parseInt(group, 16)),
  ].flatMap((group) => [group >> 8, group & 0xff]);
}
