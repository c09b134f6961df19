import fc from "fast-check";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { isPem, parsePem, toPem } from "../../../src/pki/asn1/pem.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";

const HELLO = toPem("HELLO", bytes("hello world"));

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function labels(content: Uint8Array): string[] {
  return parsePem(content).map(({ label }) => label);
}

function content(source: Uint8Array): string[] {
  return parsePem(source).map(({ der }) => new TextDecoder().decode(der));
}

Deno.test("parsePem() reads several blocks in file order and skips the text around them", () => {
  const file = `leading\n${HELLO}between: x\n${
    toPem("SECOND", bytes("2"))
  }end\n`;
  assertEquals(labels(bytes(file)), ["HELLO", "SECOND"]);
  assertEquals(content(bytes(file)), ["hello world", "2"]);
});

for (
  const [name, change] of [
    ["CRLF line ends", (text: string) => text.replaceAll("\n", "\r\n")],
    ["CR line ends", (text: string) => text.replaceAll("\n", "\r")],
    ["trailing white space", (text: string) => text.replaceAll("\n", " \t\n")],
    ["blank lines", (text: string) => text.replaceAll("\n", "\n\n")],
    ["no final newline", (text: string) => text.trimEnd()],
    ["a UTF-8 byte order mark", (text: string) => `\ufeff${text}`],
    [
      "one long line of base64",
      () => `-----BEGIN HELLO-----\naGVsbG8gd29ybGQ=\n-----END HELLO-----`,
    ],
    [
      "lines of four",
      () =>
        `-----BEGIN HELLO-----\naGVs\nbG8g\nd29y\nbGQ=\n-----END HELLO-----\n`,
    ],
  ] as const
) {
  Deno.test(`parsePem() reads a file with ${name}`, () => {
    assertEquals(content(bytes(change(HELLO))), ["hello world"]);
  });
}

Deno.test("parsePem() ignores bytes outside the blocks that are not UTF-8", () => {
  const file = Uint8Array.of(0xe4, 0xff, 0x00, 0x0a, ...bytes(HELLO));
  assertEquals(content(file), ["hello world"]);
});

Deno.test("parsePem() gives the headers, also folded ones", () => {
  const file = HELLO.replace(
    "-----\n",
    "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,\n  00FF\n\n",
  );
  const [block] = parsePem(bytes(file));
  assertEquals([...block?.headers ?? []], [
    ["Proc-Type", "4,ENCRYPTED"],
    ["DEK-Info", "AES-128-CBC,00FF"],
  ]);
  assertEquals(content(bytes(file)), ["hello world"]);
});

Deno.test("parsePem() reads the blocks of a bundle that openssl made", async () => {
  const made = await runOk("openssl", [
    "ecparam",
    "-name",
    "prime256v1",
    "-genkey",
  ]);
  assertEquals(labels(bytes(made.stdout)), ["EC PARAMETERS", "EC PRIVATE KEY"]);
});

Deno.test("parsePem() finds nothing in free text", () => {
  assertEquals(parsePem(bytes("not a -----BEGIN HELLO----- line\n")), []);
  assertEquals(parsePem(new Uint8Array()), []);
});

for (
  const [name, damage, pattern] of [
    [
      "has no END line",
      (text: string) => text.replace(/-----END.*\n/, ""),
      /END/,
    ],
    [
      "ends under another label",
      (text: string) => text.replace("END HELLO", "END OTHER"),
      /END/,
    ],
    [
      "is interrupted by the next one",
      (text: string) => text.replace(/-----END.*\n/, HELLO),
      /END/,
    ],
    [
      "has a foreign character",
      (text: string) => text.replace("aGVs", "aG*s"),
      /base64/,
    ],
    [
      "has lost a character",
      (text: string) => text.replace("aGVs", "aGV"),
      /base64/,
    ],
    [
      "has lost its padding",
      (text: string) => text.replace("=", ""),
      /base64/,
    ],
    [
      "has padding in the middle",
      (text: string) => text.replace("aGVs", "aG=="),
      /base64/,
    ],
    [
      "has a cut BEGIN line",
      (text: string) => text.replace("HELLO-----", "HELLO---"),
      /BEGIN/,
    ],
    [
      "lost its line ends",
      (text: string) => text.replaceAll("\n", ""),
      /BEGIN/,
    ],
    [
      "has a control character in its label",
      (text: string) => text.replaceAll("HELLO", "HEL\u001bLO"),
      /BEGIN/,
    ],
  ] as const
) {
  Deno.test(`parsePem() refuses a block that ${name}, and says which`, () => {
    const file = `${toPem("FIRST", bytes("1"))}\n${damage(HELLO)}`;
    const { message } = assertThrows(
      () => parsePem(bytes(file)),
      MalformedError,
      pattern,
    );
    assertMatch(message, /^damaged PEM block 2 .*in line 5/);
    assert(!message.includes("aG"), "the content is in the message");
  });
}

