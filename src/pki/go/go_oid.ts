/** OBJECT IDENTIFIERs as Go's encoding/asn1 holds them. */

/** Go keeps arcs in 31 bits; the first two share one number. */
export function isGoOid(oid: string): boolean {
  const [first = 0n, second = 0n, ...rest] = oid.split(".").map(BigInt);
  return [first * 40n + second, ...rest].every((arc) => arc < 2n ** 31n);
}
