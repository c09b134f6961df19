import { readRootCertificates as readRoots } from "../../../src/ca/online/root_certificates.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
import { CAN_CHANGE_USER, runAsNobody } from "../../support/as_nobody.ts";
import { hintOf } from "../../support/hint.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { oldCertificate } from "../../support/old_certificate.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { runOk } from "../../support/run.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const one = await OpensslCa.root(`${directory}/one`, "One");
const two = await OpensslCa.root(`${directory}/two`, "Two");

/** What the last call warned of. */
const warnings: string[] = [];

function readRootCertificates(root: string) {
  warnings.length = 0;
  return readRoots(root, {
    write(event) {
      assert(event.event === "warning");
      warnings.push(event.message);
    },
  });
}

async function subjects(root: string): Promise<readonly string[]> {
  return (await readRootCertificates(root)).map(({ subject }) => subject);
}

async function file(name: string, content: string): Promise<string> {
  const path = `${directory}/${name}`;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, content);
  return path;
}

Deno.test("readRootCertificates() reads a file", async () => {
  assertEquals(await subjects(one.certificateFile), ["CN=One"]);
});

Deno.test("readRootCertificates() reads every certificate of a file, in order", async () => {
  const both = await file("both.crt", two.certificate + one.certificate);
  assertEquals(await subjects(both), ["CN=Two", "CN=One"]);
});

Deno.test("readRootCertificates() reads a comma-separated list with spaces", async () => {
  const list = `${one.certificateFile} , ${two.certificateFile}`;
  assertEquals(await subjects(list), ["CN=One", "CN=Two"]);
});

Deno.test("readRootCertificates() reads every file of a directory", async () => {
  await file("folder/b.pem", two.certificate);
  await file("folder/a.crt", one.certificate);
  await file("folder/notes.txt", "nothing in here");
  assertEquals(await subjects(`${directory}/folder`), ["CN=One", "CN=Two"]);
});

Deno.test("readRootCertificates() skips blocks that do not parse and text around them", async () => {
  const damaged = one.certificate.replace(/\n.{40}/, "\n" + "A".repeat(40));
  const mixed = await file(
    "mixed.crt",
    `subject=One\n${damaged}${one.key}\r\n${
      one.certificate.replaceAll("\n", "\r\n")
    }-----BEGIN CERTIFICATE-----\ncut`,
  );
  assertEquals(await subjects(mixed), ["CN=One"]);
});

Deno.test("readRootCertificates() names a file that is missing", async () => {
  await assertRejects(
    () => readRootCertificates(`${directory}/missing.crt`),
    "config",
    /^error reading cert pool: open .*\/missing\.crt: no such file or directory$/,
  );
});

Deno.test("readRootCertificates() names the missing file of a list", async () => {
  await assertRejects(
    () => readRootCertificates(`${one.certificateFile},/missing/root.crt`),
    "config",
    /^error reading cert pool: open \/missing\/root\.crt: no such file or directory$/,
  );
});

Deno.test("readRootCertificates() refuses a directory in a directory", async () => {
  await file("nested/a/b.crt", one.certificate);
  await assertRejects(
    () => readRootCertificates(`${directory}/nested`),
    "config",
    /^error reading cert pool: read .*\/nested\/a: is a directory$/,
  );
});

Deno.test("readRootCertificates() refuses an empty directory", async () => {
  await Deno.mkdir(`${directory}/empty`);
  await assertRejects(
    () => readRootCertificates(`${directory}/empty`),
    "config",
    /^error reading cert pool: not certificates found$/,
  );
});

Deno.test("readRootCertificates() refuses files without a certificate, with a hint", async () => {
  const der = `${directory}/root.der`;
  await runOk("openssl", [
    ...["x509", "-in", one.certificateFile, "-outform", "DER", "-out", der],
  ]);
  for (const path of [der, await file("empty.crt", "")]) {
    const error = await assertRejects(
      () => readRootCertificates(path),
      "config",
      /^error reading cert pool: not certificates found$/,
    );
    assertEquals(
      error instanceof RekeyError && error.hint,
      `${path} has to hold the CA's root certificate as PEM`,
    );
  }
});

