import { ROOT } from "../../scripts/paths.ts";
import plugin, { importFault, sourcePath } from "../../scripts/style_lint.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** The rules that a source text breaks. */
function faults(path: string, source: string): readonly string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${path}`, source)
    .map(({ id }) => id);
}

Deno.test("importFault() lets imports point down", () => {
  const allowed: readonly [string, string][] = [
    ["cli/job.ts", "../rekey.ts"],
    ["cli/job.ts", "../ca/online.ts"],
    ["daemon.ts", "./rekey.ts"],
    ["rekey.ts", "./files/install.ts"],
    ["ca/offline/offline_authority.ts", "../../pki/verify.ts"],
    ["ca/offline/offline_authority.ts", "../authority.ts"],
    ["files/key_pair.ts", "../errors.ts"],
    ["pki/csr.ts", "./pem.ts"],
    ["runtime.ts", "./errors.ts"],
    ["observe/log.ts", "../runtime.ts"],
    ["cli/command.ts", "@stricli/core"],
  ];
  for (const [from, to] of allowed) {
    assertEquals(importFault(from, to), undefined, `${from} -> ${to}`);
  }
});

Deno.test("importFault() refuses imports that point up or sideways", () => {
  const refused: readonly [string, string][] = [
    ["pki/csr.ts", "../files/install.ts"],
    ["pki/csr.ts", "../schedule.ts"],
    ["ca/online.ts", "../files/password.ts"],
    ["files/install.ts", "../reload/exec.ts"],
    ["reload/exec.ts", "../ca/authority.ts"],
    ["rekey.ts", "./daemon.ts"],
    ["daemon.ts", "./cli/run.ts"],
    ["errors.ts", "./pki/pem.ts"],
    ["pki/csr.ts", "../../tests/support/run.ts"],
    ["ca/online.ts", "@peculiar/x509"],
    ["ca/online.ts", "npm:@peculiar/x509@2.2.0"],
    ["newcomer/thing.ts", "../errors.ts"],
  ];
  for (const [from, to] of refused) {
    assert(importFault(from, to) !== undefined, `${from} -> ${to} passed`);
  }
});

Deno.test("style_lint finds an upward import in every form", () => {
  for (
    const source of [
      'import { run } from "../cli/run.ts"; run();',
      'import type { Run } from "../cli/run.ts"; export type A = Run;',
      'export { run } from "../cli/run.ts";',
      'export * from "../cli/run.ts";',
      'export const a = import("../cli/run.ts");',
    ]
  ) {
    assertEquals(
      faults("src/files/install.ts", source),
      ["step-rekey/layers"],
      source,
    );
  }
});

Deno.test("style_lint keeps Deno out of pure files", () => {
  const source = "export const a = Deno.pid;";
  assertEquals(faults("src/pki/csr.ts", source), ["step-rekey/no-effects"]);
  assertEquals(faults("src/schedule.ts", source), ["step-rekey/no-effects"]);
  assertEquals(faults("src/files/install.ts", source), []);
});

Deno.test("style_lint keeps console and Deno.exit out of src", () => {
  assertEquals(faults("src/ca/online.ts", "console.log(1);"), [
    "step-rekey/no-effects",
  ]);
  assertEquals(faults("src/cli/run.ts", "Deno.exit(1);"), [
    "step-rekey/no-effects",
  ]);
  assertEquals(faults("main.ts", "Deno.exit(1);"), []);
  assertEquals(faults("scripts/build.ts", "console.log(1);"), []);
});

Deno.test("style_lint refuses module state, static node: imports, empty catch", () => {
  assertEquals(faults("src/ca/online.ts", "let a = 1; a++;"), [
    "step-rekey/no-module-state",
  ]);
  assertEquals(faults("src/ca/online.ts", "export let a = 1;"), [
    "step-rekey/no-module-state",
  ]);
  assertEquals(
    faults("src/ca/online.ts", 'import { hash } from "node:crypto"; hash();'),
    ["step-rekey/no-static-node"],
  );
  assertEquals(
    faults("src/ca/online.ts", "try { f(); } catch {}"),
    ["step-rekey/no-empty-catch"],
  );
});

Deno.test("style_lint refuses what the minifier makes of a variable that is used once", () => {
  const begin = "function f() { using a = g();";
  for (
    const [rest, isFault] of [
      ["return h(a);", true],
      ["h(a); i();", true],
      ["h(a); i(a);", false],
      ["i(); h(a);", false],
      ["h(() => a);", false],
      ["try { h(a); } finally { i(); }", false],
      ["h();", false],
    ] as const
  ) {
    assertEquals(
      faults("src/ca/online.ts", `${begin} ${rest} }`),
      isFault ? ["step-rekey/using-inlined"] : [],
      rest,
    );
  }
});

Deno.test("sourcePath() knows src only at the root of the checkout", () => {
  assertEquals(sourcePath(`${ROOT}src/pki/csr.ts`), "pki/csr.ts");
  assertEquals(sourcePath(`${ROOT}tests/src/csr.ts`), undefined);
  assertEquals(sourcePath(`/elsewhere/src/pki/csr.ts`), undefined);
});
