/**
 * The real nginx, serving internal.crt and internal.key of a directory, or
 * ending TLS with them in front of another server.
 */
import { assertEquals } from "./assert.ts";
import { run, runOk } from "./run.ts";
import { closedPort } from "./tcp_peers.ts";

const NGINX = "/usr/sbin/nginx";

/** Tests that need it are ignored where it is missing, but fail on CI. */
export const nginxMissing: boolean =
  !await Deno.stat(NGINX).then(() => true, () => false) &&
  Deno.env.get("CI") !== "true";

/** A running server. Disposing it stops it. */
export interface NginxServer extends AsyncDisposable {
  /** A folder for PATH: its `nginx` is this server's. */
  readonly bin: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** The lines of the requests so far: `POST /renew`. */
  requests(): Promise<readonly string[]>;
  /** Shakes hands until the server shows the serial number, within a limit. */
  shows(serial: string): Promise<void>;
}

/** Handshakes until a reload has to be over. */
const MAX_HANDSHAKES = 200;

/** A server's settings and how to look at it, whoever starts it. */
export interface NginxPlace extends Omit<NginxServer, keyof AsyncDisposable> {
  /** What runs it in the foreground. */
  readonly command: readonly string[];
}

/**
 * Starts one in the foreground, all its files in `directory`.
 *
 * @param upstream URL that it hands requests on to; it verifies nothing
 */
export async function startNginx(
  directory: string,
  upstream?: string,
): Promise<NginxServer> {
  const place = await nginxPlace(directory, upstream);
  const [command = "", ...args] = place.command;
  const server = new Deno.Command(command, {
    args,
    stdin: "null",
    stderr: "null",
  }).spawn();
  return {
    ...place,
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
    },
  };
}

/** Writes its settings, and starts nothing. */
export async function nginxPlace(
  directory: string,
  upstream?: string,
): Promise<NginxPlace> {
  const port = closedPort();
  const bin = `${directory}/bin`;
  await Deno.writeTextFile(
    `${directory}/nginx.conf`,
    config(directory, { port, upstream }),
  );
  await Deno.mkdir(bin);
  await Deno.writeTextFile(
    `${bin}/nginx`,
    `#!/bin/sh\nexec ${NGINX} -p ${directory} -c ${directory}/nginx.conf "$@"\n`,
    { mode: 0o755 },
  );
  return {
    bin,
    port,
    command: [`${bin}/nginx`, "-g", "daemon off;"],
    async requests() {
      const log = await Deno.readTextFile(`${directory}/access.log`);
      return log.split("\n").slice(0, -1);
    },
    async shows(serial) {
      let seen = "";
      for (let tries = 0; tries < MAX_HANDSHAKES; tries++) {
        seen = await shownSerial(port);
        if (seen === serial) return;
      }
      assertEquals(seen, serial, "nginx shows another certificate");
    },
  };
}

function config(
  directory: string,
  { port, upstream }: {
    readonly port: number;
    readonly upstream: string | undefined;
  },
): string {
  return `pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events {}
http {
  log_format line "$request_method $uri";
  access_log ${directory}/access.log line;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${directory}/internal.crt;
    ssl_certificate_key ${directory}/internal.key;
    ${upstream === undefined ? "" : `location / { proxy_pass ${upstream}; }`}
  }
}
`;
}

/** Empty while nothing listens. */
async function shownSerial(port: number): Promise<string> {
  const { code, stdout } = await run("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${port}`],
  ]);
  if (code !== 0) return "";
  const shown = await runOk("openssl", ["x509", "-noout", "-serial"], {
    stdin: stdout,
  });
  return shown.stdout.trim().replace(/^serial=/, "");
}
