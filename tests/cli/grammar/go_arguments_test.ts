/** Go's flag grammar, row by row, and against an oracle. */
import { hintOf } from "../../support/hint.ts";
import fc from "fast-check";
import { spellingsOf } from "../../../src/cli/grammar/command.ts";
import {
  LineError,
  parseArguments,
} from "../../../src/cli/grammar/go_arguments.ts";
import { REKEY_FLAGS } from "../../../src/cli/resolve/flags.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const COMMAND = {
  flags: REKEY_FLAGS,
  refusedFlags: { "acme": "use an ACME client" },
};

/** What a line is read as: flags and arguments, or the complaint. */
function read(line: readonly string[]): unknown {
  try {
    const { help, values, positionals } = parseArguments(line, COMMAND);
    if (help) return "help";
    return { flags: Object.fromEntries(values), args: positionals };
  } catch (error) {
    if (error instanceof LineError) return error.message;
    throw error;
  }
}

const GOOD: readonly (readonly [string, readonly string[], object])[] = [
  ["two dashes", ["a", "k", "--force"], { force: true }],
  ["one dash", ["a", "k", "-force"], { force: true }],
  ["a short name with two dashes", ["a", "k", "--f"], { force: true }],
  ["a short name", ["a", "k", "-f"], { force: true }],
  ["an alias with one dash", ["a", "k", "-crv", "P-384"], { curve: "P-384" }],
  ["a value behind =", ["a", "k", "--out-cert=b"], { "out-cert": "b" }],
  ["one dash and =", ["a", "k", "-out-cert=b"], { "out-cert": "b" }],
  ["a value as the next token", ["a", "k", "--out-cert", "b"], {
    "out-cert": "b",
  }],
  ["only the first = as a separator", ["a", "k", "--exec=x=y=z"], {
    exec: "x=y=z",
  }],
  ["--out-crt as --out-cert", [
    "a",
    "k",
    "--out-crt",
    "foo.crt",
    "--out-key",
    "foo.key",
  ], { "out-cert": "foo.crt", "out-key": "foo.key" }],
  ["flags in front", ["--force", "a", "k"], { force: true }],
  ["a boolean flag between the arguments", ["a", "--force", "k"], {
    force: true,
  }],
  ["a boolean flag in front and a value flag behind", [
    "--force",
    "a",
    "k",
    "--out-cert",
    "b",
  ], { force: true, "out-cert": "b" }],
  ["flags everywhere", ["--daemon", "a", "--rekey-period", "16h", "k"], {
    daemon: true,
    "rekey-period": "16h",
  }],
  ["=true", ["a", "k", "--force=true"], { force: true }],
  ["=false", ["a", "k", "--force=false"], { force: false }],
  ["=T", ["a", "k", "--force=T"], { force: true }],
  ["=0", ["a", "k", "--force=0"], { force: false }],
  ["a negative duration as value", ["a", "k", "--expires-in", "-1.5h"], {
    "expires-in": "-1.5h",
  }],
  ["a known flag as value", ["a", "k", "--exec", "--force"], {
    exec: "--force",
  }],
  ["--help as value", ["a", "k", "--exec", "--help"], { exec: "--help" }],
  ["-h as value", ["a", "k", "--exec", "-h"], { exec: "-h" }],
  ["-- as value", ["a", "k", "--exec", "--"], { exec: "--" }],
  ["the last of two", ["a", "k", "--size", "1", "--size", "2"], { size: 2n }],
  ["the last of two booleans", ["--force", "a", "k", "--force=false"], {
    force: false,
  }],
  ["an empty value", ["a", "k", "--out-key", ""], { "out-key": "" }],
  ["an empty value behind =", ["a", "k", "--out-key="], { "out-key": "" }],
  ["a value with a line end", ["a", "k", "--exec=a\nb"], { exec: "a\nb" }],
  ["hexadecimal", ["a", "k", "--size", "0x1000"], { size: 4096n }],
  ["-- behind flags", ["--force", "--", "a", "k"], { force: true }],
  ["--help=false as no wish", ["a", "--help=false", "k"], {}],
];

for (const [what, line, flags] of GOOD) {
  Deno.test(`parseArguments() takes ${what}`, () => {
    assertEquals(read(line), { flags, args: ["a", "k"] });
  });
}

