/**
 * Where the two files of a pair can stand, each as a case for faults.
 */
import { KEY_PASSWORD } from "./openssl_reads.ts";

/** What all cases start from. */
export interface CrashMaterial {
  readonly certificate: string;
  readonly key: string;
  /** The same key, encrypted. */
  readonly encryptedKey: string;
  /** Another pair of the same host. */
  readonly earlier: { readonly certificate: string; readonly key: string };
  /** Another key, for `--private-key`. */
  readonly givenKey: string;
}

/** A directory of one case, and one on another file system. */
export interface CrashPlace {
  readonly directory: string;
  readonly otherFileSystem: string;
}

/** Files on disk, and the command that rekeys them. */
export interface CrashCase {
  /** Behind `ca rekey --force` and the flags of the CA. */
  readonly args: readonly string[];
  /** `ca renew` in the place of `ca rekey`. */
  readonly act?: "rekey" | "renew";
  /** Another command to be disturbed, whole; the next is `ca rekey` again. */
  readonly command?: readonly string[] | undefined;
  /** Real paths of the directories that the command changes. */
  readonly directories: readonly string[];
  readonly certificate: string;
  /** The key that belongs to the new certificate. */
  readonly key: string;
}

/** One place for a pair. */
export interface Layout {
  readonly name: string;
  /** Files that are replaced. */
  readonly targetCount: 1 | 2;
  /** When a reader can see one new file and one old. */
  readonly mixture: "between the renames" | "while overwriting" | "never";
  /** Where the old targets did not exist. */
  readonly isNew?: boolean;
  readonly isEncrypted?: boolean;
  readonly needsMount?: boolean;
  /** Before or after the run: its directory of versions is not temporary. */
  readonly isVersioned?: boolean;
  /** A command that changes neither file. */
  readonly keepsContent?: boolean;
  /** Writes the files into empty directories. */
  prepare(place: CrashPlace, material: CrashMaterial): Promise<CrashCase>;
}

/** Uid and gid of the old key where the test may change them, and its mode. */
export const KEY_OWNER = { uid: 2, gid: 3, mode: 0o640 } as const;

async function writeFiles(
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text, { mode: 0o600 });
  }
}

async function writePair(
  { certificate, key }: Pick<CrashCase, "certificate" | "key">,
  material: Pick<CrashMaterial, "certificate" | "key">,
): Promise<void> {
  await writeFiles({
    [certificate]: material.certificate,
    [key]: material.key,
  });
  await Deno.chmod(certificate, 0o644);
  await Deno.chmod(key, KEY_OWNER.mode);
  if (Deno.uid() === 0) await Deno.chown(key, KEY_OWNER.uid, KEY_OWNER.gid);
}

function twoPlaces(
  certificateDirectory: string,
  keyDirectory: string,
): CrashCase {
  const certificate = `${certificateDirectory}/host.crt`;
  const key = `${keyDirectory}/host.key`;
  return {
    args: [certificate, key],
    directories: [...new Set([certificateDirectory, keyDirectory])],
    certificate,
    key,
  };
}

