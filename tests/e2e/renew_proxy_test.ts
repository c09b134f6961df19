/**
 * The whole program behind nginx, which ends TLS in front of a real step-ca: the
 * client certificate gets no further, so that `/rekey` cannot work.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import {
  nginxMissing,
  type NginxServer,
  startNginx,
} from "../support/nginx_server.ts";
import type { OpensslPair } from "../support/openssl_ca.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { runProgram } from "../support/program.ts";
import type { RunResult } from "../support/run.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";

interface Place {
  /** Of a host, named as the program sees it. */
  readonly pair: OpensslPair;
  readonly proxy: NginxServer;
  ca(command: "rekey" | "renew", ...flags: string[]): Promise<RunResult>;
  /** Both files as they are now. */
  contents(): Promise<readonly string[]>;
}

const PAST = {
  notBefore: new Date("2024-01-01T00:00:00Z"),
  notAfter: new Date("2024-01-02T00:00:00Z"),
};

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const shared = stepCaMissing === undefined
  ? await startStepCa(directory, {
    admin: {},
    late: { allowRenewalAfterExpiry: true },
  })
  : undefined;
addEventListener("unload", () => {
  shared?.kill();
  Deno.removeSync(directory, { recursive: true });
});

function proxyTest(
  name: string,
  change: Parameters<Awaited<ReturnType<typeof startStepCa>>["issue"]>[2],
  fn: (place: Place) => Promise<void>,
): void {
  Deno.test({
    name: stepCaMissing === undefined ? name : `${name} (${stepCaMissing})`,
    ignore: stepCaMissing !== undefined || nginxMissing,
    async fn() {
      if (shared === undefined) throw new Error(stepCaMissing);
      const ca = shared;
      await using dir = await tempDir();
      await Deno.mkdir(dir.file("proxy"));
      const server = await ca.issue(crypto.randomUUID(), "admin", {
        names: "IP:127.0.0.1",
      });
      const front = dir.file("proxy/internal");
      await Deno.copyFile(server.certificateFile, `${front}.crt`);
      await Deno.copyFile(server.keyFile, `${front}.key`);
      await using proxy = await startNginx(dir.file("proxy"), ca.url);
      const pair = await ca.issue(crypto.randomUUID(), "late", change);
      await fn({
        pair,
        proxy,
        ca: (command, ...flags) =>
          runProgram([
            ...["ca", command, "--force", "--root", ca.rootFile],
            ...["--ca-url", `https://127.0.0.1:${proxy.port}`, ...flags],
            ...[pair.certificateFile, pair.keyFile],
          ], { env: { STEPPATH: ca.directory, HOME: ca.directory } }),
        contents: () =>
          Promise.all([
            Deno.readTextFile(pair.certificateFile),
            Deno.readTextFile(pair.keyFile),
          ]),
      });
    },
  });
}

proxyTest(
  "ca rekey says why it cannot work behind a proxy that ends TLS, and what can be done",
  {},
  async ({ ca, contents, proxy }) => {
    const before = await contents();
    const rekey = await ca("rekey");
    assertEquals(rekey.code, 77, rekey.stderr);
    assertMatch(
      rekey.stderr,
      /missing client certificate\.\nhint: HTTP 400.*proxy in front of the CA ends TLS.*pass TLS through.*--ca-url.*--renew-fallback/,
    );
    const renew = await ca("renew");
    assertEquals(renew.code, 77, renew.stderr);
    assertMatch(renew.stderr, /\nhint: .*renew by token with --mtls=false/);
    assertEquals(await contents(), before);
    assertEquals(await proxy.requests(), ["POST /rekey", "POST /renew"]);
  },
);

proxyTest(
  "ca rekey --renew-fallback renews there, and says that the key was not rotated",
  {},
  async ({ ca, contents, pair, proxy }) => {
    const [certificate] = await contents();
    const key = await pairKeyOf(pair);
    const { code, stderr } = await ca("rekey", "--renew-fallback");
    assertEquals(code, 0, stderr);
    assertMatch(
      stderr,
      /^warning: .*missing client certificate; the key stays.*renewed by token\n✔ Certificate: \S+\nthe private key was NOT rotated: \S+ is the old one\n$/,
    );
    assertEquals(await pairKeyOf(pair), key);
    assert((await contents())[0] !== certificate);
    assertEquals(await proxy.requests(), ["POST /rekey", "POST /renew"]);

    const json = await ca("rekey", "--renew-fallback", "--log-format=json");
    assertEquals(json.code, 0, json.stderr);
    const [warning, renewed] = json.stderr.trim().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals([warning.event, renewed.event], ["warning", "renewed"]);
    assertEquals([renewed.keyRotated, renewed.key], [false, undefined]);
    assertMatch(renewed.message, /; the key was not rotated$/);
  },
);

proxyTest(
  "ca renew --mtls=false renews there, and leaves the key file alone",
  {},
  async ({ ca, contents, pair }) => {
    const [certificate, key] = await contents();
    const { code, stderr } = await ca("renew", "--mtls=false");
    assertEquals([code, stderr], [
      0,
      `Your certificate has been saved in ${pair.certificateFile}.\n`,
    ]);
    const [after, keyAfter] = await contents();
    assertEquals(keyAfter, key);
    assert(after !== certificate);
    await pairKeyOf(pair);
  },
);

proxyTest(
  "ca rekey --renew-fallback asks for one renewal of an expired certificate",
  PAST,
  async ({ ca, pair, proxy }) => {
    const key = await pairKeyOf(pair);
    const { code, stderr } = await ca("rekey", "--renew-fallback");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /\nthe private key was NOT rotated: /);
    assertEquals(await pairKeyOf(pair), key);
    assertEquals(await proxy.requests(), ["POST /renew", "POST /rekey"]);
  },
);

proxyTest(
  "ca rekey --renew-fallback tries a token for a certificate of a server, which this CA refuses",
  { usages: "serverAuth" },
  async ({ ca, contents, proxy }) => {
    const before = await contents();
    const { code, stderr } = await ca("rekey", "--renew-fallback");
    assertEquals(code, 77, stderr);
    assertMatch(
      stderr,
      /^warning: .*no clientAuth.*; the key stays.*\nerror validating renew token/,
    );
    assertEquals(await contents(), before);
    assertEquals(await proxy.requests(), ["POST /renew"]);
  },
);
