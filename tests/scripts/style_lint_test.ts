import { ROOT } from "../../scripts/paths.ts";
import plugin, {
  importCircle,
  importFault,
  LAYERS,
  sourcePath,
} from "../../scripts/style_lint.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** The rules that a source text breaks. */
function faults(path: string, source: string): readonly string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${path}`, source)
    .map(({ id }) => id);
}

Deno.test("importFault() lets imports point down", () => {
  const allowed: readonly [string, string][] = [
    ["cli/process/job.ts", "../../engine/rekey.ts"],
    ["cli/process/job.ts", "../../ca/online/online.ts"],
    ["cli/run.ts", "./grammar/command.ts"],
    ["daemon/loop.ts", "../engine/rekey.ts"],
    ["daemon/loop.ts", "./wait.ts"],
    ["engine/rekey.ts", "../files/open_pair.ts"],
    ["ca/offline/offline_authority.ts", "../../pki/verify/verify.ts"],
    ["ca/offline/offline_authority.ts", "../authority.ts"],
    ["ca/offline/database/ca_database.ts", "./badger/badger_key.ts"],
    ["files/pair/key_pair.ts", "../../base/errors.ts"],
    ["files/pair/key_pair.ts", "../disk/disk.ts"],
    ["pki/keys/csr.ts", "../asn1/pem.ts"],
    ["base/runtime.ts", "./errors.ts"],
    ["observe/log.ts", "../base/runtime.ts"],
    ["pki/keys/vendor/entry.ts", "jose"],
    ["pki/keys/json_web_token.ts", "./vendor/jose.js"],
  ];
  for (const [from, to] of allowed) {
    assertEquals(importFault(from, to), undefined, `${from} -> ${to}`);
  }
});

Deno.test("importFault() refuses imports that point up or sideways", () => {
  const refused: readonly [string, string][] = [
    ["pki/keys/csr.ts", "../../files/open_pair.ts"],
    ["pki/keys/csr.ts", "../../engine/schedule.ts"],
    ["ca/online/online.ts", "../../files/pair/password.ts"],
    ["files/open_pair.ts", "../reload/exec.ts"],
    ["reload/exec.ts", "../ca/authority.ts"],
    ["engine/rekey.ts", "../daemon/loop.ts"],
    ["daemon/loop.ts", "../cli/run.ts"],
    ["base/errors.ts", "../pki/asn1/pem.ts"],
    ["pki/keys/csr.ts", "../../../tests/support/run.ts"],
    ["ca/online/online.ts", "@peculiar/x509"],
    ["ca/online/online.ts", "npm:@peculiar/x509@2.2.0"],
    ["pki/keys/csr.ts", "@peculiar/x509"],
    ["pki/keys/csr.ts", "../vendor/peculiar.js"],
    ["ca/online/online.ts", "../../pki/vendor/peculiar.js"],
    ["ca/online/online.ts", "jose"],
    ["pki/keys/csr.ts", "npm:jose@6.2.18"],
    ["pki/keys/csr.ts", "./vendor/jose.js"],
    ["pki/keys/json_web_token.ts", "../vendor/peculiar.js"],
    ["newcomer/thing.ts", "../base/errors.ts"],
    ["newcomer.ts", "./base/errors.ts"],
  ];
  for (const [from, to] of refused) {
    assert(importFault(from, to) !== undefined, `${from} -> ${to} passed`);
  }
});

Deno.test("importFault() lets nobody change a pair who has not opened it", () => {
  for (const path of ["plain/plain_install.ts", "versioned/layout.ts"]) {
    assertEquals(
      importFault("engine/rekey.ts", `../files/${path}`),
      "a pair is changed by who has opened it: src/files/open_pair.ts",
    );
    assertEquals(importFault("files/open_pair.ts", `./${path}`), undefined);
  }
});

Deno.test("importFault() proves the order of sub-folders", () => {
  const refused: readonly [string, string][] = [
    ["pki/asn1/pem.ts", "../certificate/certificate.ts"],
    ["ca/online/online.ts", "../offline/authorize.ts"],
    ["ca/authority.ts", "./online/online.ts"],
    ["ca/offline/config/ca_config.ts", "../database/ca_database.ts"],
    ["ca/offline/database/bolt/bolt_page.ts", "../badger/badger_key.ts"],
    ["files/disk/disk.ts", "../transaction.ts"],
    ["files/plain/recovery.ts", "../versioned/layout.ts"],
    ["files/pair/key_pair.ts", "../newcomer.ts"],
    ["cli/grammar/command.ts", "../commands/rekey.ts"],
  ];
  for (const [from, to] of refused) {
    assert(importFault(from, to) !== undefined, `${from} -> ${to} passed`);
  }
});

Deno.test("LAYERS gives each folder and file of src one place", async () => {
  for (const [folder, floors] of Object.entries(LAYERS)) {
    const places = floors.flat();
    assertEquals(new Set(places).size, places.length, folder);
    const path = `${ROOT}src/${folder}`;
    const present = await Array.fromAsync(Deno.readDir(path));
    assertEquals(
      places.toSorted(),
      present.map(({ name }) => name).toSorted(),
      `src/${folder}`,
    );
  }
});

Deno.test("importCircle() finds the way back, over types and over folders", () => {
  const texts: Readonly<Record<string, string>> = {
    "a/one.ts": 'import { two } from "../b/two.ts";',
    "b/two.ts": 'import type { Three } from "./three.ts";',
    "b/three.ts": 'export { one } from "../a/one.ts";',
    "b/leaf.ts": "export const leaf = 1;",
  };
  const read = (path: string) => texts[path];
  assertEquals(importCircle("a/one.ts", "b/two.ts", read), [
    "b/two.ts",
    "b/three.ts",
    "a/one.ts",
  ]);
  assertEquals(importCircle("b/two.ts", "b/leaf.ts", read), undefined);
  assertEquals(importCircle("a/one.ts", "c/missing.ts", read), undefined);
});

Deno.test("style_lint refuses an import that closes a circle", () => {
  // The file of that name imports the other in the checkout.
  const source =
    'import type { Certificate } from "../verify/verify.ts"; export type C = Certificate;';
  assert(
    faults("src/pki/certificate/certificate.ts", source)
      .includes("step-rekey/no-circles"),
  );
});

Deno.test("style_lint lets only cli/ name flags", () => {
  for (
    const source of [
      'export const a = "use --force to overwrite";',
      "export const a = (b: string) => `${b}; see --root`;",
      'export const a = "--out-cert";',
    ]
  ) {
    assertEquals(faults("src/files/pair/new_key.ts", source), [
      "step-rekey/no-flag-names",
    ]);
    assertEquals(faults("src/cli/remedies.ts", source), []);
  }
  assertEquals(
    faults("src/reload/exec.ts", 'export const a = "a -- b, a--b, -- ";'),
    [],
  );
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
    assert(
      faults("src/files/open_pair.ts", source).includes("step-rekey/layers"),
      source,
    );
  }
});

Deno.test("style_lint keeps Deno out of pure files", () => {
  const source = "export const a = Deno.pid;";
  assertEquals(faults("src/pki/keys/csr.ts", source), [
    "step-rekey/no-effects",
  ]);
  assertEquals(faults("src/engine/schedule.ts", source), [
    "step-rekey/no-effects",
  ]);
  assertEquals(faults("src/files/open_pair.ts", source), []);
});

Deno.test("style_lint keeps console and Deno.exit out of src", () => {
  assertEquals(faults("src/ca/online/online.ts", "console.log(1);"), [
    "step-rekey/no-effects",
  ]);
  assertEquals(faults("src/cli/run.ts", "Deno.exit(1);"), [
    "step-rekey/no-effects",
  ]);
  assertEquals(faults("main.ts", "Deno.exit(1);"), []);
  assertEquals(faults("scripts/build.ts", "console.log(1);"), []);
});

Deno.test("style_lint refuses module state, static node: imports, empty catch", () => {
  assertEquals(faults("src/ca/online/online.ts", "let a = 1; a++;"), [
    "step-rekey/no-module-state",
  ]);
  assertEquals(faults("src/ca/online/online.ts", "export let a = 1;"), [
    "step-rekey/no-module-state",
  ]);
  assertEquals(
    faults(
      "src/ca/online/online.ts",
      'import { hash } from "node:crypto"; hash();',
    ),
    ["step-rekey/no-static-node"],
  );
  assertEquals(
    faults("src/ca/online/online.ts", "try { f(); } catch {}"),
    ["step-rekey/no-empty-catch"],
  );
});

Deno.test("sourcePath() knows src only at the root of the checkout", () => {
  assertEquals(sourcePath(`${ROOT}src/pki/keys/csr.ts`), "pki/keys/csr.ts");
  assertEquals(sourcePath(`${ROOT}tests/src/csr.ts`), undefined);
  assertEquals(sourcePath(`/elsewhere/src/pki/keys/csr.ts`), undefined);
});
