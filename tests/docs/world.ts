/**
 * A throwaway machine for the pages: a real systemd in namespaces of its own,
 * with Debian's services, a step-ca at https://ca.example:9000 with its files in
 * /etc/step-ca, and `step-rekey` and `step` in the search path.
 *
 * It has its own /etc, /var/log, /run, network and processes; nothing that a
 * page writes there stays on this machine.
 */
import { OpensslCa } from "../support/openssl_ca.ts";
import { run, runOk } from "../support/run.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { systemdMissing } from "../support/systemd.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { BOOT, PATH, writeMachineFiles } from "./machine_files.ts";
import { type Shell, startShell } from "./shell.ts";

/** The machine. Disposing it ends every process in it. */
export interface World extends AsyncDisposable {
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
}

/** Why there is none here; undefined when there is. */
export async function worldMissing(): Promise<string | undefined> {
  return stepCaMissing ?? await systemdMissing() ?? await serverMissing();
}

/** On CI all of Debian's servers are there, and `systemctl start` says if not. */
async function serverMissing(): Promise<string | undefined> {
  if (Deno.env.get("CI") === "true") return undefined;
  for (const server of ["nginx", "haproxy", "pg_ctlcluster"]) {
    const { code } = await run("sh", ["-c", `command -v ${server}`], {
      env: { PATH },
    });
    if (code !== 0) return `${server} is not installed`;
  }
  return undefined;
}

const TIDY = `
systemctl stop 'step-rekey@*' 'cert-renewer@*' envoy nginx haproxy postgresql 2> /dev/null || :
rm -rf /etc/tls "$HOME" "$HERE" /etc/systemd/system/step-rekey@* \\
  /etc/systemd/system/cert-renewer@* /etc/nginx /etc/haproxy /etc/postgresql
cp -a "$W/servers/." /etc
systemctl daemon-reload
systemctl reset-failed
`;

/** Boots one. */
export async function bootWorld(): Promise<World> {
  const place = await tempDir();
  const machine = await boot(place);
  const inside = [
    "nsenter",
    "-t",
    String(machine.init),
    "-p",
    "-m",
    "-n",
    "-u",
  ];
  const home = place.file("home");
  const here = place.file("here");
  const env = { PATH, LC_ALL: "C", HOME: home, HERE: here, W: place.path };
  const enter = async (script: string, stdin = "") => {
    const [command = "", ...words] = [...inside, "sh", "-ec"];
    const text = `mkdir -p "$HOME" "$HERE"\ncd "$HERE"\n${script}`;
    await runOk(command, [...words, text], { env, clearEnv: true, stdin });
  };
  return {
    async shell() {
      await enter("");
      const words = [...inside, "env", "-C", here];
      const shell = startShell(words, { PATH, LC_ALL: "C", HOME: home });
      return {
        async run(command) {
          const { output, code } = await shell.run(command);
          return { output: output.replaceAll(home, "/root"), code };
        },
        [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
      };
    },
    async write(path, text) {
      const mode = text.startsWith("#!") ? "755" : "644";
      await enter(`install -D -m ${mode} /dev/stdin '${path}'`, text);
    },
    async give(item) {
      if (isExpired(item)) await makeExpired(place);
      await enter(givenLines(item));
    },
    tidy: () => enter(TIDY),
    async [Symbol.asyncDispose]() {
      Deno.kill(machine.init, "SIGKILL");
      await machine.ended;
      await place[Symbol.asyncDispose]();
    },
  };
}

interface Machine {
  /** Its first process, as seen from here. */
  readonly init: number;
  /** All of its processes are gone. */
  readonly ended: Promise<unknown>;
}

/** Resolves when the CA serves. */
async function boot(place: TempDir): Promise<Machine> {
  await writeMachineFiles(place);
  // Whoever opens it to read waits for the unit that writes.
  await runOk("mkfifo", [place.file("ready")]);
  const { pid, status, stderr } = new Deno.Command("unshare", {
    args: ["-fpmCnu", "--kill-child", "--mount-proc", "sh", "-c", BOOT],
    env: { W: place.path, PATH },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(stderr).text();
  const result = await Promise.race([
    Deno.readTextFile(place.file("ready")),
    status.then(() => errors),
  ]);
  if (result !== "success\n") {
    const log = await Deno.readTextFile(place.file("step-ca.log"))
      .catch(() => "");
    throw new Error(`the machine of the pages does not start: ${result}${log}`);
  }
  const children = `/proc/${pid}/task/${pid}/children`;
  return { init: Number(await Deno.readTextFile(children)), ended: errors };
}

/** Of a certificate's path. */
function isExpired(item: string): boolean {
  return /\bexpired[^/]*$/.test(item);
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
  const from = isExpired(item) ? "expired" : "host";
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
