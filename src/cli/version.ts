/**
 * The version, as people and programs read it.
 *
 * Clients of the original take the second word of its first line, `CLI/0.24.0`,
 * and compare what stands behind the slash. By its name they get the version of
 * the original whose answers they may expect; who answers stands beside it.
 */
import { STEP_VERSION, VERSION } from "./grammar/command.ts";
import { COMMIT } from "./grammar/commit.ts";
import { PROGRAM, type StepName } from "./process/called_as.ts";

/** Go's names of what Deno calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
};

export function versionText(
  { calledAs, isJson }: {
    readonly calledAs: StepName | undefined;
    readonly isJson: boolean;
  },
): string {
  const { os, arch: denoArch } = Deno.build;
  const arch = ARCHITECTURES[denoArch] ?? denoArch;
  const isStep = calledAs !== undefined;
  if (isJson) {
    const compatibleWith = isStep ? `step ${STEP_VERSION}` : null;
    return `${
      JSON.stringify({
        name: PROGRAM,
        version: VERSION,
        os,
        arch,
        compatibleWith,
        commit: COMMIT,
        deno: Deno.version.deno,
      })
    }\n`;
  }
  const own = `Version: ${PROGRAM}/${VERSION}`;
  const system = `(${os}/${arch})`;
  const origin = COMMIT === null ? "From source" : `Commit: ${COMMIT}`;
  const made = `${origin}, Deno ${Deno.version.deno}\n`;
  return isStep
    ? `${PROGRAM} step-compatible/${STEP_VERSION} ${system}\n${own}, called as ${calledAs}; "${calledAs} help" lists the commands that it has\n${made}`
    : `${own} ${system}\n${made}`;
}