/** All layouts of two plain files. */
const PLAIN_LAYOUTS: readonly Layout[] = [
  {
    name: "same directory",
    targetCount: 2,
    mixture: "between the renames",
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writePair(made, material);
      return made;
    },
  },
  {
    name: "two directories",
    targetCount: 2,
    mixture: "between the renames",
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/private`);
      await writePair(made, material);
      return made;
    },
  },
  {
    name: "two file systems",
    targetCount: 2,
    mixture: "between the renames",
    needsMount: true,
    async prepare({ directory, otherFileSystem }, material) {
      const made = twoPlaces(
        `${directory}/tls`,
        `${otherFileSystem}/private`,
      );
      await writePair(made, material);
      return made;
    },
  },
  {
    name: "symbolic links",
    targetCount: 2,
    mixture: "between the renames",
    async prepare({ directory }, material) {
      const real = twoPlaces(`${directory}/archive`, `${directory}/archive`);
      await writePair(real, material);
      const linked = twoPlaces(`${directory}/live`, `${directory}/live`);
      await Deno.mkdir(`${directory}/live`);
      await Deno.symlink("../archive/host.crt", linked.certificate);
      await Deno.symlink("../archive/host.key", linked.key);
      return {
        ...linked,
        directories: [...real.directories, ...linked.directories],
      };
    },
  },
  {
    name: "new targets",
    targetCount: 2,
    mixture: "between the renames",
    isNew: true,
    async prepare({ directory }, material) {
      const input = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writePair(input, material);
      const output = twoPlaces(`${directory}/out`, `${directory}/out`);
      await Deno.mkdir(`${directory}/out`);
      return {
        ...output,
        args: [
          ...["--out-cert", output.certificate, "--out-key", output.key],
          ...input.args,
        ],
        directories: [...input.directories, ...output.directories],
      };
    },
  },
  {
    name: "certificate alone",
    targetCount: 1,
    mixture: "never",
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writePair(made, material);
      const given = `${directory}/tls/given.key`;
      await writeFiles({ [given]: material.givenKey });
      return {
        ...made,
        args: ["--private-key", given, ...made.args],
        key: given,
      };
    },
  },
  {
    name: "encrypted key",
    targetCount: 2,
    mixture: "between the renames",
    isEncrypted: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writePair(made, { ...material, key: material.encryptedKey });
      const password = `${directory}/password`;
      await writeFiles({ [password]: KEY_PASSWORD });
      return { ...made, args: ["--password-file", password, ...made.args] };
    },
  },
];

/** As versions.ts describes it; `versions` from the oldest, the last in force. */
async function writeVersions(
  { certificate, key }: Pick<CrashCase, "certificate" | "key">,
  versions: readonly Pick<CrashMaterial, "certificate" | "key">[],
): Promise<void> {
  const home = certificate.slice(0, certificate.lastIndexOf("/"));
  const directory = `${home}/.host.crt.versions`;
  for (const [index, version] of versions.entries()) {
    const inside = `${directory}/${index + 1}`;
    await writePair({
      certificate: `${inside}/certificate.pem`,
      key: `${inside}/key.pem`,
    }, version);
    if (index > 0) await Deno.symlink(String(index), `${inside}/previous`);
  }
  await Deno.symlink(String(versions.length), `${directory}/current`);
  const isBeside = key.startsWith(`${home}/`);
  await Deno.mkdir(key.slice(0, key.lastIndexOf("/")), { recursive: true });
  const short = ".host.crt.versions/current";
  await Deno.symlink(`${short}/certificate.pem`, certificate);
  await Deno.symlink(
    `${isBeside ? short : `${directory}/current`}/key.pem`,
    key,
  );
}

/** All layouts whose files are links to versions. */
const VERSIONED_LAYOUTS: readonly Layout[] = [
  {
    name: "versioned",
    targetCount: 2,
    mixture: "never",
    isVersioned: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writeVersions(made, [material]);
      return made;
    },
  },
  {
    name: "versioned, two directories",
    targetCount: 2,
    mixture: "never",
    isVersioned: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/private`);
      await writeVersions(made, [material.earlier, material]);
      return made;
    },
  },
  {
    name: "to versioned, and rekey",
    targetCount: 2,
    mixture: "never",
    isVersioned: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/private`);
      await writePair(made, material);
      return { ...made, args: ["--layout", "versioned", ...made.args] };
    },
  },
  {
    name: "ca layout versioned",
    targetCount: 2,
    mixture: "never",
    isVersioned: true,
    keepsContent: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writePair(made, material);
      return { ...made, command: ["ca", "layout", "versioned", ...made.args] };
    },
  },
  {
    name: "ca layout plain",
    targetCount: 2,
    mixture: "never",
    isVersioned: true,
    keepsContent: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/private`);
      await writeVersions(made, [material.earlier, material]);
      return { ...made, command: ["ca", "layout", "plain", ...made.args] };
    },
  },
  {
    name: "ca rollback",
    targetCount: 2,
    mixture: "never",
    isVersioned: true,
    async prepare({ directory }, material) {
      const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
      await writeVersions(made, [material.earlier, material]);
      return { ...made, command: ["ca", "rollback", ...made.args] };
    },
  },
];

/** `--in-place`, with its weaker promise. */
const IN_PLACE_LAYOUT: Layout = {
  name: "in place",
  targetCount: 2,
  mixture: "while overwriting",
  async prepare({ directory }, material) {
    const made = twoPlaces(`${directory}/tls`, `${directory}/tls`);
    await writePair(made, material);
    return { ...made, args: ["--in-place", ...made.args] };
  },
};

/** `ca renew`, which leaves the key as it is. */
const RENEWED: Layout = {
  name: "ca renew",
  targetCount: 1,
  mixture: "never",
  async prepare({ directory }, material) {
    const made = twoPlaces(`${directory}/tls`, `${directory}/private`);
    await writePair(made, material);
    return { ...made, act: "renew" };
  },
};

/** All of them. */
export const LAYOUTS: readonly Layout[] = [
  ...PLAIN_LAYOUTS,
  RENEWED,
  IN_PLACE_LAYOUT,
  ...VERSIONED_LAYOUTS,
];
