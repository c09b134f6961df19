/** `run` before its command runs: the pair is made usable, or nothing starts. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { CAN_MOUNT, mount } from "../support/mounts.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { namesIn, runTests } from "../support/run_place.ts";

const runTest = await runTests();

/** Says what it finds, and ends with 3. */
const SHOW = [
  ...["sh", "-c"],
  'echo "cert=$STEP_REKEY_CERT key=$STEP_REKEY_KEY token=${STEP_TOKEN-none} kept=$KEPT"; exit 3',
];

runTest(
  "run gets the first certificate with a token, which the command does not see",
  async ({ empty, token, start }) => {
    const place = await empty();
    const env = { STEP_TOKEN: await token("host.example"), KEPT: "yes" };
    await using running = start(place, SHOW, { env });
    assertEquals(await running.ended, 3, running.text);
    await pairKeyOf(place);
    assertStringIncludes(
      running.text,
      `cert=${place.certificateFile} key=${place.keyFile} token=none kept=yes`,
    );
    assertMatch(running.text, /INFO: .* host\.example certificate issued/);
    assert(!running.text.includes(env.STEP_TOKEN), "a token is a secret");
    // The token is used up, and not needed any more.
    const key = await pairKeyOf(place);
    await using again = start(place, SHOW, { env });
    assertEquals(await again.ended, 3, again.text);
    assertEquals(await pairKeyOf(place), key);
  },
);

runTest(
  "run rekeys a certificate that is due, and none that is not, before the command starts",
  async ({ pair, start }) => {
    const show = ["sh", "-c", 'cat "$STEP_REKEY_CERT"; exit 0'];
    const due = await pair(600, 450);
    const fresh = await pair(600);
    const [dueBefore, freshBefore] = await Promise.all([
      Deno.readTextFile(due.certificateFile),
      Deno.readTextFile(fresh.certificateFile),
    ]);
    await using rekeyed = start(due, show);
    await using kept = start(fresh, show);
    assertEquals(await rekeyed.ended, 0, rekeyed.text);
    assertEquals(await kept.ended, 0, kept.text);
    const dueAfter = await Deno.readTextFile(due.certificateFile);
    assert(dueAfter !== dueBefore, "it was not rekeyed");
    assertStringIncludes(rekeyed.text, dueAfter);
    assertStringIncludes(kept.text, freshBefore);
    await pairKeyOf(due);
    assertEquals(await namesIn(due.folder), ["host.crt", "host.key"]);
  },
);

runTest(
  "run ends before the command starts when the pair cannot be made usable",
  async ({ empty, pair, start, token }) => {
    const [torn, other, due, nobody, hasToken] = [
      ...await Promise.all([pair(600), pair(600), pair(600, 450)]),
      ...await Promise.all([empty(), empty()]),
    ];
    await Deno.copyFile(other.keyFile, torn.keyFile);
    const command = ["sh", "-c", "echo started"];
    const env = { STEP_TOKEN: await token("host.example") };
    const nowhere = `https://127.0.0.1:${closedPort()}`;
    const hook = ["--exec-on-failure", "sh -c 'echo told $STEP_REKEY_ERROR'"];
    for (
      const [place, code, says, flags] of [
        [nobody, 65, /no token to get one.*\nhint: set STEP_TOKEN/, []],
        [torn, 65, /is not the key of the certificate/, []],
        [due, 69, /connect/i, ["--ca-url", nowhere]],
        [hasToken, 78, /none\.crt/, ["--root", "none.crt"]],
        [due, 64, /--expires-in.* must be within/, ["--expires-in", "1h"]],
      ] as const
    ) {
      await using running = start(place, command, {
        flags: [...flags, ...hook],
        env: place === hasToken ? env : {},
      });
      assertEquals(await running.ended, code, running.text);
      assertMatch(running.text, says);
      assertMatch(running.text, /^told /m);
      assert(!/^started/m.test(running.text), running.text);
    }
    for (const place of [nobody, hasToken]) {
      assertEquals(await namesIn(place.folder), []);
    }
    // The token was not used up.
    await using running = start(hasToken, command, { env });
    assertEquals(await running.ended, 0, running.text);
  },
);

runTest(
  "run does not read the token of the environment where a pair is there",
  async ({ empty, pair, start }) => {
    const env = { STEP_TOKEN: "of an earlier day" };
    await using running = start(await pair(600), SHOW, { env });
    assertEquals(await running.ended, 3, running.text);
    await using none = start(await empty(), SHOW, { env });
    assertEquals(await none.ended, 64, none.text);
    assertMatch(none.text, /error parsing token.*\nhint: .*STEP_TOKEN/);
  },
);

runTest(
  "run ends as a shell when the command cannot be started, and changes nothing",
  async ({ empty, token, start }) => {
    const place = await empty();
    const env = { STEP_TOKEN: await token("host.example") };
    const plainFile = `${place.folder}/file`;
    await Deno.writeTextFile(plainFile, "no program");
    for (
      const [command, code, says] of [
        ["no-such-program", 127, /"no-such-program" is not found in \$PATH/],
        ["./no-such-file", 127, /is no file/],
        [plainFile, 126, /is no executable file/],
      ] as const
    ) {
      await using running = start(place, [command], { env });
      assertEquals(await running.ended, code, running.text);
      assertMatch(running.text, says);
    }
    assertEquals(await namesIn(place.folder), ["file"]);
  },
);

runTest(
  "run ends with 143 on SIGTERM, and 131 on SIGQUIT, before the command starts",
  async ({ empty, pair, token, start }) => {
    // Takes connections, and is silent.
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const flags = ["--ca-url", `https://127.0.0.1:${silent.addr.port}`];
    const env = { STEP_TOKEN: await token("host.example") };
    const command = ["sh", "-c", "echo started"];
    const [missing, due] = [await empty(), await pair(600, 450)];
    const before = await pairKeyOf(due);
    for (
      const [place, signal, code] of [
        [missing, "SIGTERM", 143],
        [due, "SIGQUIT", 131],
      ] as const
    ) {
      await using running = start(place, command, { flags, env });
      using _asked = await silent.accept();
      running.kill(signal);
      assertEquals(await running.ended, code, running.text);
      assertStringIncludes(running.text, `stopped by ${signal}`);
      assert(!/^started/m.test(running.text), running.text);
    }
    assertEquals(await pairKeyOf(due), before);
    assertEquals(await namesIn(missing.folder), []);
  },
);

runTest(
  "run starts nothing beside files that it could not replace",
  async ({ pair, start }) => {
    const place = await pair(600);
    const { certificateFile: file } = place;
    await using _mounted = await mount(file, ["--bind", file]);
    await using running = start(place, SHOW);
    assertEquals(await running.ended, 73, running.text);
    assertMatch(running.text, /host\.crt.* mount/);
    assert(!running.text.includes("cert="), running.text);
  },
  CAN_MOUNT ? undefined : "needs mount",
);
