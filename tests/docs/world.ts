/**
 * A throwaway machine for the pages: a real systemd in namespaces of its own,
 * with Debian's services, a step-ca at https://ca.example:9000 with its files in
 * /etc/step-ca, and `step-rekey` and `step` in the search path.
 *
 * It has its own /etc, /var/log, /run, network and processes; nothing that a
 * page writes there stays on this machine.
 */
import { findEnvoy } from "../../scripts/envoy.ts";
import { denoCacheDirectory } from "../../scripts/paths.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { program } from "../support/program.ts";
import { runOk } from "../support/run.ts";
import { STEP, STEP_CA, stepCaMissing } from "../support/step_ca.ts";
import { systemdMissing } from "../support/systemd.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { type Shell, startShell } from "./shell.ts";

/** The machine. */
export interface World {
  /** A shell of root, in a folder of its own; its home is shown as /root. */
  shell(): Promise<Shell>;
  /** Writes a file, and its folder; a script can be run. */
  write(path: string, text: string): Promise<void>;
  /**
   * Makes what a page takes for granted: `settings` of a host that knows its
   * CA, `the CA's files`, a server that runs, and pairs by the path of the
   * certificate; one whose name begins with `expired` is over.
   */
  give(item: string): Promise<void>;
  /** Stops the services, and removes what a page has left. */
  tidy(): Promise<void>;
  /** Ends every process in it, where nothing can be awaited any more. */
  kill(): void;
}

/** Why there is none here; undefined when there is. */
export async function worldMissing(): Promise<string | undefined> {
  return stepCaMissing ?? await systemdMissing();
}

const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the machine differs from the one that it stands on. */
const BOOT = `
set -e
mount --make-rprivate /
# Among the services of this system, as credentials need it.
mount --make-rshared /
cp -a /etc "$W/etc"
mount --bind "$W/etc" /etc
mkdir -p "$W/dev/pts" "$W/dev/shm"
mount --bind /dev/pts "$W/dev/pts"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx "$W/dev"
mount --rbind "$W/dev" /dev
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
if [ -d /var/lib/postgresql ]; then
  cp -a /var/lib/postgresql "$W/postgresql"
  mount --bind "$W/postgresql" /var/lib/postgresql
fi
for folder in /dev/shm /run /var/log /usr/local/bin; do
  mount -t tmpfs tmpfs "$folder"
done
# Nothing starts but what a page starts.
for target in sysinit local-fs sockets timers multi-user; do
  for place in /lib/systemd/system /etc/systemd/system; do
    [ ! -d "$place/$target.target.wants" ] ||
      mount -t tmpfs tmpfs "$place/$target.target.wants"
  done
done
: > /etc/fstab
echo "127.0.0.1 localhost ca.example host.example db.example" > /etc/hosts
mkdir -p /run/haproxy /var/log/nginx /var/log/postgresql
chown postgres:postgres /var/log/postgresql 2> /dev/null || :
cp -r "$W/bin/." /usr/local/bin
mkdir -p /run/systemd/system
cp -r "$W/units/." /run/systemd/system
exec env -i PATH="$PATH" container=lxc /lib/systemd/systemd --unit=ready.target
`;

/** The real CA, and a first certificate of it. */
const CA_SCRIPT = `#!/bin/sh
set -e
export STEPPATH=/etc/step-ca
mkdir -p /etc/step-ca "$W/given"
printf %s "the CA's password" > /etc/step-ca/password
step ca init --name Example --deployment-type standalone --dns ca.example \
  --address 127.0.0.1:9000 --provisioner admin --password-file /etc/step-ca/password
`;

const SERVED_SCRIPT = `#!/bin/sh
export STEPPATH=/etc/step-ca
until step ca health; do :; done
cd "$W/given"
step ca certificate host.example host.crt host.key --san host.example \
  --san db.example --provisioner-password-file /etc/step-ca/password
root=$(step certificate fingerprint /etc/step-ca/certs/root_ca.crt)
STEPPATH=$W/home/.step step ca bootstrap --ca-url https://ca.example:9000 \
  --fingerprint "$root"
mv "$W/home/.step" "$W/given/settings"
`;

function units(directory: string): Readonly<Record<string, string>> {
  const environment =
    `Environment=W=${directory} HOME=${directory} PATH=${PATH}`;
  return {
    "ready.target": `[Unit]
Wants=ready.service
After=ready.service
`,
    "ready.service": `[Unit]
Wants=step-ca.service systemd-journald.service
After=step-ca.service systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c "systemctl show -P Result step-ca > ${directory}/ready"
`,
    "step-ca.service": `[Service]
${environment}
StandardOutput=append:${directory}/step-ca.log
StandardError=inherit
ExecStartPre=/bin/sh ${directory}/bin/ca-init
ExecStart=${STEP_CA} /etc/step-ca/config/ca.json --password-file /etc/step-ca/password
ExecStartPost=/bin/sh ${directory}/bin/ca-served
`,
    // What the hardened unit forbids, and a start from source needs. The
    // compiled program runs in the unit as it is: systemd_units_test.ts.
    "step-rekey@.service.d/source.conf": isCompiled() ? "" : `[Service]
MemoryDenyWriteExecute=no
ProtectHome=no
ProtectSystem=full
PrivateTmp=no
`,
  };
}

const TIDY = `
systemctl stop 'step-rekey@*' 'cert-renewer@*' envoy nginx haproxy postgresql 2> /dev/null || :
rm -rf /etc/tls "$HOME" "$HERE" /etc/systemd/system/step-rekey@* \\
  /etc/systemd/system/cert-renewer@* /etc/nginx/conf.d/*
systemctl daemon-reload
`;

