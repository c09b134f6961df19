/**
 * Command lines of public programs that call `step`, in their order, by the
 * original and by ours under its name, against one step-ca. Each names where
 * the lines were read; what stands here is written anew. A line has to end the
 * same way with both, but for what we refuse by name.
 *
 * The suite takes a sample of the programs; `deno task sweep` takes all.
 */
import { parityTest } from "../ca/offline/beside_step.ts";
import { assertEquals } from "../support/assert.ts";
import { putStep } from "../support/called_as_step.ts";
import { run } from "../support/run.ts";
import { startStepCa, STEP } from "../support/step_ca.ts";
import { sample } from "../support/sweep.ts";
import { tempDir } from "../support/temp_dir.ts";

const HOUR_MS = 3_600_000;

/** A line that has to succeed with both, or what it ends with. */
type Line = string | {
  readonly line: string;
  /** Undefined: the original is not asked. */
  readonly theirs: number | undefined;
  readonly ours: number;
  /** What ours says. */
  readonly words?: RegExp | undefined;
};

interface Client {
  readonly name: string;
  /** Repository, commit and files; without a commit, the stored version. */
  readonly source: string;
  readonly lines: readonly Line[];
}

/** Ours tells a mistake in a line (64) and an unreadable file (65) from a "no". */
const fails = (line: string, ours: number, words?: RegExp): Line => ({
  line,
  theirs: 1,
  ours,
  words,
});

/** What we refuse by name; the original would ask ACME or change the system. */
const refused = (line: string, words: RegExp, ours = 64): Line => ({
  line,
  theirs: undefined,
  ours,
  words,
});

/** Where ours is better, or does as a later step does. */
const differs = (line: string, theirs: number, ours: number): Line => ({
  line,
  theirs,
  ours,
});

/** Not the client's: what an administrator has typed, or what shows the result. */
const BOOTSTRAP = 'step ca bootstrap --ca-url "$CA_URL" --fingerprint "$FP"';
const issued = (certificate: string): string =>
  `openssl verify -CAfile "$ROOT" -untrusted ${certificate} ${certificate}`;
const isPair = (certificate: string, key: string): string =>
  `[ "$(openssl x509 -in ${certificate} -noout -pubkey)" = "$(openssl pkey -in ${key} -pubout)" ]`;
const isNew = (certificate: string): string =>
  `${issued(certificate)} && ! cmp -s ${certificate} before.crt`;

