/** Paths for scripts and tests, without a dependency. */

/** The path of a `file:` URL. */
export function fromFileUrl(url: URL): string {
  return decodeURIComponent(url.pathname);
}

/** The root of the checkout, with a slash at its end. */
export const ROOT: string = fromFileUrl(new URL("../", import.meta.url));

/** The per-user cache of built test parts: `$XDG_CACHE_HOME/step-rekey` or `~/.cache/step-rekey`. */
export function cacheDirectory(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ||
    `${Deno.env.get("HOME") || "/tmp"}/.cache`;
  return `${base}/step-rekey`;
}

/** The folder of Deno's own cache: it would move with HOME, and be empty there. */
export async function denoCacheDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-config"],
    cwd: "/",
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
