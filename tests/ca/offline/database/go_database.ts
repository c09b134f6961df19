/**
 * Databases made, and judged, with the Go libraries that step-ca has.
 */
import type { DatabaseSettings } from "../../../../src/ca/offline/config/database_settings.ts";
import { readBadger } from "../../../../src/ca/offline/database/badger/badger_database.ts";
import { rowKey } from "../../../../src/ca/offline/database/badger/badger_key.ts";
import { readBolt } from "../../../../src/ca/offline/database/bolt/bolt_database.ts";
import { goProgram } from "../../../support/go_program.ts";
import { run, runOk } from "../../../support/run.ts";
import { type TempDir, tempDir } from "../../../support/temp_dir.ts";

/** As ca.json names them. */
export const KINDS = ["badgerv1", "badgerv2", "bbolt"] as const;

/** One of {@linkcode KINDS}. */
export type Kind = typeof KINDS[number];

/** The tables that the Go program fills. */
export const TABLES = [
  "x509_certs",
  "x509_certs_data",
  "revoked_x509_certs",
] as const;

/** A row, which may be there or not. */
export interface Row {
  readonly table: typeof TABLES[number];
  readonly key: string;
}

/** A database on disk. */
export interface GoDatabase extends TempDir {
  readonly kind: Kind;
  /** Folder with all of its files. */
  readonly directory: string;
  readonly settings: DatabaseSettings;
  /** Decimal serial numbers; each fiftieth, from the first on, is revoked. */
  readonly serials: readonly string[];
}

/** How to make one. */
export interface GoDatabaseOptions {
  readonly rows: number;
  /**
   * `small`: many small files; `crash`: the program ends without closing it;
   * `revoked`: every certificate is.
   */
  readonly ways: readonly (
    "small" | "crash" | "compressed" | "encrypted" | "revoked"
  )[];
}

const templates = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(templates, { recursive: true });
});

/** What each is a copy of, by what was asked for, and its serial numbers. */
const made = new Map<string, Promise<readonly string[]>>();

/** Makes one: with deletions, changes, lifetimes and large values. */
export async function goDatabase(
  kind: Kind,
  { rows, ways }: GoDatabaseOptions,
): Promise<GoDatabase> {
  const words = [String(rows), ...ways];
  const name = [kind, ...words].join("-");
  const template = `${templates}/${name}`;
  const serials = made.get(name) ?? makeDatabase(kind, template, words);
  made.set(name, serials);
  await serials;
  const dir = await tempDir();
  const directory = dir.file("db");
  await copyDirectory(template, directory);
  return {
    ...dir,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
    kind,
    directory,
    settings: settingsOf(kind, directory),
    serials: await serials,
  };
}

async function makeDatabase(
  kind: Kind,
  directory: string,
  words: readonly string[],
): Promise<readonly string[]> {
  const { stdout } = await runOk(await goProgram("database"), [
    ...["make", kind, directory, ...words],
  ]);
  return stdout.trim().split("\n");
}

/** The settings for a folder of {@linkcode goDatabase}. */
function settingsOf(kind: Kind, directory: string): DatabaseSettings {
  const valueDir = "";
  if (kind === "bbolt") {
    return { type: "bbolt", dataSource: `${directory}/step.db`, valueDir };
  }
  const type = kind === "badgerv1" ? "badger v1" : "badger v2";
  return { type, dataSource: directory, valueDir };
}

/** What nosql finds: hexadecimal, or undefined. It may change the files. */
export async function judge(
  kind: Kind,
  directory: string,
  rows: readonly Row[],
): Promise<readonly (string | undefined)[]> {
  const { stdout } = await runOk(
    await goProgram("database"),
    ["judge", kind, directory],
    { stdin: rows.map(({ table, key }) => `${table} ${key}\n`).join("") },
  );
  return stdout.trim().split("\n").map((line) =>
    line.startsWith("=") ? line.slice(1) : undefined
  );
}

/** What our readers find, in the same form. */
export async function readRowsOf(
  kind: Kind,
  directory: string,
  rows: readonly Row[],
): Promise<readonly (string | undefined)[]> {
  const encoder = new TextEncoder();
  const { type, dataSource } = settingsOf(kind, directory);
  const values = type === "bbolt"
    ? await readBolt(
      dataSource,
      rows.map(({ table, key }) => ({
        table,
        key: encoder.encode(key),
        isTableRequired: true,
        isWhole: () => true,
      })),
    )
    : await readBadger(
      {
        version: type === "badger v1" ? 1 : 2,
        directory: dataSource,
        logDirectory: dataSource,
      },
      rows.map(({ table, key }) => rowKey(table, encoder.encode(key))),
      new Date(),
    );
  return values.map((value) => value?.toHex());
}

/** Copies a folder; what is in it is plain files. */
export async function copyDirectory(from: string, to: string): Promise<void> {
  const { code, stderr } = await run("cp", ["-r", from, to]);
  if (code !== 0) throw new Error(stderr);
}
