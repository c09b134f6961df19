/**
 * A real step-ca, fresh copies of one pair, and runs of the program on them
 * under the tracer: what the sweeps of kills and faults have in common.
 */
import { CAN_MOUNT, mountTmpfs } from "./mounts.ts";
import {
  type CrashCase,
  type CrashMaterial,
  KEY_OWNER,
  type Layout,
} from "./crash_layouts.ts";
import { assert, assertEquals } from "./assert.ts";
import { program } from "./program.ts";
import { KEY_PASSWORD, publicKeyOf } from "./openssl_reads.ts";
import { run, runOk, type RunResult } from "./run.ts";
import { startStepCa, type StepCa } from "./step_ca.ts";
import { type Trace, trace, type TraceOptions } from "./tracer/tracer.ts";

/**
 * `old`: both as they were; `new`: both changed, and they belong together;
 * `mixed`: anything else.
 */
export type PairState = "old" | "new" | "mixed";

/** One copy of the pair. */
export interface Specimen extends CrashCase {
  readonly layout: Layout;
  readonly before: Readonly<Record<string, string>>;
  readonly old: {
    readonly certificate: string | undefined;
    readonly key: string | undefined;
  };
  readonly place: string;
}

/** The bench. Disposing it stops the CA and removes all files. */
export class CrashBench implements AsyncDisposable {
  readonly ca: StepCa;
  readonly material: CrashMaterial;
  readonly #directory: string;
  readonly #undo: AsyncDisposableStack;
  #count = 0;

  /** `withMount`: another file system is there. */
  static async start(
    { withMount = false }: { readonly withMount?: boolean } = {},
  ): Promise<CrashBench> {
    await using undo = new AsyncDisposableStack();
    const directory = await Deno.realPath(
      await Deno.makeTempDir({ prefix: "step-rekey-test-" }),
    );
    undo.defer(() => Deno.remove(directory, { recursive: true }));
    for (const name of ["ca", "cases", "other"]) {
      await Deno.mkdir(`${directory}/${name}`);
    }
    if (withMount) undo.use(await mountTmpfs(`${directory}/other`, "64m"));
    const ca = undo.use(await startStepCa(`${directory}/ca`));
    const material = await makeMaterial(ca, directory);
    return new CrashBench(ca, material, { directory, undo: undo.move() });
  }

  private constructor(
    ca: StepCa,
    material: CrashMaterial,
    { directory, undo }: {
      readonly directory: string;
      readonly undo: AsyncDisposableStack;
    },
  ) {
    this.ca = ca;
    this.material = material;
    this.#directory = directory;
    this.#undo = undo;
  }

  /**
   * One for a whole file of tests, gone at its end; undefined where `isMissing`.
   * Where this process may mount, another file system is there.
   */
  static async forFile(isMissing: boolean): Promise<CrashBench | undefined> {
    if (isMissing) return undefined;
    const bench = await CrashBench.start({ withMount: CAN_MOUNT });
    addEventListener("unload", () => bench.#end());
    return bench;
  }

  /** At once: nothing can be awaited when a file ends. */
  #end(): void {
    this.ca.kill();
    if (CAN_MOUNT) {
      new Deno.Command("umount", {
        args: ["--lazy", `${this.#directory}/other`],
      }).outputSync();
    }
    Deno.removeSync(this.#directory, { recursive: true });
  }

  /** A fresh copy of the pair. */
  async specimen(layout: Layout): Promise<Specimen> {
    const number = ++this.#count;
    const directory = `${this.#directory}/cases/${number}`;
    const otherFileSystem = `${this.#directory}/other/${number}`;
    await Deno.mkdir(directory);
    await Deno.mkdir(otherFileSystem);
    const made = await layout.prepare(
      { directory, otherFileSystem },
      this.material,
    );
    return {
      ...made,
      layout,
      before: await readTree(made.directories),
      old: {
        certificate: await readIfThere(made.certificate),
        key: await readIfThere(made.key),
      },
      place: directory,
    };
  }

  /** The whole command line for a specimen, with this program or another. */
  command(
    { args, act }: Pick<CrashCase, "args" | "act">,
    called = program(),
  ): string[] {
    return [
      ...[called.command, ...called.args, "ca", act ?? "rekey", "--force"],
      ...["--ca-url", this.ca.url, "--root", this.ca.rootFile],
      ...args,
    ];
  }

  /** One run under the tracer. */
  async traced(
    specimen: Specimen,
    options: Pick<TraceOptions, "point" | "action"> = {},
    command: readonly string[] = this.#disturbed(specimen),
  ): Promise<Trace> {
    return await trace(command, {
      ...options,
      directories: specimen.directories,
      log: `${specimen.place}/trace.log`,
      env: this.#env(),
    });
  }

  #disturbed(specimen: Specimen): readonly string[] {
    if (specimen.command === undefined) return this.command(specimen);
    const { command, args } = program();
    return [command, ...args, ...specimen.command];
  }

