import { RekeyError } from "../../../src/base/errors.ts";
import {
  loadChain,
  loadKey,
  loadKeyPair,
} from "../../../src/files/pair/key_pair.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { fakeTerminal, noTerminal } from "../../support/fake_terminal.ts";
import { hintOf } from "../../support/hint.ts";
import { runOk } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const { signal } = new AbortController();
const PLAIN = { terminal: fakeTerminal(), signal };

/** A self-signed pair, made by openssl. */
async function makePair(
  dir: TempDir,
  name = "a",
): Promise<{ readonly certificate: string; readonly key: string }> {
  const files = {
    certificate: dir.file(`${name}.crt`),
    key: dir.file(`${name}.key`),
  };
  await runOk("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    files.key,
    "-out",
    files.certificate,
  ]);
  return files;
}

async function encrypted(dir: TempDir, key: string): Promise<string> {
  const file = dir.file("encrypted.key");
  await runOk("openssl", [
    "pkcs8",
    "-topk8",
    "-in",
    key,
    "-out",
    file,
    "-passout",
    "pass:secret",
  ]);
  return file;
}

Deno.test("loadKeyPair() loads a pair that belongs together", async () => {
  await using dir = await tempDir();
  const files = await makePair(dir);
  const chain = await loadChain(files.certificate);
  const pair = await loadKeyPair(chain, files, PLAIN);
  assertEquals(pair.chain[0].commonName, "a");
  assertEquals(pair.key.publicKey, pair.chain[0].publicKey);
  assertEquals(pair.password, undefined);
});

Deno.test("loadKeyPair() names both files when they do not match", async () => {
  await using dir = await tempDir();
  const { certificate } = await makePair(dir);
  const { key } = await makePair(dir, "b");
  const chain = await loadChain(certificate);
  const error = await assertRejects(
    () => loadKeyPair(chain, { certificate, key }, PLAIN),
    "pair",
    /^error loading private key: /,
  );
  assertStringIncludes(error.message, certificate);
  assertStringIncludes(error.message, key);
});

Deno.test("loadChain() keeps the order of the file", async () => {
  await using dir = await tempDir();
  const first = await makePair(dir, "first");
  const second = await makePair(dir, "second");
  const both = dir.file("both.crt");
  await Deno.writeTextFile(
    both,
    await Deno.readTextFile(first.certificate) +
      await Deno.readTextFile(second.certificate),
  );
  const chain = await loadChain(both);
  assertEquals(chain.map(({ commonName }) => commonName), ["first", "second"]);
});

Deno.test("loadChain() says which file is missing", async () => {
  await using dir = await tempDir();
  const file = dir.file("internal.crt");
  const error = await assertRejects(() => loadChain(file), "pair");
  assertEquals(
    error.message,
    `error reading certificate chain: open ${file} failed: no such file or directory`,
  );
});

Deno.test("loadChain() says which file holds no certificate", async () => {
  await using dir = await tempDir();
  const file = dir.file("internal.crt");
  for (const content of ["", "nonsense", "-----BEGIN PUBLIC KEY-----\n"]) {
    await Deno.writeTextFile(file, content);
    const error = await assertRejects(() => loadChain(file), "pair");
    assert(
      error.message.startsWith(`error reading certificate chain: ${file}: `),
      error.message,
    );
  }
});

Deno.test("loadKey() says which key is missing, not which plugin", async () => {
  await using dir = await tempDir();
  const file = dir.file("internal.key");
  const error = await assertRejects(() => loadKey(file, PLAIN), "pair");
  assertEquals(
    error.message,
    `error loading private key: open ${file} failed: no such file or directory`,
  );
});

Deno.test("loadKey() says which file holds no key", async () => {
  await using dir = await tempDir();
  const { certificate } = await makePair(dir);
  const error = await assertRejects(() => loadKey(certificate, PLAIN), "pair");
  assert(
    error.message.startsWith(`error loading private key: ${certificate}: `),
    error.message,
  );
});

