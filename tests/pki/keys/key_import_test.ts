import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import {
  generatePrivateKey,
  privateKeyToPem,
} from "../../../src/pki/keys/private_key.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import {
  derOf,
  element,
  keyOf,
  loadPlain,
  publicKeyOf,
  scalarBits,
  sec1,
  signsFor,
  SPECS,
  traditional,
} from "./key_files.ts";

/** RFC 8410 §10.3: version 2, with attributes and public key. */
const RFC8410 = `-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
`;

Deno.test("loadPrivateKey() reads the OneAsymmetricKey of RFC 8410 with its public key", async () => {
  const key = await loadPlain(RFC8410);
  assertEquals(
    key.publicKey.subarray(-32).toHex(),
    "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
  );
  // Written without both, as Go does.
  assertEquals(derOf(await privateKeyToPem(key)).length, 48);
});

Deno.test("loadPrivateKey() refuses a OneAsymmetricKey with the public key of another", async () => {
  const der = derOf(RFC8410);
  der.set([der.at(-1) === 0 ? 1 : 0], der.length - 1);
  await assertRejects(
    () => loadPlain(toPem("PRIVATE KEY", der)),
    MalformedError,
    /public key in the file does not belong to its private key/,
  );
});

for (const type of ["P-256", "P-384", "P-521"] as const) {
  Deno.test(`loadPrivateKey() refuses ${type} files with the public key of another`, async () => {
    const other = await generatePrivateKey(SPECS[type]);
    const pkcs8 = derOf(await keyOf(type));
    const sec1 = derOf(await traditional(await keyOf(type)));
    const point = other.publicKey.subarray(
      -2 * Math.ceil(scalarBits(type) / 8),
    );
    for (
      const [label, der] of [["PRIVATE KEY", pkcs8], [
        "EC PRIVATE KEY",
        sec1,
      ]] as const
    ) {
      der.set(point, der.length - point.length);
      await assertRejects(
        () => loadPlain(toPem(label, der)),
        MalformedError,
        /public key in the file does not belong to its private key/,
      );
    }
  });

  Deno.test(`loadPrivateKey() reads short scalars of ${type} and writes them in full length`, async () => {
    const bytes = Math.ceil(scalarBits(type) / 8);
    for (const scalar of [Uint8Array.of(1), Uint8Array.of(0, 0, 0x81, 2)]) {
      const key = await loadPlain(toPem("EC PRIVATE KEY", sec1(type, scalar)));
      const pem = await privateKeyToPem(key);
      assertEquals(await traditional(pem), pem);
      assertEquals(await publicKeyOf(pem), key.publicKey.toHex());
      const full = new Uint8Array(bytes);
      full.set(scalar, bytes - scalar.length);
      assert(derOf(pem).toHex().includes(full.toHex()));
      assert(await signsFor(key.publicKey, pem));
    }
  });

  Deno.test(`loadPrivateKey() refuses scalars of ${type} that are out of range`, async () => {
    const bytes = Math.ceil(scalarBits(type) / 8);
    for (
      const scalar of [
        new Uint8Array(),
        new Uint8Array(bytes),
        new Uint8Array(bytes).fill(0xff),
        Uint8Array.of(1, ...new Uint8Array(bytes)),
        Uint8Array.of(1, ...new Uint8Array(bytes - 1), 1),
      ]
    ) {
      await assertRejects(
        () => loadPlain(toPem("EC PRIVATE KEY", sec1(type, scalar))),
        MalformedError,
        /^malformed/,
      );
    }
  });
}

Deno.test("loadPrivateKey() refuses RSA with any number changed", async () => {
  const der = derOf(await traditional(await keyOf("RSA")));
  const numbers = integersOf(der);
  assertEquals(numbers.length, 9);
  for (const [at, { start, length }] of numbers.entries()) {
    if (at === 0) continue;
    const changed = der.slice();
    const index = start + length - 1;
    changed.set([(der[index] ?? 0) ^ 2], index);
    await assertRejects(
      () => loadPlain(toPem("RSA PRIVATE KEY", changed)),
      MalformedError,
      /numbers of the RSA private key do not belong together/,
    );
  }
});

/** Content of each INTEGER in a SEQUENCE whose length takes three bytes. */
function integersOf(
  der: Uint8Array,
): { readonly start: number; readonly length: number }[] {
  const found = [];
  for (let at = 4; at < der.length;) {
    const first = der[at + 1] ?? 0;
    const bytes = first < 0x80 ? 0 : first & 0x7f;
    const length = bytes === 0
      ? first
      : Number(`0x${der.subarray(at + 2, at + 2 + bytes).toHex()}`);
    const start = at + 2 + bytes;
    found.push({ start, length });
    at = start + length;
  }
  return found;
}

/** PKCS#1 of the version and numbers. */
function pkcs1(version: number, numbers: readonly (readonly number[])[]) {
  const integers = numbers.map((bytes) => element(0x02, bytes));
  const der = element(0x30, element(0x02, [version]), ...integers);
  return toPem("RSA PRIVATE KEY", der);
}

for (
  const [name, numbers] of [
    ["all of them zero", Array(8).fill([0])],
    ["primes 1 and n", [[15], [3], [3], [1], [15], [0], [3], [1]]],
    ["primes n and 1", [[15], [3], [3], [15], [1], [3], [0], [1]]],
    ["primes 2", [[4], [3], [3], [2], [2], [0], [0], [1]]],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses RSA numbers: ${name}`, async () => {
    await assertRejects(
      () => loadPlain(pkcs1(0, numbers)),
      MalformedError,
      /numbers of the RSA private key do not belong together/,
    );
  });
}

Deno.test("loadPrivateKey() refuses negative RSA numbers", async () => {
  const der = derOf(await traditional(await keyOf("RSA")));
  const numbers = integersOf(der).slice(1).map(({ start, length }) => [
    ...der.subarray(start, start + length),
  ]);
  assertEquals(await loadPlain(pkcs1(0, numbers)).then(({ spec }) => spec), {
    kty: "RSA",
    bits: 2048,
  });
  const negative = numbers.map((bytes) =>
    bytes[0] === 0 ? bytes.slice(1) : bytes
  );
  await assertRejects(
    () => loadPlain(pkcs1(0, negative)),
    MalformedError,
    /^malformed RSA private key$/,
  );
});

Deno.test("loadPrivateKey() refuses Ed25519 seeds of other lengths", async () => {
  const algorithm = element(0x30, Uint8Array.fromHex("06032b6570"));
  for (const length of [0, 31, 33, 64]) {
    const seed = element(0x04, element(0x04, new Uint8Array(length)));
    const der = element(0x30, [2, 1, 0], algorithm, seed);
    await assertRejects(
      () => loadPlain(toPem("PRIVATE KEY", der)),
      MalformedError,
      /^malformed Ed25519 private key$/,
    );
  }
});

Deno.test("loadPrivateKey() refuses RSA above 16384 bits before it computes", async () => {
  const big = "00" + "ff".repeat(4096);
  const integer = `02821001${big}`;
  const content = `020100${integer}0203010001${integer}${"020103".repeat(5)}`;
  const length = (content.length / 2).toString(16).padStart(4, "0");
  const der = Uint8Array.fromHex(`3082${length}${content}`);
  await assertRejects(
    () => loadPlain(toPem("RSA PRIVATE KEY", der)),
    MalformedError,
    /has 32768 bits, supported are at most 16384/,
  );
});
