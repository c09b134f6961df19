/**
 * Databases of a real step-ca: while it runs and issues, after a crash, and
 * after a clean stop.
 *
 * `deno task sweep` takes 2,000 certificates and 50 revocations for each
 * database instead of 60 and 3.
 */
import { createOfflineAuthority } from "../../../../src/ca/offline/offline_authority.ts";
import { RekeyError } from "../../../../src/base/errors.ts";
import { assert, assertEquals, assertMatch } from "../../../support/assert.ts";
import { noTerminal } from "../../../support/fake_terminal.ts";
import { runOk } from "../../../support/run.ts";
import {
  startStepCa,
  STEP,
  type StepCa,
  stepCaMissing,
} from "../../../support/step_ca.ts";
import { howMany, IS_WHOLE } from "../../../support/sweep.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { type PemPair, rekeyRequest } from "../../../support/test_pair.ts";
import { KINDS } from "./go_database.ts";

const CERTIFICATES = howMany(60, 2000);
const EVERY = IS_WHOLE ? 40 : 20;

/** Between ten certificates and the next ten. */
const PAUSE_MS = 50;

const clock = {
  now: () => new Date(),
  sleep: (ms: number) => new Promise<void>((go) => setTimeout(go, ms)),
};

for (const kind of KINDS) {
  Deno.test({
    name: `the offline authority refuses what step-ca revoked in ${kind}` +
      (stepCaMissing === undefined ? "" : ` (${stepCaMissing})`),
    ignore: stepCaMissing !== undefined,
    fn: async () => {
      await using dir = await tempDir();
      const dataSource = dir.file(kind === "bbolt" ? "step.db" : "records");
      const provisioners = {
        admin: {},
        silent: { disableSmallstepExtensions: true, disableRenewal: true },
      };
      await using ca = await startStepCa(dir.path, provisioners, {
        database: { type: kind, dataSource },
      });
      const silent = await issue(ca, "silent");
      const pairs = await renewals(ca, await issue(ca, "admin"), CERTIFICATES);
      const revoked = pairs.filter((_, index) => index % EVERY === EVERY / 2);
      for (const pair of revoked) await revoke(ca, pair);
      const neighbours = pairs.filter((_, index) =>
        index % EVERY === EVERY / 2 + 1
      );
      const check = async (state: string) => {
        const rekey = await rekeyer(ca);
        const outcome = async (pair: PemPair) =>
          `${state}: ${await rekey(pair)}`;
        for (const pair of revoked) {
          assertMatch(await outcome(pair), /certificate has been revoked/);
        }
        for (const pair of neighbours) {
          assertEquals(await outcome(pair), `${state}: issued`);
        }
        // Nothing but the database says whose it is.
        assertMatch(await outcome(silent), /renew is disabled .* 'silent'/);
      };
      await whileIssuing(ca, pairs[0], () => check("running"));
      await ca.stop("SIGKILL");
      await check("crashed");
      await ca.restart();
      await ca.stop("SIGTERM");
      await check("stopped");
    },
  });
}

/** A first certificate by a token, so that the CA records its provisioner. */
async function issue(ca: StepCa, provisioner: string): Promise<PemPair> {
  const [certificate, key] = ["crt", "key"].map((suffix) =>
    `${ca.directory}/${provisioner}.${suffix}`
  );
  assert(certificate !== undefined && key !== undefined);
  await runOk(STEP, [
    ...["ca", "certificate", `${provisioner}.example.com`, certificate, key],
    ...["--provisioner", provisioner, "--ca-url", ca.url],
    ...["--root", ca.rootFile, "--not-after", "1h"],
    ...["--provisioner-password-file", ca.passwordFile],
  ], { env: { STEPPATH: ca.directory, HOME: ca.directory } });
  return {
    certificate: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
  };
}

async function post(
  ca: StepCa,
  pair: PemPair,
  { path, bodies }: {
    readonly path: "renew" | "revoke";
    readonly bodies: readonly (string | null)[];
  },
): Promise<string[]> {
  using client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(ca.rootFile)],
    cert: pair.certificate,
    key: pair.key,
  });
  const answers = [];
  for (const body of bodies) {
    const answer = await fetch(`${ca.url}/${path}`, {
      client,
      method: "POST",
      body,
    });
    const text = await answer.text();
    assert(answer.ok, text);
    answers.push(text);
  }
  return answers;
}

/** Certificates of the same key, each with a serial number of its own. */
async function renewals(
  ca: StepCa,
  pair: PemPair,
  count: number,
): Promise<readonly PemPair[]> {
  const bodies = Array.from({ length: count }, () => null);
  const answers = await post(ca, pair, { path: "renew", bodies });
  return answers.map((answer) => ({
    certificate: JSON.parse(answer).certChain.join("\n"),
    key: pair.key,
  }));
}

/** By the certificate itself, over mutual TLS. */
async function revoke(ca: StepCa, pair: PemPair): Promise<void> {
  const { current } = await rekeyRequest(pair);
  const serial = String(BigInt(`0x${current.chain[0].serial}`));
  const body = JSON.stringify({ serial, reasonCode: 1, passive: true });
  await post(ca, pair, { path: "revoke", bodies: [body] });
}

/**
 * Has the CA write on until `work` ends, at the pace of a busy one: beside one
 * that is asked without a pause, a machine that is busy, too, may give no moment
 * in which the database stands still.
 */
async function whileIssuing(
  ca: StepCa,
  pair: PemPair | undefined,
  work: () => Promise<void>,
): Promise<void> {
  assert(pair !== undefined);
  const state = { isDone: false };
  const writing = (async () => {
    while (!state.isDone) {
      await renewals(ca, pair, 10);
      await clock.sleep(PAUSE_MS);
    }
  })();
  try {
    await work();
  } finally {
    state.isDone = true;
    await writing;
  }
}

/** Rekeys offline: `issued`, or the reason why not. */
async function rekeyer(
  ca: StepCa,
): Promise<(pair: PemPair) => Promise<string>> {
  const authority = createOfflineAuthority({
    configFile: ca.configFile,
    password: () => Deno.readTextFile(ca.passwordFile),
    terminal: noTerminal(),
    clock,
    log: { write() {} },
    signal: new AbortController().signal,
  });
  await authority.roots();
  return async (pair) => {
    try {
      await authority.rekey(await rekeyRequest(pair));
      return "issued";
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      return `${error.message} ${error.hint}`;
    }
  };
}
