/**
 * Command lines of programs that call `step`, in their order, with ours under
 * that name and the real step-ca. Each names the public source that the lines
 * were read in; what stands here is written anew.
 */
import { parityTest } from "../ca/offline/beside_step.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { putStep } from "../support/called_as_step.ts";
import { run, type RunResult } from "../support/run.ts";
import { startStepCa, type StepCa, stepCaMissing } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";

const HOUR_MS = 3_600_000;

/** A host of its own beside a CA. */
interface Host {
  readonly ca: StepCa;
  readonly home: string;
  readonly fingerprint: string;
  /** Path of a file in its home. */
  file(name: string): string;
  /** Runs a script with ours as `step` and `step-cli`. */
  sh(
    script: string,
    env?: Readonly<Record<string, string>>,
  ): Promise<RunResult>;
  /** The same, and it has to succeed. */
  ok(
    script: string,
    env?: Readonly<Record<string, string>>,
  ): Promise<RunResult>;
  /** A pair of the CA's, as it has been for some hours. */
  pair(used: "fresh" | "due"): Promise<{
    readonly certificate: string;
    readonly key: string;
  }>;
}

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const shared = stepCaMissing === undefined
  ? await startStepCa(directory)
  : undefined;
addEventListener("unload", () => {
  shared?.kill();
  Deno.removeSync(directory, { recursive: true });
});

function clientTest(name: string, fn: (host: Host) => Promise<void>): void {
  parityTest(name, async () => {
    if (shared === undefined) throw new Error(stepCaMissing);
    const ca = shared;
    await using dir = await tempDir();
    const home = dir.file("home");
    await Deno.mkdir(home);
    await putStep(dir.file("bin"));
    const sh: Host["sh"] = (script, env = {}) =>
      run("bash", ["-c", script], {
        cwd: home,
        clearEnv: true,
        env: {
          HOME: home,
          PATH: `${dir.file("bin")}:/usr/bin:/bin`,
          DENO_DIR: Deno.env.get("DENO_DIR") ?? "",
          XDG_CACHE_HOME: `${Deno.env.get("HOME")}/.cache`,
          DENO_NO_UPDATE_CHECK: "1",
          ...env,
        },
      });
    const { stdout } = await ca.step(
      "certificate",
      "fingerprint",
      ca.rootFile,
    );
    await fn({
      ca,
      home,
      fingerprint: stdout.trim(),
      file: (name) => `${home}/${name}`,
      sh,
      async ok(script, env) {
        const result = await sh(script, env);
        assertEquals(result.code, 0, `${script}: ${result.stderr}`);
        return result;
      },
      async pair(used) {
        const hours = used === "due" ? 20 : 1;
        const made = await ca.issue(crypto.randomUUID(), "admin", {
          notBefore: new Date(Date.now() - hours * HOUR_MS),
          notAfter: new Date(Date.now() + (24 - hours) * HOUR_MS),
        });
        const files = {
          certificate: `${home}/service.crt`,
          key: `${home}/service.key`,
        };
        await Deno.copyFile(made.certificateFile, files.certificate);
        await Deno.copyFile(made.keyFile, files.key);
        return files;
      },
    });
  });
}

async function serialOf(file: string): Promise<string> {
  const { stdout } = await run("openssl", [
    ...["x509", "-noout", "-serial", "-in", file],
  ]);
  assertMatch(stdout, /^serial=/);
  return stdout;
}

// smallstep/cli 305fdedbfb385599a7e7131336844a3919decb84,
// systemd/cert-renewer@.service: an ExecCondition, an ExecStart.
const CONDITION = "step certificate needs-renewal ${CERT_LOCATION}";
const RENEW = "step ca renew --force ${CERT_LOCATION} ${KEY_LOCATION}";

/** As systemd.service(5) tells of ExecCondition. */
function conditionOf({ code }: RunResult): "start" | "skip" | "fail" {
  return code === 0 ? "start" : code < 255 ? "skip" : "fail";
}

