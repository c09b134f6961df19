import {
  type AddressOutcome,
  type AddressPlace,
  CAN_UNSHARE,
  runAmongAddresses,
} from "../../support/addresses.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { EVERY_PERMISSION, program } from "../../support/program.ts";
import { sample } from "../../support/sweep.ts";
import { ROOT } from "../../../scripts/paths.ts";

const { command, args } = program(EVERY_PERMISSION);
const REKEY = [
  ...[command, ...args, "ca", "rekey", "--force"],
  ...["--ca-url", "{url}", "--root", "{dir}/root/ca.crt"],
  ...["{dir}/intermediate/host.crt", "{dir}/intermediate/host.key"],
];

function rekeyAmong(
  place: Omit<AddressPlace, "command">,
  flags: readonly string[] = [],
): Promise<AddressOutcome> {
  return runAmongAddresses({ ...place, command: [...REKEY, ...flags] });
}

/** Rekeyed, by exactly one request. */
function assertRekeyed(outcome: AddressOutcome): void {
  assertEquals(
    [outcome.code, outcome.requests],
    [0, ["POST /rekey"]],
    outcome.stderr,
  );
}

/** Well below the limit of a connection, which is 30 s, on a busy machine, too. */
const SOON_MS = 20_000;

const PLACES: readonly (readonly [
  what: string,
  addresses: readonly string[],
  alive: readonly string[],
])[] = [
  ["the first of two is dead", ["10.9.9.2", "10.9.9.1"], ["10.9.9.1"]],
  ["two of three are dead", ["10.9.9.2", "10.9.9.3", "10.9.9.1"], [
    "10.9.9.1",
  ]],
  ["IPv6 is dead", ["2001:db8::2", "10.9.9.1"], ["10.9.9.1"]],
  ["the first of two of IPv6 is dead", ["2001:db8::2", "2001:db8::1"], [
    "2001:db8::1",
  ]],
  ["one of each family is dead", ["2001:db8::2", "10.9.9.2", "10.9.9.1"], [
    "10.9.9.1",
  ]],
];
for (const [what, addresses, alive] of sample("places", PLACES, 3)) {
  Deno.test({
    name: `postOverTls() reaches the CA where ${what}`,
    ignore: !CAN_UNSHARE,
    async fn() {
      const outcome = await rekeyAmong({ addresses, alive });
      assertRekeyed(outcome);
      assert(outcome.elapsedMs < SOON_MS, String(outcome.elapsedMs));
    },
  });
}

Deno.test({
  name:
    "postOverTls() makes one connection where the first address answers, however late",
  ignore: !CAN_UNSHARE,
  async fn() {
    const outcome = await rekeyAmong({
      addresses: ["10.9.9.1", "10.9.9.2"],
      alive: ["10.9.9.1"],
      answerAfterMs: 1500,
    });
    assertRekeyed(outcome);
    assertEquals(outcome.accepted, ["10.9.9.1"]);
  },
});

const REVIVALS = [400, 800, 1200, 1600, 2400];
for (const reviveAfterMs of sample("revivals", REVIVALS, 2)) {
  Deno.test({
    name:
      `postOverTls() sends one request where the first address comes alive after ${reviveAfterMs} ms`,
    ignore: !CAN_UNSHARE,
    async fn() {
      assertRekeyed(
        await rekeyAmong({
          addresses: ["10.9.9.2", "10.9.9.1"],
          alive: ["10.9.9.1"],
          answerAfterMs: 1200,
          reviveAfterMs,
        }),
      );
    },
  });
}

Deno.test({
  name: "postOverTls() names all addresses where none accepts",
  ignore: !CAN_UNSHARE,
  async fn() {
    const { code, stderr } = await rekeyAmong(
      { addresses: ["10.9.9.2", "10.9.9.3"], alive: [] },
      ["--connect-timeout", "4s"],
    );
    assertEquals(code, 69);
    assertMatch(
      stderr,
      /dial tcp ca\.test:\d+: i\/o timeout at 10\.9\.9\.2, 10\.9\.9\.3/,
    );
  },
});

Deno.test({
  name:
    "postOverTls() begins the next try with another address where nothing tells whether fetch is connected",
  ignore: !CAN_UNSHARE,
  async fn() {
    const { stdout, requests } = await runAmongAddresses({
      addresses: ["10.9.9.2", "10.9.9.1"],
      alive: ["10.9.9.1"],
      command: [
        ...[Deno.execPath(), "run", "--no-prompt", "--allow-read"],
        ...["--allow-net", "--allow-env"],
        ...[`${ROOT}tests/support/addresses_client.ts`, "{url}", "{dir}"],
      ],
    });
    const [first = "", second] = stdout.trim().split("\n");
    assertMatch(
      first,
      /i\/o timeout at 10\.9\.9\.2, 10\.9\.9\.1; 10\.9\.9\.1 accepts connections, 10\.9\.9\.2 does not/,
    );
    assertEquals([second, requests], ["a chain of 2", ["POST /rekey"]]);
  },
});