const CLIENTS: readonly Client[] = [
  {
    name: "a Home Assistant add-on enrols by token and keeps renewing",
    source:
      "miguelangel-nubla/hassio-step-ca-client 155f66e583481457b2293ba21346ab824d699790, rootfs/usr/bin/{root-ca,create-with-token,renewal-daemon}.sh",
    lines: [
      'step ca bootstrap -f --ca-url="$CA_URL" --fingerprint="$FP"',
      "step ca roots -f ca.pem",
      'cmp ca.pem "$ROOT"',
      fails(
        "step certificate verify ha.crt -roots=.step/certs/root_ca.crt",
        65,
      ),
      'step ca token ha.example --password-file "$PASSWORD" > token',
      'step ca certificate -f --kty="RSA" --token="$(cat token)" "ha.example" ha.crt ha.key',
      "step certificate verify ha.crt -roots=.step/certs/root_ca.crt",
      'step ca renew -f --daemon --exec="./stop" due.crt due.key',
      isNew("due.crt"),
    ],
  },
  {
    name: "another add-on rekeys, once and as a daemon",
    source:
      "jvandertil/homeassistant-step-ca 01907103bb9d33ad666815079c22e789973b4ed6, rootfs/usr/bin/renewal-daemon.sh; recover-certificate-profile.sh of 35ebd6174efb3c111e7ac2cbdc4a0ddc1c6a2cc5",
    lines: [
      BOOTSTRAP,
      "step certificate verify due.crt -roots=.step/certs/root_ca.crt",
      'step ca rekey -f --kty="RSA" --daemon --exec="./stop" due.crt due.key',
      // The original's daemon keeps one key (smallstep/cli#1343).
      differs(
        `${isPair("due.crt", "due.key")} && ! cmp -s due.key before.key`,
        1,
        0,
      ),
      "step ca rekey -f --kty=RSA --exec=./told due.crt due.key",
      "test -e was_told",
      '[ "$(step certificate fingerprint due.crt)" != "$(step certificate fingerprint before.crt)" ]',
    ],
  },
  {
    name: "thin-edge enrols a child device by the root's fingerprint",
    source:
      "thin-edge/tedge-pki-smallstep 8cf4b0ae71e98502c6406ae239de293253d1a008, src/server/step-ca-admin.sh, src/client/services/systemd/cert-renewer@.service",
    lines: [
      `export STEPPATH=main; ${BOOTSTRAP}`,
      'export STEPPATH=main; step ca token "child01" --provisioner-password-file="$PASSWORD" > token',
      // v0.21 does not read standard input here.
      differs(
        "export STEPPATH=main; step ca root | step certificate fingerprint | grep -qx $FP",
        1,
        0,
      ),
      'step ca root --ca-url "$CA_URL" --fingerprint "$FP" | cmp - "$ROOT"',
      refused(
        'step ca bootstrap --force --ca-url "$CA_URL" --fingerprint "$FP" --install',
        /--install/,
      ),
      BOOTSTRAP,
      'step ca certificate --force --kty=RSA --ca-url "$CA_URL" --token "$(cat token)" "child01" agent.crt agent.key',
      // v0.21 looks at the whole chain, step since v0.23.4 at the leaf.
      differs(
        'step certificate needs-renewal --expires-in "25%" agent.crt',
        0,
        1,
      ),
      'step certificate needs-renewal --expires-in "25%" due.crt',
      'step ca renew --force "due.crt" "due.key"',
      isNew("due.crt"),
    ],
  },
  {
    name: "Apache DataLab renews by cron, and starts anew where it cannot",
    source:
      "apache/incubator-datalab 111d7162cd767e8b7bd7c498776d32cb85aa1c13, infrastructure-provisioning/src/general/templates/os/manage_step_certs.sh and what its edge node is prepared with",
    lines: [
      'step certificate fingerprint "$ROOT" > fingerprint',
      'step ca bootstrap --fingerprint $(cat fingerprint) --ca-url "$CA_URL"',
      'step ca token edge.example --kid $KID --ca-url "$CA_URL" --root $ROOT --password-file $PASSWORD --san localhost --san 127.0.0.1 --output-file step_token',
      'step ca certificate "edge.example" lab.crt lab.key --token "$(cat step_token)" --kty=RSA --size 2048 --provisioner $KID',
      isPair("lab.crt", "lab.key"),
      "step ca renew lab.crt lab.key --exec './told' --ca-url $CA_URL --root $ROOT --force --expires-in 8h",
      "! test -e was_told",
      "step ca renew due.crt due.key --exec './told' --ca-url $CA_URL --root $ROOT --force --expires-in 8h",
      `test -e was_told && ${isNew("due.crt")}`,
      'step ca token edge.example --kid $KID --ca-url "$CA_URL" --root $ROOT --password-file $PASSWORD --san localhost --output-file step_token --force',
      'step ca certificate edge.example lab.crt lab.key --token "$(cat step_token)" --kty=RSA --size 2048 --provisioner $KID --force',
      `${issued("lab.crt")} && ${isPair("lab.crt", "lab.key")}`,
    ],
  },
  {
    name: "a token made in the CA's container is used in another",
    source:
      "nikhiljohn10/ripples 268dca7f8d520015d8b6b93fdc291b88d9b7e789, scripts/step_certs.sh; scripts/step_certs_renew.sh of 5660ca2b4efce9178c6ace59fbdaca27b8e43781",
    lines: [
      BOOTSTRAP,
      "step ca token localhost --san 127.0.0.1 --san localhost --provisioner admin --password-file $PASSWORD > token",
      "step ca certificate --token $(cat token) --kty EC -f localhost server.crt server.key",
      "openssl x509 -in server.crt -noout -checkip 127.0.0.1 | grep 'does match'",
      "cp server.crt before.crt; step ca renew --force server.crt server.key",
      isNew("server.crt"),
    ],
  },
  {
    name: "an entrypoint asks for its own token",
    source:
      "matutter/step-ca-example 7c9a1d0ebbfb28f3ec31e59ec5783b625d0742e1, files/server.docker-entrypoint.sh",
    lines: [
      "step ca bootstrap -f --ca-url $CA_URL --fingerprint $FP",
      "TOKEN=`step ca token --ca-url $CA_URL --password-file $PASSWORD host.example`; " +
      'step ca certificate -f --token "$TOKEN" host.example host.crt host.key',
      isPair("host.crt", "host.key"),
    ],
  },
  {
    name: "a gRPC server names its CA without https://",
    source:
      "bobbae/grpc-step-ca 488bcf9f6c8e2bcab7baca902ce44eaeb74e026e, step-hello-run.sh",
    lines: [
      "step ca root -f --ca-url ${CA_URL#https://} root_ca.crt --fingerprint $FP",
      "step ca bootstrap -f --ca-url ${CA_URL#https://} --fingerprint $FP",
      refused(
        "step certificate install root_ca.crt",
        /certificate install/,
        255,
      ),
      "step ca token localhost --san 172.17.0.3 --san helloserver --password-file $PASSWORD > token",
      // Both want the names in the token.
      fails(
        "step ca certificate -f --ca-url ${CA_URL#https://} --token $(cat token) --san 172.17.0.3 --san helloserver localhost srv.crt srv.key",
        64,
        /mutually exclusive/,
      ),
      "step ca certificate -f --ca-url ${CA_URL#https://} --token $(cat token) localhost srv.crt srv.key",
      issued("srv.crt"),
    ],
  },
  {
    name: "a router's timer renews in the last third",
    source:
      "estubbs/step-ca-cert-auto-renew-for-technitium ab4ec96411c6fa43013f93862c91da265abfe343, udmpro/cert-renew.sh; cert-renew.sh of 24e559d6e4eb80bc9d8a7ca65969fb1dbf70733a",
    lines: [
      BOOTSTRAP,
      "step certificate needs-renewal --expires-in 33% due.crt",
      // Neither flag is one of the original's.
      fails(
        "step ca renew --force --not-after 720h --exec ./told due.crt due.key",
        64,
        /not-after/,
      ),
      fails(
        "step ca renew --force due.crt due.key --renew-hook ./told",
        64,
        /renew-hook/,
      ),
      "cmp due.crt before.crt && ! test -e was_told",
    ],
  },
  {
    name: "smallstep's database images enrol by token and keep renewing",
    source:
      "smallstep/docker-tls 8debc0b633867f14dd5d4b06080396d4243d007d, postgresql/cert-enroller.sh; redis/cert-renewer.sh of a24ac58c1b85fd0c6c2a20d39ead60bbe497e22f",
    lines: [
      BOOTSTRAP,
      refused("step ca provisioner list", /ca provisioner/, 255),
      "step ca token db.example --san db.example --san db --password-file $PASSWORD > token",
      // Both want the names in the token. With one domain there is no --san.
      fails(
        "step ca certificate db.example tls.crt tls.key --token $(cat token) --san db.example --san db",
        64,
        /mutually exclusive/,
      ),
      "step ca certificate db.example tls.crt tls.key --token $(cat token)",
      isPair("tls.crt", "tls.key"),
      'step ca renew --daemon --exec "./stop" due.crt due.key',
      isNew("due.crt"),
    ],
  },
  {
    name: "a Salt master makes tokens and pairs for its minions",
    source:
      "darix/step-ca-formula 1c2e968edebbafc235f6666349295d29a84249a0, modules/pillar/step_ca.py; salt/step-ca/ssl-certificates.sls of 46be8115cbb06e68ae87910d34ea1664d23c35c7",
    lines: [
      BOOTSTRAP,
      // A flag for SSH, without effect on this token.
      'step ca token --provisioner admin --provisioner-password-file=$PASSWORD --not-after=30m --cert-not-after=20h --san="minion.example" minion.example > token',
      // The files are there, and empty.
      "touch minion.crt minion.key; step ca certificate --force --token $(cat token) --provisioner admin --provisioner-password-file=$PASSWORD --not-after=20h minion.example minion.crt minion.key",
      isPair("minion.crt", "minion.key"),
      'step ca token --provisioner admin --provisioner-password-file=$PASSWORD --not-after=30m --san="minion.example" minion.example > token',
      'step ca certificate --force --token="$(cat token)" --kty="EC" "minion.example" minion.crt minion.key',
      isPair("minion.crt", "minion.key"),
    ],
  },
  {
    name: "a NixOS timer makes a new pair beside the old one",
    source:
      "crutonjohn/nix df3feec402f8615990c8320b02c3e4b6bb1abedf, hosts/nord/certificates.nix",
    lines: [
      BOOTSTRAP,
      // A flag for ACME, without effect on this provisioner.
      'step ca certificate nord.example cert.tmp key.tmp --webroot "challenge" --san "alerts.example" --san "grafana.example" --not-after="24h" --provisioner admin --provisioner-password-file $PASSWORD',
      `${issued("cert.tmp")} && ${isPair("cert.tmp", "key.tmp")}`,
    ],
  },
  {
    name: "a Proxmox helper bootstraps with --install",
    source:
      "UK-Jimbo/ProxmoxVE 23fbb5ce6ebf842161ca8b949ef66ee651a3fe0e, misc/add-stepca-certificate.sh",
    lines: [
      refused(
        "step ca bootstrap --ca-url $CA_URL --fingerprint $FP --install",
        /--install/,
      ),
      BOOTSTRAP,
      "step ca certificate --provisioner-password-file=$PASSWORD test.lan test.lan.crt test.lan.key",
      isPair("test.lan.crt", "test.lan.key"),
    ],
  },
  {
    name: "a second Ansible collection names provisioner and token",
    source:
      "trfore/ansible-smallstep 0caa8092770cfc378da3ff28db4567a65eb28313, roles/step_ca_cert/tasks/main.yml, roles/step_cert/tasks/certs.yml",
    lines: [
      "step ca bootstrap --ca-url=$CA_URL --fingerprint=$FP",
      "step ca token web.example --san web.example --san www.example --password-file $PASSWORD > token",
      // Both want the names in the token.
      fails(
        "step ca certificate --provisioner admin --token $(cat token) --san web.example --san www.example web.example web.crt web.key",
        64,
        /mutually exclusive/,
      ),
      "step ca certificate --provisioner admin --token $(cat token) web.example web.crt web.key",
      isPair("web.crt", "web.key"),
    ],
  },
  {
    name: "a Podman unit of Ansible asks ACME for what does not verify",
    source:
      "adborden/ansible-smallstep-ca 12772a6a9c8397a4e6b02105dfd6415aa95f0229, roles/smallstep_cli/templates/",
    lines: [
      "step certificate verify due.crt --roots $ROOT",
      fails("step certificate verify missing.crt --roots $ROOT", 65),
      refused(
        "step ca certificate pod.example pod.crt pod.key --ca-url $CA_URL --root $ROOT --provisioner acme --standalone --http-listen :8000 --force",
        /ACME/,
      ),
      "! test -e pod.crt",
    ],
  },
  {
    name: "a Chef resource names its settings before the command",
    source: "the resource step_cert of a Chef cookbook; stored version",
    lines: [
      `export STEPPATH=ca; ${BOOTSTRAP}`,
      "step certificate needs-renewal due.crt",
      "step --config=ca/config/defaults.json ca renew --force due.crt due.key",
      isNew("due.crt"),
    ],
  },
  {
    name: "a locked script renews into a folder of its own",
    source: "the renewal script of a device's mTLS identity; stored version",
    lines: [
      'timeout --foreground --kill-after=5s 60s step ca renew "due.crt" "due.key" --ca-url "$CA_URL" --root "$ROOT" --expires-in "1h" --out "staged.crt" --force',
      "! test -e staged.crt",
      'timeout --foreground --kill-after=5s 60s step ca renew "due.crt" "due.key" --ca-url "$CA_URL" --root "$ROOT" --expires-in "8h" --out "staged.crt" --force',
      `cmp due.crt before.crt && ${isNew("staged.crt")} && ${
        isPair("staged.crt", "due.key")
      }`,
    ],
  },
  {
    name: "a worker enrols, renews by period and watches its certificate",
    source: "the start script of a review service; stored version",
    lines: [
      'step ca bootstrap --ca-url="$CA_URL" --fingerprint="$FP" --force',
      "step ca root --force ca.crt",
      'step ca certificate "worker" client.crt client.key --provisioner="admin" --provisioner-password-file=$PASSWORD --san=worker --san=localhost --not-after=20h --force',
      "step ca renew --daemon --renew-period=12h --exec=./stop due.crt due.key",
      isNew("due.crt"),
      "step certificate verify client.crt --roots ca.crt",
    ],
  },
  {
    name: "scripts of a k3s cluster renew, inspect and make PKCS #12",
    source:
      "iconicompany/iconicluster 7014c379ca0a70952c8066d458292898ebd01e54, step-ca/bin/step-cert-renew.sh; iconicompany/autocertcontainers 510894aa87059a4c76a87a76aab0fe07aef12f39, bootstrapper/bootstrapper.sh",
    lines: [
      BOOTSTRAP,
      "step ca renew --force due.crt due.key",
      "step certificate inspect --short due.crt | grep host.example",
      "step certificate inspect due.crt | grep DNS:host.example",
      "step certificate p12 site.p12 due.crt due.key --no-password --insecure",
      // The original's needs algorithms that openssl calls legacy.
      "openssl pkcs12 -legacy -in site.p12 -passin pass: -nodes | openssl x509 -noout -checkhost host.example | grep 'does match'",
    ],
  },
];

