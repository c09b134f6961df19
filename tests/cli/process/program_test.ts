import { takesCodes } from "../../../src/cli/process/program.ts";
import { assertEquals } from "../../support/assert.ts";
import { program } from "../../support/program.ts";
import { run } from "../../support/run.ts";

for (
  const [isTerminal, env, expected] of [
    [true, {}, true],
    [true, { TERM: "xterm" }, true],
    [true, { NO_COLOR: "" }, true],
    [true, { NO_COLOR: "1" }, false],
    [true, { TERM: "dumb" }, false],
    [false, { TERM: "xterm" }, false],
  ] as const
) {
  Deno.test(`takesCodes() is ${expected} with ${JSON.stringify(env)} on a ${isTerminal ? "terminal" : "pipe"}`, () => {
    const variables: Readonly<Record<string, string>> = env;
    assertEquals(
      takesCodes({ isTerminal: () => isTerminal }, (name) => variables[name]),
      expected,
    );
  });
}

const PTY = `
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.read(0, 1)
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
os.write(terminal, b"\\n")
text = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    text += piece
sys.stdout.buffer.write(text)
`;

const hasPython = await run("python3", ["--version"]).then(
  () => true,
  () => false,
);

Deno.test({
  name: "the help is as wide as the terminal (needs python3)",
  ignore: !hasPython,
  async fn() {
    const { command, args } = program();
    for (const columns of [60, 110]) {
      const { stdout } = await run("python3", [
        ...["-c", PTY, String(columns), command, ...args],
        ...["ca", "rekey", "--help"],
      ], { env: { TERM: "dumb" } });
      const description = stdout.slice(
        stdout.indexOf("DESCRIPTION"),
        stdout.indexOf("POSITIONAL"),
      ).split("\r\n");
      const widest = Math.max(...description.map((line) => line.length));
      assertEquals(
        widest > columns - 12 && widest <= columns,
        true,
        `${widest}`,
      );
      // The runtime itself moves the cursor while it loads modules.
      assertEquals(stdout.includes("\x1b[1m"), false);
    }
  },
});
