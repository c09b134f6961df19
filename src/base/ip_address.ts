/**
 * IP addresses as bytes: four of IPv4, sixteen of IPv6, in network order.
 */

/**
 * The address that a text spells, as Go's net.ParseIP reads it: no leading zeros
 * in IPv4, no zone in IPv6.
 *
 * @returns undefined for any other text
 */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) {
    return undefined;
  }
  const octets = text.split(".").map(Number);
  return octets.some((octet) => octet > 255)
    ? undefined
    : Uint8Array.from(octets);
}

/** The URL parser knows every spelling (WHATWG URL §3.5) and gives one back. */
function parseIpv6(text: string): Uint8Array | undefined {
  const literal = `http://[${text}]`;
  if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(literal)) return undefined;
  const [head = "", tail = ""] = new URL(literal).hostname.slice(1, -1)
    .split("::").map(groupsToHex);
  return Uint8Array.fromHex(head + tail.padStart(32 - head.length, "0"));
}

function groupsToHex(groups: string): string {
  if (groups === "") return "";
  return groups.split(":").map((group) => group.padStart(4, "0")).join("");
}

/**
 * An address as text: IPv4 dotted, IPv6 as RFC 5952 writes it (an IPv4-mapped
 * address stays recognizable: `::ffff:10.0.0.1`).
 *
 * @throws {SyntaxError} for another length than 4 or 16 octets
 */
export function addressToText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) {
    throw new SyntaxError(
      `cannot parse IP address of length ${octets.length}`,
    );
  }
  const plain = plainAddress(octets);
  if (plain.length === 4) return `::ffff:${plain.join(".")}`;
  const groups = octets.toHex().match(/.{4}/g) ?? [];
  // The URL standard writes addresses as RFC 5952 does.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** IPv4 in IPv6 form (RFC 4291 §2.5.5.2) as IPv4, and others as they are. */
export function plainAddress(octets: Uint8Array): Uint8Array {
  const isMapped = octets.length === 16 &&
    octets.subarray(0, 10).every((octet) => octet === 0) &&
    octets[10] === 0xff && octets[11] === 0xff;
  return isMapped ? octets.subarray(12) : octets;
}

/** Whether the bits of `mask` are the same in two addresses. */
export function isInBlock(
  octets: Uint8Array,
  { address, mask }: {
    readonly address: Uint8Array;
    readonly mask: Uint8Array;
  },
): boolean {
  return octets.length === address.length &&
    octets.every((octet, at) =>
      ((octet ^ (address[at] ?? 0)) & (mask[at] ?? 0)) === 0
    );
}
