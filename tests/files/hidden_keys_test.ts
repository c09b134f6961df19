/**
 * That nothing but `HiddenKeys` removes what may hold a private key: who else
 * removes anything, and why that is none of it.
 */
import { ROOT } from "../../scripts/paths.ts";
import { assertEquals } from "../support/assert.ts";

/** Calls in src/files, by file. */
const OTHERS: Readonly<Record<string, string>> = {
  "disk/backup_file.ts": "a copy that this process has just made",
  "disk/disk.ts": "the calls themselves",
  "disk/staged_file.ts": "what this process staged, and did not rename",
  "lock/lock_file.ts": "locks are empty",
  "plain/examine.ts": "names of a probe",
  "plain/journal_file.ts": "a journal that never came into force",
  "plain/plain_install.ts": "the journal, when its install is over",
  "plain/recovery.ts":
    "the journal; a file that the journal made, whose certificate is gone",
  "reload_note/pending_reload.ts": "notes",
  "single_file.ts": "a new file that belongs to no pair",
  "versioned/layout.ts": "a second name that this process has just made",
  "versioned/layout_note.ts": "the note",
  "versioned/staged_version.ts": "the version that this process is making",
  "versioned/versioned_install.ts": "links; an empty folder",
  "versioned/versions.ts": "links; an empty folder",
};

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

Deno.test("HiddenKeys alone removes what may hold a private key", async () => {
  const root = `${ROOT}src/files`;
  const found: string[] = [];
  const recursive: string[] = [];
  for await (const path of sources(root)) {
    const file = path.slice(root.length + 1);
    const text = await Deno.readTextFile(path);
    const calls = text.match(
      /(?<![.#\w])(discard|removeIfExists)\(|Deno\.remove(Sync)?\(/g,
    );
    if (calls !== null && file !== "pair/hidden_keys.ts") found.push(file);
    if (/Deno\.remove(Sync)?\([^;]*recursive: true/.test(text)) {
      recursive.push(file);
    }
  }
  assertEquals(found.sort(), Object.keys(OTHERS).sort());
  assertEquals(recursive, []);
});
