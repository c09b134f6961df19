/** In ms: more than any event takes, so that no test waits for ever. */
const LIMIT_MS = 300_000;

/**
 * Waits for a file that `when` accepts the text of.
 *
 * @throws {Error} with the text, after five minutes
 */
export async function fileHolds(
  file: string,
  when: (text: string) => boolean,
): Promise<string> {
  using watcher = Deno.watchFs(file.slice(0, file.lastIndexOf("/")));
  const read = () => Deno.readTextFile(file).catch(() => "");
  let text = await read();
  if (when(text)) return text;
  const limit = setTimeout(() => watcher.close(), LIMIT_MS);
  try {
    for await (const _ of watcher) {
      text = await read();
      if (when(text)) return text;
    }
  } finally {
    clearTimeout(limit);
  }
  throw new Error(`${file} still holds ${JSON.stringify(text)}`);
}