const POSITIONALS: readonly (readonly [
  string,
  readonly string[],
  readonly string[],
])[] = [
  ["everything behind --", ["a", "--", "k", "--force", "-h", "--"], [
    "a",
    "k",
    "--force",
    "-h",
    "--",
  ]],
  ["a lone dash", ["-", "k"], ["-", "k"]],
  ["the word behind a boolean flag", ["a", "k", "--force", "false"], [
    "a",
    "k",
    "false",
  ]],
  ["an empty token", ["", "k"], ["", "k"]],
  ["nothing", [], []],
];

for (const [what, line, args] of POSITIONALS) {
  Deno.test(`parseArguments() takes ${what} as positional`, () => {
    assertEquals(parseArguments(line, COMMAND).positionals, args);
  });
}

const BAD: readonly (readonly [readonly string[], string])[] = [
  [["a", "k", "-x"], "flag provided but not defined: -x"],
  [["--bogus", "a", "k"], "flag provided but not defined: -bogus"],
  [["a", "k", "--bogus=1"], "flag provided but not defined: -bogus"],
  [["-fh"], "flag provided but not defined: -fh"],
  [["--acme", "x"], "flag '--acme' is not supported"],
  [["--kms", "x"], "flag provided but not defined: -kms"],
  [["--constructor=x"], "flag provided but not defined: -constructor"],
  [["--toString"], "flag provided but not defined: -toString"],
  [["--__proto__=1"], "flag provided but not defined: -__proto__"],
  [["--outCert=b"], "flag provided but not defined: -outCert"],
  [["--no-force"], "flag provided but not defined: -no-force"],
  [["--FORCE"], "flag provided but not defined: -FORCE"],
  [["a", "k", "--expires-in"], "flag needs an argument: -expires-in"],
  [["a", "k", "-crv"], "flag needs an argument: -crv"],
  [["--size", "abc"], 'invalid value "abc" for flag -size: parse error'],
  [["--size="], 'invalid value "" for flag -size: parse error'],
  [["-pid", "1.5"], 'invalid value "1.5" for flag -pid: parse error'],
  [["--signal", "HUP"], 'invalid value "HUP" for flag -signal: parse error'],
  [
    ["--size", "99999999999999999999"],
    'invalid value "99999999999999999999" for flag -size: value out of range',
  ],
  [["--size", 'a\n"'], 'invalid value "a\\n\\"" for flag -size: parse error'],
  // The first mistake of several is the one that is told.
  [["--bogus", "---x", "--size=x"], "flag provided but not defined: -bogus"],
  // The first bad value counts, even if a later one would win.
  [
    ["--size", "x", "--size", "2048"],
    'invalid value "x" for flag -size: parse error',
  ],
  [
    ["--force=maybe"],
    'invalid boolean value "maybe" for -force: parse error',
  ],
  [["-f="], 'invalid boolean value "" for -f: parse error'],
  [["--help=x"], 'invalid boolean value "x" for -help: parse error'],
  [["---x"], "bad flag syntax: ---x"],
  [["-=x"], "bad flag syntax: -=x"],
  [["--=x"], "bad flag syntax: --=x"],
  [["---"], "bad flag syntax: ---"],
  [
    ["--curve", "P-256", "--crv", "P-256"],
    "Cannot use two forms of the same flag: curve crv",
  ],
  [["-f", "--force"], "Cannot use two forms of the same flag: force f"],
  [
    ["--out-crt", "x", "--out-cert", "x"],
    "Cannot use two forms of the same flag: out-crt out-cert",
  ],
];

for (const [line, message] of BAD) {
  Deno.test(`parseArguments() refuses ${JSON.stringify(line)}`, () => {
    assertEquals(read(line), message);
  });
}

for (
  const line of [
    ["--help"],
    ["-h"],
    ["-help"],
    ["--h"],
    ["a", "--help", "k"],
    ["--bogus", "--help"],
    ["--size", "x", "-h"],
    ["--help", "--size"],
    ["--help=true"],
  ]
) {
  Deno.test(`parseArguments() sees the wish for help in ${line.join(" ")}`, () => {
    assertEquals(read(line), "help");
  });
}

Deno.test("parseArguments() sees no wish for help behind --", () => {
  assertEquals(read(["--", "--help"]), { flags: {}, args: ["--help"] });
});

