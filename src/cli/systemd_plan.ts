/**
 * What `systemd print` and `systemd install` make units of: the line of the
 * service, and what the units have to allow it.
 */
import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions } from "../base/options.ts";
import { absolutePath, STANDARD_INPUT } from "../base/paths.ts";
import type {
  FlagDefinitions,
  FlagValue,
  Invocation,
} from "./grammar/command.ts";
import { REKEY_FLAGS } from "./resolve/flags.ts";
import { resolveRekey } from "./resolve/rekey.ts";
import type { UnitPlan } from "./systemd_units.ts";

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
export const SYSTEMD_FLAGS = { ...OWN_FLAGS, ...FORWARDED };

/** Flags that name a file for the service alone. */
const PASSWORD_FLAGS = [
  "password-file",
  "private-key-password-file",
  "ca-password-file",
] as const;

export interface UnitOptions {
  readonly plan: UnitPlan;
  readonly isTimer: boolean;
  readonly directory: string;
  readonly overwrite: "ask" | "without asking";
}

/** What is wrong with the line of the service is found now, and not at its start. */
export async function resolveUnits(
  invocation: Invocation<typeof SYSTEMD_FLAGS>,
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
  const line = serviceLine(withPlaces(flags, options), { absolute, keep });
  const { output, reload, write: { attributes } } = options;
  const writes = [output.certificate, output.key]
    .map((path) => keep(absolute(path).replace(/\/[^/]*$/, "") || "/"));
  const used = [certificateFile, keyFile, ...writes];
  const name = /([^/]*?)(\.[^./]*)?$/.exec(certificateFile)?.[1] ?? "";
  return {
    plan: {
      instance: isTemplate ? undefined : instanceName(name),
      program: [keep(programFile(flags.binary, absolute))],
      words: [...line.words, keep(certificateFile), keep(keyFile)],
      credentials: line.credentials,
      writes: [...new Set(writes)],
      paths: [certificateFile, keyFile, ...line.paths],
      user: flags.user || undefined,
      signals: reload.signal !== undefined,
      givesAway: attributes.owner !== undefined ||
        attributes.group !== undefined ||
        (await Promise.all(used.map(isOthers))).includes(true),
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

type FlagsOfLine = Readonly<Record<string, FlagValue | undefined>>;

/** Where the service runs there is no $(step path) of this user. */
function withPlaces(
  flags: FlagsOfLine,
  { authority }: Pick<RekeyOptions, "authority">,
): FlagsOfLine {
  const [name, place] = authority.mode === "online"
    ? ["root", authority.root]
    : ["ca-config", authority.config];
  return { ...flags, [name]: flags[name] ?? place };
}

interface ServiceLine {
  readonly words: readonly string[];
  readonly credentials: Readonly<Record<string, string>>;
  /** Of the files that its flags name. */
  readonly paths: readonly string[];
}

/** The flags of a service, which runs elsewhere and as somebody else. */
function serviceLine(
  flags: FlagsOfLine,
  { absolute, keep }: {
    readonly absolute: (path: string) => string;
    /** Guards what systemd would replace. */
    readonly keep: (text: string) => string;
  },
): ServiceLine {
  const credentials: Record<string, string> = {};
  const words: string[] = [];
  const paths: string[] = [];
  for (const [name, definition] of Object.entries(FORWARDED)) {
    const value = flags[name];
    if (value === undefined || value === false || !isForwarded(name)) continue;
    if (value === STANDARD_INPUT) {
      throw new RekeyError(
        "usage",
        `flag '--${name}' cannot be standard input for a service`,
        { hint: "name a file" },
      );
    }
    const flag = `--${name}`;
    if (value === true) {
      words.push(flag);
      continue;
    }
    const text = String(value);
    if (isPasswordFlag(name) && text !== "") {
      credentials[name] = keep(absolute(text));
      words.push(flag, `%d/${name}`);
      continue;
    }
    const isPath = "placeholder" in definition &&
      /file|directory/.test(definition.placeholder);
    const places = isPath ? text.split(",").map(absolute) : [];
    paths.push(...places);
    words.push(flag, keep(isPath ? places.join(",") : text));
  }
  return { words, credentials, paths };
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
