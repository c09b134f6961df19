/**
 * What checks the files of deploy/ beside their own tests: the reference
 * implementation of Compose files, and a validator of Kubernetes manifests with
 * the published schemas. Kept in the per-user cache, once per user.
 */
import { cacheDirectory } from "./paths.ts";
import { tryProgram } from "./run_program.ts";

/** Loads a Compose file as `docker compose` does; its program is called `cmd`. */
const COMPOSE = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2";
/** Brings the schemas of every version of Kubernetes. */
const KUBERNETES = "kubernetes-validate==1.37.0";

const FOLDER = `${cacheDirectory()}/validators`;

/** A command that checks the files which follow. */
export interface Validator {
  readonly words: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/** `kubernetes`: of one manifest, strict about what no schema knows. */
export const VALIDATORS = {
  compose: { words: [`${FOLDER}/bin/cmd`] },
  kubernetes: {
    words: [
      ...["python3", "-m", "kubernetes_validate", "--strict"] as const,
      ...["-k", "1.34"],
    ],
    env: { PYTHONPATH: `${FOLDER}/python` },
  },
} as const satisfies Readonly<Record<string, Validator>>;

/** Whether both are there. */
export async function haveValidators(): Promise<boolean> {
  const files = [`${FOLDER}/bin/cmd`, `${FOLDER}/python/kubernetes_validate`];
  const found = await Promise.all(
    files.map((file) => Deno.stat(file).then(() => true, () => false)),
  );
  return found.every((isThere) => isThere);
}

/**
 * Installs what is missing.
 *
 * @returns a reason when that cannot be done here
 */
export async function installValidators(): Promise<string | undefined> {
  if (await haveValidators()) return undefined;
  console.error(`installing ${COMPOSE} and ${KUBERNETES}`);
  return await tryProgram(["go", "install", COMPOSE], {
    GOBIN: `${FOLDER}/bin`,
    CGO_ENABLED: "0",
    GOFLAGS: "",
  }) ?? await tryProgram([
    ...["python3", "-m", "pip", "install", "--quiet"] as const,
    ...["--root-user-action=ignore", "--target", `${FOLDER}/python`],
    KUBERNETES,
  ]);
}