/** Boots one. */
export async function bootWorld(): Promise<World> {
  const place = await tempDir();
  const W = place.path;
  for (
    const [name, text] of Object.entries({
      "bin/ca-init": CA_SCRIPT,
      "bin/ca-served": SERVED_SCRIPT,
      "bin/step-rekey": await ownScript(),
      "bin/step": `#!/bin/sh\nexec ${STEP} "$@"\n`,
      ...await envoyScript(),
      ...prefixed("units/", units(W)),
    })
  ) {
    await writeFile(place.file(name), text);
  }
  await runOk("mkfifo", [place.file("ready")]);
  const machine = new Deno.Command("unshare", {
    args: ["-fpmCnu", "--kill-child", "--mount-proc", "sh", "-c", BOOT],
    env: { W, PATH },
    stdin: "null",
    stdout: "null",
  }).spawn();
  const result = await Promise.race([
    Deno.readTextFile(place.file("ready")),
    machine.status.then(({ code }) => `boot failed with status ${code}`),
  ]);
  if (result.trim() !== "success") {
    const log = await Deno.readTextFile(place.file("step-ca.log"))
      .catch(() => "");
    throw new Error(`the machine of the pages does not start: ${result}${log}`);
  }
  const children = `/proc/${machine.pid}/task/${machine.pid}/children`;
  const init = (await Deno.readTextFile(children)).trim();
  const inside = ["-t", init, "-p", "-m", "-n", "-u"];
  const env = { PATH, W, LC_ALL: "C", HOME: `${W}/home`, HERE: `${W}/here` };
  const enter = (script: string, stdin?: string) =>
    runOk("nsenter", [
      ...inside,
      ...["sh", "-ec", `mkdir -p "$HOME" "$HERE"\ncd "$HERE"\n${script}`],
    ], { env, clearEnv: true, ...stdin !== undefined && { stdin } });
  return {
    async shell() {
      await enter("");
      const { PATH, LC_ALL, HOME, HERE } = env;
      const words = ["nsenter", ...inside, "env", "-C", HERE];
      const shell = startShell(words, { PATH, LC_ALL, HOME });
      return {
        async run(command) {
          const { output, code } = await shell.run(command);
          return { output: output.replaceAll(HOME, "/root"), code };
        },
        [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
      };
    },
    async write(path, text) {
      const mode = text.startsWith("#!") ? "755" : "644";
      await enter(`install -D -m ${mode} /dev/stdin '${path}'`, text);
    },
    async give(item) {
      if (/\bexpired[^/]*$/.test(item)) await makeExpired(place);
      await enter(givenLines(item));
    },
    async tidy() {
      await enter(TIDY);
    },
    kill: () => killAndRemove(machine, W),
  };
}

function killAndRemove(machine: Deno.ChildProcess, directory: string): void {
  machine.kill("SIGKILL");
  Deno.removeSync(directory, { recursive: true });
}

/** A script, since the name of source and bundle is Deno's. */
async function ownScript(): Promise<string> {
  const { command, args } = program();
  const words = [command, ...args].map((word) => `'${word}'`).join(" ");
  return `#!/bin/sh
export DENO_DIR='${await denoCacheDirectory()}' DENO_NO_UPDATE_CHECK=1
exec ${words} "$@"
`;
}

/** Where Envoy is kept for the tests. */
async function envoyScript(): Promise<Record<string, string>> {
  const envoy = await findEnvoy();
  return envoy === undefined
    ? {}
    : { "bin/envoy": `#!/bin/sh\nexec ${envoy} "$@"\n` };
}

function isCompiled(): boolean {
  return program().args.length === 0;
}

function givenLines(item: string): string {
  if (item === "settings") return 'cp -a "$W/given/settings" "$HOME/.step"';
  if (item === "the CA's files") {
    return `mkdir -p "$HOME/.step/config"
ln -s /etc/step-ca/config/ca.json "$HOME/.step/config/ca.json"
cp /etc/step-ca/password ca.pw`;
  }
  if (item === "nginx" || item === "haproxy") return `systemctl start ${item}`;
  const name = item.replace(/\.crt$/, "");
  const from = /\bexpired[^/]*$/.test(name) ? "expired" : "host";
  return `mkdir -p "$(dirname '${name}')"
rm -f '${name}.crt' '${name}.key'
cp -p "$W/given/${from}.crt" '${name}.crt'
cp -p "$W/given/${from}.key" '${name}.key'`;
}

/** What step-ca itself does not issue: a certificate that was good yesterday. */
async function makeExpired(place: TempDir): Promise<void> {
  const files = place.file("etc/step-ca");
  const keyFile = place.file("intermediate.key");
  await runOk("openssl", [
    ...["pkey", "-in", `${files}/secrets/intermediate_ca_key`, "-out", keyFile],
    ...["-passin", `file:${files}/password`],
  ]);
  const certificateFile = `${files}/certs/intermediate_ca.crt`;
  const ca = await OpensslCa.adopt(
    place.file("expired"),
    certificateFile,
    keyFile,
  );
  const { certificate, key } = await ca.issue("host", {
    subject: "/CN=host.example",
    names: "DNS:host.example",
    notBefore: new Date(Date.now() - 48 * 3_600_000),
    notAfter: new Date(Date.now() - 24 * 3_600_000),
  });
  await Deno.writeTextFile(
    place.file("given/expired.crt"),
    certificate + ca.certificate,
  );
  await Deno.writeTextFile(place.file("given/expired.key"), key, {
    mode: 0o600,
  });
}

async function writeFile(path: string, text: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, text, {
    mode: text.startsWith("#!") ? 0o755 : 0o644,
  });
}

function prefixed(
  before: string,
  texts: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [before + name, text]),
  );
}
