/**
 * The proof of the proof: small breaks of the install, each of which the search
 * for lost pairs has to find, while it finds nothing in the source as it is.
 */
import { ROOT } from "../../scripts/paths.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { runOk } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";
import { tracerMissing } from "../support/tracer/tracer.ts";
import {
  type ProofLayout,
  TransactionProof,
} from "../support/transaction_proof.ts";

const because = tracerMissing === undefined
  ? ""
  : ` (ignored: ${tracerMissing})`;
const TRACED = { ignore: tracerMissing !== undefined } as const;

/** One change of the source. */
interface Break {
  readonly name: string;
  readonly layout?: ProofLayout;
  /** Below src/files. */
  readonly file: string;
  /** Occurs once. */
  readonly replace: string;
  readonly by: string;
}

const BREAKS: readonly Break[] = [
  {
    name: "the new file is not fsynced",
    file: "disk/staged_file.ts",
    replace: `diskCall("sync", path, () => this.#file.syncSync());`,
    by: "",
  },
  {
    name: "the name of the journal is not fsynced",
    file: "plain/plain_install.ts",
    replace: "    syncDirectory(certificate);\n",
    by: "",
  },
  {
    name: "the renames are not fsynced before the journal goes",
    file: "plain/plain_install.ts",
    replace: `      else staged.renameTo(target.file);
    }
    syncDirectories(this.#directories);`,
    by: "      else staged.renameTo(target.file);\n    }",
  },
  {
    name: "the certificate is renamed before the key",
    file: "plain/plain_install.ts",
    replace:
      "for (const { staged, target, inPlace, attributes, content } of written) {",
    by:
      "for (const { staged, target, inPlace, attributes, content } of [...written].reverse()) {",
  },
  {
    name: "there is no journal",
    file: "plain/plain_install.ts",
    replace: "    this.#journal.renameTo(journalPath(certificate));\n",
    by: "",
  },
  {
    name: "the journal comes after the renames",
    file: "plain/plain_install.ts",
    replace: `      this.#decide({ tag: this.#tag, targets });
      this.#seen.requireUnchanged(this.#pair, serial);
      this.#swap(written);`,
    by: `      this.#swap(written);
      this.#decide({ tag: this.#tag, targets });`,
  },
  {
    name: "the journal goes before the last rename",
    file: "plain/plain_install.ts",
    replace: "      else staged.renameTo(target.file);\n",
    by:
      "      else staged.renameTo(target.file);\n      this.#removeJournal();\n",
  },
  {
    name: "there are no backups",
    file: "plain/plain_install.ts",
    replace: `      old: backUp(`,
    by: `      old: ((..._: unknown[]) => undefined)(`,
  },
  {
    name: "recovery does not look whether somebody else wrote a file",
    file: "plain/journal.ts",
    replace: "isForeign: current !== undefined && !isNew && !isOld && !isTorn,",
    by: "isForeign: false,",
  },
  {
    name: "recovery removes the journal first",
    file: "plain/recovery.ts",
    replace: "  const savedKey = carryOut(plan, pending);\n",
    by:
      "  removeIfExists(journalPath(pair.certificate));\n  const savedKey = carryOut(plan, pending);\n",
  },
  {
    name: "a new file is open to others at first",
    file: "disk/attributes.ts",
    replace: "PRIVATE_MODE = 0o600",
    by: "PRIVATE_MODE = 0o644",
  },
  {
    name: "the backups stay",
    file: "plain/plain_install.ts",
    replace: `      await this.#removeBackups();
      this.#removeJournal();`,
    by: "      await this.#removeJournal();",
  },
  {
    name: "a short write is taken for a whole one",
    file: "disk/disk.ts",
    replace: "done += count;",
    by: "done += bytes.length;",
  },
  {
    name: "files are overwritten without a journal",
    layout: "in place",
    file: "plain/plain_install.ts",
    replace: "    this.#journal.renameTo(journalPath(certificate));\n",
    by: "",
  },
  {
    name: "an overwritten file is not fsynced before the journal goes",
    layout: "in place",
    file: "plain/in_place.ts",
    replace: `  diskCall("sync", path, () => opened.syncSync());\n`,
    by: "",
  },
  {
    name: "the files of a version are not fsynced",
    layout: "versioned",
    file: "disk/staged_file.ts",
    replace: `diskCall("sync", path, () => this.#file.syncSync());`,
    by: "",
  },
  {
    name: "a version is in force before its names are durable",
    layout: "versioned",
    file: "versioned/staged_version.ts",
    replace:
      "    syncDirectory({ ...this.#versions, directory: this.directory });\n",
    by: "",
  },
];

for (const layout of ["plain", "in place", "versioned"] as const) {
  Deno.test({
    ...TRACED,
    name:
      `no crash, power cut or failing call mixes a pair: ${layout}${because}`,
    async fn() {
      await using dir = await tempDir();
      const proof = await TransactionProof.start(
        { root: ROOT.slice(0, -1), layout },
        dir,
      );
      assertEquals(await proof.find(), undefined);
    },
  });
}

for (const { name, layout = "plain", file, replace, by } of BREAKS) {
  Deno.test({
    ...TRACED,
    name: `it is found that ${name}: ${layout}${because}`,
    async fn() {
      await using dir = await tempDir();
      const root = dir.file("checkout");
      await Deno.mkdir(`${root}/tests/support`, { recursive: true });
      await runOk("cp", ["-r", `${ROOT}src`, root]);
      await runOk("cp", [
        `${ROOT}tests/support/install_child.ts`,
        `${root}/tests/support`,
      ]);
      const path = `${root}/src/files/${file}`;
      const parts = (await Deno.readTextFile(path)).split(replace);
      assertEquals(parts.length, 2, "the text to be broken occurs once");
      await Deno.writeTextFile(path, parts.join(by));
      const proof = await TransactionProof.start({ root, layout }, dir);
      const found = await proof.find();
      assert(found !== undefined, "the break was not found");
      console.log(found);
    },
  });
}
