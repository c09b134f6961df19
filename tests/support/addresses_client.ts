/**
 * Two tries of one process, which may not have all permissions.
 */
import { createOnlineAuthority } from "../../src/ca/online/online.ts";
import { hintOf } from "./hint.ts";
import { rekeyRequest } from "./test_pair.ts";

const [url = "", directory = ""] = Deno.args;
const pair = `${directory}/intermediate/host`;
const request = await rekeyRequest({
  certificate: await Deno.readTextFile(`${pair}.crt`),
  key: await Deno.readTextFile(`${pair}.key`),
});
const reachable = new Map<string, string>();
for (let attempt = 0; attempt < 2; attempt++) {
  try {
    const online = createOnlineAuthority({
      url,
      root: `${directory}/root/ca.crt`,
      reachable,
      connectTimeoutMs: 4_000,
      timeoutMs: 60_000,
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      log: { write() {} },
    });
    const { length } = await online.rekey(request);
    console.log(`a chain of ${length}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.log(`${error.message}; ${hintOf(error)}`);
  }
}
Deno.exit(0);
