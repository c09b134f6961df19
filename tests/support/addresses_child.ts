/**
 * Inside of the namespaces of addresses.ts.
 */
import type { AddressOutcome, AddressPlace } from "./addresses.ts";
import { runOk, type RunResult } from "./run.ts";
import { makeTestPki, rightAnswer, startTestCa } from "./test_ca.ts";

const [directory = "", text = "{}"] = Deno.args;
const place: AddressPlace = JSON.parse(text);
const { addresses, alive, reviveAfterMs, answerAfterMs = 0 } = place;

/** Of our end of the cable, which stands in for every address of the CA. */
const MAC = "02:00:00:00:00:01";

await ip("link set lo up");
await ip(`link add ca type veth peer name client`);
await ip(`link set ca address ${MAC} up`);
for (const address of alive) await addAddress(address);
const hosts = `${directory}/hosts`;
await Deno.writeTextFile(
  hosts,
  ["127.0.0.1 localhost", ...addresses.map((each) => `${each} ca.test`)]
    .join("\n") + "\n",
);
await runOk("mount", ["--bind", hosts, "/etc/hosts"]);

const pki = await makeTestPki(directory);
const server = await pki.intermediate.issue("ca-test", {
  subject: "/CN=ca.test",
  names: "DNS:ca.test",
});
const accepted: string[] = [];
const sign = rightAnswer(pki);
const ca = await startTestCa(pki, async (request, response) => {
  await new Promise((resolve) => setTimeout(resolve, answerAfterMs));
  await sign(request, response);
}, {
  ...server,
  certificate: server.certificate + pki.intermediate.certificate,
});
for (const address of alive) forward(address);
if (reviveAfterMs !== undefined) setTimeout(revive, reviveAfterMs);

const url = `https://ca.test:${ca.port}`;
const [command = "", ...args] = place.command.map((each) =>
  each.replace("{url}", url).replace("{dir}", directory)
);
const start = performance.now();
const { code, stdout, stderr } = await runAtOtherEnd(command, args);
const outcome: AddressOutcome = {
  ...{ code, stdout, stderr, accepted },
  elapsedMs: performance.now() - start,
  requests: ca.requests.map(({ method, path }) => `${method} ${path}`),
};
console.log(JSON.stringify(outcome));
Deno.exit(0);

/** From an address to the CA, which is at 127.0.0.1. */
async function forward(hostname: string): Promise<void> {
  for await (const client of Deno.listen({ hostname, port: ca.port })) {
    accepted.push(hostname);
    Deno.connect({ port: ca.port }).then((target) =>
      Promise.allSettled([
        client.readable.pipeTo(target.writable),
        target.readable.pipeTo(client.writable),
      ])
    );
  }
}

async function revive(): Promise<void> {
  for (const address of addresses.filter((each) => !alive.includes(each))) {
    await addAddress(address);
    forward(address);
  }
}

async function addAddress(address: string): Promise<void> {
  await ip(
    address.includes(":")
      ? `addr add ${address}/64 dev ca nodad`
      : `addr add ${address}/24 dev ca`,
  );
}

async function ip(line: string): Promise<void> {
  await runOk("ip", line.split(" "));
}

/**
 * Runs a program in a network namespace of its own. What it sends to an address
 * that nobody has is dropped here, as its neighbours are fixed.
 */
async function runAtOtherEnd(
  command: string,
  args: readonly string[],
): Promise<Pick<RunResult, "code" | "stdout" | "stderr">> {
  const lines = [
    "read -r _",
    "ip link set lo up",
    "ip addr add 10.9.9.100/24 dev client",
    "ip addr add 2001:db8::100/64 dev client nodad",
    "ip link set client up",
    ...addresses.map((each) =>
      `ip neigh replace ${each} lladdr ${MAC} nud permanent dev client`
    ),
    'exec "$@"',
  ];
  const child = new Deno.Command("unshare", {
    args: ["-n", "sh", "-ec", lines.join("\n"), "sh", command, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // Its namespace is there once it is no longer ours.
  const ours = await Deno.readLink("/proc/self/ns/net");
  while (await Deno.readLink(`/proc/${child.pid}/ns/net`) === ours) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await ip(`link set client netns ${child.pid}`);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("\n"));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const [out, error] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code, stdout: out ?? "", stderr: error ?? "" };
}
