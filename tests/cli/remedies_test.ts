import type { Hint, Remedy, SimpleRemedy } from "../../src/base/remedy.ts";
import { COMMANDS } from "../../src/cli/commands/catalogue.ts";
import {
  type CommandDefinition,
  spellingsOf,
} from "../../src/cli/grammar/command.ts";
import { placesIn } from "../../src/cli/grammar/route.ts";
import { hintText } from "../../src/cli/remedies.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { hintWords, REKEY_SPEAKER } from "../support/hint.ts";

Deno.test("hintText() gives words back as they are", () => {
  assertEquals(hintWords("chmod 600 it"), "chmod 600 it");
});

Deno.test("hintText() says by which flag a key is closed", () => {
  assertEquals(
    hintWords({ remedy: "close the key" }),
    "to close it: --key-mode 0600",
  );
});

Deno.test("hintText() names --in-place only where it can be used", () => {
  const text = (allowsInPlace: boolean) =>
    hintWords({ remedy: "mount the directory", allowsInPlace });
  assert(text(true).endsWith("by --in-place"));
  assertEquals(
    text(false),
    "mount the directory of the file instead of the file",
  );
});

Deno.test("hintText() names the program as it was called", () => {
  assertEquals(
    hintText({ remedy: "get a new certificate" }, {
      ...REKEY_SPEAKER,
      name: "step-cli",
    }),
    'get a new certificate with "step-cli ca certificate"',
  );
});

/** Complete, as the type says. */
const SIMPLE: Readonly<Record<SimpleRemedy, true>> = {
  "address the CA by a certified name": true,
  "address the CA itself": true,
  "allow expired": true,
  "check the CA and the clocks": true,
  "check the CA's port": true,
  "choose an owner": true,
  "choose no owner": true,
  "close the key": true,
  "fetch the root": true,
  "fill the password file": true,
  "follow restarts": true,
  "get a certificate that names its provisioner": true,
  "get a new certificate": true,
  "get a new certificate or rekey offline": true,
  "keep the key plain": true,
  "longer hook limit": true,
  "longer period": true,
  "look for a proxy": true,
  "name a password file": true,
  "name a state folder": true,
  "name ca.json": true,
  "name the CA's password": true,
  "name the key of the pair": true,
  "name the new key": true,
  "overwrite without asking": true,
  "rekey online": true,
  "replace files": true,
  "replace in the folder": true,
  "shorter schedule": true,
  "start before rekeying": true,
  "wait for the lock": true,
  "write elsewhere": true,
};

const facts = "HTTP 400";
const REMEDIES: readonly Remedy[] = [
  ...Object.keys(SIMPLE).map((remedy) => ({ remedy: remedy as SimpleRemedy })),
  { remedy: "put the key back", from: "a", to: "b" },
  { remedy: "mount the directory", allowsInPlace: true },
  { remedy: "ignore the database", repair: "restore it" },
  { remedy: "allow late renewal", provisioner: "x" },
  { remedy: "check the CA's address", facts },
  { remedy: "reach the CA end to end", facts, act: "rekey" },
  { remedy: "reach the CA end to end", facts, act: "renew" },
  { remedy: "make the token elsewhere", command: "step oauth --oidc" },
];

const places = placesIn({ path: [], entry: COMMANDS });
const paths = places.map(({ path }) => path.join(" "));

for (const { path, entry } of places) {
  if (typeof entry !== "function") continue;
  Deno.test(`hints of ${path.join(" ")} name what there is, by its name`, async () => {
    const { command } = await entry();
    const refused = Object.values(command.refusedFlags ?? {});
    for (const hint of [...REMEDIES, ...refused]) requireOwn(hint, command);
  });
}

/**
 * What Smallstep's step has is named so, up to the end of the clause; a line to
 * type stands in quotes.
 */
function requireOwn(hint: Hint, command: CommandDefinition): void {
  const { flags } = command;
  const whole = hintText(hint, { name: "step", flags });
  assert(whole !== "");
  const text = whole.replaceAll(/Smallstep's step[^,;]*/g, "");
  assert(!text.includes("step-rekey "), text);
  const known = Object.entries(flags)
    .flatMap(([name, flag]) => spellingsOf(name, flag));
  const said = text.replaceAll(/"step [^"]*"/g, "");
  for (const [, flag = ""] of said.matchAll(/--([a-z][a-z-]*)/g)) {
    assert(known.includes(flag), text);
  }
  for (const [, words = ""] of text.matchAll(/\bstep ((?:[a-z]+ ?)+)/g)) {
    assert(paths.some((path) => path !== "" && words.startsWith(path)), text);
  }
}
