/**
 * The Debian package: the program, its unit, manual pages and completions.
 *
 * Made by dpkg-deb of a folder, with the texts of scripts/debian. The same
 * program and the same date give the same bytes.
 */
import { COMMANDS } from "../src/cli/commands/catalogue.ts";
import { completionScript } from "../src/cli/completion/script.ts";
import { VERSION } from "../src/cli/grammar/command.ts";
import { PROGRAM } from "../src/cli/process/called_as.ts";
import { placesIn, SHELLS } from "../src/cli/grammar/route.ts";
import { manualPage } from "../src/cli/manual.ts";
import { daemonUnit } from "../src/cli/systemd_units.ts";
import { ROOT } from "./paths.ts";
import { outputOf } from "./run_program.ts";

/** Debian's word for the processor, by the first part of Deno's target. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
};

/** Where the unit looks for pairs and settings. */
const SETTINGS = "/etc/step-rekey";

/** What a package is made of. */
export interface PackageContent {
  /** The compiled program. */
  readonly program: string;
  /** The platform that it runs on, as Deno names it. */
  readonly target: string;
  /** `scripts/parts.ts` */
  readonly licenses: string;
  readonly billOfMaterials: string;
  /** In the place of the version of the program, for tests of upgrades. */
  readonly version?: string;
  readonly date: Date;
  /** For `dpkg-deb`, such as `-Zxz`. */
  readonly compression: readonly string[];
}

/** Debian sorts what stands behind `~` before the version without it. */
function debianVersion(version: string): string {
  return `${version.replace("-", "~")}-1`;
}

/** Makes the package in `directory`; returns its path. */
export async function debianPackage(
  directory: string,
  content: PackageContent,
): Promise<string> {
  const { target, date, compression } = content;
  const version = debianVersion(content.version ?? VERSION);
  const [processor = ""] = target.split("-");
  const architecture = ARCHITECTURES[processor] ?? processor;
  const file = `${directory}/${PROGRAM}_${version}_${architecture}.deb`;
  const root = await Deno.makeTempDir();
  try {
    await Deno.chmod(root, 0o755);
    await fill(root, content, { version, architecture });
    await outputOf([
      ...["find", root, "-type", "d"] as const,
      ...["-exec", "chmod", "0755", "{}", "+"],
    ]);
    const seconds = String(date.getTime() / 1000);
    await outputOf([
      ...["find", root, "-exec", "touch", "--no-dereference"] as const,
      ...["--date", `@${seconds}`, "{}", "+"],
    ]);
    await outputOf([
      ...["dpkg-deb", "--root-owner-group", ...compression] as const,
      ...["--build", root, file],
    ], { env: { SOURCE_DATE_EPOCH: seconds } });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  return file;
}

async function fill(
  root: string,
  { program, licenses, billOfMaterials, date }: PackageContent,
  names: { readonly version: string; readonly architecture: string },
): Promise<void> {
  const documents = `${root}/usr/share/doc/${PROGRAM}`;
  await Deno.mkdir(`${root}${SETTINGS}`, { recursive: true });
  await put(`${root}/usr/bin/${PROGRAM}`, await Deno.readFile(program), 0o755);
  for (const { name, text } of unitFiles(`/usr/bin/${PROGRAM}`)) {
    await put(`${root}/usr/lib/systemd/system/${name}`, text);
  }
  for (const [path, text] of Object.entries(await sharedFiles())) {
    await put(`${root}/usr/share/${path}`, text);
    if (path.startsWith("man/")) await gzip(`${root}/usr/share/${path}`);
  }
  await put(`${documents}/copyright`, licenses);
  await put(`${documents}/${PROGRAM}.cdx.json`, billOfMaterials);
  await gzip(`${documents}/${PROGRAM}.cdx.json`);
  await put(
    `${documents}/changelog`,
    await Deno.readTextFile(`${ROOT}CHANGELOG.md`),
  );
  await gzip(`${documents}/changelog`);
  await put(
    `${documents}/changelog.Debian`,
    changelog(names.version, date),
  );
  await gzip(`${documents}/changelog.Debian`);
  await put(
    `${root}/usr/share/lintian/overrides/${PROGRAM}`,
    await Deno.readTextFile(`${ROOT}scripts/debian/lintian-overrides`),
  );
  await putControl(root, names);
}

/** The unit of `program` for any pair in {@linkcode SETTINGS}. */
export function unitFiles(program: string): ReturnType<typeof daemonUnit> {
  const paths = [`${SETTINGS}/%i.crt`, `${SETTINGS}/%i.key`];
  return daemonUnit({
    instance: undefined,
    program: [program],
    words: paths,
    credentials: {},
    writes: [SETTINGS],
    paths,
    user: undefined,
    signals: false,
    givesAway: false,
    onFailure: undefined,
    settings: SETTINGS,
    certificateFile: `${SETTINGS}/%i.crt`,
    hasOwnDue: false,
  });
}

/** Manual pages and completions, by their paths below a `share` folder. */
export async function sharedFiles(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const place of placesIn({ path: [], entry: COMMANDS })) {
    const name = [PROGRAM, ...place.path].join("-");
    files[`man/man1/${name}.1`] = await manualPage({
      ...place,
      calledAs: undefined,
    });
  }
  const completions = {
    bash: `bash-completion/completions/${PROGRAM}`,
    zsh: `zsh/vendor-completions/_${PROGRAM}`,
    fish: `fish/vendor_completions.d/${PROGRAM}.fish`,
  };
  for (const shell of SHELLS) {
    files[completions[shell]] = await completionScript(shell, COMMANDS);
  }
  return files;
}