clientTest(
  "cert-renewer@.service renews what is due, and skips it then",
  async (host) => {
    const { certificate, key } = await host.pair("due");
    const env = {
      CERT_LOCATION: certificate,
      KEY_LOCATION: key,
      STEPPATH: host.file("step"),
    };
    await host.ok(
      `step ca bootstrap --ca-url ${host.ca.url} --fingerprint ${host.fingerprint}`,
      env,
    );
    const before = await serialOf(certificate);
    const keyBefore = await Deno.readTextFile(key);
    assertEquals(conditionOf(await host.sh(CONDITION, env)), "start");
    await host.ok(RENEW, env);
    assert(await serialOf(certificate) !== before, "it is the old one");
    assertEquals(await Deno.readTextFile(key), keyBefore);
    assertEquals(conditionOf(await host.sh(CONDITION, env)), "skip");
  },
);

clientTest(
  "cert-renewer@.service does not skip what it cannot tell",
  async (host) => {
    const { certificate } = await host.pair("fresh");
    const env = { CERT_LOCATION: certificate, STEPPATH: host.file("step") };
    assertEquals(conditionOf(await host.sh(CONDITION, env)), "skip");
    // Newer units have a threshold, and a typing mistake in it must show.
    for (
      const flags of ["--expires-in 66", "--expires-in 66%%", "--expiresin 66%"]
    ) {
      const said = await host.sh(`${CONDITION} ${flags}`, env);
      assertEquals(conditionOf(said), "fail", flags);
    }
    await Deno.writeTextFile(certificate, "");
    assertEquals(conditionOf(await host.sh(CONDITION, env)), "fail");
    assertEquals(
      conditionOf(await host.sh("step ssh needs-renewal x", env)),
      "fail",
    );
  },
);

// maxhoesel-ansible/ansible-collection-smallstep
// 370ec383801ac88b319b4bdcc038606dae5803ff, plugins/module_utils/cli_wrapper.py
// and plugins/modules/; the program is called step-cli there.
clientTest(
  "the Ansible collection accepts the version, and bootstraps",
  async (host) => {
    const { stdout } = await host.ok("step-cli version");
    const version = stdout.split(" ")[1]?.split("/")[1]?.split(".").map(Number);
    assert(version !== undefined && version.length === 3, stdout);
    assert((version[0] ?? 0) > 0 || (version[1] ?? 0) >= 24, stdout);
    const env = { STEPPATH: host.file("step") };
    await host.ok(
      `step-cli ca bootstrap --ca-url ${host.ca.url} --fingerprint ${host.fingerprint} --force`,
      env,
    );
    const defaults = JSON.parse(
      await Deno.readTextFile(host.file("step/config/defaults.json")),
    );
    assertEquals(defaults.fingerprint, host.fingerprint);
    // step_bootstrap_host: other codes than 0 and 1 fail the play.
    const root = host.file("step/certs/root_ca.crt");
    const installed = await host.sh(`step-cli certificate verify ${root}`, env);
    assertEquals(installed.code, 1, installed.stderr);
    await host.ok(`step-cli ca health`, env);
  },
);

