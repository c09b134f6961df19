/**
 * The other end of $NOTIFY_SOCKET: a datagram socket of Python's, so that none
 * of our code or of our runtime's judges what is sent.
 */

/** A listening socket. Disposing it ends its process. */
export interface NotifySocket extends AsyncDisposable {
  /** For NOTIFY_SOCKET. */
  readonly address: string;
  /** What came in so far. */
  readonly messages: readonly string[];
  /** The next message that contains `text`, after those that were waited for. */
  receives(text: string): Promise<string>;
}

/** Listens on a path, or on `@` and a name in the abstract space. */
export async function notifySocket(address: string): Promise<NotifySocket> {
  const script = decodeURIComponent(
    new URL("notify_receiver.py", import.meta.url).pathname,
  );
  const child = new Deno.Command("python3", {
    args: [script, address],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const messages: string[] = [];
  const listening = Promise.withResolvers<void>();
  const news = { changed: Promise.withResolvers<void>() };
  const drained = (async () => {
    let rest = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "ready") listening.resolve();
        else messages.push(JSON.parse(line));
      }
      news.changed.resolve();
      news.changed = Promise.withResolvers();
    }
  })();
  await listening.promise;
  let seen = 0;
  return {
    address,
    messages,
    async receives(text) {
      for (;;) {
        while (seen < messages.length) {
          const message = messages[seen++] ?? "";
          if (message.includes(text)) return message;
        }
        await orTooLate(
          news.changed.promise,
          () => `no ${JSON.stringify(text)} in ${JSON.stringify(messages)}`,
        );
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await drained;
      await child.status;
    },
  };
}

/** What is not said for so long never will be, in ms. */
const LIMIT_MS = 300_000;

async function orTooLate(
  work: Promise<void>,
  complaint: () => string,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(complaint())), LIMIT_MS);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
