/** Help pages. */
import { COMMANDS } from "../../src/cli/commands/catalogue.ts";
import { placesIn } from "../../src/cli/grammar/route.ts";
import { REKEY_FLAGS } from "../../src/cli/resolve/flags.ts";
import { ERROR_KINDS, type ErrorKind } from "../../src/base/errors.ts";
import { ERROR_MEANINGS } from "../../src/cli/exit_codes.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";

const HELP = (await runLine(["ca", "rekey", "--help"])).stdout;

// Every flag of the manual of `step ca rekey`, as its options section has it.
const MANUAL_FLAGS = [
  "--out-cert",
  "--out-key",
  "--private-key",
  "--expires-in",
  "--pid",
  "--pid-file",
  "--signal",
  "--exec",
  "--daemon",
  "--rekey-period",
  "--kty",
  "--crv",
  "--curve",
  "--size",
  "-f",
  "--force",
  "--offline",
  "--password-file",
  "--root",
  "--ca-url",
  "--ca-config",
];

const OPTION_LINES = HELP.slice(
  HELP.indexOf("\nOPTIONS\n"),
  HELP.indexOf("\nEXAMPLES\n"),
).split("\n").filter((line) => /^ {2}-/.test(line));

for (const flag of MANUAL_FLAGS) {
  Deno.test(`the help of ca rekey has an entry for ${flag}`, () => {
    const spellings = OPTION_LINES.join(", ").split(",").map((text) =>
      text.trim().replace(/=.*/, "")
    );
    assert(spellings.includes(flag));
  });
}

