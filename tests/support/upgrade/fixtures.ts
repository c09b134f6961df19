/**
 * Pairs as a killed run left them, kept for ever: see tests/testdata/upgrade.
 *
 * Git keeps neither modes nor hidden links of another path, so a state is one
 * JSON file that lists all that was there.
 */
import { ROOT } from "../../../scripts/paths.ts";

const FIXTURES = `${ROOT}tests/testdata/upgrade`;

/** In paths and links: where the state is laid out. */
export const PLACE = "{PLACE}";
/** The same as encodeURIComponent() writes it, in the names of a state folder. */
const ENCODED_PLACE = "{PLACE%}";

/** A file, a link or a folder, its path below the place. */
export interface FixtureEntry {
  readonly path: string;
  /** Octal; of all but links. */
  readonly mode?: string | undefined;
  readonly text?: string | undefined;
  /** Where a link leads. */
  readonly link?: string | undefined;
  /** Of a file that only holds disk space: so many bytes of no meaning. */
  readonly size?: number | undefined;
}

export interface PairText {
  readonly certificate: string;
  readonly key: string;
}

/** One state. */
export interface Fixture {
  /** What was killed, and where. */
  readonly story: string;
  /** Flags of `ca rekey` by which the next run finds the same pair. */
  readonly flags: readonly string[];
  /** What the run reads, below the place. */
  readonly input: PairText;
  /** What it writes; the same, or names that were free. */
  readonly files: PairText;
  /** What the names led to before; undefined for free names. */
  readonly old?: PairText | undefined;
  /** Which pair stands after the next run; `none`: the names are free again. */
  readonly ends: "old" | "new" | "none";
  readonly layout: "plain" | "versioned";
  /** Whether the next run has to tell the service. */
  readonly tells: boolean;
  readonly entries: readonly FixtureEntry[];
}

/** A state with the set that it is of, and its name. */
export interface NamedFixture extends Fixture {
  readonly set: string;
  readonly name: string;
}

/** All states of all sets. */
export function readFixtures(): readonly NamedFixture[] {
  const names = (path: string) =>
    [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  return names(FIXTURES).filter((set) => !set.includes(".md")).flatMap((set) =>
    names(`${FIXTURES}/${set}`).map((file) => ({
      set,
      name: file.replace(/\.json$/, ""),
      ...parse(Deno.readTextFileSync(`${FIXTURES}/${set}/${file}`)),
    }))
  );
}

/** Each long text once, in a table behind all; elsewhere by its number. */
const LONG_CHARACTERS = 100;

function stringify(fixture: Fixture): string {
  const texts: string[] = [];
  const withNumbers = JSON.stringify(fixture, (_, value) => {
    if (typeof value !== "string" || value.length < LONG_CHARACTERS) {
      return value;
    }
    if (!texts.includes(value)) texts.push(value);
    return `#${texts.indexOf(value)}`;
  });
  const complete = { ...JSON.parse(withNumbers), texts };
  return `${JSON.stringify(complete, undefined, 2)}\n`;
}

function parse(text: string): Fixture {
  const { texts, ...fixture } = JSON.parse(text);
  return JSON.parse(
    JSON.stringify(fixture),
    (_, value) =>
      typeof value === "string" && /^#\d+$/.test(value)
        ? texts[Number(value.slice(1))]
        : value,
  );
}

export function writeFixture(
  { set, name }: { readonly set: string; readonly name: string },
  fixture: Fixture,
): void {
  Deno.mkdirSync(`${FIXTURES}/${set}`, { recursive: true });
  Deno.writeTextFileSync(
    `${FIXTURES}/${set}/${name}.json`,
    stringify(fixture),
  );
}

/** Makes all of a state again, in an empty folder. */
export function layOut(
  entries: readonly FixtureEntry[],
  place: string,
): void {
  const here = (text: string) => at(text, place);
  for (const { path, mode, text, link, size } of entries) {
    const file = `${place}/${here(path)}`;
    if (link !== undefined) {
      Deno.symlinkSync(here(link), file);
      continue;
    }
    const content = text === undefined ? undefined : here(text);
    if (content !== undefined) Deno.writeTextFileSync(file, content);
    else if (size === undefined) Deno.mkdirSync(file);
    else Deno.writeFileSync(file, crypto.getRandomValues(new Uint8Array(size)));
    Deno.chmodSync(file, parseInt(mode ?? "", 8));
  }
}

/** A text of a fixture, in a place. */
export function at(text: string, place: string): string {
  return text.replaceAll(PLACE, place)
    .replaceAll(ENCODED_PLACE, encodeURIComponent(place));
}

/** All that is in a folder, folders first; without what `isOther` names. */
export function readEntries(
  place: string,
  isOther: (path: string) => boolean = () => false,
): readonly FixtureEntry[] {
  const visit = (below: string): readonly FixtureEntry[] =>
    [...Deno.readDirSync(`${place}/${below}`)]
      .sort((one, other) => one.name < other.name ? -1 : 1)
      .flatMap(({ name, isSymlink, isDirectory }) => {
        const path = below === "" ? name : `${below}/${name}`;
        if (isOther(path)) return [];
        if (isSymlink) return [{ path, link: readLink(path) }];
        const mode = modeOf(path);
        if (isDirectory) return [{ path, mode }, ...visit(path)];
        return [{ path, mode, ...contentOf(path) }];
      });
  const modeOf = (path: string) =>
    ((Deno.lstatSync(`${place}/${path}`).mode ?? 0) & 0o7777).toString(8);
  const readLink = (path: string) => Deno.readLinkSync(`${place}/${path}`);
  const contentOf = (path: string) => {
    const bytes = Deno.readFileSync(`${place}/${path}`);
    const isText = bytes.every((byte) =>
      byte === 10 || byte >= 32 && byte < 127
    );
    return isText
      ? { text: new TextDecoder().decode(bytes) }
      : { size: bytes.length };
  };
  return visit("");
}

/** The same, as it is written down: the place by its name for it. */
export function withoutPlace(
  entries: readonly FixtureEntry[],
  place: string,
): readonly FixtureEntry[] {
  const text = JSON.stringify(entries)
    .replaceAll(encodeURIComponent(place), ENCODED_PLACE)
    .replaceAll(place, PLACE);
  return JSON.parse(text);
}
