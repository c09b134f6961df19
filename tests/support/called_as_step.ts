/**
 * The program under test, or the original, under the names that callers type.
 */
import { program } from "./program.ts";

/**
 * Makes the folder `bin` with `step` and `step-cli`: a link where there is a
 * program, else a script, since the name of source and bundle is Deno's.
 */
export async function putStep(
  bin: string,
  binary: string | undefined = compiled(),
): Promise<void> {
  await Deno.mkdir(bin);
  for (const name of ["step", "step-cli"]) {
    if (binary !== undefined) {
      await Deno.symlink(binary, `${bin}/${name}`);
      continue;
    }
    const { command, args } = program();
    const words = [command, ...args].map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(
      `${bin}/${name}`,
      `#!/bin/sh\nSTEP_REKEY_AS_STEP=1 exec ${words} "$@"\n`,
      { mode: 0o755 },
    );
  }
}

function compiled(): string | undefined {
  const { command, args } = program();
  return args.length === 0 ? command : undefined;
}