Deno.test("loadKey() takes the password from its file", async () => {
  await using dir = await tempDir();
  const key = await encrypted(dir, (await makePair(dir)).key);
  await Deno.writeTextFile(dir.file("password"), "secret\n");
  const source = { ...PLAIN, file: dir.file("password") };
  const loaded = await loadKey(key, source);
  assertEquals(loaded.password, "secret");
});

Deno.test("loadKey() reads the password file for a plain key as well", async () => {
  await using dir = await tempDir();
  const { key } = await makePair(dir);
  const error = await assertRejects(
    () => loadKey(key, { ...PLAIN, file: dir.file("none") }),
    "pair",
  );
  assertEquals(
    error.message,
    `error loading private key: open ${
      dir.file("none")
    } failed: no such file or directory`,
  );
});

for (const content of [undefined, "", "\n"]) {
  Deno.test(`loadKey() asks when the password file holds ${JSON.stringify(content)}`, async () => {
    await using dir = await tempDir();
    const key = await encrypted(dir, (await makePair(dir)).key);
    const file = dir.file("password");
    if (content !== undefined) await Deno.writeTextFile(file, content);
    const terminal = fakeTerminal("secret");
    const source = { terminal, signal, ...(content !== undefined && { file }) };
    assertEquals((await loadKey(key, source)).password, "secret");
    assertEquals(terminal.questions, [
      `Please enter the password to decrypt ${key}: `,
    ]);
  });
}

Deno.test("loadKey() asks once, and takes a wrong password for an error", async () => {
  await using dir = await tempDir();
  const key = await encrypted(dir, (await makePair(dir)).key);
  const terminal = fakeTerminal("wrong", "secret");
  const error = await assertRejects(
    () => loadKey(key, { terminal, signal }),
    "pair",
    /decryption password incorrect/,
  );
  assertStringIncludes(error.message, key);
  assertEquals(terminal.questions.length, 1);
  assert(!error.message.includes("wrong"), "the password is in the message");
});

Deno.test("loadKey() names --password-file when nobody can be asked", async () => {
  await using dir = await tempDir();
  const key = await encrypted(dir, (await makePair(dir)).key);
  const error = await assertRejects(
    () => loadKey(key, { terminal: noTerminal(), signal }),
    "pair",
    /^error loading private key: .*no such device or address$/,
  );
  assertEquals(hintOf(error), "use --password-file");
});

Deno.test("loadKey() says that the password file is empty when nobody can be asked", async () => {
  await using dir = await tempDir();
  const key = await encrypted(dir, (await makePair(dir)).key);
  const file = dir.file("empty");
  await Deno.writeTextFile(file, "\n");
  const error = await assertRejects(
    () => loadKey(key, { file, terminal: noTerminal(), signal }),
    "pair",
  );
  assert(error instanceof RekeyError);
  assertEquals(
    error.hint,
    `the password file ${file} is empty: write the password into it`,
  );
});

Deno.test("loadKey() passes on that the question was interrupted", async () => {
  await using dir = await tempDir();
  const key = await encrypted(dir, (await makePair(dir)).key);
  const terminal = fakeTerminal(new RekeyError("interrupted", "stopped"));
  await assertRejects(() => loadKey(key, { terminal, signal }), "interrupted");
});

Deno.test("loadKey() names the password file of a wrong password", async () => {
  await using dir = await tempDir();
  const { key } = await makePair(dir);
  const file = dir.file("password");
  await Deno.writeTextFile(file, "wrong");
  const closed = await encrypted(dir, key);
  const error = await assertRejects(
    () => loadKey(closed, { ...PLAIN, file }),
    "pair",
  );
  assertEquals(
    error.message,
    `error loading private key: ${closed}: the password in ${file} does not open it: x509: decryption password incorrect`,
  );
});

Deno.test("loadChain() says that certificate and key look swapped", async () => {
  await using dir = await tempDir();
  const { key } = await makePair(dir);
  const error = await assertRejects(() => loadChain(key), "pair");
  assertEquals(
    error.message,
    `error reading certificate chain: ${key}: does not contain a valid PEM encoded certificate: it holds a private key, so the certificate and the key look swapped`,
  );
  assertEquals(hintOf(error), "name the certificate first, then its key");
});
