/**
 * One command line for this program and for the real `step`, each on its own
 * copy of the same directory, and what has to be the same afterwards.
 */
import { denoCacheDirectory } from "../../scripts/paths.ts";
import {
  type Certificate,
  EXTENSION_OID,
  parseChain,
} from "../../src/pki/certificate/certificate.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { program } from "./program.ts";
import { run, type RunResult } from "./run.ts";
import { STEP, type StepCa } from "./step_ca.ts";
import { tempDir } from "./temp_dir.ts";

/** The two files of every copy. */
export const PAIR = ["internal.crt", "internal.key"];

/** As they are to be overwritten. */
export const FORCED = ["--force", ...PAIR];

/** Why our text may be another. */
export const CLEARER = "the original cuts the reason off at its last colon";

/** Why our text may be another. */
export const NEWER = "the texts are those of step 0.30, not of 0.21";

/** Prepares a file in the copy. */
export function write(
  name: string,
  text: string,
  mode = 0o600,
): (path: string) => Promise<void> {
  return (path) => Deno.writeTextFile(`${path}/${name}`, text, { mode });
}

/** One command line for both, in a copy of internal.crt and internal.key. */
export interface InteropCase {
  /** `rekey` without it. */
  readonly command?: "rekey" | "renew";
  /** After it. */
  readonly args: readonly string[];
  /** Runs in each copy of the directory first. */
  readonly prepare?: (path: string) => Promise<unknown>;
  readonly env?: Readonly<Record<string, string>>;
  /** Of the certificate; `admin` without it. */
  readonly provisioner?: string;
  readonly expired?: boolean;
  /** Neither has a terminal to ask on. */
  readonly noTerminal?: boolean;
  /** Ours; with another than 0 the original exits with 1. */
  readonly code?: number;
  /** Both exit with `code`. */
  readonly sameCode?: boolean;
  /** Why a line of our stderr is another; without it all of it is equal. */
  readonly otherText?: OtherText;
  /** Why the original does something else than we do. */
  readonly mended?: OtherText;
  /** More about our files. */
  readonly afterwards?: (path: string) => Promise<void>;
}

/** The first line of stderr that differs, of each, and the reason in a sentence. */
export interface OtherText {
  readonly why: string;
  readonly ours: RegExp;
  readonly theirs: RegExp;
}

interface Outcome {
  readonly result: RunResult;
  readonly before: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly modes: Readonly<Record<string, string>>;
}

/** The cache of modules stays where it is when HOME moves. */
const DENO_DIR = await denoCacheDirectory();

/** The original's colours, which we use on a terminal only. */
const COLOURS = new RegExp(String.raw`${"\x1b"}\[\d+m`, "g");

/** Lines of advice, which each of the two words in its own way. */
const ADVICE = /^(?:hint: |usage: |Re-run with STEPDEBUG=1 )/;

/** Fails where the two differ in another way than the case says. */
export async function assertAgree(
  ca: StepCa,
  test: InteropCase,
): Promise<void> {
  const [theirs, ours] = await runBoth(ca, test);
  const shown = `ours: ${ours.result.stderr}theirs: ${theirs.result.stderr}`;
  const code = test.code ?? 0;
  assertEquals(ours.result.code, code, shown);
  const texts = test.mended ?? test.otherText;
  if (texts === undefined) {
    assertEquals(linesOf(ours), linesOf(theirs));
  } else {
    const lines = linesOf(ours);
    const other = linesOf(theirs);
    const at = Math.max(0, lines.findIndex((line, at) => line !== other[at]));
    assertMatch(lines[at] ?? "", texts.ours);
    assertMatch(other[at] ?? "", texts.theirs);
  }
  if (test.mended !== undefined) {
    const isSame = theirs.result.code === Math.min(code, 1) &&
      JSON.stringify(describe(theirs)) === JSON.stringify(describe(ours));
    assert(!isSame, `nothing to mend any more: ${test.mended.why}`);
    return;
  }
  const theirCode = test.sameCode ? code : Math.min(code, 1);
  assertEquals(theirs.result.code, theirCode, shown);
  // Behind a mistake on the line the original prints its whole help.
  const theirOutput = theirs.result.stdout.startsWith("Incorrect Usage")
    ? ""
    : theirs.result.stdout;
  assertEquals(ours.result.stdout.split("\n")[0], theirOutput.split("\n")[0]);
  assertEquals(describe(ours), describe(theirs));
}

