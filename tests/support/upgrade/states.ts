/**
 * Which states there are, and how each comes about.
 */
import type { Fixture, PairText } from "./fixtures.ts";

/** A folder with a pair in it. */
export interface Scene {
  readonly place: string;
  /** Below the place. */
  readonly input: PairText;
  /** How the program finds its CA. */
  readonly ca: readonly string[];
  /** How it is started. */
  readonly command: (args: readonly string[]) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A run, where it is killed, and what has to follow. */
export interface UpgradeState
  extends
    Pick<Fixture, "story" | "ends">,
    Partial<Pick<Fixture, "files" | "flags" | "layout" | "tells">> {
  readonly name: string;
  /** Folders of the pair; one unless given. */
  readonly folders?: 1 | 2;
  readonly isEncrypted?: boolean;
  /** Whether the files are nobody's, who runs it, and the folder root's. */
  readonly isForeignFolder?: boolean;
  /** Stem of the files' names; `host` unless given. */
  readonly stem?: string;
  /** Runs before, to their end. */
  readonly before?: readonly (readonly string[])[];
  /** What a person does before the run. */
  readonly arrange?: (scene: Scene) => void;
  readonly run: readonly string[];
  /** Without it the run ends by itself. */
  readonly kill?: {
    readonly when?: "before";
    /** Matches the first such call in words, as `rename a -> b`. */
    readonly at: RegExp;
  };
  /** What happens to the files after it. */
  readonly then?: (scene: Scene) => void;
}

const REKEY = ["ca", "rekey"];
const TO_VERSIONED = ["ca", "layout", "versioned"];
const TO_PLAIN = ["ca", "layout", "plain"];

const IN_FORCE = /^rename .* -> \.host\.crt\.rekey$/;
const KEY_RENAMED = /^rename .* -> host\.key$/;
const CERTIFICATE_RENAMED = /^rename .* -> host\.crt$/;
const SWITCHED = /^rename .* -> current$/;
const PREPARED = /^rename .* -> certificate\.pem$/;
const LAYOUT_NOTED = /^rename .* -> \.host\.crt\.rekey-layout$/;

/** Two plain files. */
const PLAIN: readonly UpgradeState[] = [
  {
    name: "plain-begun",
    story: "a rekey was killed when it had reserved its disk space",
    run: REKEY,
    kill: { at: /^fsync \.host\.crt\.\w+\.journal$/ },
    ends: "old",
  },
  {
    name: "plain-staged",
    story: "a rekey was killed right before its journal came into force",
    run: REKEY,
    kill: { when: "before", at: IN_FORCE },
    ends: "old",
  },
  {
    name: "plain-decided",
    story: "a rekey was killed when its journal had come into force",
    run: REKEY,
    kill: { at: IN_FORCE },
    ends: "new",
  },
  {
    name: "plain-between",
    story: "a rekey was killed between its two renames",
    run: REKEY,
    kill: { at: KEY_RENAMED },
    ends: "new",
  },
  {
    name: "plain-renamed",
    story: "a rekey was killed after its two renames",
    run: REKEY,
    kill: { at: CERTIFICATE_RENAMED },
    ends: "new",
  },
  {
    name: "plain-tidying",
    story: "a rekey was killed when it had removed the first backup",
    run: REKEY,
    kill: { at: /^unlink .*\.old$/ },
    ends: "new",
  },
  {
    name: "plain-to-be-undone",
    story:
      "a rekey was killed between its two renames, and a cleaner removed the new certificate",
    run: REKEY,
    kill: { at: KEY_RENAMED },
    then: ({ place }) => removeHidden(`${place}/tls`, /^\.host\.crt\..*\.new$/),
    ends: "old",
  },
  {
    name: "plain-two-folders",
    story: "a rekey in two folders was killed between its two renames",
    folders: 2,
    run: REKEY,
    kill: { at: KEY_RENAMED },
    ends: "new",
  },
  {
    name: "plain-encrypted",
    story: "a rekey of an encrypted key was killed between its two renames",
    isEncrypted: true,
    flags: ["--password-file", "{PLACE}/password"],
    run: [...REKEY, "--password-file", "{PLACE}/password"],
    kill: { at: KEY_RENAMED },
    ends: "new",
  },
  {
    name: "plain-certificate-alone",
    story: "a renewal was killed when its journal had come into force",
    run: ["ca", "renew"],
    kill: { at: IN_FORCE },
    ends: "new",
  },
  {
    name: "plain-new-names",
    story: "a rekey to new names was killed between its two renames",
    flags: [
      "--out-cert",
      "{PLACE}/tls/new.crt",
      "--out-key",
      "{PLACE}/tls/new.key",
    ],
    files: { certificate: "tls/new.crt", key: "tls/new.key" },
    run: [
      ...REKEY,
      "--out-cert",
      "{PLACE}/tls/new.crt",
      "--out-key",
      "{PLACE}/tls/new.key",
    ],
    kill: { at: /^rename .* -> new\.key$/ },
    ends: "new",
  },
  {
    name: "plain-long-names",
    story: "a rekey of names of 250 bytes was killed between its two renames",
    stem: "long".padEnd(246, "-name"),
    run: REKEY,
    kill: { at: /^rename .* -> long[-name]*\.key$/ },
    ends: "new",
  },
];

/** Files that are overwritten. */
const IN_PLACE: readonly UpgradeState[] = [
  {
    name: "in-place-key-half",
    story: "a rekey in place was killed in the write of the key",
    flags: ["--in-place"],
    run: [...REKEY, "--in-place"],
    kill: { when: "before", at: /^write host\.key$/ },
    then: ({ place }) => copyPart(`${place}/tls`, "host.key"),
    ends: "new",
  },
  {
    name: "in-place-certificate-half",
    story: "a rekey in place was killed in the write of the certificate",
    flags: ["--in-place"],
    run: [...REKEY, "--in-place"],
    kill: { when: "before", at: /^write host\.crt$/ },
    then: ({ place }) => copyPart(`${place}/tls`, "host.crt"),
    ends: "new",
  },
  {
    name: "in-place-elsewhere",
    story:
      "a rekey in a folder that could not be written was killed in the write of the certificate",
    isForeignFolder: true,
    flags: ["--state-dir", "{PLACE}/state"],
    run: [...REKEY, "--state-dir", "{PLACE}/state"],
    kill: { when: "before", at: /^write host\.crt$/ },
    ends: "new",
  },
];

/** Links to versions. */
const VERSIONED: readonly UpgradeState[] = [
  {
    name: "versioned-prepared",
    story: "a rekey was killed when its version was complete, and not current",
    before: [TO_VERSIONED],
    layout: "versioned",
    run: REKEY,
    kill: { at: PREPARED },
    ends: "old",
  },
  {
    name: "versioned-switched",
    story: "a rekey was killed right after its version had become current",
    before: [TO_VERSIONED, REKEY],
    layout: "versioned",
    run: REKEY,
    kill: { at: SWITCHED },
    ends: "new",
  },
  {
    name: "versioned-two-folders",
    story:
      "a rekey of links in two folders was killed when its version was complete, and not current",
    folders: 2,
    before: [TO_VERSIONED],
    layout: "versioned",
    run: REKEY,
    kill: { at: PREPARED },
    ends: "old",
  },
  {
    name: "versioned-new-names",
    story:
      "a rekey to new names was killed before its first version was current",
    flags: [
      "--out-cert",
      "{PLACE}/tls/new.crt",
      "--out-key",
      "{PLACE}/tls/new.key",
    ],
    files: { certificate: "tls/new.crt", key: "tls/new.key" },
    run: [
      ...REKEY,
      "--layout",
      "versioned",
      "--out-cert",
      "{PLACE}/tls/new.crt",
      "--out-key",
      "{PLACE}/tls/new.key",
    ],
    kill: { when: "before", at: SWITCHED },
    ends: "none",
  },
  {
    name: "rollback-begun",
    story: "a rollback was killed right before its rename",
    before: [TO_VERSIONED, REKEY],
    layout: "versioned",
    run: ["ca", "rollback"],
    kill: { when: "before", at: SWITCHED },
    ends: "old",
  },
  {
    name: "rollback-done",
    story: "a rollback was killed right after its rename",
    before: [TO_VERSIONED, REKEY],
    layout: "versioned",
    run: ["ca", "rollback"],
    kill: { at: SWITCHED },
    ends: "new",
  },
];

/** On the way to another layout. */
const LAYOUTS: readonly UpgradeState[] = [
  {
    name: "to-versioned-noted",
    story: "a change to the versioned layout was killed when it was noted",
    run: TO_VERSIONED,
    kill: { at: LAYOUT_NOTED },
    layout: "versioned",
    ends: "old",
  },
  {
    name: "to-versioned-current",
    story:
      "a change to the versioned layout was killed when its version was current",
    run: TO_VERSIONED,
    kill: { at: SWITCHED },
    layout: "versioned",
    ends: "old",
  },
  {
    name: "to-versioned-between",
    story: "a change to the versioned layout was killed between its two links",
    run: TO_VERSIONED,
    kill: { at: KEY_RENAMED },
    layout: "versioned",
    ends: "old",
  },
  {
    name: "to-plain-noted",
    story: "a change to the plain layout was killed when it was noted",
    before: [TO_VERSIONED, REKEY],
    run: TO_PLAIN,
    kill: { at: LAYOUT_NOTED },
    ends: "old",
  },
  {
    name: "to-plain-between",
    story: "a change to the plain layout was killed between its two renames",
    before: [TO_VERSIONED, REKEY],
    run: TO_PLAIN,
    kill: { at: KEY_RENAMED },
    ends: "old",
  },
  {
    name: "to-plain-tidying",
    story:
      "a change to the plain layout was killed when it removed the versions",
    before: [TO_VERSIONED, REKEY],
    run: TO_PLAIN,
    kill: { at: /^unlink key\.pem$/ },
    ends: "old",
  },
];

/** Notes of reloads. */
const RELOADS: readonly UpgradeState[] = [
  {
    name: "reload-pending",
    story: "a rekey whose hook failed",
    run: [...REKEY, "--exec", "false"],
    tells: true,
    ends: "new",
  },
  {
    name: "reload-delivered-in-part",
    story: "a rekey whose signal arrived, whose hook failed, and failed again",
    before: [[
      ...REKEY,
      "--pid",
      String(Deno.pid),
      "--signal",
      "28",
      "--exec",
      "false",
    ]],
    run: [...REKEY, "--expires-in", "1s", "--exec", "false"],
    tells: true,
    ends: "old",
  },
  {
    name: "reload-between",
    story: "a rekey with a hook was killed between its two renames",
    run: [...REKEY, "--exec", "true"],
    kill: { at: KEY_RENAMED },
    tells: true,
    ends: "new",
  },
  {
    name: "reload-staged",
    story: "a rekey with a hook was killed when its reload was noted",
    run: [...REKEY, "--exec", "true"],
    kill: { at: /^rename .*\.reload$/ },
    ends: "old",
  },
  {
    name: "reload-versioned",
    story: "a rekey with a hook was killed when its version had become current",
    before: [TO_VERSIONED],
    layout: "versioned",
    run: [...REKEY, "--exec", "true"],
    kill: { at: SWITCHED },
    tells: true,
    ends: "new",
  },
];

export const STATES: readonly UpgradeState[] = [
  ...PLAIN,
  ...IN_PLACE,
  ...VERSIONED,
  ...([1, 2] as const).flatMap((folders) =>
    LAYOUTS.map((state) => ({
      ...state,
      name: `${state.name}-${folders}`,
      folders,
    }))
  ),
  ...RELOADS,
];

function removeHidden(folder: string, name: RegExp): void {
  for (const entry of [...Deno.readDirSync(folder)]) {
    if (name.test(entry.name)) Deno.removeSync(`${folder}/${entry.name}`);
  }
}

/** What a write of the staged file leaves that ends after 100 bytes. */
function copyPart(folder: string, name: string): void {
  const staged = [...Deno.readDirSync(folder)].find((entry) =>
    entry.name.startsWith(`.${name}.`) && entry.name.endsWith(".new")
  );
  const part = Deno.readFileSync(`${folder}/${staged?.name}`).subarray(0, 100);
  using file = Deno.openSync(`${folder}/${name}`, { write: true });
  file.writeSync(part);
}