  /** One run that nothing disturbs. */
  async ordinary(specimen: Specimen): Promise<RunResult> {
    const [command = "", ...args] = this.command(specimen);
    return await run(command, args, { env: this.#env() });
  }

  /**
   * One ordinary run, after which everything has to be as after any run: new
   * pair, accepted by the CA, nothing left, owner and modes as before.
   */
  async assertRecovers(specimen: Specimen, after: string): Promise<void> {
    const left = Object.keys(await readTree(specimen.directories));
    const { code, stderr } = await this.ordinary(specimen);
    const context = `${specimen.layout.name}, ${after} (left: ${
      left.map((path) => path.slice(specimen.place.length))
    }): ${stderr}`;
    assertEquals(code, 0, context);
    assertEquals(await stateOf(specimen), "new", context);
    await assertNothingLeft(specimen, context);
    await assertKeyMode(specimen, context);
    await this.#assertAccepted(specimen, context);
  }

  async #assertAccepted(
    { certificate, key }: Specimen,
    context: string,
  ): Promise<void> {
    const { stdout } = await runOk("openssl", [
      ...["pkey", "-in", key, "-passin", `pass:${KEY_PASSWORD}`],
    ]);
    using client = Deno.createHttpClient({
      caCerts: [await Deno.readTextFile(this.ca.rootFile)],
      cert: await Deno.readTextFile(certificate),
      key: stdout,
    });
    // It asks for no certificate there, but refuses one that is not its own.
    const response = await fetch(`${this.ca.url}/health`, { client });
    await response.body?.cancel();
    assertEquals(response.status, 200, context);
  }

  #env(): Record<string, string> {
    return {
      STEPPATH: `${this.#directory}/none`,
      // On a busy machine it comes before the program pins its trust.
      DENO_NO_UPDATE_CHECK: "1",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]();
  }
}

async function makeMaterial(
  ca: StepCa,
  directory: string,
): Promise<CrashMaterial> {
  const host = await ca.issue("host", "admin");
  const given = `${directory}/given.key`;
  const encrypted = `${directory}/encrypted.key`;
  await runOk("openssl", [
    ...["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ...["-out", given],
  ]);
  await runOk("openssl", [
    ...["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "2048"],
    ...["-in", host.keyFile, "-out", encrypted],
    ...["-passout", `pass:${KEY_PASSWORD}`],
  ]);
  return {
    certificate: host.certificate,
    key: host.key,
    earlier: await ca.issue("earlier", "admin"),
    encryptedKey: await Deno.readTextFile(encrypted),
    givenKey: await Deno.readTextFile(given),
  };
}

/** Every entry below the directories: a file's text, or where a link leads. */
export async function readTree(
  directories: readonly string[],
): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const directory of directories) {
    for await (const entry of Deno.readDir(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) Object.assign(tree, await readTree([path]));
      else if (entry.isSymlink) tree[path] = `-> ${await Deno.readLink(path)}`;
      else tree[path] = await Deno.readTextFile(path);
    }
  }
  return tree;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What the two files are now, judged by openssl. */
export async function stateOf(specimen: Specimen): Promise<PairState> {
  const { old, layout } = specimen;
  const certificate = await readIfThere(specimen.certificate);
  const key = await readIfThere(specimen.key);
  const isOldCertificate = certificate === old.certificate;
  const isOldKey = key === old.key;
  if (isOldCertificate && isOldKey) return "old";
  const isChanged = !isOldCertificate &&
    (layout.targetCount === 1 || !isOldKey);
  if (!isChanged || certificate === undefined || key === undefined) {
    return "mixed";
  }
  const shown = await publicKeyOf(certificate);
  return shown !== undefined && shown === await publicKeyOf(key)
    ? "new"
    : "mixed";
}

/** What a directory of versions may hold. */
const VERSION_ENTRY =
  /\/\.host\.crt\.versions\/(current|\d+\/(certificate\.pem|key\.pem|previous))$/;

/** Nothing but what was there before, and the targets. */
export async function leftovers(specimen: Specimen): Promise<string[]> {
  const { before, certificate, key, directories, layout } = specimen;
  return Object.keys(await readTree(directories)).filter((path) =>
    !(path in before) && path !== certificate && path !== key &&
    !(layout.isVersioned === true && VERSION_ENTRY.test(path))
  );
}

/** Fails when anything temporary is left, or anything is missing. */
export async function assertNothingLeft(
  specimen: Specimen,
  context: string,
): Promise<void> {
  assertEquals(await leftovers(specimen), [], context);
  const now = await readTree(specimen.directories);
  const missing = Object.keys(specimen.before).filter((path) =>
    !(path in now) && !VERSION_ENTRY.test(path)
  );
  assertEquals(missing, [], context);
  for (const path of Object.keys(now)) {
    const version = /^(.*\/\.host\.crt\.versions\/\d+)\//.exec(path)?.[1];
    if (version === undefined) continue;
    const [certificate = "", key = ""] = [
      now[`${version}/certificate.pem`],
      now[`${version}/key.pem`],
    ];
    assert(
      await publicKeyOf(certificate) !== undefined &&
        await publicKeyOf(certificate) === await publicKeyOf(key),
      `${version} is no pair: ${context}`,
    );
  }
}

async function assertKeyMode(
  { key, layout, act }: Specimen,
  context: string,
): Promise<void> {
  const { mode, uid, gid } = await Deno.stat(key);
  const isOurs = layout.isNew ||
    (layout.targetCount === 1 && act === undefined);
  assertEquals(
    (mode ?? 0) & 0o7777,
    isOurs ? 0o600 : KEY_OWNER.mode,
    context,
  );
  if (isOurs || Deno.uid() !== 0) return;
  assertEquals(
    { uid, gid },
    { uid: KEY_OWNER.uid, gid: KEY_OWNER.gid },
    context,
  );
}

/** Fails when a private key stands anywhere in plain text, or was written so. */
export async function assertNoPlainKey(
  { directories, layout }: Specimen,
  { points, stdout, stderr }: Trace,
): Promise<void> {
  if (!layout.isEncrypted) return;
  const texts = [
    ...Object.values(await readTree(directories)),
    ...points.map(({ data = "" }) =>
      new TextDecoder().decode(Uint8Array.fromHex(data))
    ),
    stdout,
    stderr,
  ];
  for (const text of texts) {
    assert(!/BEGIN (EC |RSA )?PRIVATE KEY/.test(text), "a key in plain text");
  }
}
