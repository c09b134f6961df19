/** The completion scripts, driven by a person's keys in the real shells. */
import { COMMANDS } from "../../src/cli/commands/catalogue.ts";
import { placesIn, type Shell, SHELLS } from "../../src/cli/grammar/route.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";
import {
  CAN_DRIVE_TERMINAL,
  onTerminal,
  type TerminalStep,
} from "../support/pseudo_terminal.ts";
import { run } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

/** How each shell starts without anybody's own settings, and shows its arguments. */
const STARTS: Readonly<
  Record<Shell, { command: readonly string[]; show: string }>
> = {
  bash: {
    command: ["bash", "--norc", "--noprofile", "-i"],
    show: `step-rekey() { printf '<%s>\\n' "$*"; }`,
  },
  zsh: {
    command: ["zsh", "-f", "-i"],
    show:
      `autoload -U compinit; compinit -u -D; step-rekey() { printf '<%s>\\n' "$*" }`,
  },
  fish: {
    command: ["fish", "--no-config", "-i"],
    show: `function step-rekey; printf '<%s>\\n' "$argv"; end`,
  },
};

/** What is typed before the Tab, and the words that the line then has. */
const LINES: readonly (readonly [typed: string, words: string])[] = [
  ["ca reke", "ca rekey"],
  ["ca rekey --kty R", "ca rekey --kty RSA"],
  ["ca rekey --kty=R", "ca rekey --kty=RSA"],
  ["ca rekey --force --layout v", "ca rekey --force --layout versioned"],
  ["ca rekey --crv P-52", "ca rekey --crv P-521"],
  ["ca rekey --lock-t", "ca rekey --lock-timeout"],
  ["ca rekey --context pr", "ca rekey --context prod"],
  ["ca rekey ho", "ca rekey host.crt"],
  ["ca rekey host.crt ho", "ca rekey host.crt host.key"],
  ["ca rekey --exec x host.crt ho", "ca rekey --exec x host.crt host.key"],
  ["ca layout ver", "ca layout versioned"],
  ["help ca rollb", "help ca rollback"],
  ["completion f", "completion fish"],
  ["--conf", "--config"],
];

for (const shell of SHELLS) {
  const hasShell = await run(shell, ["--version"]).then(
    ({ code }) => code === 0,
    () => false,
  );
  const isMissing = !hasShell || !CAN_DRIVE_TERMINAL;
  Deno.test({
    name: `completion ${shell} completes commands, flags, values and files${
      isMissing ? ` (no ${shell} or python3 here)` : ""
    }`,
    ignore: isMissing,
    async fn() {
      await using directory = await tempDir();
      const { stdout } = await runLine(["completion", shell]);
      await Deno.writeTextFile(directory.file("script"), stdout);
      for (const name of ["host.crt", "host.key", "host.txt"]) {
        await Deno.writeTextFile(directory.file(name), "");
      }
      const contexts = { prod: { authority: "a", profile: "p" }, test: {} };
      await Deno.writeTextFile(
        directory.file("contexts.json"),
        JSON.stringify(contexts, undefined, 4),
      );
      const { command, show } = STARTS[shell];
      const type = (text: string): TerminalStep => ["send", `${text}\r`];
      const ready = (mark: string): readonly TerminalStep[] => [
        // What is typed does not have the word in one piece.
        type(`printf '%s%s\\n' rea dy-${mark}`),
        ["expect", `ready-${mark}`],
      ];
      const { output } = await onTerminal(
        [
          "env",
          "-C",
          directory.path,
          `STEPPATH=${directory.path}`,
          ...command,
        ],
        [
          ...ready("start"),
          type(show),
          type("source ./script"),
          ...ready("loaded"),
          ...LINES.flatMap(([typed, words]): readonly TerminalStep[] => [
            type(`step-rekey ${typed}\t`),
            ["expect", `<${words}>`],
          ]),
          type("exit"),
        ],
      );
      assertStringIncludes(output, "<--config>");
    },
  });
}

Deno.test("completion bash has nothing that shellcheck warns of", async () => {
  const { stdout } = await runLine(["completion", "bash"]);
  const { code, stdout: found } = await run("shellcheck", ["-"], {
    stdin: stdout,
  });
  assertEquals([code, found], [0, ""]);
});

for (const { path } of placesIn({ path: [], entry: COMMANDS })) {
  Deno.test(`help --man ${path.join(" ")} is a page that mandoc takes`, async () => {
    const { stdout } = await runLine(["help", "--man", ...path]);
    const { stdout: found } = await run("mandoc", ["-T", "lint"], {
      stdin: stdout,
    });
    assertEquals(found, "");
    const page = await run("mandoc", ["-T", "utf8"], { stdin: stdout });
    assertStringIncludes(page.stdout, ["step-rekey", ...path].join("-"));
  });
}

Deno.test("completion asks for a shell that it knows", async () => {
  for (const words of [[], ["tcsh"], ["bash", "more"]]) {
    const { code, stderr } = await runLine(["completion", ...words]);
    assertEquals(code, 64);
    assertStringIncludes(stderr, "bash, zsh, fish");
  }
});
