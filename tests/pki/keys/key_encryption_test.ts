import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { createCipheriv, pbkdf2Sync } from "node:crypto";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import {
  generatePrivateKey,
  loadPrivateKey,
  type Pbes2Protection,
  privateKeyToPem,
} from "../../../src/pki/keys/private_key.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { run, runOk } from "../../support/run.ts";
import { STEP, stepCaMissing } from "../../support/step_ca.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  derOf,
  element,
  encode,
  generate,
  KEY_TYPE_NAMES,
  keyOf,
  noPassword,
  openssl,
  publicKeyOf,
} from "./key_files.ts";

const PASSWORD = "pässwörd 1";

/** An `ENCRYPTED PRIVATE KEY` by openssl. */
function encrypt(pkcs8: string, ...options: string[]): Promise<string> {
  return openssl(
    ["pkcs8", "-topk8", "-passout", `pass:${PASSWORD}`, ...options],
    pkcs8,
  );
}

function load(text: string, password = PASSWORD) {
  return loadPrivateKey(encode(text), () => Promise.resolve(password));
}

for (
  const [option, prf] of [
    ["hmacWithSHA1", "SHA-1"],
    ["hmacWithSHA224", "SHA-224"],
    ["hmacWithSHA256", "SHA-256"],
    ["hmacWithSHA384", "SHA-384"],
    ["hmacWithSHA512", "SHA-512"],
  ] as const
) {
  for (
    const [name, cipher] of [
      ["aes128", "AES-128-CBC"],
      ["aes192", "AES-192-CBC"],
      ["aes256", "AES-256-CBC"],
      ["des3", "DES-EDE3-CBC"],
      ["des", "DES-CBC"],
    ] as const
  ) {
    Deno.test(`loadPrivateKey() opens PBES2 with ${option} and ${cipher}`, async () => {
      const pkcs8 = await keyOf("P-256");
      const text = await encrypt(
        pkcs8,
        ...["-v2", name, "-v2prf", option, "-iter", "1234"],
        // Single DES is nowhere else any more.
        ...["-provider", "legacy", "-provider", "default"],
      );
      const { key, protection, password } = await load(text);
      assertEquals(key.publicKey.toHex(), await publicKeyOf(pkcs8));
      assertEquals(protection, { prf, cipher, iterations: 1234 });
      assertEquals(password, PASSWORD);
      await assertRejects(
        () => load(text, "wrong"),
        MalformedError,
        /^x509: decryption password incorrect$/,
      );
    });
  }
}

for (const type of KEY_TYPE_NAMES) {
  Deno.test(`loadPrivateKey() opens an encrypted ${type} key`, async () => {
    const pkcs8 = await keyOf(type);
    const { key } = await load(await encrypt(pkcs8));
    assertEquals(key.publicKey.toHex(), await publicKeyOf(pkcs8));
  });

  Deno.test(`privateKeyToPem() encrypts ${type} so that openssl reads it with the password only`, async () => {
    const { key } = await load(await encrypt(await keyOf(type)));
    const text = await privateKeyToPem(key, { password: PASSWORD });
    assert(text.startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assertEquals(
      await openssl(["pkey", "-passin", `pass:${PASSWORD}`], text),
      await keyOf(type),
    );
    const wrong = await run("openssl", ["pkey", "-passin", "pass:wrong"], {
      stdin: text,
    });
    assert(wrong.code !== 0);
  });
}

Deno.test({
  name: "privateKeyToPem() encrypts so that the real step CLI reads it",
  ignore: stepCaMissing !== undefined,
  fn: async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("password"), PASSWORD);
    for (const type of ["P-521", "Ed25519", "RSA"] as const) {
      const { key } = await load(await encrypt(await keyOf(type)));
      await Deno.writeTextFile(
        dir.file(type),
        await privateKeyToPem(key, { password: PASSWORD }),
      );
      await runOk(STEP, [
        ...["crypto", "key", "format", "--pkcs8", "--pem"],
        ...["--no-password", "--insecure", "--out", dir.file(`${type}.plain`)],
        ...["--password-file", dir.file("password"), dir.file(type)],
      ], { env: { STEPPATH: dir.path } });
      assertEquals(
        await publicKeyOf(await Deno.readTextFile(dir.file(`${type}.plain`))),
        key.publicKey.toHex(),
      );
    }
  },
});

