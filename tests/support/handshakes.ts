/**
 * A client that shakes hands with a TLS server without a pause.
 */
import { sha256 } from "../../src/base/bytes.ts";
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import type { TlsServer } from "./tls_servers.ts";

/** A client that never rests. Disposing it ends it. */
export interface Handshakes extends AsyncDisposable {
  /** Waits until the server shows this certificate file's leaf. */
  show(certificateFile: string): Promise<void>;
  /** How many there were, and why some failed. */
  readonly count: number;
  readonly failures: readonly string[];
}

/** Starts one. */
export function shakeHands(
  { port, protocol }: Pick<TlsServer, "port" | "protocol">,
): Handshakes {
  const script = decodeURIComponent(
    new URL("handshakes.py", import.meta.url).pathname,
  );
  const child = new Deno.Command("python3", {
    args: [script, String(port), protocol],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const failures: string[] = [];
  const state = { count: 0, last: "", next: Promise.withResolvers<void>() };
  const drained = (async () => {
    let rest = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        state.count++;
        if (line.startsWith("failed")) failures.push(line);
        else state.last = line;
      }
      state.next.resolve();
      state.next = Promise.withResolvers();
    }
  })();
  return {
    async show(certificateFile) {
      const [leaf] = parseChain(await Deno.readFile(certificateFile));
      if (leaf === undefined) throw new Error("no certificate");
      const wanted = await sha256(leaf.der);
      const end = performance.now() + SHOW_LIMIT_MS;
      while (state.last !== wanted) {
        if (performance.now() > end) {
          throw new Error(`still the old certificate: ${failures.at(-1)}`);
        }
        await state.next.promise;
      }
    },
    get count() {
      return state.count;
    },
    failures,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await drained;
      await child.status;
    },
  };
}

/** A reload has to be over by then, in ms, also on a busy machine. */
const SHOW_LIMIT_MS = 300_000;
