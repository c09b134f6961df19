/** The reference names the permissions with which the end-to-end tests run. */
import { ROOT } from "../../scripts/paths.ts";
import { assert, assertStringIncludes } from "../support/assert.ts";
import { PERMISSIONS } from "../support/program.ts";

const reference = await Deno.readTextFile(`${ROOT}docs/reference.md`);
const section = reference.slice(reference.indexOf("\n## Permissions\n"));

Deno.test("the command line of the reference grants what the tests run with", () => {
  const [, line = ""] = /^deno run (.*?) main\.ts/ms.exec(section) ?? [];
  const granted = line.split(/[\\\s]+/).filter((word) =>
    word !== "--no-prompt"
  );
  assert(
    granted.toSorted().join() === PERMISSIONS.toSorted().join(),
    `the reference grants ${granted.join(" ")}, and not ${
      PERMISSIONS.join(" ")
    }`,
  );
});

Deno.test("the table of permissions has each of them", () => {
  for (const flag of PERMISSIONS) {
    const [name] = flag.replace("--", "").split("=");
    assertStringIncludes(section, `\n| \`${name}\``);
  }
});