for (
  const [name, like, expected] of [
    ["nothing", undefined, ["hmacWithSHA256", "aes-256-cbc", 600000]],
    [
      "few rounds of SHA-512 and AES-128",
      pbes2("SHA-512", "AES-128-CBC", 2048),
      ["hmacWithSHA512", "aes-128-cbc", 600000],
    ],
    [
      "many rounds of SHA-384 and AES-192",
      pbes2("SHA-384", "AES-192-CBC", 700001),
      ["hmacWithSHA384", "aes-192-cbc", 700001],
    ],
    [
      "SHA-1 and AES-128",
      pbes2("SHA-1", "AES-128-CBC", 2048),
      ["hmacWithSHA256", "aes-256-cbc", 600000],
    ],
    [
      "SHA-224 and AES-128",
      pbes2("SHA-224", "AES-128-CBC", 2048),
      ["hmacWithSHA256", "aes-256-cbc", 600000],
    ],
    [
      "SHA-512 and Triple DES",
      pbes2("SHA-512", "DES-EDE3-CBC", 700001),
      ["hmacWithSHA256", "aes-256-cbc", 700001],
    ],
  ] as const
) {
  Deno.test(`privateKeyToPem() protects the successor of ${name} soundly`, async () => {
    const key = await generatePrivateKey({ kty: "EC", curve: "P-256" });
    const text = await privateKeyToPem(key, { password: "x", like });
    const [prf, cipher, iterations] = expected;
    const parsed = await openssl(["asn1parse"], text);
    assertStringIncludes(parsed, `:${prf}`);
    assertStringIncludes(parsed, `:${cipher}`);
    const hex = iterations.toString(16).toUpperCase().padStart(6, "0");
    assertStringIncludes(parsed, `INTEGER           :${hex}`);
    assertEquals(
      await openssl(["pkey", "-pubout", "-passin", "pass:x"], text),
      await openssl(["pkey", "-pubout"], await privateKeyToPem(key)),
    );
    assertEquals((await load(text, "x")).key.publicKey, key.publicKey);
  });
}

function pbes2(
  prf: "SHA-1" | "SHA-224" | "SHA-384" | "SHA-512",
  cipher: Pbes2Protection["cipher"],
  iterations: number,
): Pbes2Protection {
  return { prf, cipher, iterations };
}

Deno.test("privateKeyToPem() uses a new salt of 16 bytes and a new vector each time", async () => {
  const key = await generatePrivateKey({ kty: "EC", curve: "P-256" });
  const seen = new Set<string>();
  for (let round = 0; round < 2; round++) {
    const text = await privateKeyToPem(key, { password: "x" });
    const parsed = await openssl(["asn1parse"], text);
    for (const [, dump] of parsed.matchAll(/HEX DUMP\]:(\w{32})\n/g)) {
      seen.add(dump ?? "");
    }
  }
  assertEquals(seen.size, 4);
});

Deno.test("loadPrivateKey() calls every wrong password wrong, also where the padding fits", async () => {
  const text = await encrypt(await keyOf("P-256"), "-iter", "1");
  for (let round = 0; round < 700; round++) {
    await assertRejects(
      () => load(text, `wrong ${round}`),
      MalformedError,
      /^x509: decryption password incorrect$/,
    );
  }
});

Deno.test("loadPrivateKey() names an unsupported type inside an encrypted file", async () => {
  const text = await encrypt(await generate("-algorithm", "X25519"));
  await assertRejects(() => load(text), MalformedError, /found X25519/);
});

