import fc from "fast-check";
import {
  formatJournal,
  type InstallJournal,
  JOURNAL_FORMAT,
  type JournalTarget,
  parseJournal,
} from "../../../src/files/plain/journal.ts";
import { readSealed } from "../../../src/files/plain/sealed_note.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const TAG = "0123456789abcdef";
const OLD = "0".repeat(64);
const NEW = "f".repeat(64);

const KEY: JournalTarget = {
  role: "key",
  name: "a.key",
  oldDigest: OLD,
  newDigest: NEW,
};
const CERTIFICATE: JournalTarget = {
  role: "certificate",
  name: "a.crt",
  oldDigest: OLD,
  newDigest: NEW,
};
const PAIR: InstallJournal = { tag: TAG, targets: [KEY, CERTIFICATE] };

function withKey(
  change: Partial<Record<keyof JournalTarget, unknown>>,
): string {
  const targets = [{ ...KEY, ...change }, CERTIFICATE];
  return formatJournal(PAIR).replace(
    JSON.stringify(PAIR.targets),
    JSON.stringify(targets),
  );
}

/** As journal_file.ts reads it. */
function read(text: string): object {
  const reading = readSealed(text, JOURNAL_FORMAT);
  if (reading.kind !== "complete") return reading;
  const journal = parseJournal(reading.body);
  return journal === undefined
    ? { kind: "damaged" }
    : { kind: "complete", journal };
}

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);

Deno.test("parseJournal() reads what formatJournal() wrote", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 })
    .filter((text) => !text.includes("/") && text.isWellFormed());
  fc.assert(fc.property(name, digest, digest, (text, before, after) => {
    const key: JournalTarget = {
      role: "key",
      directory: "../other place",
      name: text,
      oldDigest: before,
      newDigest: after,
    };
    const journal = { tag: TAG, targets: [key, CERTIFICATE] };
    assertEquals(read(formatJournal(journal)), {
      kind: "complete",
      journal,
    });
  }));
});

Deno.test("parseJournal() reads a journal of new files, and of a certificate alone", () => {
  const { oldDigest: _oldDigest, ...fresh } = CERTIFICATE;
  const journal = { tag: TAG, targets: [fresh] };
  assertEquals(read(formatJournal(journal)), {
    kind: "complete",
    journal,
  });
});

Deno.test("readSealed() calls every proper prefix torn", () => {
  const text = formatJournal(PAIR);
  for (let length = 0; length < text.length; length++) {
    assertEquals(read(text.slice(0, length)), { kind: "torn" });
  }
});

Deno.test("a journal of a newer version is one, whatever follows its first line", () => {
  const text = formatJournal(PAIR).replace("journal 1", "journal 12");
  const header = "step-rekey install journal 12";
  for (
    const newer of [text, text.replace("end\n", "more lines\nend\n"), header]
  ) {
    assertEquals(read(newer), { kind: "newer", version: 12 }, newer);
  }
});

Deno.test("a member of a journal that is not known counts for nothing", () => {
  const more = { ...PAIR, since: "2.0", targets: [{ ...KEY, acl: [] }] };
  const text = formatJournal({
    ...more,
    targets: [...more.targets, CERTIFICATE],
  });
  assert(text.includes("acl"));
  assertEquals(read(text), {
    kind: "complete",
    journal: { tag: TAG, targets: [{ ...KEY, acl: [] }, CERTIFICATE] },
  });
});

Deno.test("readSealed() does not take other files for journals", () => {
  for (
    const text of ["{}", "step-rekex", "\0", "\nstep-rekey", "x".repeat(99)]
  ) {
    assertEquals(read(text), { kind: "alien" }, text);
  }
});

Deno.test("neither of both throws, whatever the text", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom("[]", "[null]", "[[]]", '[{"role":"key"}]', "1"),
  );
  fc.assert(fc.property(body, (text) => {
    const reading = read(`step-rekey install journal 1\n${text}\nend\n`);
    assertEquals(reading, { kind: "damaged" }, text);
  }));
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["a name with a slash", withKey({ name: "../a.key" })],
  ["a tag of another form", formatJournal({ ...PAIR, tag: "../etc" })],
  ["a copy over nothing", withKey({ inPlace: true, oldDigest: undefined })],
  ["a digest of the wrong length", withKey({ newDigest: "ff" })],
  ["a digest that is no text", withKey({ newDigest: 1 })],
  ["no role", withKey({ role: "other" })],
  ["two certificates", withKey({ role: "certificate" })],
  ["a directory that is no text", withKey({ directory: 1 })],
  [
    "no certificate",
    formatJournal({ tag: TAG, targets: [KEY] }),
  ],
  [
    "a certificate with a directory of its own",
    formatJournal({
      tag: TAG,
      targets: [KEY, { ...CERTIFICATE, directory: "/etc" }],
    }),
  ],
  ["nothing", formatJournal({ tag: TAG, targets: [] })],
  [
    "an extra line",
    formatJournal(PAIR).replace("end\n", "x\nend\n"),
  ],
  ["version 0", formatJournal(PAIR).replace("journal 1", "journal 0")],
];

for (const [what, text] of REFUSED) {
  Deno.test(`parseJournal() refuses a journal with ${what}`, () => {
    assert(text !== formatJournal(PAIR), "the change did nothing");
    assertEquals(read(text), { kind: "damaged" });
  });
}
