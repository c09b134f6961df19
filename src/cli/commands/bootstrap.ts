import { isThere } from "../../base/os_error.ts";
import { printable } from "../../base/printable.ts";
import type { SingleFile } from "../../files/single_file.ts";
import {
  ANY_COMMAND,
  CA_ASKER,
  exitCodes,
  FILE_WRITER,
  ROOT_ANSWER,
} from "../exit_codes.ts";
import { defineCommand, type FlagDefinitions } from "../grammar/command.ts";
import type { Asker } from "../process/ask_authority.ts";
import type { Program } from "../process/program.ts";
import {
  type Address,
  ADDRESS_FLAGS,
  type Fingerprint,
  FINGERPRINT_FLAGS,
  resolveAddress,
  resolveFingerprint,
} from "../resolve/authority_info.ts";
import { FlagReader } from "../resolve/flag_reader.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";
import type { ContextNames, NewFile } from "../settings/new_settings.ts";
import { joinPath } from "../settings/step_path.ts";

/** Of contexts, and those of the original that are refused. */
const OWN_FLAGS = {
  "redirect-url": {
    kind: "text",
    group: "authority",
    placeholder: "url",
    help:
      "The <url> that step opens in the browser after an OAuth flow; it is only written down.",
  },
  "context": {
    ...ADDRESS_FLAGS.context,
    help: "The <name> of the context to add, or to set up anew.",
  },
  "profile": {
    kind: "text",
    group: "program",
    placeholder: "name",
    help:
      "The <name> of the profile of the context. Defaults to that of the context.",
  },
  "authority": {
    kind: "text",
    group: "program",
    placeholder: "name",
    help:
      "The <name> of the authority of the context. Defaults to that of the context.",
  },
  "install": {
    kind: "boolean",
    group: "authority",
    help:
      "Refused: a trust store of the system is not for this program to change.",
  },
  "team": {
    kind: "text",
    group: "authority",
    placeholder: "ID",
    help:
      "Refused, as are --team-authority and --team-url: give --ca-url and --fingerprint.",
  },
  "team-authority": {
    kind: "text",
    group: "authority",
    placeholder: "sub-domain",
    help: "Refused: see --team.",
  },
  "team-url": {
    kind: "text",
    group: "authority",
    placeholder: "url",
    help: "Refused: see --team.",
  },
} as const satisfies FlagDefinitions;

const FLAGS = {
  ...ADDRESS_FLAGS,
  ...FINGERPRINT_FLAGS,
  "force": REKEY_FLAGS.force,
  ...OWN_FLAGS,
} as const satisfies FlagDefinitions;

interface BootstrapOptions extends Address {
  readonly fingerprint: Fingerprint;
  readonly redirectUrl: string;
  /** `$STEPPATH` or `~/.step`. */
  readonly base: string;
  /** Undefined where no context is asked for; the host's contexts may want one. */
  readonly names: ContextNames | undefined;
  readonly isForced: boolean;
  readonly isJson: boolean;
}

export const command = defineCommand({
  path: ["ca", "bootstrap"],
  brief: "initialize the environment to use the CA commands",
  programInErrors: "step",
  description: [
    "step-rekey ca bootstrap downloads the root certificate that has the --fingerprint, and writes it to certs/root_ca.crt in $(step path) and URL, root and fingerprint to config/defaults.json. Commands after it need neither --ca-url nor --root.",
    "With --context, --authority or --profile, and where contexts are in use, it adds a context and makes it the current one. Existing files are only replaced after a question, or with --force; the files with defaults count for nothing here.",
  ],
  positionals: {},
  flags: FLAGS,
  makesSettings: true,
  exitCodes: exitCodes("the environment is set up", {
    ...ANY_COMMAND,
    ...FILE_WRITER,
    ...CA_ASKER,
    ...ROOT_ANSWER,
    config: "contexts or --ca-url is unusable",
  }),
  examples: [
    [
      "Set a host up for a CA",
      "ca bootstrap --ca-url https://ca.example:9000 \\\n--fingerprint 0d7d3834cf187726cf331c40a31aa7ef6b29ba4df601416c9788f6ee01058cf3",
    ],
  ],
  resolve(invocation) {
    const name = "step ca bootstrap";
    const reader = new FlagReader(invocation, FLAGS);
    refuseUnsupported(reader);
    const { flags } = invocation;
    const names = {
      context: namedBy(reader, "context"),
      authority: namedBy(reader, "authority"),
      profile: namedBy(reader, "profile"),
    };
    const isNamed = (["context", "authority", "profile"] as const)
      .some((flag) => reader.isSet(flag));
    return {
      ...resolveAddress(invocation, name),
      fingerprint: resolveFingerprint(invocation, name),
      redirectUrl: reader.text("redirect-url") ?? "",
      base: invocation.stepPath,
      names: isNamed ? names : undefined,
      isForced: flags.force === true,
      isJson: flags.json === true,
    };
  },
  async run(options: BootstrapOptions, program: Program) {
    const { askAuthority } = await import("../process/ask_authority.ts");
    return await askAuthority(program, options.base, async (asker) => {
      await bootstrap(options, { program, asker });
      return 0;
    });
  },
});