async function runBoth(
  ca: StepCa,
  test: InteropCase,
): Promise<[Outcome, Outcome]> {
  const pair = await ca.issue(
    crypto.randomUUID(),
    test.provisioner ?? "admin",
    {
      subject: "/CN=internal",
      names: "DNS:internal,IP:10.0.0.7,email:a@b.example,URI:spiffe://x/y",
      ...test.expired && {
        notBefore: new Date("2024-01-01T00:00:00Z"),
        notAfter: new Date("2024-01-02T00:00:00Z"),
      },
    },
  );
  const outcomes = [];
  const ours = program();
  for (const { command, args } of [{ command: STEP, args: [] }, ours]) {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("internal.crt"), pair.certificate);
    await Deno.writeTextFile(dir.file("internal.key"), pair.key, {
      mode: 0o600,
    });
    await test.prepare?.(dir.path);
    const before = await filesOf(dir.path);
    const words = [
      command,
      ...args,
      "ca",
      test.command ?? "rekey",
      ...test.args,
    ];
    // A session of its own has no terminal, whatever the tests run on.
    const [first = "", ...rest] = test.noTerminal
      ? ["setsid", "-w", ...words]
      : words;
    const result = await run(first, rest, {
      cwd: dir.path,
      env: {
        STEPPATH: ca.directory,
        HOME: ca.directory,
        DENO_DIR,
        ...test.env,
      },
    });
    if (command === ours.command) await test.afterwards?.(dir.path);
    const files = await filesOf(dir.path);
    const modes = await modesOf(dir.path, Object.keys(files));
    outcomes.push({ result, before, files, modes });
  }
  const [theirOutcome, ourOutcome] = outcomes;
  assert(theirOutcome !== undefined && ourOutcome !== undefined);
  return [theirOutcome, ourOutcome];
}

function linesOf({ result }: Outcome): readonly string[] {
  return result.stderr.replaceAll(COLOURS, "").split("\n")
    .filter((line) => !ADVICE.test(line));
}

async function filesOf(path: string): Promise<Record<string, string>> {
  const names = [];
  for await (const { name, isFile } of Deno.readDir(path)) {
    // The original forgets a reload that failed.
    if (isFile && !name.endsWith(".reload")) names.push(name);
  }
  const files: Record<string, string> = {};
  for (const name of names.sort()) {
    files[name] = await Deno.readTextFile(`${path}/${name}`);
  }
  return files;
}

async function modesOf(
  path: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  const modes: Record<string, string> = {};
  for (const name of names) {
    const { mode } = await Deno.stat(`${path}/${name}`);
    modes[name] = ((mode ?? 0) & 0o777).toString(8);
  }
  return modes;
}

/** What has to be equal: everything but serial, dates, key, signature. */
function describe({ before, files, modes }: Outcome) {
  return Object.entries(files).map(([name, text]) => ({
    name,
    mode: modes[name],
    isWritten: text !== before[name],
    labels: [...text.matchAll(/-----BEGIN ([^-]+)-----/g)].map(([, label]) =>
      label
    ),
    certificates: text.includes("BEGIN CERTIFICATE")
      ? parseChain(new TextEncoder().encode(text)).map(describeCertificate)
      : [],
  }));
}

/** Bytes of a public key's encoding that say its algorithm, and no more. */
const ALGORITHM_HEX_DIGITS = 24;

function describeCertificate(certificate: Certificate) {
  const { subject, issuer, names, notBefore, notAfter, publicKey } =
    certificate;
  return {
    subject,
    issuer,
    names,
    lifetimeMs: notAfter.getTime() - notBefore.getTime(),
    signature: certificate.signatureAlgorithm.oid,
    keyLength: publicKey.length,
    keyAlgorithm: publicKey.toHex().slice(0, ALGORITHM_HEX_DIGITS),
    extensions: certificate.extensions.map(({ oid, critical, value }) => [
      oid,
      critical,
      oid === EXTENSION_OID.subjectKeyIdentifier ? "new" : value.toHex(),
    ]),
  };
}
