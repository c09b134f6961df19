/** Whole command lines of `run`: what is accepted, and what is refused by name. */
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { runLine } from "../../support/command_line.ts";

const START = ["run", "--ca-url", "ca", "a.crt", "a.key"];
const COMMAND = ["--", "nginx", "-g", "daemon off;"];

/** A token of a JWK provisioner, which nobody has signed. */
const TOKEN = ["{}", '{"sub":"host","sha":"aa"}', ""].map((part) =>
  new TextEncoder().encode(part).toBase64({ alphabet: "base64url" })
    .replaceAll("=", "")
).join(".");

for (
  const args of [
    [],
    ["--signal", "0"],
    ["--signal", "31"],
    ["--exec", "nginx -s reload"],
    ["--token", TOKEN, "--not-after", "24h"],
    ["--expires-in", "8h"],
    ["--rekey-period", "16h"],
    ["--offline"],
    ["--kty", "RSA", "--layout", "versioned", "--lock-timeout", "5s"],
  ]
) {
  Deno.test(`run ${args.join(" ").slice(0, 40)} is understood`, async () => {
    const { code, stderr } = await runLine([...START, ...args, ...COMMAND]);
    assertEquals([code, stderr], [0, ""]);
  });
}

Deno.test("run leaves flags behind the dashes to the command, also its --help and --", async () => {
  for (const words of [["sh", "--help"], ["sh", "--", "-x"], ["--version"]]) {
    const { code, stdout, stderr } = await runLine([...START, "--", ...words]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
  }
});

for (
  const [args, says] of [
    [[], "<command> is missing: the command to run stands behind two dashes"],
    [["--"], "<command> is missing"],
    [["nginx"], `nothing belongs to "nginx"; the command to run stands behind`],
    [
      ["nginx", "-g", "daemon off;"],
      "flag provided but not defined: -g\nusage: step-rekey run <crt-file> <key-file> [flags] -- <command> [<argument> ...] (step-rekey run --help tells more)\nhint: the command to run stands behind two dashes",
    ],
    [["--expire-in", "8h", ...COMMAND], "did you mean --expires-in?"],
    [["--daemon", ...COMMAND], "flag '--daemon' is not supported"],
    [["--daemon", ...COMMAND], "run rekeys as long as the command runs"],
    [["-f", ...COMMAND], "run asks nothing"],
    [["--pid-file", "x", ...COMMAND], "the command itself gets the signal"],
    [["--pid=1", ...COMMAND], "flag '--pid' is not supported"],
    [["--out-crt", "x", ...COMMAND], "name the files that the command reads"],
    [["--out-key=x", ...COMMAND], "flag '--out-key' is not supported"],
    [["--private-key", "x", ...COMMAND], "a new key for every certificate"],
    [["--dry-run", ...COMMAND], 'a dry run of "step-rekey ca rekey" shows'],
    [["--signal", "32", ...COMMAND], "1 to 31, or 0 for none"],
    [["--signal=-1", ...COMMAND], "invalid value '-1' for flag '--signal'"],
    [
      ["--signal", "1", "--exec", "true", ...COMMAND],
      "flag '--signal' and flag '--exec' are mutually exclusive",
    ],
    [
      ["--token", TOKEN, "--offline", ...COMMAND],
      "flag '--token' is incompatible with flag '--offline'",
    ],
    [["--token", "abc", ...COMMAND], "token"],
    [["--", "a\0b"], "NUL"],
  ] as const
) {
  Deno.test(`run refuses ${args.join(" ").slice(0, 40)}: ${says.slice(0, 40)}`, async () => {
    const { code, stderr } = await runLine([...START, ...args]);
    assertEquals(code, 64, stderr);
    assertStringIncludes(stderr, says);
  });
}

Deno.test("run names itself where the CA is missing, and a token of another day is no mistake offline", async () => {
  const nobody = await runLine(["run", "a.crt", "a.key", ...COMMAND]);
  assertStringIncludes(
    nobody.stderr,
    "'step-rekey run' requires the '--ca-url' flag",
  );
  const env = { STEP_TOKEN: TOKEN };
  const offline = [...START, "--offline", ...COMMAND];
  assertEquals((await runLine(offline, { env })).code, 0);
});

Deno.test("run shows where the command stands in its help", async () => {
  const { stdout } = await runLine(["run", "--help"]);
  assertStringIncludes(stdout, "-- <command> [<argument> ...]");
  assertEquals(stdout.includes("--pid-file="), false);
});
