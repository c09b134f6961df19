import { RekeyError } from "../../base/errors.ts";
import { absolutePath, STANDARD_INPUT } from "../../base/paths.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import {
  type CommandDefinition,
  defineCommand,
  type FlagDefinitions,
  type FlagValue,
  type Invocation,
} from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";
import { resolveRekey } from "../resolve/rekey.ts";
import type { UnitFile, UnitPlan } from "../systemd_units.ts";

const OWN_FLAGS = {
  "timer": {
    kind: "boolean",
    group: "program",
    help:
      "Print a timer and the service that it starts, instead of a daemon. It rekeys after two thirds of the certificate's life, or by --expires-in.",
  },
  "user": {
    kind: "text",
    group: "program",
    placeholder: "name",
    help: "The <name> of the user that the service runs as. Defaults to root.",
  },
  "on-failure": {
    kind: "text",
    group: "program",
    placeholder: "unit",
    help: "The <unit> that systemd starts when the service has failed.",
  },
  "binary": {
    kind: "text",
    group: "program",
    placeholder: "file",
    help:
      "The <file> of the program. Defaults to this one, or to /usr/local/bin/step-rekey where it runs from source.",
  },
  "directory": {
    kind: "text",
    group: "files",
    placeholder: "directory",
    help:
      "The <directory> that systemd install writes to. Defaults to /etc/systemd/system.",
  },
} as const satisfies FlagDefinitions;

const {
  daemon: _implied,
  "dry-run": _dryRun,
  json: _json,
  ...FORWARDED
} = REKEY_FLAGS;
const FLAGS = { ...OWN_FLAGS, ...FORWARDED };

/** Flags that name a file for the service alone. */
const PASSWORD_FLAGS = [
  "password-file",
  "private-key-password-file",
  "ca-password-file",
] as const;

interface UnitOptions {
  readonly plan: UnitPlan;
  readonly isTimer: boolean;
  readonly directory: string;
  readonly overwrite: "ask" | "without asking";
}

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
): CommandDefinition<typeof FLAGS, UnitOptions> {
  return defineCommand({
    path: ["systemd", word],
    brief,
    programInErrors: "step-rekey",
    description: [DESCRIPTION],
    positionals: POSITIONALS,
    flags: FLAGS,
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

/** What is wrong with the line of the service is found now, and not at its start. */
async function resolveUnits(
  invocation: Invocation<typeof FLAGS>,
): Promise<UnitOptions> {
  const { flags, positionals, cwd } = invocation;
  const isTimer = flags.timer === true;
  const options = resolveRekey({
    ...invocation,
    flags: isTimer ? flags : { ...flags, daemon: true },
  });
  const absolute = (path: string) => absolutePath(path, cwd);
  const [certificateFile = "", keyFile = ""] = positionals.map(absolute);
  const isTemplate = certificateFile.includes("%i");
  const keep = (text: string) =>
    isTemplate ? text.replace(/%(?!i)/g, "%%") : text.replaceAll("%", "%%");
  const credentials: Record<string, string> = {};
  const paths = [certificateFile, keyFile];
  const words: string[] = [];
  const add = (name: string, value: FlagValue) => {
    const flag = `--${name}`;
    if (value === true) words.push(flag);
    if (typeof value === "boolean") return;
    if (isPasswordFlag(name) && value !== "") {
      credentials[name] = keep(absolute(String(value)));
      words.push(flag, `%d/${name}`);
      return;
    }
    const definition = FORWARDED[name as keyof typeof FORWARDED];
    const isPath = /file|directory/.test(
      "placeholder" in definition ? definition.placeholder : "",
    );
    const text = isPath
      ? String(value).split(",").map(absolute).join(",")
      : String(value);
    if (isPath) paths.push(...text.split(","));
    words.push(flag, keep(text));
  };
  const values: Record<string, FlagValue | undefined> = { ...flags };
  const { authority } = options;
  // Where the service runs there is no $(step path) of this user.
  if (authority.mode === "online") values["root"] ??= authority.root;
  else values["ca-config"] ??= authority.config;
  for (const name of Object.keys(FORWARDED)) {
    const value = values[name];
    if (value === undefined || !isForwarded(name)) continue;
    if (value === STANDARD_INPUT) {
      throw new RekeyError(
        "usage",
        `flag '--${name}' cannot be standard input for a service`,
        { hint: "name a file" },
      );
    }
    add(name, value);
  }
  words.push(keep(certificateFile), keep(keyFile));
  const { output } = options;
  const writes = [output.certificate, output.key]
    .map((path) => keep(absolute(path).replace(/\/[^/]*$/, "") || "/"));
  const name = /([^/]*?)(\.[^./]*)?$/.exec(certificateFile)?.[1] ?? "";
  return {
    plan: {
      instance: isTemplate ? undefined : instanceName(name),
      program: [keep(programFile(flags.binary, absolute))],
      words,
      credentials,
      writes: [...new Set(writes)],
      paths,
      user: flags.user || undefined,
      signals: options.reload.signal !== undefined,
      givesAway: options.write.attributes.owner !== undefined ||
        options.write.attributes.group !== undefined ||
        (await Promise.all([certificateFile, keyFile, ...writes].map(isOthers)))
          .includes(true),
      onFailure: flags["on-failure"] || undefined,
      settings: undefined,
      certificateFile: keep(certificateFile),
      hasOwnDue: flags["expires-in"] !== undefined,
    },
    isTimer,
    directory: absolute(flags.directory || "/etc/systemd/system"),
    overwrite: flags.force === true ? "without asking" : "ask",
  };
}

/** The context's settings are in the others; --force is about the units. */
function isForwarded(name: string): boolean {
  return name !== "context" && name !== "force";
}

function isPasswordFlag(name: string): boolean {
  return PASSWORD_FLAGS.some((flag) => flag === name);
}

/** What is not there belongs to root in the end. */
async function isOthers(path: string): Promise<boolean> {
  try {
    const { uid, gid } = await Deno.stat(path);
    return uid !== 0 || gid !== 0;
  } catch {
    return false;
  }
}

function programFile(
  given: string | undefined,
  absolute: (path: string) => string,
): string {
  if (given) return absolute(given);
  return Deno.build.standalone ? Deno.execPath() : "/usr/local/bin/step-rekey";
}

/** What systemd takes in the name of a unit (systemd.unit(5)). */
function instanceName(name: string): string {
  if (/^[\w:.\\-]+$/.test(name)) return name;
  throw new RekeyError(
    "usage",
    `the name of the certificate file cannot be that of a unit: ${
      JSON.stringify(name)
    }`,
    { hint: "link it to a name of letters, digits, dots and dashes" },
  );
}
