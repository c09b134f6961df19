/**
 * What deno.lock names: which packages are in the program, and under which
 * licences.
 *
 * A package is in the program when a bundle below src/ holds a file of it, which
 * the bundle itself says. All others only build and test it.
 */
import { denoCacheDirectory, ROOT } from "./paths.ts";
import { VENDORED } from "./vendor.ts";

/** A package of deno.lock. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier or expression of its package.json. */
  readonly license: string;
  readonly isInProgram: boolean;
  /** SHA-512 of the package as it was published, in hexadecimal. */
  readonly sha512: string;
  /** `name@version` of what it needs itself. */
  readonly needs: readonly string[];
  /** Its unpacked files. */
  readonly directory: string;
}

interface Lock {
  readonly npm: Readonly<
    Record<string, {
      readonly integrity: string;
      readonly dependencies?: readonly string[];
      /** The systems that it is for: a native module. */
      readonly os?: readonly string[];
    }>
  >;
}

/** `name@version` of a key: `pkijs@4.0.0_asn1js@4.0.0` has a peer behind it. */
function identityOf(key: string): string {
  const identity = /^@?[^@]+@[^_]+/.exec(key)?.[0];
  if (identity === undefined) throw new Error(`deno.lock has the key ${key}`);
  return identity;
}

/**
 * The packages of deno.lock, in its order; fetches what Deno's cache lacks. Native
 * modules of some systems are left out: no machine has them all.
 */
export async function lockedParts(): Promise<readonly Part[]> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const entries = Object.entries(lock.npm)
    .filter(([, { os }]) => os === undefined);
  const identities = entries.map(([key]) => identityOf(key));
  const inProgram = await bundledPackages();
  for (const identity of inProgram) {
    if (identities.includes(identity)) continue;
    throw new Error(`a bundle holds ${identity}, which deno.lock lacks`);
  }
  const cache = await filledCache();
  return await Promise.all(
    entries.map(async ([key, { integrity, dependencies = [] }]) => {
      const identity = identityOf(key);
      const cut = identity.lastIndexOf("@");
      const [name, version] = [identity.slice(0, cut), identity.slice(cut + 1)];
      const directory = `${cache}/${name}/${version}`;
      return {
        name,
        version,
        license: await licenseOf(directory),
        isInProgram: inProgram.has(identity),
        sha512: Uint8Array.fromBase64(integrity.replace("sha512-", "")).toHex(),
        needs: dependencies.map((needed) => lockedIdentity(needed, identities)),
        directory,
      };
    }),
  );
}

async function licenseOf(directory: string): Promise<string> {
  const path = `${directory}/package.json`;
  const { license } = JSON.parse(await Deno.readTextFile(path));
  if (typeof license === "string") return license;
  throw new Error(`${path} names no licence`);
}

/** A need stands without its version where the lock has one version only. */
function lockedIdentity(needed: string, identities: readonly string[]): string {
  const isExact = needed.lastIndexOf("@") > 0;
  const found = identities.find((identity) =>
    isExact
      ? identity === identityOf(needed)
      : identity.startsWith(`${needed}@`)
  );
  if (found === undefined) throw new Error(`deno.lock has no ${needed}`);
  return found;
}

/** `name@version` of each package that has a file in a bundle. */
async function bundledPackages(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of VENDORED) {
    const text = await Deno.readTextFile(path);
    for (
      const [, identity = ""] of text.matchAll(
        /^\/\/ npm:((?:@[^/\s]+\/)?[^/@\s]+@[^/\s]+)\//gm,
      )
    ) {
      found.add(identity);
    }
  }
  return found;
}

/** The folder of the packages in Deno's cache, with all of deno.lock in it. */
async function filledCache(): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--frozen"],
    cwd: ROOT,
    stdout: "null",
  }).output();
  if (!success) {
    throw new Error(
      `cannot fetch the packages of deno.lock: ${
        new TextDecoder().decode(stderr).trim()
      }`,
    );
  }
  const packages = `${await denoCacheDirectory()}/npm`;
  // One folder for each registry; the mirror that is set is the newest.
  const registries = [];
  for await (const { name } of Deno.readDir(packages)) {
    const folder = `${packages}/${name}`;
    const known = await Deno.stat(`${folder}/@peculiar/x509`)
      .catch(() => undefined);
    if (known !== undefined) registries.push({ folder, time: known.mtime });
  }
  const [newest] = registries.sort((one, other) =>
    Number(other.time) - Number(one.time)
  );
  if (newest === undefined) throw new Error(`${packages} has no packages`);
  return newest.folder;
}

/**
 * The notices and licences of what the programs hold, each text once. The Apache
 * License stands in the project's own file.
 */
export async function licenseTexts(
  parts: readonly Part[],
  deno: string,
): Promise<string> {
  const holders = new Map<string, string[]>();
  for (const part of parts.filter(({ isInProgram }) => isInProgram)) {
    const text = part.license === "Apache-2.0"
      ? "Under the Apache License, Version 2.0, as this program.\n"
      : await licenseFile(part.directory);
    const names = holders.get(text) ?? [];
    holders.set(text, [...names, `${part.name} ${part.version}`]);
  }
  return [
    await Deno.readTextFile(`${ROOT}scripts/debian/copyright`),
    `The compiled programs hold Deno ${deno}, Copyright 2018-2026 the Deno authors,
under the MIT License, and what that is made of: https://github.com/denoland/deno
`,
    ...[...holders].map(([text, names]) => `${names.join(", ")}:\n\n${text}`),
  ].join(`\n${"-".repeat(72)}\n\n`);
}

async function licenseFile(directory: string): Promise<string> {
  for await (const { name } of Deno.readDir(directory)) {
    if (!/^licen[cs]e(\.\w+)?$/i.test(name)) continue;
    const text = await Deno.readTextFile(`${directory}/${name}`);
    // The same licence comes with other line ends.
    return `${text.replaceAll("\r", "").replaceAll(/ +$/gm, "").trim()}\n`;
  }
  throw new Error(`${directory} has no file with its licence`);
}
