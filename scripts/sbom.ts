/**
 * The bill of materials: what the program is made of, as CycloneDX 1.6.
 *
 * Packages that only build and test it are in it with the scope `excluded`. The
 * same sources give the same bytes.
 */
import {
  Enums,
  Models,
  Serialize,
  SPDX,
  Spec,
  Validation,
} from "@cyclonedx/cyclonedx-library";
// The library's validator finds these by their names.
import "ajv";
import "ajv-formats";
import "ajv-formats-draft2019";
import type { Part } from "./parts.ts";

const SPECIFICATION = Spec.Spec1dot6;

/** What the bill is about. */
export interface Subject {
  readonly name: string;
  readonly version: string;
  readonly commit: string | null;
  /** The version of Deno whose base runtime the compiled programs hold. */
  readonly deno: string;
  readonly date: Date;
}

/** The bill as JSON, valid by the published schema. */
export async function billOfMaterials(
  { name, version, commit, deno, date }: Subject,
  parts: readonly Part[],
): Promise<string> {
  const program = new Models.Component(Enums.ComponentType.Application, name, {
    bomRef: `${name}@${version}`,
    version,
    licenses: licensesOf("Apache-2.0"),
  });
  if (commit !== null) {
    program.properties.add(new Models.Property("commit", commit));
  }
  const runtime = new Models.Component(Enums.ComponentType.Platform, "deno", {
    bomRef: `deno@${deno}`,
    version: deno,
    description: "Base runtime, in the compiled programs only",
    licenses: licensesOf("MIT"),
    purl: `pkg:github/denoland/deno@v${deno}`,
    scope: Enums.ComponentScope.Required,
  });
  const components = componentsOf(parts);
  program.dependencies.add(runtime.bomRef);
  for (const component of components) {
    if (component.scope === Enums.ComponentScope.Required) {
      program.dependencies.add(component.bomRef);
    }
  }
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ timestamp: date, component: program }),
    components: new Models.ComponentRepository([runtime, ...components]),
  });
  const text = new Serialize.JsonSerializer(
    new Serialize.JSON.Normalize.Factory(SPECIFICATION),
  ).serialize(bom, { sortLists: true, space: 2 });
  await requireValid(text);
  return `${text}\n`;
}

/** @throws when `text` is not what the schema of CycloneDX asks for */
export async function requireValid(text: string): Promise<void> {
  const validator = new Validation.JsonStrictValidator(SPECIFICATION.version);
  const problem = await validator.validate(text);
  if (problem !== null) {
    throw new Error(
      `the bill of materials is not CycloneDX: ${JSON.stringify(problem)}`,
    );
  }
}

/** Each with what it needs. */
function componentsOf(parts: readonly Part[]): readonly Models.Component[] {
  const components = new Map(
    parts.map((part) => [`${part.name}@${part.version}`, componentOf(part)]),
  );
  for (const { name, version, needs } of parts) {
    const component = components.get(`${name}@${version}`);
    for (const needed of needs) {
      const reference = components.get(needed)?.bomRef;
      if (reference !== undefined) component?.dependencies.add(reference);
    }
  }
  return [...components.values()];
}

function componentOf(part: Part): Models.Component {
  const { name, version, sha512, isInProgram } = part;
  const [group, plain] = name.startsWith("@") ? name.split("/") : [];
  return new Models.Component(
    Enums.ComponentType.Library,
    plain ?? name,
    {
      bomRef: `${name}@${version}`,
      ...group !== undefined && { group },
      version,
      licenses: licensesOf(part.license),
      hashes: new Models.HashDictionary([
        [Enums.HashAlgorithm["SHA-512"], sha512],
      ]),
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      scope: isInProgram
        ? Enums.ComponentScope.Required
        : Enums.ComponentScope.Excluded,
    },
  );
}

function licensesOf(license: string): Models.LicenseRepository {
  return new Models.LicenseRepository([
    SPDX.isSupportedSpdxId(license)
      ? new Models.SpdxLicense(license)
      : new Models.LicenseExpression(license),
  ]);
}
