/**
 * Why the system does not let this process at a file, for messages.
 */
import { osCode } from "./os_error.ts";

/**
 * What stands in the way of reading `path`: the file, or the first folder above
 * it that cannot be entered, with owner, mode and who runs.
 *
 * @param error what the system said
 * @returns undefined for another error, where it cannot be found out, and on
 *   other systems
 */
export function accessFacts(path: string, error: unknown): string | undefined {
  if (osCode(error) !== "EACCES" || Deno.build.os === "windows") {
    return undefined;
  }
  let place = path;
  for (;;) {
    const facts = factsOf(place);
    if (facts !== undefined) {
      const what = place === path ? "it" : `its folder ${place}`;
      return `${what} ${facts}, and this program runs as uid ${Deno.uid()}`;
    }
    const cut = place.replace(/\/+$/, "").lastIndexOf("/");
    if (cut < 0) return undefined;
    const above = cut === 0 ? "/" : place.slice(0, cut);
    if (above === place) return undefined;
    place = above;
  }
}

function factsOf(path: string): string | undefined {
  try {
    const { uid, gid, mode } = Deno.statSync(path);
    const bits = ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
    return `belongs to uid ${uid} and gid ${gid} with mode ${bits}`;
  } catch {
    // Whatever the reason: what is above may tell more.
    return undefined;
  }
}
