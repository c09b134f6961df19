/** Which command a line calls, and flags in front of it. */
import { COMMANDS } from "../../../src/cli/commands/catalogue.ts";
import { findRoute } from "../../../src/cli/grammar/route.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import { assertEquals } from "../../support/assert.ts";

/** Short form of what a line asks for. */
function routeOf(line: string): string {
  const words = line === "" ? [] : line.split(" ");
  try {
    const route = findRoute(words, COMMANDS);
    switch (route.kind) {
      case "version":
        return "version";
      case "help":
        return `${route.isManual ? "manual" : "help"} of '${
          route.place.path.join(" ")
        }'`;
      case "completion":
        return `completion for ${route.shell}`;
      case "command": {
        const { place: { path }, rest, configFile } = route;
        const config = configFile === undefined ? "" : ` config ${configFile}`;
        return `${path.join(" ")} <${rest.join(" ")}>${config}`;
      }
    }
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return [error.message, error.hint].filter((text) => text !== undefined)
      .join(" / ");
  }
}

const ROUTES: readonly (readonly [string, string])[] = [
  ["ca rekey a k", "ca rekey <a k>"],
  ["rekey a k", "rekey <a k>"],
  ["completion zsh", "completion for zsh"],
  ["help --man ca rekey", "manual of 'ca rekey'"],
  ["ca rekey", "ca rekey <>"],
  ["ca rekey --help", "ca rekey <--help>"],
  ["ca rekey -- a", "ca rekey <-- a>"],
  ["--config f ca rekey a", "ca rekey <a> config f"],
  ["--config=f ca rekey a", "ca rekey <a> config f"],
  ["-config f rekey a", "rekey <a> config f"],
  ["--help=false ca rekey", "ca rekey <>"],
  ["-- ca rekey", "ca rekey <>"],
  ["", "help of ''"],
  ["--help", "help of ''"],
  ["-h", "help of ''"],
  ["-help ca rekey", "help of ''"],
  ["help", "help of ''"],
  ["ca", "help of 'ca'"],
  ["ca --help", "help of 'ca'"],
  ["ca -h rekey", "help of 'ca'"],
  ["ca help", "help of 'ca'"],
  ["ca help rekey", "help of 'ca rekey'"],
  ["help ca", "help of 'ca'"],
  ["help ca rekey", "help of 'ca rekey'"],
  ["help rekey", "help of 'rekey'"],
  ["help version", "help of ''"],
  ["version", "version"],
  ["version --help", "help of ''"],
  ["--version", "version"],
  ["-v", "version"],
  ["--version=false ca", "help of 'ca'"],
];

for (const [line, expected] of ROUTES) {
  Deno.test(`findRoute() takes '${line}' as ${expected}`, () => {
    assertEquals(routeOf(line), expected);
  });
}

const REFUSED: readonly (readonly [string, string])[] = [
  ["foo", "No help topic for 'foo' / step-rekey help lists the commands"],
  ["-", "No help topic for '-' / step-rekey help lists the commands"],
  [
    "constructor",
    "No help topic for 'constructor' / step-rekey help lists the commands",
  ],
  ["reky", "No help topic for 'reky' / did you mean step-rekey rekey?"],
  ["ca foo", "No help topic for 'foo' / step-rekey ca help lists the commands"],
  [
    "ca reken a b",
    "No help topic for 'reken' / did you mean step-rekey ca rekey?",
  ],
  [
    "ca version",
    "No help topic for 'version' / step-rekey ca help lists the commands",
  ],
  ["help foo", "No help topic for 'foo' / step-rekey help lists the commands"],
  [
    "help ca rekye",
    "No help topic for 'rekye' / did you mean step-rekey ca rekey?",
  ],
  [
    "help ca rekey a",
    "No help topic for 'a' / step-rekey ca rekey help lists the commands",
  ],
  ["--foo ca rekey", "flag provided but not defined: -foo"],
  ["ca --foo rekey", "flag provided but not defined: -foo"],
  [
    "--confg x ca rekey",
    "flag provided but not defined: -confg / did you mean --config?",
  ],
  ["ca --config x rekey", "flag provided but not defined: -config"],
  ["ca --version", "flag provided but not defined: -version"],
  ["--config", "flag needs an argument: -config"],
  ["---x", "bad flag syntax: ---x"],
  ["--help=x", 'invalid boolean value "x" for -help: parse error'],
  [
    "version a",
    "too many positional arguments were provided in 'step-rekey version'",
  ],
];

for (const [line, expected] of REFUSED) {
  Deno.test(`findRoute() refuses '${line}'`, () => {
    assertEquals(routeOf(line), expected);
  });
}