for (const { path } of placesIn({ path: [], entry: COMMANDS })) {
  const words = path.join(" ");

  Deno.test(`the usage of '${words}' names every flag, and each once`, async () => {
    const { stdout } = await runLine(["help", ...path]);
    const usage = stdout.slice(
      stdout.indexOf("\nUSAGE\n"),
      stdout.search(/\n(?:DESCRIPTION|COMMANDS)\n/),
    );
    const names = [...usage.matchAll(/\[(--[a-zA-Z-]+)/g)].map(([, name]) =>
      name
    );
    assertEquals(names, [...new Set(names)]);
    const options = stdout.slice(
      stdout.indexOf("\nOPTIONS\n"),
      stdout.search(/\n(?:EXAMPLES|MORE)\n/),
    ).split("\n").filter((line) => /^ {2}-/.test(line));
    if (!usage.includes("<command>")) {
      assertEquals(
        names.toSorted(),
        options.map((line) =>
          /--(?!crv|provisioner,|provisioner=)[a-zA-Z-]{2,}/.exec(line)?.[0]
        )
          .map((name) => name === "--out-crt" ? "--out-cert" : name).toSorted(),
      );
    }
  });

  Deno.test(`the help of '${words}' is as wide as the terminal, within reason`, async () => {
    for (
      const [columns, expected] of [[60, 60], [100, 100], [500, 120], [5, 50]]
    ) {
      const { stdout } = await runLine(["help", ...path], {
        terminal: true,
        ...columns !== undefined && { columns },
        env: { TERM: "dumb" },
      });
      const lines = stdout.split("\n").filter((line) =>
        // Examples are for a shell, and a spelling is not broken.
        !/^ {2}(?:\$|--|-f)|\\$|internal\.(?:crt|key)/.test(line)
      );
      const widest = Math.max(...lines.map((line) => line.length));
      assert(widest <= (expected ?? 0), `${columns}: ${widest}`);
    }
  });
}

Deno.test("the help lists the flags by purpose, and within it in the manual's order", () => {
  const groups = HELP.slice(
    HELP.indexOf("\nOPTIONS\n"),
    HELP.indexOf("\nEXAMPLES\n"),
  ).split(/^(?=[A-Z].*:$)/m).slice(1);
  assertEquals(groups.map((text) => text.split("\n")[0]), [
    "Files:",
    "Keys and passwords:",
    "Certificate authority:",
    "Time:",
    "Services and failures:",
    "This program:",
  ]);
  for (const group of groups) {
    const order = [...group.matchAll(/^ {2}(-[^=,\s]*)/gm)]
      .map(([, name]) => MANUAL_FLAGS.indexOf(name ?? ""))
      .filter((index) => index >= 0);
    assertEquals(order, order.toSorted((one, other) => one - other), group);
  }
});

Deno.test("the help has the sections of the original, then the exit codes", () => {
  const headings = HELP.split("\n").filter((line) => /^[A-Z ]+$/.test(line));
  assertEquals(headings, [
    "NAME",
    "USAGE",
    "DESCRIPTION",
    "POSITIONAL ARGUMENTS",
    "OPTIONS",
    "EXAMPLES",
    "EXIT CODES",
  ]);
});

/** The table of a command, as `code when`. */
async function exitCodesOf(...path: readonly string[]): Promise<string[]> {
  const { stdout } = await runLine(["help", ...path]);
  const table = stdout.slice(stdout.indexOf("\nEXIT CODES\n") + 12);
  return table.replace(/\n {8}(?=\S)/g, " ").trimEnd().split("\n")
    .map((line) => line.trim());
}

Deno.test("the help of ca rekey names every exit code with its meaning", async () => {
  const rows = await exitCodesOf("ca", "rekey");
  for (const [kind, { exitCode }] of Object.entries(ERROR_KINDS)) {
    const code = { hook: "n", interrupted: "128+n" }[kind] ?? exitCode;
    const when = ERROR_MEANINGS[kind as ErrorKind];
    assert(rows.includes(`${code} ${when}`), `${kind}: ${rows.join("\n")}`);
  }
  assertEquals(rows.length, Object.keys(ERROR_KINDS).length + 1);
});

for (const words of ["ca rollback", "ca layout"]) {
  Deno.test(`the help of ${words} has exit codes of its own`, async () => {
    const rows = await exitCodesOf(...words.split(" "));
    const codes = rows.map((row) => row.split(" ")[0]);
    assertEquals(
      codes.filter((code) => ["69", "76", "77"].includes(code ?? "")),
      [],
    );
    assert(codes.includes("75") && codes.includes("128+n"));
    assert(!/rekeyed|not due|--root|the CA/.test(rows.join("\n")));
    if (words === "ca layout") {
      assert(!/--exec|signalled/.test(rows.join("\n")));
    }
  });
}

Deno.test("the help says what 128+n is", () => {
  assertStringIncludes(
    HELP.replace(/\s+/g, " "),
    "128+n stopped by signal n (129 SIGHUP, 130 SIGINT, 143 SIGTERM)",
  );
});

for (
  const difference of [
    "the new certificate is not recorded",
    "mysql or postgresql",
    "before the certificate is made, once for both files",
    "allowRenewalAfterExpiry",
    "other PEM blocks in front",
    "encrypted OpenSSH and Cosign keys are not supported",
  ]
) {
  Deno.test(`the help tells of a difference offline: ${difference}`, () => {
    assertStringIncludes(HELP.replace(/\s+/g, " "), difference);
  });
}

const MANUAL_EXAMPLES = [
  "ca rekey internal.crt internal.key",
  "ca rekey --out-cert out.crt --out-key out.key internal.crt internal.key",
  "ca rekey --force internal.crt internal.key",
  "ca rekey --ca-url https://ca.smallstep.com:9000 --root /path/to/root_ca.crt internal.crt internal.key",
  "ca rekey --expires-in 8h internal.crt internal.key",
  "ca rekey --daemon internal.crt internal.key",
  "ca rekey --daemon --expires-in 8h30m internal.crt internal.key",
  "ca rekey --daemon --rekey-period 16h internal.crt internal.key",
  'ca rekey --daemon --exec "nginx -s reload" internal.crt internal.key',
  'ca rekey --daemon --rekey-period 16h --exec "step certificate format --force --out internal.der internal.crt" internal.crt internal.key',
  "ca rekey --offline internal.crt internal.key",
  "ca rekey internal.crt internal.key --out-crt foo.crt --out-key foo.key",
  "ca rekey internal.crt internal.key --private-key foo.key",
];

for (const example of MANUAL_EXAMPLES) {
  Deno.test(`the help shows the example: ${example}`, () => {
    const joined = HELP.replaceAll(/ \\\n */g, " ");
    assertStringIncludes(joined, `$ step-rekey ${example}\n`);
  });
}

for (const { path } of placesIn({ path: [], entry: COMMANDS })) {
  Deno.test(`the help of '${path.join(" ")}' fits 80 columns and has no codes without a terminal`, async () => {
    const { code, stdout, stderr } = await runLine(["help", ...path]);
    assertEquals([code, stderr], [0, ""]);
    const wide = stdout.split("\n").filter((line) => line.length > 80);
    assertEquals(wide, []);
    assertEquals(stdout.includes("\x1b"), false);
    assert(stdout.endsWith("\n") && !stdout.endsWith("\n\n"));
  });
}

Deno.test("headings are bold on a terminal, unless NO_COLOR or TERM=dumb says no", async () => {
  const bold = await runLine(["--help"], { terminal: true });
  assertStringIncludes(bold.stdout, "\x1b[1mNAME\x1b[0m\n");
  const others = [{ NO_COLOR: "1" }, { TERM: "dumb" }];
  for (const env of others) {
    const plain = await runLine(["--help"], { terminal: true, env });
    assertEquals(plain.stdout.includes("\x1b"), false);
  }
});

Deno.test("the help of the short form shows the words that were typed", async () => {
  const { stdout } = await runLine(["rekey", "-h"]);
  assertStringIncludes(stdout, "step-rekey rekey <crt-file> <key-file>\n");
  assertEquals(stdout.includes("step-rekey ca rekey a"), false);
});

for (
  const line of [
    ["ca", "rekey", "-h"],
    ["ca", "rekey", "-help"],
    ["ca", "rekey", "a", "--help", "k", "--force"],
    ["help", "ca", "rekey"],
    ["ca", "help", "rekey"],
  ]
) {
  Deno.test(`'${line.join(" ")}' prints the same help`, async () => {
    const { code, stdout, stderr } = await runLine(line);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, HELP);
  });
}

Deno.test("the group help lists what is below it", async () => {
  const program = await runLine([]);
  for (const word of ["ca", "rekey", "help", "version", "--config=<file>"]) {
    assertStringIncludes(program.stdout, `\n  ${word}\n`);
  }
  const group = await runLine(["ca"]);
  assertEquals([group.code, group.stderr], [0, ""]);
  assertStringIncludes(group.stdout, "\n  rekey\n");
  assertEquals(group.stdout.includes("--config"), false);
});

Deno.test("every flag says which kind of value it takes", () => {
  for (const [name, flag] of Object.entries(REKEY_FLAGS)) {
    assertEquals("placeholder" in flag, flag.kind !== "boolean", name);
  }
});

Deno.test("every command and group has a line of its own for lists", async () => {
  for (const { path, entry } of placesIn({ path: [], entry: COMMANDS })) {
    const { brief } = typeof entry === "function"
      ? (await entry()).command
      : entry;
    assert(/^[a-z].*[^.]$/.test(brief), path.join(" "));
  }
});
