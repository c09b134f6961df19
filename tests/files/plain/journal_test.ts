import fc from "fast-check";
import {
  formatJournal,
  type InstallJournal,
  type JournalTarget,
  readJournal,
} from "../../../src/files/plain/journal.ts";
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

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);

Deno.test("readJournal() reads what formatJournal() wrote", () => {
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
    assertEquals(readJournal(formatJournal(journal)), {
      kind: "complete",
      journal,
    });
  }));
});

Deno.test("readJournal() reads a journal of new files, and of a certificate alone", () => {
  const { oldDigest: _oldDigest, ...fresh } = CERTIFICATE;
  const journal = { tag: TAG, targets: [fresh] };
  assertEquals(readJournal(formatJournal(journal)), {
    kind: "complete",
    journal,
  });
});

Deno.test("readJournal() calls every proper prefix torn", () => {
  const text = formatJournal(PAIR);
  for (let length = 0; length < text.length; length++) {
    assertEquals(readJournal(text.slice(0, length)), { kind: "torn" });
  }
});

Deno.test("readJournal() says which newer version wrote a complete journal", () => {
  const text = formatJournal(PAIR).replace("journal 1", "journal 12")
    .replace("end\n", "more lines\nend\n");
  assertEquals(readJournal(text), { kind: "newer", version: 12 });
});

Deno.test("readJournal() calls an incomplete journal of a newer version torn", () => {
  const text = formatJournal(PAIR).replace("journal 1", "journal 2");
  assertEquals(readJournal(text.slice(0, -4)), { kind: "torn" });
});

Deno.test("readJournal() does not take other files for journals", () => {
  for (
    const text of ["{}", "step-rekex", "\0", "\nstep-rekey", "x".repeat(99)]
  ) {
    assertEquals(readJournal(text), { kind: "alien" }, text);
  }
});

Deno.test("readJournal() never throws, whatever the text", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom("[]", "[null]", "[[]]", '[{"role":"key"}]', "1"),
  );
  fc.assert(fc.property(body, (text) => {
    const reading = readJournal(`step-rekey install journal 1\n${text}\nend\n`);
    assertEquals(reading.kind, "damaged", text);
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
  Deno.test(`readJournal() refuses a journal with ${what}`, () => {
    assert(text !== formatJournal(PAIR), "the change did nothing");
    assertEquals(readJournal(text), { kind: "damaged" });
  });
}
