import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import { loadPrivateKey } from "../../../src/pki/keys/private_key.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { STEP, stepCaMissing } from "../../support/step_ca.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  derOf,
  encode,
  generate,
  keyOf,
  noPassword,
  openssl,
  publicKeyOf,
} from "./key_files.ts";

const PASSWORD = "pässwörd 1";
const IV = "00112233445566778899aabbccddeeff";

/** `Proc-Type: 4,ENCRYPTED` by openssl. */
function encrypt(pkcs8: string, cipher: string): Promise<string> {
  return openssl(
    [
      ...["pkey", "-traditional", `-${cipher}`],
      // Single DES is nowhere else any more.
      ...["-provider", "legacy", "-provider", "default"],
      ...["-passout", `pass:${PASSWORD}`],
    ],
    pkcs8,
  );
}

function load(text: string, password = PASSWORD) {
  return loadPrivateKey(encode(text), () => Promise.resolve(password));
}

for (
  const [option, cipher] of [
    ["aes-128-cbc", "AES-128-CBC"],
    ["aes-192-cbc", "AES-192-CBC"],
    ["aes-256-cbc", "AES-256-CBC"],
    ["des-ede3-cbc", "DES-EDE3-CBC"],
    ["des-cbc", "DES-CBC"],
  ] as const
) {
  Deno.test(`loadPrivateKey() opens RFC 1423 with ${cipher} on SEC 1 and PKCS#1`, async () => {
    for (const type of ["P-256", "P-384", "P-521", "RSA"] as const) {
      const pkcs8 = await keyOf(type);
      const text = await encrypt(pkcs8, option);
      assert(text.includes(`DEK-Info: ${cipher},`));
      const { key, protection, password } = await load(text);
      assertEquals(key.publicKey.toHex(), await publicKeyOf(pkcs8));
      assertEquals(protection, undefined);
      assertEquals(password, PASSWORD);
    }
  });

  Deno.test(`loadPrivateKey() opens RFC 1423 with ${cipher} on PKCS#8`, async () => {
    const pkcs8 = await keyOf("Ed25519");
    const iv = IV.slice(0, cipher.startsWith("DES-") ? 16 : 32);
    await using dir = await tempDir();
    await Deno.writeFile(dir.file("der"), derOf(pkcs8));
    await runOk("openssl", [
      ...["enc", `-${option}`, "-md", "md5", "-in", dir.file("der")],
      ...["-provider", "legacy", "-provider", "default"],
      ...["-S", iv.slice(0, 16), "-iv", iv, "-k", PASSWORD],
      ...["-out", dir.file("encrypted")],
    ]);
    const text = toPem(
      "PRIVATE KEY",
      await Deno.readFile(dir.file("encrypted")),
      new Map([["Proc-Type", "4,ENCRYPTED"], ["DEK-Info", `${cipher},${iv}`]]),
    );
    const { key } = await load(text);
    assertEquals(key.publicKey.toHex(), await publicKeyOf(pkcs8));
  });
}

Deno.test({
  name: "loadPrivateKey() opens the key of a CA that step ca init made",
  ignore: stepCaMissing !== undefined,
  fn: async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("password"), PASSWORD);
    await runOk(STEP, [
      ...["ca", "init", "--name", "a", "--dns", "localhost"],
      ...["--address", "127.0.0.1:0", "--provisioner", "a", "--no-db"],
      ...["--deployment-type", "standalone"],
      ...["--password-file", dir.file("password")],
    ], { env: { STEPPATH: dir.path } });
    const text = await Deno.readTextFile(
      dir.file("secrets/intermediate_ca_key"),
    );
    const { key } = await load(text);
    assertEquals(key.spec, { kty: "EC", curve: "P-256" });
  },
});

Deno.test("loadPrivateKey() calls every wrong password of RFC 1423 wrong, also where the padding fits", async () => {
  const text = await encrypt(await keyOf("P-256"), "aes-128-cbc");
  for (let round = 0; round < 700; round++) {
    await assertRejects(
      () => load(text, `wrong ${round}`),
      MalformedError,
      /^x509: decryption password incorrect$/,
    );
  }
});

Deno.test("loadPrivateKey() opens RFC 1423 where Proc-Type is missing or spaced", async () => {
  const text = await encrypt(await keyOf("P-256"), "aes-128-cbc");
  for (const line of ["", "Proc-Type: 4, ENCRYPTED\n"]) {
    const changed = text.replace("Proc-Type: 4,ENCRYPTED\n", line);
    assert(changed !== text);
    assertEquals((await load(changed)).password, PASSWORD);
  }
});

Deno.test("loadPrivateKey() calls a wrong password of Triple DES wrong", async () => {
  const text = await encrypt(await keyOf("P-256"), "des-ede3-cbc");
  for (const wrong of ["", "wrong", `${PASSWORD} `]) {
    await assertRejects(
      () => load(text, wrong),
      MalformedError,
      /^x509: decryption password incorrect$/,
    );
  }
});

Deno.test("loadPrivateKey() names an unsupported curve inside RFC 1423", async () => {
  const text = await encrypt(
    await generate("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"),
    "aes-128-cbc",
  );
  await assertRejects(() => load(text), MalformedError, /found EC with P-224/);
});

for (
  const [name, headers, der, pattern] of [
    [
      "no DEK-Info",
      [["Proc-Type", "4,ENCRYPTED"]],
      32,
      /no DEK-Info header in block$/,
    ],
    ["no vector", dekInfo("AES-128-CBC"), 32, /malformed DEK-Info header$/],
    [
      "a third field",
      dekInfo(`AES-128-CBC,${IV},00`),
      32,
      /malformed DEK-Info header$/,
    ],
    [
      "a vector that is not hexadecimal",
      dekInfo(`AES-128-CBC,${IV.replace("0", "g")}`),
      32,
      /malformed DEK-Info header$/,
    ],
    [
      "half a byte in its vector",
      dekInfo(`AES-128-CBC,${IV.slice(1)}`),
      32,
      /malformed DEK-Info header$/,
    ],
    [
      "an unknown cipher",
      dekInfo(`CAMELLIA-128-CBC,${IV}`),
      32,
      /unknown encryption mode$/,
    ],
    [
      "single DES in another mode",
      dekInfo("DES-CFB,0011223344556677"),
      32,
      /unknown encryption mode$/,
    ],
    [
      "the name of a property as cipher",
      dekInfo(`constructor,${IV}`),
      32,
      /unknown encryption mode$/,
    ],
    [
      "a short vector",
      dekInfo("AES-128-CBC,0011223344556677"),
      32,
      /incorrect IV size$/,
    ],
    ["a long vector", dekInfo(`DES-EDE3-CBC,${IV}`), 32, /incorrect IV size$/],
    ["an empty vector", dekInfo("AES-128-CBC,"), 32, /incorrect IV size$/],
    [
      "a cut ciphertext",
      dekInfo(`AES-128-CBC,${IV}`),
      31,
      /encrypted PEM data is not a multiple of the block size$/,
    ],
    [
      "no ciphertext",
      dekInfo(`AES-128-CBC,${IV}`),
      0,
      /encrypted PEM data is not a multiple of the block size$/,
    ],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses RFC 1423 with ${name} without asking for the password`, async () => {
    const text = toPem("EC PRIVATE KEY", new Uint8Array(der), new Map(headers));
    await assertRejects(
      () => loadPrivateKey(encode(text), noPassword),
      MalformedError,
      pattern,
    );
  });
}

function dekInfo(value: string): readonly (readonly [string, string])[] {
  return [["Proc-Type", "4,ENCRYPTED"], ["DEK-Info", value]];
}