Deno.test("readRootCertificates() names a file that holds a private key", async () => {
  const encrypted = await file(
    "encrypted.key",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
  );
  for (const path of [one.keyFile, encrypted, `${one.keyFile},${encrypted}`]) {
    const error = await assertRejects(
      () => readRootCertificates(path),
      "config",
      /^error reading cert pool: \S+\.key holds a private key, no certificate$/,
    );
    assertMatch(hintOf(error), /--root names the CA's root/);
  }
});

const host = await one.issue("host", {
  subject: "/CN=host.example",
  names: "DNS:host.example",
});
const noSigner = await one.subordinate(`${directory}/no-signer`, {
  subject: "/CN=No Signer",
  keyUsage: "critical,digitalSignature",
});
const malformed = await one.issue("malformed", {
  subject: "/CN=Malformed",
  basicConstraints: "",
  extensions: "2.5.29.19=DER:0101",
});
const leaf = await OpensslCa.root(`${directory}/leaf`, "Plain");

/** No CA, for one reason or another. */
const NO_CAS = [
  [
    "a host's certificate",
    host.certificate,
    /"CN=host\.example" in \S+ is not a CA's certificate/,
  ],
  [
    "a CA that may not sign",
    noSigner.certificate,
    /"CN=No Signer" in \S+ must not sign certificates/,
  ],
  [
    "malformed basicConstraints",
    malformed.certificate,
    /"CN=Malformed" in \S+ cannot be read/,
  ],
  [
    "an issued certificate of version 1",
    await oldCertificate(directory, one),
    /is not self-signed, and of X\.509 version 1/,
  ],
] as const;

for (const [what, certificate, reason] of NO_CAS) {
  Deno.test(`readRootCertificates() trusts a CA and not ${what} beside it`, async () => {
    const folder = await Deno.makeTempDir({ dir: directory });
    await Deno.writeTextFile(`${folder}/a.crt`, certificate);
    await Deno.writeTextFile(`${folder}/b.crt`, one.certificate);
    const both = await file("mixed-roots.crt", certificate + one.certificate);
    const list = `${folder}/a.crt, ${folder}/b.crt`;
    for (const root of [folder, list, both]) {
      assertEquals(await subjects(root), ["CN=One"]);
      assertMatch(warnings.join("\n"), reason);
    }
  });

  Deno.test(`readRootCertificates() refuses ${what} alone and names the file`, async () => {
    const folder = await Deno.makeTempDir({ dir: directory });
    await Deno.writeTextFile(`${folder}/a.crt`, certificate);
    for (
      const root of [
        folder,
        `${folder}/a.crt`,
        `${folder}/a.crt,${folder}/a.crt`,
      ]
    ) {
      const error = await assertRejects(
        () => readRootCertificates(root),
        "config",
        /^error reading cert pool: no certificate of a CA found: /,
      );
      assertMatch(error.message, reason);
    }
  });
}

Deno.test("readRootCertificates() warns of a self-signed root of version 1, and takes it", async () => {
  const old = await file("old-root.crt", await oldCertificate(directory));
  assertEquals(await subjects(old), ["CN=Old"]);
  assertMatch(warnings.join("\n"), /"CN=Old" in \S+ is of X\.509 version 1/);
});

Deno.test("readRootCertificates() warns of nothing where all are CAs", async () => {
  await subjects(`${one.certificateFile},${leaf.certificateFile}`);
  assertEquals(warnings, []);
});

Deno.test("readRootCertificates() tells of a hundred certificates that are no CA's in one short message", async () => {
  const many = await file(
    "hosts.crt",
    host.certificate.repeat(100) + one.certificate,
  );
  await subjects(many);
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0] ?? "", /; and 98 more$/);
});

Deno.test("readRootCertificates() stops at 4 MiB", async () => {
  const error = await assertRejects(
    async () =>
      await readRootCertificates(
        await file("large.crt", " ".repeat(5_000_000)),
      ),
    "config",
    /^error reading cert pool: open \S+: the file is larger than 4 MiB$/,
  );
  assertEquals(hintOf(error), "");
});

Deno.test("readRootCertificates() refuses a device, and a FIFO without waiting for a writer", async () => {
  const folder = await Deno.makeTempDir({ dir: directory });
  await runOk("mkfifo", [`${folder}/fifo`]);
  for (const path of ["/dev/zero", `${folder}/fifo`, folder]) {
    const error = await assertRejects(
      () => readRootCertificates(path),
      "config",
      /^error reading cert pool: open \S+: not a regular file$/,
    );
    assertEquals(hintOf(error), "");
  }
});

Deno.test({
  name:
    "readRootCertificates() says who may not read a file, and does not want it fetched",
  ignore: !CAN_CHANGE_USER,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("closed"), { mode: 0o700 });
    for (const name of ["root.crt", "closed/root.crt"]) {
      await Deno.writeTextFile(dir.file(name), one.certificate, {
        mode: 0o600,
      });
    }
    const { stdout } = await runAsNobody(
      dir,
      "tests/support/roots_child.ts",
      [dir.file("root.crt"), dir.file("closed/root.crt")],
    );
    const [file = "", folder = ""] = stdout.trim().split("\n");
    assertMatch(
      file,
      /root\.crt: permission denied.*; it belongs to uid 0 and gid 0 with mode 0600, and this program runs as uid 65534$/,
    );
    assertMatch(
      folder,
      /closed\/root\.crt: permission denied.*; its folder \S+\/closed belongs to uid 0 and gid 0 with mode 0700, and this program runs as uid 65534$/,
    );
  },
});

Deno.test("readRootCertificates() takes a megabyte of BEGIN lines in linear time", async () => {
  const many = "-----BEGIN CERTIFICATE-----\n".repeat(40_000);
  const path = await file("many.crt", many + one.certificate);
  assertEquals(await subjects(path), ["CN=One"]);
});
