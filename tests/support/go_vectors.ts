/**
 * Rekeys computed by Go's crypto/x509, frozen in tests/testdata/offline, and
 * the program that computes them anew.
 */
import { ROOT } from "../../scripts/paths.ts";
import { goProgram } from "./go_program.ts";
import { runOk } from "./run.ts";

/** One rekey. Bytes are hexadecimal; times are in nanoseconds, as text. */
export interface Vector {
  readonly name: string;
  /** Names of certificates. */
  readonly old: string;
  readonly issuer: string;
  /** Names of keys. */
  readonly issuerKey: string;
  readonly newKey: string;
  readonly serial: string;
  readonly now: string;
  readonly backdate: string;
  /** The new tbsCertificate. */
  readonly tbs?: string;
  /** Or Go's refusal. */
  readonly error?: string;
}

/** One name below a CA with name constraints. */
export interface ConstraintVector {
  readonly name: string;
  /** Names of certificates. */
  readonly issuer: string;
  readonly leaf: string;
  /** Go's text; absent when the name is allowed. */
  readonly refusal?: string;
}

/** What the program prints. */
export interface Vectors {
  /** DER, by name. */
  readonly certificates: Readonly<Record<string, string>>;
  readonly rows: readonly Vector[];
  readonly constraints: readonly ConstraintVector[];
}

const DATA = `${ROOT}tests/testdata/offline`;

/** The frozen vectors. */
export function readVectors(): Vectors {
  return JSON.parse(Deno.readTextFileSync(`${DATA}/vectors.json`));
}

/** The frozen keys: PKCS#8 in hexadecimal, by name. */
export function readVectorKeys(): Readonly<Record<string, string>> {
  return JSON.parse(Deno.readTextFileSync(`${DATA}/keys.json`));
}

/** The same, computed now. */
export async function computeVectors(): Promise<Vectors> {
  const { stdout } = await runOk(await goProgram("vectors"), ["vectors"], {
    stdin: await Deno.readTextFile(`${DATA}/keys.json`),
  });
  return JSON.parse(stdout);
}
