/**
 * A process with two searches for an RSA key, one of which takes minutes. Says
 * when it has a key, how late its timers were, and ends.
 */
import { firstOf } from "../../src/pki/keys/rsa_search.ts";

const sizes = [16_384, 2_048];
const search = () => {
  const modulusLength = sizes.shift() ?? 0;
  return crypto.subtle.generateKey(
    {
      ...{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength },
      publicExponent: Uint8Array.of(1, 0, 1),
    },
    true,
    ["sign", "verify"],
  );
};
await firstOf(2, search);
let worstMs = 0;
for (let index = 0; index < 20; index++) {
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 5));
  worstMs = Math.max(worstMs, performance.now() - begin);
}
console.log(JSON.stringify({ endedAt: Date.now(), worstMs }));
Deno.exit(0);
