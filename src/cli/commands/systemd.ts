import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { type CommandDefinition, defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import {
  resolveUnits,
  SYSTEMD_FLAGS,
  type UnitOptions,
} from "../systemd_plan.ts";
import type { UnitFile, UnitPlan } from "../systemd_units.ts";

const POSITIONALS = {
  "crt-file":
    "The certificate; with %i in its path the unit is a template for many.",
  "key-file": "The key file of the certificate.",
};

const DESCRIPTION =
  'The flags are those of ca rekey, which is what the unit runs; settings from variables and files are written into it. Only the folders of the pair can be written by it, and by the commands of --exec: let those ask systemd, as in "systemctl reload nginx". Passwords are handed over as credentials.';

export const print = definition({
  word: "print",
  brief: "print the units of a service that rekeys a certificate",
  examples: [
    [
      "A daemon",
      'systemd print --exec "systemctl reload nginx" \\\n/etc/tls/host.crt /etc/tls/host.key',
    ],
    ["A timer", "systemd print --timer /etc/tls/host.crt /etc/tls/host.key"],
  ],
  run({ plan, isTimer }, program) {
    return withUnits(plan, isTimer, (units) => {
      const text = units.map(({ name, text }) => `# ${name}\n${text}`);
      program.stdout.write(text.join("\n"));
      return Promise.resolve();
    });
  },
});

export const install = definition({
  word: "install",
  brief: "write the units of a service that rekeys a certificate",
  examples: [
    [
      "A daemon",
      'systemd install --exec "systemctl reload nginx" \\\n/etc/tls/host.crt /etc/tls/host.key',
    ],
  ],
  async run({ plan, isTimer, directory, overwrite }, program) {
    const [{ openSingleFile }, { singleRun }] = await Promise.all([
      import("../../files/single_file.ts"),
      import("../process/deno_runtime.ts"),
    ]);
    const { signal, ...runtime } = singleRun(directory, program);
    return await withUnits(plan, isTimer, async (units) => {
      const options = { mode: 0o644, overwrite, runtime, signal };
      const opened = [];
      // All are asked for before the first is written.
      for (const { name, text } of units) {
        const path = `${directory}/${name}`;
        opened.push({ path, text, file: await openSingleFile(path, options) });
      }
      for (const { path, text, file } of opened) {
        await file.write(new TextEncoder().encode(text));
        program.stderr.write(`The unit has been saved in ${path}.\n`);
      }
      const last = units.at(-1)?.name ?? "";
      program.stderr.write(
        `Start it with: systemctl daemon-reload && systemctl enable --now ${
          last.replace("@.", "@NAME.")
        }\n`,
      );
    });
  },
});

function definition(
  { word, brief, examples, run }: {
    readonly word: "print" | "install";
    readonly brief: string;
    readonly examples: CommandDefinition["examples"];
    run(options: UnitOptions, program: Program): Promise<number>;
  },
): CommandDefinition<typeof SYSTEMD_FLAGS, UnitOptions> {
  return defineCommand({
    path: ["systemd", word],
    brief,
    programInErrors: "step-rekey",
    description: [DESCRIPTION],
    positionals: POSITIONALS,
    flags: SYSTEMD_FLAGS,
    exitCodes: exitCodes("done", {
      usage: ERROR_MEANINGS.usage,
      config: ERROR_MEANINGS.config,
      ...word === "install" && {
        install: "the units cannot be written",
        declined: ERROR_MEANINGS.declined,
      },
    }),
    examples,
    resolve: resolveUnits,
    run,
  });
}

async function withUnits(
  plan: UnitPlan,
  isTimer: boolean,
  use: (units: readonly UnitFile[]) => Promise<void>,
): Promise<number> {
  const { daemonUnit, timerUnits } = await import("../systemd_units.ts");
  await use(isTimer ? timerUnits(plan) : daemonUnit(plan));
  return 0;
}
