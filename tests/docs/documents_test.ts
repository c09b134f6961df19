/** The documents tell of this program: each check, and that it can fail. */
import { assert, assertEquals } from "../support/assert.ts";
import {
  type Check,
  missingVariables,
  refusedLines,
  unknownFlags,
  unknownVariables,
  wrongCommands,
  wrongEvents,
  wrongExitCodes,
  wrongFlagTables,
  wrongLibraries,
  wrongTasks,
} from "./checks.ts";
import { type Document, readDocuments } from "./documents.ts";
import {
  brokenLinks,
  longReadme,
  missingFolders,
  missingPaths,
  missingVersion,
  unmarkedBlocks,
} from "./link_checks.ts";
import { programFacts } from "./program.ts";

const DOCUMENTS = await readDocuments();
const FACTS = await programFacts();

/** The same documents with one change. */
function changed(
  path: string,
  change: (text: string) => string,
): readonly Document[] {
  return DOCUMENTS.map((document) => {
    if (document.path !== path) return document;
    const text = change(document.text);
    assert(text !== document.text, `${path} has nothing to change`);
    return { path, text };
  });
}

function adding(path: string, text: string): readonly Document[] {
  return changed(path, (whole) => `${whole}\n${text}\n`);
}

function without(path: string, pattern: RegExp): readonly Document[] {
  return changed(path, (text) => text.replaceAll(pattern, ""));
}

/** A check, what it promises, and documents that break the promise. */
interface Case {
  readonly check: Check;
  readonly promise: string;
  readonly broken: Readonly<Record<string, readonly Document[]>>;
}

const CASES: readonly Case[] = [
  {
    check: unknownFlags,
    promise: "name no flag that does not exist",
    broken: {
      "a flag in a sentence": adding("docs/hooks.md", "Use `--exec-twice`."),
      "a flag in a block": adding("README.md", "```\nstep-rekey --x\n```"),
    },
  },
  {
    check: refusedLines,
    promise: "show only command lines that the program accepts",
    broken: {
      "a flag of another command": adding(
        "docs/layouts.md",
        "```\nstep-rekey ca layout plain --offline a b\n```",
      ),
      "flags that do not go together": adding(
        "README.md",
        "```\n$ step-rekey ca rekey --daemon --private-key k a b\n```",
      ),
    },
  },
  {
    check: wrongFlagTables,
    promise:
      "have a row for every flag with variable, values and default, and no other",
    broken: {
      "a row less": without("docs/reference.md", /^\| `--owner=.*\n/gm),
      "a row too many": changed(
        "docs/reference.md",
        (text) => text.replace(/^(\| `--)owner(=.*\n)/m, "$&$1ownr$2"),
      ),
      "another variable": changed(
        "docs/reference.md",
        (text) => text.replace("`STEP_CRV`", "`STEP_CURVE`"),
      ),
      "a value less": changed(
        "docs/reference.md",
        (text) => text.replace("`OKP`", ""),
      ),
      "another default": changed(
        "docs/reference.md",
        (text) => text.replace("default: 30s", "default: 20s"),
      ),
    },
  },
  {
    check: unknownVariables,
    promise: "name no variable that nobody knows",
    broken: { "a variable": adding("docs/hooks.md", "See `STEP_REKEY_CRT`.") },
  },
  {
    check: missingVariables,
    promise: "name every variable",
    broken: {
      "one of a hook less": without("docs/hooks.md", /`STEP_REKEY_SERIAL`/g),
      "one of a flag less": without("docs/reference.md", /`STEP_CONTEXT`/g),
    },
  },
  {
    check: wrongEvents,
    promise: "list all events of the log and no other",
    broken: {
      "one less": without("docs/daemon.md", /^\| `woken`.*\n/gm),
      "one that is not there": changed(
        "docs/daemon.md",
        (text) => text.replace("`woken` ", "`waked` "),
      ),
    },
  },
  {
    check: wrongCommands,
    promise: "name all commands and no other",
    broken: {
      "a command that is not there": adding("README.md", "Call `ca undo`."),
      "one less": without("docs/reference.md", /^\| \[`version`\].*\n/gm),
    },
  },
  {
    check: wrongTasks,
    promise: "name all tasks and no other",
    broken: {
      "a task that is not there": adding("README.md", "`deno task lint`"),
      "one less": DOCUMENTS.map(({ path, text }) => ({
        path,
        text: text.replaceAll("deno task soak", ""),
      })),
    },
  },
  {
    check: wrongExitCodes,
    promise: "have the exit codes of the program",
    broken: {
      "another meaning": changed(
        "README.md",
        (text) => text.replace("you answered no", "you answered yes"),
      ),
      "no row for success": without("README.md", /^\| 0 .*\n/gm),
      "a code in a sentence": adding("docs/daemon.md", "It has exit code 2."),
      "a code for systemd": changed(
        "docs/daemon.md",
        (text) => text.replace("ExitStatus=64", "ExitStatus=65 63"),
      ),
    },
  },
  {
    check: wrongLibraries,
    promise: "tell of every library, and of no other",
    broken: {
      "another version": changed(
        "docs/dependencies.md",
        (text) => text.replace("**jose** ", "**jose** 1"),
      ),
      "one less": without("docs/dependencies.md", /^\*\*fast-check.*\n/gm),
    },
  },
  {
    check: brokenLinks,
    promise: "lead somewhere, and README to each of them",
    broken: {
      "a file that is not there": adding("README.md", "[x](docs/nothing.md)"),
      "a heading that is not there": adding("docs/files.md", "[x](#nothing)"),
      "a page that nobody finds": without("README.md", /docs\/files\.md/g),
    },
  },
  {
    check: missingPaths,
    promise: "name only paths that exist",
    broken: {
      "a file": adding("CONTRIBUTING.md", "See `src/base/nothing.ts`."),
    },
  },
  {
    check: missingFolders,
    promise: "have a line for each folder of the source",
    broken: {
      "a line less": without("CONTRIBUTING.md", /^\| `src\/pki\/`.*\n/gm),
      "a line less in the tree": without(
        "docs/architecture.md",
        /^\| `reload\/`.*\n/gm,
      ),
    },
  },
  {
    check: unmarkedBlocks,
    promise: "have a language and a mark for each block",
    broken: {
      "a block without a language": adding("README.md", "```\nls\n```"),
      "a test that is not there": adding(
        "README.md",
        "<!-- run by tests/nothing.ts -->\n```sh\nls\n```",
      ),
      "output without a command": adding(
        "README.md",
        "```console\nok\n```",
      ),
    },
  },
  {
    check: missingVersion,
    promise: "have a section of the changelog for this version",
    broken: {
      "another version": without("CHANGELOG.md", /^## \[.*\n/gm),
    },
  },
  {
    check: longReadme,
    promise: "do not fill README",
    broken: { "a line too many": adding("README.md", "x\n".repeat(200)) },
  },
];

for (const { check, promise, broken } of CASES) {
  Deno.test(`the documents ${promise}`, async () => {
    assertEquals(await check(DOCUMENTS, FACTS), []);
  });
  for (const [what, documents] of Object.entries(broken)) {
    Deno.test(`${check.name}() finds ${what}`, async () => {
      const before = (await check(DOCUMENTS, FACTS)).length;
      assert((await check(documents, FACTS)).length > before);
    });
  }
}
