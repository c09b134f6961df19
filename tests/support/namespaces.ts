/** Linux namespaces, where this machine lets us make them. */
import { run } from "./run.ts";

/** Why there are none for processes here; undefined where there are. */
export const noNamespaces: string | undefined = await run("unshare", [
  "-pf",
  "true",
]).then(
  ({ code, stderr }) => code === 0 ? undefined : stderr.trim(),
  () => "unshare is not installed",
);
