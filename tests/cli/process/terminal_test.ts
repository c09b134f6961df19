import fc from "fast-check";
import { editLine, type LineEdit } from "../../../src/cli/process/terminal.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../../support/assert.ts";
import {
  CAN_DRIVE_TERMINAL,
  onTerminal,
  type TerminalSession,
  type TerminalStep,
} from "../../support/pseudo_terminal.ts";
import { run } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";

const CHILD = new URL("../../support/terminal_child.ts", import.meta.url).href;

interface Asked extends TerminalSession {
  /** What the program made of it. */
  readonly answer: unknown;
}

async function ask(
  question: "confirm" | "password",
  steps: readonly TerminalStep[],
  options: {
    readonly redirect?: readonly number[];
    readonly mode?: "abort" | "aborted";
    /** Words that start the process in another way. */
    readonly starter?: readonly string[];
  } = {},
): Promise<Asked> {
  await using dir = await tempDir();
  const session = await onTerminal(
    [
      ...(options.starter ?? []),
      Deno.execPath(),
      "run",
      "-A",
      "--no-config",
      CHILD,
      question,
      dir.file("answer"),
      ...(options.mode === undefined ? [] : [options.mode]),
    ],
    steps,
    options,
  );
  assertEquals(session.restored, true, "the terminal is not as it was");
  const text = await Deno.readTextFile(dir.file("answer"));
  return { ...session, answer: JSON.parse(text) };
}

function terminalTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `${name} (needs python3)`,
    ignore: !CAN_DRIVE_TERMINAL,
    fn,
  });
}

const ASKED: TerminalStep = ["expect", "Sure? [Y/n]: "];

for (
  const [typed, answer] of [
    ["\n", true],
    ["y\n", true],
    ["YES\n", true],
    [" yes \n", true],
    ["n\n", false],
    ["No\n", false],
    ["yn\x7f\x7fn\n", false],
  ] as const
) {
  terminalTest(
    `confirm() takes ${JSON.stringify(typed)} for ${answer}`,
    async () => {
      const asked = await ask("confirm", [ASKED, ["send", typed]]);
      assertEquals(asked.answer, answer);
      assertEquals(asked.echo, [true]);
    },
  );
}

terminalTest("confirm() asks again after any other answer", async () => {
  const asked = await ask("confirm", [
    ASKED,
    ["send", "maybe\n"],
    ["expect", "please answer yes or no\r\nSure? [Y/n]: "],
    ["send", "n\n"],
  ]);
  assertEquals(asked.answer, false);
});

terminalTest("confirm() takes lines that come at once one by one", async () => {
  const asked = await ask("confirm", [ASKED, ["send", "x\nn\ny\n"]]);
  assertEquals(asked.answer, false);
});

terminalTest("confirm() takes Ctrl-D for no answer", async () => {
  const asked = await ask("confirm", [ASKED, ["send", "\x04"]]);
  assertMatch(String(asked.answer), /^declined 1: /);
});

terminalTest("confirm() takes Ctrl-C for an interruption", async () => {
  const asked = await ask("confirm", [ASKED, ["send", "\x03"]]);
  assertEquals(asked.answer, "interrupted 130: stopped by SIGINT");
});

for (
  const [redirect, what] of [
    [[0], "standard input"],
    [[0, 1, 2], "everything"],
    [[1, 2], "both outputs"],
    [[2], "standard error"],
  ] as const
) {
  terminalTest(
    `confirm() asks on the terminal with ${what} redirected`,
    async () => {
      const asked = await ask("confirm", [ASKED, ["send", "n\n"]], {
        redirect,
      });
      assertEquals(asked.answer, false);
    },
  );

  terminalTest(
    `readPassword() asks on the terminal with ${what} redirected`,
    async () => {
      const asked = await ask("password", [
        ["expect", "Password: "],
        ["send", "secret\r"],
      ], { redirect });
      assertEquals(asked.answer, "secret");
      assertEquals(asked.echo, [false]);
    },
  );
}

terminalTest("readPassword() shows nothing of what is typed", async () => {
  const asked = await ask("password", [
    ["expect", "Password: "],
    ["send", "secret\r"],
  ]);
  assertEquals(asked.answer, "secret");
  assertEquals(asked.echo, [false]);
  assertEquals(asked.output, "Password: \r\n");
});

terminalTest(
  "readPassword() erases by backspace and Ctrl-U, and trims the end",
  async () => {
    const asked = await ask("password", [
      ["expect", "Password: "],
      ["send", "wrong\x15 secrex\x7ft \t\r"],
    ]);
    assertEquals(asked.answer, " secret");
  },
);

terminalTest(
  "readPassword() takes characters that arrive in pieces",
  async () => {
    const asked = await ask("password", [
      ["expect", "Password: "],
      ["send", "pä"],
      ["send", "ss→"],
      ["send", "\r"],
    ]);
    assertEquals(asked.answer, "päss→");
  },
);

for (
  const [key, kind] of [["\x03", "interrupted 130"], ["\x04", "declined 1"]]
) {
  terminalTest(
    `readPassword() ends by ${JSON.stringify(key)} with the echo back on`,
    async () => {
      const asked = await ask("password", [
        ["expect", "Password: "],
        ["send", key ?? ""],
      ]);
      assertStringIncludes(String(asked.answer), `${kind}: `);
    },
  );
}

