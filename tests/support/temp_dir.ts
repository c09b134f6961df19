/**
 * A temporary directory that goes away with its scope.
 */

/** A directory of one test. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** The path of a file in it. */
  file(name: string): string;
}

/** Makes one; `await using dir = await tempDir()`. */
export async function tempDir(): Promise<TempDir> {
  // Real path: on some systems the temporary folder is behind a link.
  const path = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "step-rekey-test-" }),
  );
  return {
    path,
    file: (name) => `${path}/${name}`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
