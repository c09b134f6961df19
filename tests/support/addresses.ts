/**
 * A CA with several addresses, some of which drop every packet, in network and
 * mount namespaces of their own.
 */
import { ROOT } from "../../scripts/paths.ts";
import { run } from "./run.ts";
import { tempDir } from "./temp_dir.ts";

/** What is around the program. */
export interface AddressPlace {
  /** Of the CA's name, in the order of /etc/hosts. The CA is at those in `alive`. */
  readonly addresses: readonly string[];
  readonly alive: readonly string[];
  /** When the other addresses come alive, in ms after the start; never unless given. */
  readonly reviveAfterMs?: number;
  /** How long the CA takes for an answer. */
  readonly answerAfterMs?: number;
  /** Arguments of what is to run there; `{url}` and `{dir}` are replaced. */
  readonly command: readonly string[];
}

/** What came of it. */
export interface AddressOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
  /** Requests that the CA received. */
  readonly requests: readonly string[];
  /** The addresses that accepted connections, one for each of them. */
  readonly accepted: readonly string[];
}

/** Whether this process may have namespaces. Tests that need them are ignored elsewhere. */
export const CAN_UNSHARE: boolean = Deno.build.os === "linux" &&
  Deno.uid() === 0 &&
  await run("unshare", [
    "-n",
    "-m",
    "ip",
    "link",
    "add",
    "here",
    "type",
    "veth",
  ])
    .then(({ code }) => code === 0, () => false);

/** Runs a command where the CA is `https://ca.test:<port>`. */
export async function runAmongAddresses(
  place: AddressPlace,
): Promise<AddressOutcome> {
  await using dir = await tempDir();
  const { code, stdout, stderr } = await run("unshare", [
    ...["-n", "-m", Deno.execPath(), "run", "-A", "--no-prompt"],
    ...[`${ROOT}tests/support/addresses_child.ts`, dir.path],
    JSON.stringify(place),
  ]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