for (
  const [name, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]
) {
  terminalTest(
    `readPassword() ends by ${name} with the echo back on`,
    async () => {
      const asked = await ask("password", [
        ["expect", "Password: "],
        ["signal", `${name}`],
      ]);
      assertEquals(asked.answer, `interrupted ${status}: stopped by ${name}`);
    },
  );
}

terminalTest(
  "confirm() goes on after a SIGHUP that is ignored, as under nohup",
  async () => {
    // Where Deno listened to signals of its own first, which it does at a moment
    // that nobody knows, nothing tells any more that this one was ignored.
    const isTooLate = (answer: unknown) =>
      answer === "interrupted 129: stopped by SIGHUP";
    let answer: unknown;
    for (let tries = 0; tries < 10 && (answer !== false); tries++) {
      ({ answer } = await ask("confirm", [
        ASKED,
        ["signal", "SIGHUP"],
        ["send", "n\n"],
      ], { starter: ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"] }));
      assert(answer === false || isTooLate(answer), `${answer}`);
    }
    assertEquals(answer, false);
  },
);

for (const question of ["confirm", "password"] as const) {
  const label = question === "confirm" ? "Sure? [Y/n]: " : "Password: ";

  terminalTest(`${question} stops waiting when it is aborted`, async () => {
    const asked = await ask(question, [
      ["expect", label],
      ["signal", "SIGUSR2"],
    ], { mode: "abort" });
    assertEquals(asked.answer, "interrupted 99: stopped by a test");
    assertEquals(asked.output, `${label}\r\n`);
  });

  terminalTest(
    `${question} does not begin when it is aborted already`,
    async () => {
      const asked = await ask(question, [], { mode: "aborted" });
      assertMatch(String(asked.answer), /^interrupted /);
    },
  );

  Deno.test(`${question} says why there is no terminal`, async () => {
    await using dir = await tempDir();
    await run("setsid", [
      "--wait",
      Deno.execPath(),
      "run",
      "-A",
      "--no-config",
      CHILD,
      question,
      dir.file("answer"),
    ], { stdin: "y\n" });
    assertEquals(
      await Deno.readTextFile(dir.file("answer")),
      '"none: no such device or address"',
    );
  });

  Deno.test(`${question} says which permission is missing`, async () => {
    await using dir = await tempDir();
    await run("setsid", [
      "--wait",
      Deno.execPath(),
      "run",
      "--no-prompt",
      `--allow-write=${dir.path}`,
      "--no-config",
      CHILD,
      question,
      dir.file("answer"),
    ]);
    assertMatch(
      await Deno.readTextFile(dir.file("answer")),
      /"none: requires .* access.*--allow-/,
    );
  });
}

const CASES: readonly (readonly [string, string, LineEdit])[] = [
  ["nothing yet", "abc", { kind: "typing", text: "abc" }],
  ["Enter as CR", "abc\r", { kind: "entered", text: "abc" }],
  ["Enter as LF", "abc\n", { kind: "entered", text: "abc" }],
  ["what follows Enter", "abc\rdef", { kind: "entered", text: "abc" }],
  ["an empty line", "\r", { kind: "entered", text: "" }],
  ["backspace", "abc\x7f\bd\r", { kind: "entered", text: "ad" }],
  ["backspace at the beginning", "\x7f\x7fa\r", { kind: "entered", text: "a" }],
  ["backspace over one emoji", "a😀\x7f\r", { kind: "entered", text: "a" }],
  ["Ctrl-U", "abc\x15d\r", { kind: "entered", text: "d" }],
  ["Ctrl-W", "ab cd \x17e\r", { kind: "entered", text: "ab e" }],
  ["Ctrl-C", "abc\x03def\r", { kind: "interrupted" }],
  ["Ctrl-D on an empty line", "\x04", { kind: "ended" }],
  ["Ctrl-D on an emptied line", "a\x7f\x04", { kind: "ended" }],
  ["Ctrl-D within a line", "a\x04b\r", { kind: "entered", text: "ab" }],
  ["arrow keys", "a\x1b[Db\x1b[1;5Cc\x1bOA\r", {
    kind: "entered",
    text: "abc",
  }],
  ["other control keys", "a\x01\x1ab\r", { kind: "entered", text: "ab" }],
  ["a tab and blanks", " a\tb \r", { kind: "entered", text: " a\tb " }],
];

for (const [what, keys, expected] of CASES) {
  Deno.test(`editLine() understands ${what}`, () => {
    assertEquals(editLine("", keys), expected);
  });
}

Deno.test("editLine() goes on with what was typed before", () => {
  assertEquals(editLine("abc", "\x7fd"), { kind: "typing", text: "abd" });
});

Deno.test("editLine() comes to the same line, however the keys arrive", () => {
  const keys = fc.array(
    fc.constantFrom("a", "é", "😀", " ", "\x7f", "\x15", "\x17"),
  );
  fc.assert(fc.property(keys, (typed) => {
    let text = "";
    for (const key of typed) {
      const edit = editLine(text, key);
      if (edit.kind === "typing") text = edit.text;
    }
    assertEquals(editLine("", typed.join("")), { kind: "typing", text });
  }));
});