Deno.test("isPem() is false for DER and for other text", () => {
  assert(!isPem(Uint8Array.of(0x30, 0x82, 0x01, 0x02)));
  assert(!isPem(bytes("ssh-ed25519 AAAA")));
  assert(!isPem(new Uint8Array()));
});

Deno.test("toPem() writes lines of 64 columns that openssl reads back", async () => {
  const der = crypto.getRandomValues(new Uint8Array(300));
  const text = toPem("CERTIFICATE", der);
  const lines = text.split("\n");
  assertEquals(lines.at(-1), "");
  assertEquals(lines.slice(1, -3).map((line) => line.length), [
    ...Array(6).fill(64),
  ]);
  assertEquals(lines.at(-3)?.length, 16);
  const inner = lines.slice(1, -2).join("\n") + "\n";
  const { stdout } = await runOk("openssl", ["base64", "-e"], { stdin: der });
  assertEquals(inner, stdout);
});

Deno.test("toPem() ends exactly at a full line", () => {
  assertEquals(
    toPem("X", new Uint8Array(48)),
    `-----BEGIN X-----\n${"A".repeat(64)}\n-----END X-----\n`,
  );
});

Deno.test("toPem() puts headers before a blank line", () => {
  const text = toPem("X", bytes("1"), new Map([["A", "b"], ["C", "d"]]));
  assertEquals(
    text,
    "-----BEGIN X-----\nA: b\nC: d\n\nMQ==\n-----END X-----\n",
  );
});

Deno.test("parsePem() gives back whatever toPem() wrote", () => {
  const word = fc.stringMatching(/^[A-Z][A-Z0-9]{0,5}( [A-Z0-9]{1,8}){0,3}$/);
  const value = fc.stringMatching(/^[!-~]{1,30}$/);
  const header = fc.tuple(fc.stringMatching(/^[A-Za-z][A-Za-z-]{0,9}$/), value);
  const block = fc.record({
    label: word,
    der: fc.uint8Array({ maxLength: 300 }),
    headers: fc.array(header, { maxLength: 3 }).map((list) => new Map(list)),
  });
  fc.assert(fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
    const file = blocks
      .map(({ label, der, headers }) => toPem(label, der, headers))
      .join("some text\n");
    const read = parsePem(bytes(file));
    assertEquals(
      read.map(({ label, der, headers }) => [label, [...der], [...headers]]),
      blocks.map(({ label, der, headers }) => [label, [...der], [...headers]]),
    );
  }));
});

Deno.test("parsePem() gives blocks or a MalformedError for any bytes", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "-----BEGIN ",
      "-----END ",
      "-----",
      "HELLO",
      "\n",
      "\r",
      "\ufeff",
      "=",
      ":",
      " ",
      HELLO,
    ),
    fc.string({ maxLength: 5 }),
    fc.base64String({ maxLength: 12 }),
  );
  const text = fc.array(piece, { maxLength: 20 }).map((parts) =>
    bytes(parts.join(""))
  );
  const input = fc.oneof(
    text,
    fc.uint8Array({ maxLength: 80 }),
    text.map((part) => Uint8Array.of(0xff, 0xfe, 0, 0, ...part)),
  );
  fc.assert(
    fc.property(input, (file) => {
      try {
        for (const { der } of parsePem(file)) assert(der.length >= 0);
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
