/**
 * A process whose certificate store is still unread: what trust.ts does to it
 * cannot be undone, so tests look at it from outside.
 */
import { createPinnedClient, pinTrust } from "../../src/ca/online/trust.ts";

const [scenario, port, rootFile = ""] = Deno.args;
const caCerts = [await Deno.readTextFile(rootFile)];

async function ask(client: Deno.HttpClient): Promise<string> {
  try {
    using _client = client;
    const response = await fetch(`https://127.0.0.1:${port}/`, {
      client,
      method: "POST",
    });
    return `trusted: ${response.status}`;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const text = `${error.message} ${(error.cause as Error)?.message ?? ""}`;
    return `refused: ${
      /invalid peer certificate: \w+/.exec(text)?.[0] ?? text
    }`;
  }
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (scenario === "late") Deno.createHttpClient({}).close();
if (!pinTrust()) {
  say("too late");
  Deno.exit(1);
}
say(await ask(createPinnedClient({ caCerts })));
if (scenario === "pinned") {
  say(await ask(createPinnedClient({ caCerts })));
  say(await ask(Deno.createHttpClient({ caCerts })));
}
