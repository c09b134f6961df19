/**
 * URIs as Go's net/url parses them (url.go, Parse).
 *
 * Not the URL class: that one mends what Go refuses, and the other way round.
 * What counts here is only whether Go reads a URI, and what it takes for the
 * host. A host in brackets has to be an IPv6 address, as since Go 1.25.2.
 */
import { quote } from "../verify/name_matching.ts";

/** What Go says of a URI that it does not parse. */
export class GoUrlError extends Error {
  override readonly name = "GoUrlError";
}

/**
 * The host with its port, unescaped to octets (as U+0000 to U+00FF); empty when
 * there is none.
 *
 * @param uri ASCII only
 * @throws {GoUrlError} the text of Go's url.Error
 */
export function goUrlHost(uri: string): string {
  const [bare = "", ...fragments] = uri.split("#");
  const host = explain(bare, () => readHost(bare));
  explain(uri, () => unescape(fragments.join("#"), "other"));
  return host;
}

function explain<T>(uri: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GoUrlError)) throw error;
    throw new GoUrlError(`parse ${quote(uri)}: ${error.message}`);
  }
}

function readHost(uri: string): string {
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(uri)) {
    throw new GoUrlError("net/url: invalid control character in URL");
  }
  if (uri.startsWith(":")) throw new GoUrlError("missing protocol scheme");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1];
  const path = (scheme === undefined ? uri : uri.slice(scheme.length + 1))
    .replace(/\?[^]*$/, "");
  if (!path.startsWith("/")) {
    if (scheme !== undefined) return "";
    if (/^[^/]*:/.test(path)) {
      throw new GoUrlError("first path segment in URL cannot contain colon");
    }
  }
  const hasAuthority = path.startsWith("//") &&
    (scheme !== undefined || !path.startsWith("///"));
  const authority = hasAuthority ? /^[^/]*/.exec(path.slice(2))?.[0] : "";
  const host = readAuthority(authority ?? "");
  unescape(hasAuthority ? path.slice(2).replace(/^[^/]*/, "") : path, "other");
  return host;
}

function readAuthority(authority: string): string {
  const at = authority.lastIndexOf("@");
  const host = readHostAndPort(authority.slice(at + 1));
  if (at === -1) return host;
  const user = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) {
    throw new GoUrlError("net/url: invalid userinfo");
  }
  // The name and the password by themselves: an escape ends at the colon.
  const colon = user.indexOf(":");
  if (colon !== -1) unescape(user.slice(0, colon), "other");
  unescape(user.slice(colon + 1), "other");
  return host;
}

function readHostAndPort(host: string): string {
  const open = host.lastIndexOf("[");
  if (open > 0) throw new GoUrlError("invalid IP-literal");
  if (open === 0) return readBracketed(host);
  const colon = host.lastIndexOf(":");
  if (colon !== -1) checkPort(host.slice(colon));
  return unescape(host, "host");
}

function readBracketed(host: string): string {
  const close = host.lastIndexOf("]");
  if (close === -1) throw new GoUrlError("missing ']' in host");
  const port = host.slice(close + 1);
  checkPort(port);
  const name = host.slice(1, close);
  const zoneAt = name.indexOf("%25");
  const address = unescape(
    zoneAt === -1 ? name : name.slice(0, zoneAt),
    "host",
  );
  const zone = zoneAt === -1 ? "" : unescape(name.slice(zoneAt), "zone");
  const isIpv6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(address) &&
    URL.canParse(`http://[${address}]/`) && zone !== "%";
  if (isIpv6) return `[${address}${zone}]${port}`;
  throw new GoUrlError("invalid host: not an IPv6 address");
}

/** @param port with its colon; there may be none */
function checkPort(port: string): void {
  if (/^(?::[0-9]*)?$/.test(port)) return;
  throw new GoUrlError(`invalid port ${quote(port)} after host`);
}

/** What may stand in a host as it is (url.go, encodeHost). */
const HOST_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"]$/;

/** @param part "other": every octet may stand there, and may be escaped */
function unescape(text: string, part: "host" | "zone" | "other"): string {
  return text.replace(/%[^]{0,2}|[^%]/g, (token) => {
    if (token.startsWith("%")) return readEscape(token, part);
    if (part === "other" || HOST_CHARACTER.test(token)) return token;
    throw new GoUrlError(`invalid character ${quote(token)} in host name`);
  });
}

function readEscape(escape: string, part: "host" | "zone" | "other"): string {
  const isHex = /^%[0-9A-Fa-f]{2}$/.test(escape);
  const octet = parseInt(escape.slice(1), 16);
  const character = String.fromCharCode(octet);
  // RFC 6874: `%25` begins a zone; else only what is not ASCII is escaped in a
  // host, and only what need not be in a zone.
  const isAllowed = part === "other" || escape === "%25" ||
    (part === "host"
      ? octet >= 0x80
      : character === " " || HOST_CHARACTER.test(character));
  if (isHex && isAllowed) return character;
  throw new GoUrlError(`invalid URL escape ${quote(escape)}`);
}