for (
  const [name, options, pattern] of [
    [
      "PBES1",
      ["-v1", "PBE-SHA1-3DES"],
      /^unsupported encrypted PEM: only PBES2 is supported$/,
    ],
    [
      "scrypt",
      ["-scrypt"],
      /^unsupported encrypted PEM: only PBKDF2 is supported$/,
    ],
    [
      "AES in CFB mode",
      ["-v2", "aes-256-cfb"],
      /^unsupported encrypted PEM: unknown algorithm 2\.16\.840\.1\.101\.3\.4\.1\.44$/,
    ],
    [
      "another hash",
      ["-v2prf", "hmacWithSHA512-256"],
      /^unsupported encrypted PEM: unknown algorithm 1\.2\.840\.113549\.2\.13$/,
    ],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses ${name} without asking for the password`, async () => {
    const text = await encrypt(await keyOf("P-256"), ...options);
    await assertRejects(
      () => loadPrivateKey(encode(text), noPassword),
      MalformedError,
      pattern,
    );
  });
}

const OIDS = {
  pbes2: "06092a864886f70d01050d",
  pbkdf2: "06092a864886f70d01050c",
  sha1: "06082a864886f70d0207",
  sha256: "06082a864886f70d0209",
  aes128: "060960864801650304" + "0102",
  desCbc: "06052b0e030207",
  rc2Cbc: "06082a864886f70d0302",
};

/** Parts of an encrypted file; all but one are what they should be. */
interface Parts {
  readonly salt?: Uint8Array;
  readonly iterations?: readonly number[];
  readonly keyLength?: number;
  readonly prf?: string;
  readonly cipher?: string;
  readonly iv?: Uint8Array;
  readonly data?: Uint8Array;
}

const SALT = new Uint8Array(8).fill(1);
const IV = new Uint8Array(16).fill(2);

/** Encrypted with HMAC-SHA256 and AES-128, however the parts call it. */
async function build(
  parts: Parts,
  { hash = "sha256", salt = SALT } = {},
): Promise<string> {
  const key = pbkdf2Sync(PASSWORD, salt, 1000, 16, hash);
  const cipher = createCipheriv("aes-128-cbc", key, IV);
  const pkcs8 = derOf(await keyOf("P-256"));
  const data = [...cipher.update(pkcs8), ...cipher.final()];
  const kdf = element(
    0x30,
    parts.salt ?? element(0x04, salt),
    element(0x02, parts.iterations ?? [0x03, 0xe8]),
    parts.keyLength === undefined ? [] : element(0x02, [parts.keyLength]),
    parts.prf === ""
      ? []
      : element(0x30, Uint8Array.fromHex(parts.prf ?? OIDS.sha256), [5, 0]),
  );
  const scheme = element(
    0x30,
    element(0x30, Uint8Array.fromHex(OIDS.pbkdf2), kdf),
    element(
      0x30,
      Uint8Array.fromHex(parts.cipher ?? OIDS.aes128),
      parts.iv ?? element(0x04, IV),
    ),
  );
  const file = element(
    0x30,
    element(0x30, Uint8Array.fromHex(OIDS.pbes2), scheme),
    element(0x04, parts.data ?? data),
  );
  return toPem("ENCRYPTED PRIVATE KEY", file);
}

Deno.test("loadPrivateKey() opens PBES2 with the length of the key named", async () => {
  const { protection } = await load(await build({ keyLength: 16 }));
  assertEquals(protection?.cipher, "AES-128-CBC");
});

Deno.test("loadPrivateKey() takes SHA-1 where no hash is named, and where SHA-1 is named", async () => {
  for (const prf of ["", OIDS.sha1]) {
    const { protection } = await load(await build({ prf }, { hash: "sha1" }));
    assertEquals(protection?.prf, "SHA-1");
  }
});

Deno.test("loadPrivateKey() opens PBES2 with an empty and with a long salt", async () => {
  for (const salt of [new Uint8Array(), new Uint8Array(200).fill(7)]) {
    const { password } = await load(await build({}, { salt }));
    assertEquals(password, PASSWORD);
  }
});

for (
  const [name, parts, pattern] of [
    [
      "10,000,001 iterations",
      { iterations: [0x00, 0x98, 0x96, 0x81] },
      /10000001 iterations of PBKDF2, at most 10000000/,
    ],
    [
      "iterations beyond 64 bits",
      { iterations: Array(20).fill(0x7f) },
      /iterations of PBKDF2, at most 10000000/,
    ],
    ["no iterations", { iterations: [0] }, /^malformed/],
    ["a negative number of iterations", { iterations: [0xff] }, /^malformed/],
    ["a large negative number of iterations", {
      iterations: [0x80, 0, 0, 0, 0],
    }, /^malformed/],
    ["a key length of another cipher", { keyLength: 32 }, /^malformed/],
    ["a salt from elsewhere", {
      salt: element(0x30, Uint8Array.fromHex(OIDS.sha1)),
    }, /^malformed/],
    ["a short vector", { iv: element(0x04, IV.subarray(1)) }, /^malformed/],
    ["an empty vector", { iv: element(0x04) }, /^malformed/],
    ["a long vector", { iv: element(0x04, IV, [0]) }, /^malformed/],
    ["no vector", { iv: new Uint8Array() }, /^malformed/],
    [
      "a vector that is no octet string",
      { iv: element(0x02, [1]) },
      /^malformed/,
    ],
    ["no ciphertext", { data: new Uint8Array() }, /^malformed/],
    ["a cut ciphertext", { data: new Uint8Array(31) }, /^malformed/],
    [
      "RC2",
      { cipher: OIDS.rc2Cbc },
      /unknown algorithm 1\.2\.840\.113549\.3\.2$/,
    ],
    [
      "an unknown hash",
      { prf: OIDS.desCbc },
      /unknown algorithm 1\.3\.14\.3\.2\.7$/,
    ],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses PBES2 with ${name} without asking for the password`, async () => {
    const text = await build(parts);
    await assertRejects(
      () => loadPrivateKey(encode(text), noPassword),
      MalformedError,
      pattern,
    );
  });
}

Deno.test("loadPrivateKey() passes on why there is no password", async () => {
  const text = await encrypt(await keyOf("P-256"));
  await assertRejects(
    () => loadPrivateKey(encode(text), () => Promise.reject(new Error("tty"))),
    undefined,
    /^tty$/,
  );
});
