import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import { privateKeyToPem } from "../../../src/pki/keys/private_key.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { derOf, loadPlain, publicKeyOf } from "./key_files.ts";

/** A new key by ssh-keygen, and what its public file says. */
async function sshKey(
  ...options: string[]
): Promise<{ readonly text: string; readonly publicLine: string }> {
  await using dir = await tempDir();
  const file = dir.file("key");
  await runOk("ssh-keygen", [
    "-q",
    "-N",
    "",
    "-C",
    "a b",
    "-f",
    file,
    ...options,
  ]);
  return {
    text: await Deno.readTextFile(file),
    publicLine: await Deno.readTextFile(`${file}.pub`),
  };
}

/** What ssh-keygen thinks is the public key of a file in another format. */
async function publicLineOf(pem: string): Promise<string> {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("key"), pem, { mode: 0o600 });
  return (await runOk("ssh-keygen", ["-y", "-f", dir.file("key")])).stdout;
}

for (
  const [name, options, spec] of [
    ["ecdsa-sha2-nistp256", ["-t", "ecdsa", "-b", "256"], {
      kty: "EC",
      curve: "P-256",
    }],
    ["ecdsa-sha2-nistp384", ["-t", "ecdsa", "-b", "384"], {
      kty: "EC",
      curve: "P-384",
    }],
    ["ecdsa-sha2-nistp521", ["-t", "ecdsa", "-b", "521"], {
      kty: "EC",
      curve: "P-521",
    }],
    ["ssh-rsa", ["-t", "rsa", "-b", "2048"], { kty: "RSA", bits: 2048 }],
  ] as const
) {
  Deno.test(`loadPrivateKey() reads OpenSSH ${name}`, async () => {
    const { text, publicLine } = await sshKey(...options);
    assert(text.startsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
    const key = await loadPlain(text);
    assertEquals(key.spec, spec);
    const pem = await privateKeyToPem(key);
    assertEquals(await publicKeyOf(pem), key.publicKey.toHex());
    const [type, base64] = publicLine.split(" ");
    const [ourType, ours] = (await publicLineOf(pem)).trimEnd().split(" ");
    assertEquals([ourType, ours], [type, base64]);
  });
}

Deno.test("loadPrivateKey() reads OpenSSH ssh-ed25519", async () => {
  const { text, publicLine } = await sshKey("-t", "ed25519");
  const key = await loadPlain(text);
  assertEquals(key.spec, { kty: "OKP", curve: "Ed25519" });
  const blob = Uint8Array.fromBase64(publicLine.split(" ")[1] ?? "");
  assertEquals(
    key.publicKey.subarray(-32).toHex(),
    blob.subarray(-32).toHex(),
  );
  const pem = await privateKeyToPem(key);
  assertEquals(await publicKeyOf(pem), key.publicKey.toHex());
});

Deno.test("loadPrivateKey() reads 40 OpenSSH keys whatever their leading bytes and padding", async () => {
  for (let round = 0; round < 20; round++) {
    const comment = "c".repeat(round);
    for (const type of ["ecdsa", "ed25519"]) {
      const { text } = await sshKey("-t", type, "-C", comment);
      const pem = await privateKeyToPem(await loadPlain(text));
      await runOk("openssl", ["pkey", "-noout", "-check"], { stdin: pem });
    }
  }
});

Deno.test("loadPrivateKey() refuses an encrypted OpenSSH key and says what to do", async () => {
  const { text } = await sshKey("-t", "ed25519", "-N", "passphrase");
  const error = await assertRejects(
    () => loadPlain(text),
    MalformedError,
    /found an encrypted OpenSSH key/,
  );
  assert("hint" in error && /ssh-keygen -p/.test(String(error.hint)));
});

Deno.test("loadPrivateKey() refuses OpenSSH keys whose public halves differ", async () => {
  for (const type of ["ed25519", "ecdsa"]) {
    const der = derOf((await sshKey("-t", type)).text);
    const other = derOf((await sshKey("-t", type)).text);
    // The outer public key is in the file before anything secret.
    const outer = der.slice();
    outer.set(other.subarray(60, 98), 60);
    await assertRejects(
      () => loadPlain(toPem("OPENSSH PRIVATE KEY", outer)),
      MalformedError,
      /public key in the file does not belong to its private key/,
    );
  }
});

Deno.test("loadPrivateKey() refuses an OpenSSH key with any byte of its numbers changed", async () => {
  const der = derOf((await sshKey("-t", "ed25519", "-C", "")).text);
  for (let at = 0; at < der.length; at++) {
    const changed = der.slice();
    changed.set([(der[at] ?? 0) ^ 1], at);
    await assertRejects(
      () => loadPlain(toPem("OPENSSH PRIVATE KEY", changed)),
      MalformedError,
    );
  }
});

Deno.test("loadPrivateKey() refuses an OpenSSH key cut at any length", async () => {
  const der = derOf((await sshKey("-t", "ecdsa")).text);
  for (let length = 0; length < der.length; length++) {
    const text = toPem("OPENSSH PRIVATE KEY", der.subarray(0, length));
    await assertRejects(() => loadPlain(text), MalformedError, /^malformed/);
  }
});

Deno.test("loadPrivateKey() refuses an OpenSSH type that is not supported", async () => {
  const der = derOf((await sshKey("-t", "ed25519")).text);
  const hex = der.toHex().replaceAll(
    new TextEncoder().encode("ssh-ed25519").toHex(),
    new TextEncoder().encode("ssh-ed448__").toHex(),
  );
  await assertRejects(
    () => loadPlain(toPem("OPENSSH PRIVATE KEY", Uint8Array.fromHex(hex))),
    MalformedError,
    /found OpenSSH type ssh-ed448__, supported/,
  );
});

function string(content: string | readonly number[]): number[] {
  const bytes = typeof content === "string"
    ? [...new TextEncoder().encode(content)]
    : content;
  return [0, 0, bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

/** What can be wrong with a file that is otherwise whole. */
interface Faults {
  readonly outer?: readonly number[];
  readonly afterOuter?: readonly number[];
  readonly afterFile?: readonly number[];
  readonly padding?: readonly number[];
  readonly checks?: readonly number[];
  readonly keys?: number;
}

/** An unencrypted file around the numbers of one key. */
function file(
  type: string,
  { outer, secret, ...faults }:
    & Faults
    & { readonly outer: readonly number[]; readonly secret: readonly number[] },
): string {
  const sealed = [
    ...faults.checks ?? [1, 2, 3, 4, 1, 2, 3, 4],
    ...string(type),
    ...secret,
    ...string("comment"),
    ...faults.padding ?? [1, 2, 3],
  ];
  return toPem(
    "OPENSSH PRIVATE KEY",
    Uint8Array.of(
      ...new TextEncoder().encode("openssh-key-v1\0"),
      ...[...string("none"), ...string("none"), ...string("")],
      ...[0, 0, 0, faults.keys ?? 1],
      ...string([...string(type), ...outer, ...faults.afterOuter ?? []]),
      ...string(sealed),
      ...faults.afterFile ?? [],
    ),
  );
}

/** RFC 8032 §7.1, test 1. */
const SEED = bytesOf(
  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
);
const PUBLIC = bytesOf(
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
);

function bytesOf(hex: string): number[] {
  return [...Uint8Array.fromHex(hex)];
}

function ed25519(
  faults: Faults & { readonly secret?: readonly number[] } = {},
): string {
  return file("ssh-ed25519", {
    outer: string(PUBLIC),
    secret: [...string(PUBLIC), ...string([...SEED, ...PUBLIC])],
    ...faults,
  });
}

Deno.test("loadPrivateKey() reads the key of RFC 8032 in OpenSSH form", async () => {
  const key = await loadPlain(ed25519());
  assertEquals([...key.publicKey.subarray(-32)], PUBLIC);
});

for (
  const [name, faults] of [
    ["bytes behind the outer public key", { afterOuter: [0] }],
    ["bytes behind the whole", { afterFile: [0] }],
    ["wrong padding", { padding: [1, 2, 4] }],
    ["check numbers that differ", { checks: [1, 2, 3, 4, 1, 2, 3, 5] }],
    ["two keys", { keys: 2 }],
    ["no key", { keys: 0 }],
    ["an outer public key that is missing", { outer: [] }],
    ["a seed alone", { secret: [...string(PUBLIC), ...string(SEED)] }],
    ["a short seed", { secret: [...string(PUBLIC), ...string([1])] }],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses an OpenSSH key with ${name}`, async () => {
    await assertRejects(() => loadPlain(ed25519(faults)), MalformedError);
  });
}

Deno.test("loadPrivateKey() refuses an OpenSSH key whose halves name different types", async () => {
  const text = ed25519();
  const hex = derOf(text).toHex();
  const [type = "", other = ""] = ["ssh-ed25519", "ssh-ed25518"].map((name) =>
    new TextEncoder().encode(name).toHex()
  );
  const changed = Uint8Array.fromHex(hex.replace(type, other));
  await assertRejects(
    () => loadPlain(toPem("OPENSSH PRIVATE KEY", changed)),
    MalformedError,
    /^malformed OpenSSH private key$/,
  );
});

for (
  const [name, outer, secret] of [
    // The numbers are e and n; then n, e, d, 1/q, p, q.
    ["another exponent outside", [[5], [15]], [[15], [3], [3], [2], [5], [3]]],
    ["another modulus outside", [[3], [21]], [[15], [3], [3], [2], [5], [3]]],
    ["a prime that is 1", [[3], [15]], [[15], [3], [3], [1], [1], [15]]],
    ["the other prime 1", [[3], [15]], [[15], [3], [3], [1], [15], [1]]],
    ["a prime that is 0", [[3], [0]], [[0], [3], [3], [1], [], []]],
    ["a negative number", [[3], [0x8f]], [[0x8f], [3], [3], [2], [5], [3]]],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses an OpenSSH RSA key with ${name}`, async () => {
    const text = file("ssh-rsa", {
      outer: outer.flatMap(string),
      secret: secret.flatMap(string),
    });
    await assertRejects(
      () => loadPlain(text),
      MalformedError,
      /^malformed OpenSSH private key$/,
    );
  });
}
