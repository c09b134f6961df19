/**
 * Real servers from Debian that serve `host.crt` of a directory.
 */
import { run, runOk } from "./run.ts";
import { closedPort } from "./tcp_peers.ts";

/** The two ways to tell a server. */
export type ReloadWay = "exec" | "pid-file";

/** A running server. Disposing it stops it. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  readonly protocol: "tls" | "postgres";
  /** Flags that make a rekey reload it. */
  readonly reload: readonly string[];
}

/** How to start one in a directory that holds `host.crt` and `keyName`. */
export interface TlsServerKind {
  readonly name: string;
  /** Without it, its tests are ignored; on CI they fail. */
  readonly program: string;
  readonly keyName: string;
  start(directory: string, way: ReloadWay): Promise<TlsServer>;
}

const POSTGRES = await findPostgres();

/** All that Debian packages bring. */
export const TLS_SERVERS: readonly TlsServerKind[] = [
  {
    name: "nginx",
    program: "/usr/sbin/nginx",
    keyName: "host.key",
    start: startNginx,
  },
  {
    name: "haproxy",
    program: "/usr/sbin/haproxy",
    // Where it looks for the key of a certificate without one.
    keyName: "host.crt.key",
    start: startHaproxy,
  },
  {
    name: "PostgreSQL",
    program: `${POSTGRES}/postgres`,
    keyName: "host.key",
    start: startPostgres,
  },
];

/** Whether the tests of a server cannot run here. */
export function isMissing({ program }: TlsServerKind): boolean {
  if (Deno.env.get("CI") === "true") return false;
  try {
    return !Deno.statSync(program).isFile;
  } catch {
    // Any reason is the same here: it cannot be run.
    return true;
  }
}

async function startNginx(
  directory: string,
  way: ReloadWay,
): Promise<TlsServer> {
  const port = closedPort();
  const config = `${directory}/nginx.conf`;
  await Deno.writeTextFile(
    config,
    `pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
worker_processes 2;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${directory}/host.crt;
    ssl_certificate_key ${directory}/host.key;
  }
}
`,
  );
  const nginx = ["/usr/sbin/nginx", "-p", directory, "-c", config];
  return {
    ...await serving([...nginx, "-g", "daemon off;"], port),
    protocol: "tls",
    reload: way === "exec"
      ? ["--exec", [...nginx, "-s", "reload"].join(" ")]
      : ["--pid-file", `${directory}/nginx.pid`],
  };
}

/** In master-worker mode, which SIGUSR2 reloads without closing a socket. */
async function startHaproxy(
  directory: string,
  way: ReloadWay,
): Promise<TlsServer> {
  const port = closedPort();
  const combined = `${directory}/combined.pem`;
  const pidFile = `${directory}/haproxy.pid`;
  const hook = `${directory}/hook`;
  await Deno.writeTextFile(
    hook,
    `#!/bin/sh
set -e
umask 077
cat "$STEP_REKEY_CERT" "$STEP_REKEY_KEY" > ${combined}.new
mv ${combined}.new ${combined}
[ ! -e ${pidFile} ] || kill -USR2 "$(cat ${pidFile})"
`,
    { mode: 0o755 },
  );
  await runOk(hook, [], {
    env: {
      STEP_REKEY_CERT: `${directory}/host.crt`,
      STEP_REKEY_KEY: `${directory}/host.crt.key`,
    },
  });
  // By exec it serves the one file that the hook makes, else the pair itself.
  const served = way === "exec" ? combined : `${directory}/host.crt`;
  await Deno.writeTextFile(
    `${directory}/haproxy.cfg`,
    `global
  stats socket ${directory}/haproxy.sock mode 600 expose-fd listeners level admin
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend test
  bind 127.0.0.1:${port} ssl crt ${served}
  http-request return status 204
`,
  );
  const server = await serving([
    ...["/usr/sbin/haproxy", "-W", "-p", pidFile],
    ...["-f", `${directory}/haproxy.cfg`],
  ], port);
  return {
    ...server,
    protocol: "tls",
    reload: way === "exec"
      ? ["--exec", hook]
      : ["--pid-file", pidFile, "--signal", "12"],
  };
}

/** It refuses to run as root, and to read a key that others may. */
async function startPostgres(
  directory: string,
  way: ReloadWay,
): Promise<TlsServer> {
  const port = closedPort();
  const data = `${directory}/data`;
  const as = Deno.uid() === 0
    ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    : [];
  await Deno.mkdir(data, { mode: 0o700 });
  if (as.length > 0) {
    await runOk("chown", ["-R", "postgres:postgres", directory]);
  }
  const [first = `${POSTGRES}/initdb`, ...rest] = [
    ...as,
    ...[`${POSTGRES}/initdb`, "-D", data, "-A", "trust", "--no-sync"],
  ];
  await runOk(first, rest);
  await Deno.writeTextFile(
    `${data}/postgresql.conf`,
    `listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
fsync = off
max_connections = 20
ssl = on
ssl_cert_file = '${directory}/host.crt'
ssl_key_file = '${directory}/host.key'
log_min_messages = fatal
`,
  );
  const ctl = [...as, `${POSTGRES}/pg_ctl`, "reload", "-s", "-D", data];
  return {
    ...await serving([...as, `${POSTGRES}/postgres`, "-D", data], port),
    protocol: "postgres",
    reload: way === "exec"
      ? ["--exec", ctl.join(" ")]
      : ["--pid-file", `${data}/postmaster.pid`],
  };
}

/** Starts a server and waits until its port is open. */
async function serving(
  [program = "", ...args]: readonly string[],
  port: number,
): Promise<Pick<TlsServer, "port"> & AsyncDisposable> {
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const state = { hasEnded: false };
  const ended = child.status.then(() => state.hasEnded = true);
  while (!await isOpen(port)) {
    if (state.hasEnded) throw new Error(`${program} did not start`);
    // Nothing tells; without a pause it is the server that waits for us.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      // PostgreSQL and haproxy: at once, without waiting for their clients.
      if (!state.hasEnded) child.kill("SIGINT");
      await ended;
    },
  };
}

async function isOpen(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function findPostgres(): Promise<string> {
  const { stdout } = await run("sh", [
    "-c",
    "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1",
  ]);
  return stdout.trim() || "/usr/lib/postgresql/bin";
}