clientTest(
  "the Ansible collection gets, checks, renews and revokes a certificate",
  async (host) => {
    const { ca } = host;
    const where = `--ca-url ${ca.url} --root ${ca.rootFile}`;
    await host.ok(
      `step-cli ca certificate web.example web.crt web.key ${where} --kty EC --curve P-384 --provisioner admin --san web.example --san www.example --provisioner-password-file ${ca.passwordFile}`,
    );
    const inspected = await host.ok(
      `step-cli certificate inspect web.crt --format json --roots ${ca.rootFile}`,
    );
    const info = JSON.parse(inspected.stdout);
    assertEquals(info.names.toSorted(), ["web.example", "www.example"]);
    assertEquals(info.subject_key_info.key_algorithm.name, "ECDSA");
    const { curve, length } = info.subject_key_info.ecdsa_public_key;
    assertEquals([curve, length], ["P-384", 384]);
    await host.ok(`step-cli certificate verify web.crt --roots ${ca.rootFile}`);
    const stranger = await host.sh("step-cli certificate verify web.crt");
    assertEquals(stranger.code, 1);
    assertStringIncludes(
      stranger.stderr,
      "certificate signed by unknown authority",
    );
    const token = await host.ok(
      `step-cli ca token web.example ${where} --provisioner admin --provisioner-password-file ${ca.passwordFile}`,
    );
    assertMatch(token.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const renewed = await host.ok(
      `step-cli ca renew web.crt web.key ${where} --force`,
    );
    assertStringIncludes(renewed.stderr, "Your certificate has been saved in");
    const revoke =
      `step-cli ca revoke ${where} --cert web.crt --key web.key --reason gone`;
    await host.ok(revoke);
    const again = await host.sh(revoke);
    assert(again.code !== 0);
    assertStringIncludes(again.stderr, "is already revoked");
  },
);

// smallstep/autocert 392ca892a15e058fa42d528e58f3054bc4ed2fa9,
// bootstrapper/bootstrapper.sh and renewer/Dockerfile: all by the environment.
clientTest(
  "autocert's containers bootstrap by their environment, and renew",
  async (host) => {
    const { ca } = host;
    const { stdout: token } = await ca.step(
      ...["ca", "token", "pod.example", "--provisioner", "admin"],
      ...["--password-file", ca.passwordFile, "--ca-url", ca.url],
      ...["--root", ca.rootFile],
    );
    const env = {
      COMMON_NAME: "pod.example",
      CRT: host.file("site.crt"),
      KEY: host.file("site.key"),
      DURATION: "1h",
      STEP_CA_URL: ca.url,
      STEP_FINGERPRINT: host.fingerprint,
      STEP_NOT_BEFORE: "-1m",
      STEP_ROOT: host.file("root.crt"),
      STEP_TOKEN: token.trim(),
    };
    await host.ok(
      "step ca certificate --not-after $DURATION $COMMON_NAME $CRT $KEY",
      env,
    );
    await host.ok("step ca root $STEP_ROOT", env);
    assertEquals(
      await Deno.readTextFile(env.STEP_ROOT),
      await Deno.readTextFile(ca.rootFile),
    );
    await host.ok("step certificate verify $CRT --roots $STEP_ROOT", env);
    // The renewer mounts the same files.
    const { STEP_TOKEN: _, ...renewer } = env;
    const before = await serialOf(env.CRT);
    await host.ok("step ca renew --force $CRT $KEY", renewer);
    assert(await serialOf(env.CRT) !== before, "it is the old one");
  },
);

// smallstep/certificates 1c44aeca5f67f6d28dc7450a4fc82218885cc310, docker/: the
// health check of the image, and what its entrypoint begins with; and
// smallstep/helm-charts f6360f30721a45b66b65c73e742970d6b783d123,
// step-certificates/templates/configmaps.yaml.
clientTest(
  "the Docker image and the Helm chart find path, health and fingerprint",
  async (host) => {
    const { ca } = host;
    await host.ok(
      `step ca bootstrap --ca-url ${ca.url} --fingerprint ${host.fingerprint}`,
    );
    const { stdout } = await host.ok(
      'set -eo pipefail; export STEPPATH=$(step path); echo "$STEPPATH"; step path',
    );
    assertEquals(stdout, `${host.file(".step")}\n`.repeat(2));
    const check = 'step ca health 2>/dev/null | grep "^ok" >/dev/null';
    await host.ok(check);
    const bundle = await host.ok(
      "cat $(step path)/certs/root_ca.crt | base64 | tr -d '\\n'",
    );
    assertEquals(atob(bundle.stdout), await Deno.readTextFile(ca.rootFile));
    const print = await host.ok(
      'echo "CA Fingerprint: $(step certificate fingerprint $(step path)/certs/root_ca.crt)"',
    );
    assertEquals(print.stdout, `CA Fingerprint: ${host.fingerprint}\n`);
    await ca.stop();
    assert((await host.sh(check)).code !== 0, "the CA is gone");
    await ca.restart();
  },
);

// merlinz01/redpepper 0236c36d2d4ab616ab0daa652a557bd30b53fc71,
// setup/create-manager-keypair-stepca.sh: a token, a certificate, a cron line.
clientTest(
  "a cron line renews with a hook, and not before it is due",
  async (host) => {
    const { ca } = host;
    const where = `--ca-url ${ca.url}`;
    const env = { STEP_ROOT: ca.rootFile };
    await host.ok(
      `export TOKEN="$(step ca token "RedPepper Manager" --root ${ca.rootFile} --password-file ${ca.passwordFile} ${where})" && step ca certificate "RedPepper Manager" manager-cert.pem manager-key.pem --not-after 10h ${where} --token $TOKEN`,
      env,
    );
    const line = (window: string) =>
      host.ok(
        `step ca renew --force --expires-in ${window} manager-cert.pem manager-key.pem --exec "touch restarted" ${where}`,
        env,
      );
    const certificate = host.file("manager-cert.pem");
    const before = await serialOf(certificate);
    await line("1h");
    assertEquals(await serialOf(certificate), before);
    const isTold = () =>
      Deno.stat(host.file("restarted")).then(() => true, () => false);
    assertEquals(await isTold(), false);
    // Chance only adds to it.
    await line("10h");
    assert(await serialOf(certificate) !== before, "it is the old one");
    assertEquals(await isTold(), true);
  },
);

// jbutlerdev/step-certrenewal 3aa02c19d1c81a425c1ee88ec78233d0055c4136,
// entrypoint.sh: the daemon as the only process of a container.
clientTest("a container's daemon renews until it is stopped", async (host) => {
  const { certificate, key } = await host.pair("due");
  const before = await serialOf(certificate);
  const env = {
    RESTART_CMD: `kill -TERM ${"$PPID"}`,
    CA_URL: host.ca.url,
    ROOT: host.ca.rootFile,
    CERT: certificate,
    KEY: key,
  };
  // The hook ends what called it, once it has renewed.
  const stop = host.file("stop");
  await Deno.writeTextFile(stop, "#!/bin/sh\nkill -TERM $PPID\n", {
    mode: 0o755,
  });
  const ended = await host.sh(
    'exec step ca renew --daemon --exec "$RESTART_CMD" --ca-url "$CA_URL" --root "$ROOT" "$CERT" "$KEY"',
    { ...env, RESTART_CMD: stop },
  );
  assertEquals(ended.code, 0, ended.stderr);
  assert(await serialOf(certificate) !== before, "it is the old one");
});

// NixOS and others: a unit that makes what does not verify anew. A program that
// lacks the command must not look like one that says "no".
clientTest(
  "a clean-up by verify deletes what does not verify, and nothing else",
  async (host) => {
    const { certificate } = await host.pair("fresh");
    const script =
      `step certificate verify ${certificate} --roots "$ROOTS" 2>/dev/null; [ $? -eq 1 ] && rm ${certificate}; true`;
    await host.ok(script, { ROOTS: host.ca.rootFile });
    await host.ok(script, { ROOTS: host.file("missing") });
    assert((await Deno.stat(certificate)).isFile);
    await Deno.copyFile(
      "/etc/ssl/certs/ca-certificates.crt",
      host.file("other"),
    );
    await host.ok(script, { ROOTS: host.file("other") });
    assertEquals(
      await Deno.stat(certificate).catch(() => undefined),
      undefined,
    );
  },
);