for (
  const [spelling, hint] of [
    ["out-crtt", "did you mean --out-cert?"],
    ["ouput-key", "did you mean --out-key?"],
    ["forse", "did you mean --force?"],
    ["hlep", "did you mean --help?"],
    ["curv", "did you mean --curve?"],
    ["ca-ulr", "did you mean --ca-url?"],
    ["acme", "use an ACME client"],
    ["bogus", ""],
    ["x", ""],
  ] as const
) {
  Deno.test(`parseArguments() suggests '${hint}' for --${spelling}`, () => {
    let found: string | undefined = "no error";
    try {
      parseArguments([`--${spelling}`], COMMAND);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      found = hintOf(error);
    }
    assertEquals(found, hint);
  });
}

/** One flag or argument of a generated line, and what it has to become. */
interface Piece {
  readonly tokens: readonly string[];
  readonly name?: string;
  readonly value?: string | bigint | boolean;
}

const HOSTILE = fc.oneof(
  fc.constantFrom(
    "",
    "-",
    "--",
    "--help",
    "-h",
    "--force",
    "--out-key=x",
    "=",
    "a=b",
    "\n",
    "--exec\n",
    "\u2028",
    " ",
    "constructor",
    "__proto__",
    "-1.5h",
    'it\'s "quoted"',
    "true",
    "0x10",
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
);

function pieceOf(name: string, kind: string, spellings: readonly string[]) {
  const spelling = fc.constantFrom(...spellings);
  const dashes = fc.constantFrom("-", "--");
  const separate = fc.boolean();
  return fc.tuple(
    spelling,
    dashes,
    separate,
    HOSTILE,
    fc.integer(),
    fc.boolean(),
  )
    .map(([spelling, dash, separate, text, number, flag]): Piece => {
      const flagToken = dash + spelling;
      if (kind === "boolean") {
        return flag && separate
          ? { tokens: [flagToken], name, value: true }
          : { tokens: [`${flagToken}=${flag}`], name, value: flag };
      }
      const value = kind === "integer" ? String(number) : text;
      return {
        tokens: separate ? [flagToken, value] : [`${flagToken}=${value}`],
        name,
        value: kind === "integer" ? BigInt(number) : text,
      };
    });
}

// One spelling of each flag a line: two forms of one flag are an error.
const LINE = fc.tuple(
  fc.array(
    fc.oneof(
      ...Object.entries(REKEY_FLAGS).map(([name, flag]) =>
        pieceOf(name, flag.kind, spellingsOf(name, flag).slice(-1))
      ),
      HOSTILE.filter((text) => text === "-" || !text.startsWith("-"))
        .map((text): Piece => ({ tokens: [text] })),
    ),
    { maxLength: 8 },
  ),
  fc.option(fc.array(HOSTILE, { maxLength: 3 })),
);

Deno.test("parseArguments() gives the command what an oracle reads from the line", () => {
  fc.assert(
    fc.property(LINE, ([pieces, tail]) => {
      const line = pieces.flatMap(({ tokens }) => tokens);
      const expectedFlags: Record<string, unknown> = {};
      const expectedArgs: string[] = [];
      for (const { name, value, tokens } of pieces) {
        if (name === undefined) expectedArgs.push(...tokens);
        else expectedFlags[name] = value;
      }
      const given = parseArguments(
        tail === null ? line : [...line, "--", ...tail],
        COMMAND,
      );
      assertEquals(Object.fromEntries(given.values), expectedFlags);
      assertEquals(given.positionals, [...expectedArgs, ...tail ?? []]);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseArguments() reads any tokens at all or refuses them, and never fails otherwise", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          HOSTILE,
          fc.constantFrom("--pid", "-size=", "--curve", "--crv", "-f", "---"),
        ),
      ),
      (line) => {
        try {
          const size = parseArguments(line, COMMAND).values.get("size");
          assert(size === undefined || typeof size === "bigint");
        } catch (error) {
          if (!(error instanceof LineError)) throw error;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("parseArguments() collects a flag that may stand several times", () => {
  const flags = {
    san: { kind: "list", group: "authority", help: "A name." },
  } as const;
  const { values, positionals } = parseArguments(
    ["--san", "a", "x", "-san=b,c"],
    { flags },
  );
  assertEquals(values.get("san"), ["a", "b,c"]);
  assertEquals(positionals, ["x"]);
});
