import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import { assertRejects } from "../../support/assert.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  derOf,
  element,
  generate,
  keyOf,
  loadPlain,
  sec1,
  traditional,
} from "./key_files.ts";

for (
  const [name, options, pattern] of [
    [
      "P-224",
      ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
      /found EC with P-224, supported are EC with P-256, P-384 or P-521, Ed25519, and RSA/,
    ],
    ["secp256k1", [
      "-algorithm",
      "EC",
      "-pkeyopt",
      "ec_paramgen_curve:secp256k1",
    ], /found EC with secp256k1/],
    ["a curve without name", [
      "-algorithm",
      "EC",
      "-pkeyopt",
      "ec_paramgen_curve:brainpoolP320r1",
    ], /found EC with curve 1\.3\.36\.3\.3\.2\.8\.1\.1\.9/],
    ["explicit parameters", [
      "-algorithm",
      "EC",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-pkeyopt",
      "ec_param_enc:explicit",
    ], /found EC with explicit curve parameters/],
    ["X25519", ["-algorithm", "X25519"], /found X25519/],
    ["X448", ["-algorithm", "X448"], /found X448/],
    ["Ed448", ["-algorithm", "ED448"], /found Ed448/],
    [
      "RSA-PSS",
      ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"],
      /found RSA for PSS only/,
    ],
    ["multi-prime RSA", [
      "-algorithm",
      "RSA",
      "-pkeyopt",
      "rsa_keygen_bits:1024",
      "-pkeyopt",
      "rsa_keygen_primes:3",
    ], /found RSA with more than two primes/],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses ${name} and says what is supported`, async () => {
    const pkcs8 = await generate(...options);
    await assertRejects(() => loadPlain(pkcs8), MalformedError, pattern);
    const other = await traditional(pkcs8);
    await assertRejects(() => loadPlain(other), MalformedError, pattern);
  });
}

Deno.test("loadPrivateKey() refuses DSA in both forms", async () => {
  const parameters = await generate(
    ...["-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024"],
    ...["-pkeyopt", "dsa_paramgen_q_bits:160"],
  );
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("parameters"), parameters);
  const pkcs8 = await generate("-paramfile", dir.file("parameters"));
  await assertRejects(() => loadPlain(pkcs8), MalformedError, /found DSA/);
  const other = await traditional(pkcs8);
  await assertRejects(
    () => loadPlain(other),
    MalformedError,
    /found a PEM block "DSA PRIVATE KEY", supported are "EC PRIVATE KEY"/,
  );
});

Deno.test("loadPrivateKey() refuses versions of the formats that it does not know", async () => {
  for (const type of ["P-256", "RSA", "Ed25519"] as const) {
    for (
      const text of [await keyOf(type), await traditional(await keyOf(type))]
    ) {
      const der = derOf(text);
      const at = der.indexOf(0x02) + 2;
      for (const version of [2, 0x7f]) {
        der.set([version], at);
        const label = /BEGIN (.*)-----/.exec(text)?.[1] ?? "";
        await assertRejects(
          () => loadPlain(toPem(label, der)),
          MalformedError,
          /^malformed/,
        );
      }
    }
  }
});

Deno.test("loadPrivateKey() refuses PKCS#8 that names two curves", async () => {
  const inner = sec1("P-384", new Uint8Array(32).fill(1));
  const oids = ["06072a8648ce3d0201", "06082a8648ce3d030107"];
  const algorithm = element(
    0x30,
    ...oids.map((oid) => Uint8Array.fromHex(oid)),
  );
  const der = element(0x30, [2, 1, 0], algorithm, element(0x04, inner));
  await assertRejects(
    () => loadPlain(toPem("PRIVATE KEY", der)),
    MalformedError,
    /^malformed EC private key$/,
  );
});

Deno.test("loadPrivateKey() refuses SEC 1 that names no curve", async () => {
  const scalar = new Uint8Array(32).fill(1);
  const der = element(0x30, [2, 1, 1], element(0x04, scalar));
  await assertRejects(
    () => loadPlain(toPem("EC PRIVATE KEY", der)),
    MalformedError,
    /does not name its curve/,
  );
});

Deno.test("loadPrivateKey() does not show an object identifier that could be a key", async () => {
  const oid = element(0x06, new Uint8Array(32).fill(0x2a));
  const der = element(
    0x30,
    [2, 1, 0],
    element(0x30, oid),
    element(0x04, [4, 0]),
  );
  await assertRejects(
    () => loadPlain(toPem("PRIVATE KEY", der)),
    MalformedError,
    /found algorithm of unusual length,/,
  );
});