/** A home with a pair that is due, and hooks. */
async function makeHome(
  home: string,
  due: { readonly certificateFile: string; readonly keyFile: string },
): Promise<void> {
  await Deno.mkdir(home);
  for (const name of ["due", "before"]) {
    await Deno.copyFile(due.certificateFile, `${home}/${name}.crt`);
    await Deno.copyFile(due.keyFile, `${home}/${name}.key`);
  }
  const hook = (name: string, line: string) =>
    Deno.writeTextFile(`${home}/${name}`, `#!/bin/sh\n${line}\n`, {
      mode: 0o755,
    });
  await hook("told", "touch was_told");
  // Ends the daemon that called it, once it has renewed.
  await hook("stop", "kill -TERM $PPID");
}

parityTest("command lines end as with the original", async (t) => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("ca"));
  await using ca = await startStepCa(dir.file("ca"));
  const now = Date.now();
  const due = await ca.issue("service", "admin", {
    notBefore: new Date(now - 20 * HOUR_MS),
    notAfter: new Date(now + 4 * HOUR_MS),
  });
  const { stdout } = await ca.step(
    ...["certificate", "fingerprint", ca.rootFile],
  );
  const { authority } = JSON.parse(await Deno.readTextFile(ca.configFile));
  const settings = {
    CA_URL: ca.url,
    FP: stdout.trim(),
    ROOT: ca.rootFile,
    PASSWORD: ca.passwordFile,
    KID: authority.provisioners[0].key.kid,
  };
  await putStep(dir.file("ours"));
  await putStep(dir.file("theirs"), STEP);

  const chosen = sample("client lines", CLIENTS, 3);
  for (const [index, { name, source, lines }] of chosen.entries()) {
    await t.step(name, async () => {
      const faults: string[] = [];
      for (const who of ["theirs", "ours"] as const) {
        const home = `${dir.file(who)}_${index}`;
        await makeHome(home, due);
        for (const entry of lines) {
          const line = typeof entry === "string"
            ? { line: entry, theirs: 0, ours: 0, words: undefined }
            : entry;
          if (line[who] === undefined) continue;
          const said = await run("bash", ["-o", "pipefail", "-c", line.line], {
            cwd: home,
            clearEnv: true,
            env: {
              ...settings,
              HOME: home,
              PATH: `${dir.file(who)}:/usr/bin:/bin`,
              DENO_DIR: Deno.env.get("DENO_DIR") ?? "",
              XDG_CACHE_HOME: `${Deno.env.get("HOME")}/.cache`,
              DENO_NO_UPDATE_CHECK: "1",
            },
          });
          const words = who === "ours" && line.words || /(?:)/;
          if (said.code !== line[who] || !words.test(said.stderr)) {
            faults.push(
              `${who} ended with ${said.code}: ${line.line}\n${said.stderr}`,
            );
          }
        }
      }
      assertEquals(faults.join("\n"), "", source);
    });
  }
});