async function putControl(
  root: string,
  { version, architecture }: {
    readonly version: string;
    readonly architecture: string;
  },
): Promise<void> {
  const { size, sums } = await measure(root);
  await put(
    `${root}/DEBIAN/control`,
    `Package: ${PROGRAM}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer()}
Installed-Size: ${Math.ceil(size / 1024)}
Depends: libc6 (>= 2.27), libgcc-s1
Section: net
Priority: optional
Description: replaces a host's certificate and private key against a step-ca
 Replaces an X.509 certificate and its private key with new ones from a step-ca
 before they expire, and tells the service that uses them: once, as a daemon or
 by a timer. A crash leaves the old pair or the new pair.
 .
 It takes the command line of "step ca rekey". A unit step-rekey@NAME.service
 keeps ${SETTINGS}/NAME.crt and NAME.key fresh.
`,
  );
  await put(`${root}/DEBIAN/md5sums`, sums);
  for (const name of ["postinst", "prerm", "postrm"]) {
    const text = await Deno.readTextFile(`${ROOT}scripts/debian/${name}`);
    await put(`${root}/DEBIAN/${name}`, text, 0o755);
  }
}

/** Debian's own variables say who makes the package. */
function maintainer(): string {
  const name = Deno.env.get("DEBFULLNAME") || "step-rekey";
  return `${name} <${Deno.env.get("DEBEMAIL") || "maintainers@localhost"}>`;
}

function changelog(version: string, date: Date): string {
  // RFC 5322, where Debian wants no "GMT".
  const time = date.toUTCString().replace("GMT", "+0000");
  return `${PROGRAM} (${version}) unstable; urgency=medium

  * A new version: see changelog.gz.

 -- ${maintainer()}  ${time}
`;
}

async function measure(
  root: string,
): Promise<{ readonly size: number; readonly sums: string }> {
  const files =
    (await outputOf(["find", root, "-type", "f", "-printf", "%P\n"]))
      .trim().split("\n").sort();
  let size = 0;
  for (const path of files) size += (await Deno.stat(`${root}/${path}`)).size;
  return { size, sums: await outputOf(["md5sum", ...files], { cwd: root }) };
}

async function put(
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  await Deno.chmod(path, mode);
}

/** Without a name and a time in it. */
async function gzip(path: string): Promise<void> {
  await outputOf(["gzip", "-9", "--no-name", path]);
}
