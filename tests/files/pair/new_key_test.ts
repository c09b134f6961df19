import type { PasswordSource } from "../../../src/files/pair/key_pair.ts";
import {
  type NewKeyContext,
  provideNewKey,
} from "../../../src/files/pair/new_key.ts";
import {
  generatePrivateKey,
  loadPrivateKey,
  privateKeyToPem,
} from "../../../src/pki/keys/private_key.ts";
import type { Certificate } from "../../../src/pki/certificate/certificate.ts";
import {
  type LogEvent,
  NoTerminalError,
  type Terminal,
} from "../../../src/base/runtime.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";

const P256 = { kty: "EC", curve: "P-256" } as const;
const GENERATE = { from: "generate", spec: P256 } as const;

const nobody: Terminal = {
  busy: () => ({ [Symbol.dispose]: () => {} }),
  confirm: () => Promise.reject(new NoTerminalError("none")),
  readPassword: () => Promise.reject(new NoTerminalError("none")),
};

function source(file?: string): PasswordSource {
  return { file, terminal: nobody, signal: new AbortController().signal };
}

/** A context whose current key is in plain text, or encrypted with `password`. */
async function context(
  change: Partial<NewKeyContext> = {},
  password?: string,
): Promise<NewKeyContext> {
  const pem = await privateKeyToPem(
    await generatePrivateKey(P256),
    password === undefined ? undefined : { password },
  );
  const loaded = await loadPrivateKey(
    new TextEncoder().encode(pem),
    () => Promise.resolve(password ?? ""),
  );
  // Only the key of the current pair matters here.
  const chain = [{} as Certificate] as const;
  return {
    current: { ...loaded, chain },
    encrypt: "as-current",
    password: source(),
    privateKeyPassword: source(),
    log: { write: () => {} },
    ...change,
  };
}

Deno.test("provideNewKey() leaves the successor of a plain key plain", async () => {
  const { toPem } = await provideNewKey(GENERATE, await context());
  assertStringIncludes(await toPem(), "-----BEGIN EC PRIVATE KEY-----");
});

Deno.test("provideNewKey() encrypts the successor of an encrypted key, with the same password", async () => {
  await using dir = await tempDir();
  const { toPem, key } = await provideNewKey(
    GENERATE,
    await context({}, "old secret"),
  );
  const pem = await toPem();
  assertStringIncludes(pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----");
  await Deno.writeTextFile(dir.file("key"), pem);
  await runOk("openssl", [
    ...["pkey", "-in", dir.file("key"), "-passin", "pass:old secret"],
    ...["-pubout", "-outform", "DER", "-out", dir.file("public")],
  ]);
  assertEquals(await Deno.readFile(dir.file("public")), key.publicKey);
});

Deno.test("provideNewKey() encrypts with the password file when it is for the key", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("password"), "named\n");
  const { toPem } = await provideNewKey(
    GENERATE,
    await context({
      encrypt: "always",
      password: source(dir.file("password")),
    }),
  );
  await Deno.writeTextFile(dir.file("key"), await toPem());
  await runOk("openssl", [
    ...["pkey", "-in", dir.file("key"), "-passin", "pass:named", "-noout"],
  ]);
});

Deno.test("provideNewKey() refuses to encrypt with an empty password", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("password"), "\n");
  const empty = await context({
    encrypt: "always",
    password: source(dir.file("password")),
  });
  await assertRejects(() => provideNewKey(GENERATE, empty), "usage", /empty/);
});

Deno.test("provideNewKey() takes a given key, and keeps its own protection", async () => {
  await using dir = await tempDir();
  const given = await generatePrivateKey(P256);
  await Deno.writeTextFile(
    dir.file("given"),
    await privateKeyToPem(given, { password: "its own" }),
  );
  await Deno.writeTextFile(dir.file("password"), "its own");
  const { key, toPem } = await provideNewKey(
    { from: "file", path: dir.file("given"), writeCopy: true },
    await context({ privateKeyPassword: source(dir.file("password")) }),
  );
  assertEquals(key.publicKey, given.publicKey);
  await Deno.writeTextFile(dir.file("copy"), await toPem());
  await runOk("openssl", [
    ...["pkey", "-in", dir.file("copy"), "-passin", "pass:its own", "-noout"],
  ]);
});

Deno.test("provideNewKey() makes another key each time", async () => {
  const one = await provideNewKey(GENERATE, await context());
  const other = await provideNewKey(GENERATE, await context());
  assert(one.key.publicKey.toHex() !== other.key.publicKey.toHex());
});

Deno.test("provideNewKey() names the given file when it cannot be read", async () => {
  await using dir = await tempDir();
  const missing = dir.file("missing");
  const plain = await context();
  await assertRejects(
    () =>
      provideNewKey(
        { from: "file", path: missing, writeCopy: false },
        plain,
      ),
    "pair",
    /missing failed: no such file or directory/,
  );
});

Deno.test("provideNewKey() warns when a key that was plain becomes encrypted, and else says nothing", async () => {
  await using dir = await tempDir();
  const file = dir.file("password");
  await Deno.writeTextFile(file, "secret\n");
  const plain = dir.file("plain.key");
  await Deno.writeTextFile(
    plain,
    await privateKeyToPem(await generatePrivateKey(P256)),
  );
  const events: LogEvent[] = [];
  const log = { write: (event: LogEvent) => void events.push(event) };
  const password = source(file);
  const given = { from: "file", path: plain } as const;
  const quiet = await context({ password, log });
  await provideNewKey(GENERATE, quiet);
  await provideNewKey({ ...given, writeCopy: true }, quiet);
  const encrypted = await context(
    { password, log, encrypt: "always" },
    "secret",
  );
  await provideNewKey(GENERATE, encrypted);
  const always = await context({ password, log, encrypt: "always" });
  // Nothing is written, so nothing changes for a service.
  await provideNewKey({ ...given, writeCopy: false }, always);
  assertEquals(events, []);
  await provideNewKey(GENERATE, always);
  await provideNewKey({ ...given, writeCopy: true }, always);
  assertEquals(events.length, 2);
  for (const event of events) {
    assert(event.event === "warning" && event.once);
    assertStringIncludes(event.message, "was not encrypted");
    assertStringIncludes(event.message, "needs that password from now on");
  }
});
