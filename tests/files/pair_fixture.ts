/**
 * A pair of files in a directory of its own, and what to look at afterwards.
 */
import { type TempDir, tempDir } from "../support/temp_dir.ts";

/** Contents of generation N belong together: see support/install_child.ts. */
export { generation } from "../support/install_child.ts";

/** A certificate and a key, perhaps in two directories. */
export interface PairFixture extends AsyncDisposable {
  readonly dir: TempDir;
  readonly targets: { readonly certificate: string; readonly key: string };
  /** Contents; undefined for a file that is not there. */
  read(): {
    readonly certificate: string | undefined;
    readonly key: string | undefined;
  };
  /** Hidden files in both directories, but for locks. */
  hidden(): readonly string[];
  /** Lock files in both directories. */
  locks(): readonly string[];
}

/** Makes one; its files are not there yet. */
export async function pairFixture(
  layout: "one directory" | "two directories" = "one directory",
): Promise<PairFixture> {
  const dir = await tempDir();
  const keyDirectory = layout === "one directory" ? "tls" : "private";
  for (const name of new Set(["tls", keyDirectory])) {
    await Deno.mkdir(dir.file(name));
  }
  const targets = {
    certificate: dir.file("tls/internal.crt"),
    key: dir.file(`${keyDirectory}/internal.key`),
  };
  const names = () =>
    [...new Set(["tls", keyDirectory])].flatMap((name) =>
      [...Deno.readDirSync(dir.file(name))]
        .map((entry) => entry.name)
        .filter((entry) => entry.startsWith("."))
    );
  return {
    dir,
    targets,
    read: () => ({
      certificate: readText(targets.certificate),
      key: readText(targets.key),
    }),
    hidden: () => names().filter((name) => !name.endsWith("-lock")),
    locks: () => names().filter((name) => name.endsWith("-lock")),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** Writes both files. */
export function writePair(
  { targets }: PairFixture,
  { certificate, key }: { readonly certificate: string; readonly key: string },
): void {
  Deno.writeTextFileSync(targets.certificate, certificate, { mode: 0o600 });
  Deno.writeTextFileSync(targets.key, key, { mode: 0o600 });
}

function readText(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The permission bits of a file, in octal. */
export function modeOf(file: string): string {
  return ((Deno.lstatSync(file).mode ?? 0) & 0o7777).toString(8);
}