async function bootstrap(
  options: BootstrapOptions,
  { program, asker }: { readonly program: Program; readonly asker: Asker },
): Promise<void> {
  const [
    { newSettings },
    { fetchRoot },
    { openSingleFile },
    { chainToPem },
    { jsonAnswer },
  ] = await Promise.all([
    import("../settings/new_settings.ts"),
    import("../../ca/online/authority_info.ts"),
    import("../../files/single_file.ts"),
    import("../../pki/certificate/certificate.ts"),
    import("../../observe/json_line.ts"),
  ]);
  const { base, url, timeoutMs, fingerprint, redirectUrl, names } = options;
  const authority = { url, fingerprint: fingerprint.typed, redirectUrl };
  const settings = await newSettings(base, authority, names);
  if (settings.context === undefined) await warnOfAuthority(base, program);
  const files: (NewFile & { readonly file: SingleFile })[] = [];
  for (const each of settings.files) {
    if (each.existing === "keep" && await isThere(each.path)) continue;
    const file = await openSingleFile(each.path, {
      mode: each.mode,
      overwrite: each.existing === "ask" && !options.isForced
        ? "ask"
        : "without asking",
      makesFolder: true,
      runtime: asker,
      signal: asker.signal,
    });
    files.push({ ...each, file });
  }
  const root = await fetchRoot(
    { url, timeoutMs, ...asker },
    fingerprint.digest,
  );
  for (const { path, content = chainToPem([root]), saved, file } of files) {
    await file.write(new TextEncoder().encode(content));
    if (saved === undefined || options.isJson) continue;
    program.stderr.write(`The ${saved} has been saved in ${path}.\n`);
  }
  if (!options.isJson) return;
  const { rootFile, defaultsFile, context = null } = settings;
  program.stdout.write(jsonAnswer({
    url,
    fingerprint: fingerprint.digest,
    root: rootFile,
    defaults: defaultsFile,
    context,
  }));
}

/** Settings beside a CA's own files: a context would keep them apart. */
async function warnOfAuthority(base: string, program: Program): Promise<void> {
  const config = joinPath(base, "config", "ca.json");
  if (!await isThere(config)) return;
  program.stderr.write(
    `warning: ${
      printable(config)
    } is of a certificate authority; --context keeps the settings of several apart\n`,
  );
}

/** It becomes a folder's name, and must not lead out of where that belongs. */
function namedBy(
  reader: FlagReader<typeof FLAGS>,
  flag: "context" | "authority" | "profile",
): string | undefined {
  const name = reader.text(flag);
  if (name === undefined || flag === "context") return name;
  const isFolder = !name.split("/").some((part) =>
    ["", ".", ".."].includes(part)
  );
  if (isFolder) return name;
  throw reader.invalid(flag, "it has to be the name of a folder");
}

/** @throws {RekeyError} kind `usage`, before anything is asked or written */
function refuseUnsupported(flags: FlagReader<typeof FLAGS>): void {
  const { values } = flags;
  if (values.install === true) {
    throw flags.usage("flag '--install' is not supported by step-rekey", {
      flags: ["install"],
      hint:
        "leave it out, then add certs/root_ca.crt by the system's own means, such as update-ca-certificates",
    });
  }
  for (const flag of ["team", "team-authority", "team-url"] as const) {
    if (flags.text(flag) === undefined) continue;
    throw flags.usage(`flag '--${flag}' is not supported by step-rekey`, {
      flags: [flag],
      hint: "give --ca-url and --fingerprint of the authority instead",
    });
  }
}
