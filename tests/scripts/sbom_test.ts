import { licenseTexts, lockedParts, type Part } from "../../scripts/parts.ts";
import { ROOT } from "../../scripts/paths.ts";
import { billOfMaterials, requireValid } from "../../scripts/sbom.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";

const parts = await lockedParts();
const SUBJECT = {
  name: "step-rekey",
  version: "1.0.0",
  commit: "0123abc",
  deno: "2.9.6",
  date: new Date("2026-11-30T00:00:00Z"),
};
const bill = await billOfMaterials(SUBJECT, parts);

interface Component {
  readonly "bom-ref": string;
  readonly scope: string;
  readonly licenses: readonly unknown[];
}
const components: readonly Component[] = JSON.parse(bill).components;

Deno.test("billOfMaterials() names every package of deno.lock, and the runtime", async () => {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const isNative = (key: string) => "os" in lock.npm[key];
  const locked = Object.keys(lock.npm).filter((key) => !isNative(key))
    .map((key) => key.replace(/(?<=.@[^_]*)_.*/, ""));
  assertEquals(
    components.map((component) => component["bom-ref"]).sort(),
    [...locked, "deno@2.9.6"].sort(),
  );
  for (const { licenses, "bom-ref": name } of components) {
    assertEquals(licenses.length, 1, name);
  }
});

Deno.test("billOfMaterials() excludes what only builds and tests the program", () => {
  const scopeOf = (start: string) =>
    components.filter((component) => component["bom-ref"].startsWith(start))
      .map(({ scope }) => scope);
  for (const name of ["@peculiar/x509", "jose", "pkijs", "reflect-metadata"]) {
    assertEquals(scopeOf(`${name}@`), ["required"]);
  }
  for (const name of ["fast-check", "ajv", "@cyclonedx/cyclonedx-library"]) {
    assertEquals(scopeOf(`${name}@`), ["excluded"]);
  }
  // What the program holds needs nothing that it does not hold.
  const held = new Set(
    parts.filter(({ isInProgram }) => isInProgram)
      .map(({ name, version }) => `${name}@${version}`),
  );
  for (const { name, needs, isInProgram } of parts) {
    if (!isInProgram) continue;
    for (const needed of needs) assert(held.has(needed), `${name}: ${needed}`);
  }
});

Deno.test("billOfMaterials() makes the same bytes twice", async () => {
  assertEquals(await billOfMaterials(SUBJECT, [...parts].reverse()), bill);
});

for (
  const [what, damage] of [
    ["a component without a name", { components: [{ type: "library" }] }],
    ["a member of its own", { made: "up" }],
    ["an unknown scope", {
      components: [{ type: "library", name: "x", scope: "maybe" }],
    }],
    ["another format", { bomFormat: "SPDX" }],
  ] as const
) {
  Deno.test(`requireValid() refuses ${what}`, async () => {
    await assertRejects(
      () => requireValid(JSON.stringify({ ...JSON.parse(bill), ...damage })),
      Error,
    );
  });
}

Deno.test("licenseTexts() has the notice of each library of the program, and of no other", async () => {
  const text = await licenseTexts(parts, "2.9.6");
  const named = (part: Part) => text.includes(`${part.name} ${part.version}`);
  for (const part of parts) {
    assertEquals(named(part), part.isInProgram, part.name);
  }
  assertStringIncludes(text, "Copyright (c) 2018 Filip Skokan");
  assertStringIncludes(text, "Deno 2.9.6, Copyright");
});
