import { readRootCertificates } from "../../../src/ca/online/root_certificates.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { runOk } from "../../support/run.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const one = await OpensslCa.root(`${directory}/one`, "One");
const two = await OpensslCa.root(`${directory}/two`, "Two");

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
  for (const path of [der, one.keyFile, await file("empty.crt", "")]) {
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

Deno.test("readRootCertificates() takes a megabyte of BEGIN lines in linear time", async () => {
  const many = "-----BEGIN CERTIFICATE-----\n".repeat(40_000);
  const path = await file("many.crt", many + one.certificate);
  assertEquals(await subjects(path), ["CN=One"]);
});
