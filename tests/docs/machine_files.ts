/**
 * The scripts and units of the throwaway machine of the pages: how it starts,
 * its CA, and the programs in its search path.
 */
import { findEnvoy } from "../../scripts/envoy.ts";
import { denoCacheDirectory } from "../../scripts/paths.ts";
import { program } from "../support/program.ts";
import { STEP, STEP_CA } from "../support/step_ca.ts";
import type { TempDir } from "../support/temp_dir.ts";

/** Where the machine looks for programs. */
export const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the machine differs from the one that it stands on; `$W` is its folder. */
export const BOOT = `
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
mkdir "$W/servers"
cp -a /etc/nginx /etc/haproxy /etc/postgresql "$W/servers"
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

/** Writes all of them into the folder of the machine. */
export async function writeMachineFiles(place: TempDir): Promise<void> {
  const scripts: Record<string, string> = {
    "ca-init": CA_SCRIPT,
    "ca-served": SERVED_SCRIPT,
    "step": `#!/bin/sh\nexec ${STEP} "$@"\n`,
  };
  const envoy = await findEnvoy();
  if (envoy !== undefined) {
    scripts["envoy"] = `#!/bin/sh\nexec ${envoy} "$@"\n`;
  }
  if (!isCompiled()) scripts["step-rekey"] = await ownScript();
  await Deno.mkdir(place.file("bin"));
  for (const [name, text] of Object.entries(scripts)) {
    await Deno.writeTextFile(place.file(`bin/${name}`), text, { mode: 0o755 });
  }
  if (isCompiled()) {
    await Deno.copyFile(program().command, place.file("bin/step-rekey"));
  }
  for (const [name, text] of Object.entries(units(place.path))) {
    const path = place.file(`units/${name}`);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
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

function isCompiled(): boolean {
  return program().args.length === 0;
}
