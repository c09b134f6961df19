/**
 * Ours and the original with the same CA's files and the same host's pair: the
 * certificates have to be the same but for serial, dates, key and signature.
 */
import {
  createDevCa,
  type DevCaOptions,
  type DevHost,
} from "../../../scripts/dev_ca.ts";
import type { KeySpec } from "../../../src/base/options.ts";
import { x509 } from "../../../src/pki/asn1/x509.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { sample } from "../../support/sweep.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { comparable, parityTest, rekeyBy } from "./beside_step.ts";

async function assertParity(
  { host, ...options }: DevCaOptions & { readonly host?: DevHost },
): Promise<void> {
  await using directory = await tempDir();
  const ca = await createDevCa(directory.path, options);
  const pair = await ca.issue("host", host);
  const theirs = await rekeyBy("theirs", ca, pair);
  const ours = await rekeyBy("ours", ca, pair);
  assertEquals(comparable(ours[0]), comparable(theirs[0]));
  assertEquals(
    ours.slice(1).map(({ der }) => der.toHex()),
    theirs.slice(1).map(({ der }) => der.toHex()),
  );
  const apart = ours[0].notBefore.getTime() - theirs[0].notBefore.getTime();
  assert(Math.abs(apart) <= 60_000, `${apart} ms apart`);
  assert(ours[0].serial !== theirs[0].serial);
  assert(ours[0].publicKey.toHex() !== pair.certificate.publicKey.toHex());
}

const KEYS: readonly (readonly [name: string, keySpec: KeySpec])[] = [
  ["EC P-384", { kty: "EC", curve: "P-384" }],
  ["EC P-521", { kty: "EC", curve: "P-521" }],
  ["Ed25519", { kty: "OKP", curve: "Ed25519" }],
  ["RSA", { kty: "RSA", bits: 2048 }],
];

for (const [name, keySpec] of sample("keys of the CA", KEYS, 2)) {
  parityTest(
    `offline rekey is the original's below a CA with ${name}`,
    async () => {
      // This version of the original cannot sign with RSA below another root.
      await assertParity({ keySpec, rootKeySpec: keySpec });
    },
  );
}

const DAY_MS = 86_400_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;

const HOSTS: Readonly<Record<string, DevHost>> = {
  "names of every type": {
    names: [
      { type: "dns", value: "*.example.com" },
      { type: "ip", value: "2001:db8::1" },
      { type: "email", value: "someone@example.com" },
      { type: "url", value: "spiffe://example.com/a" },
    ],
  },
  "an RSA key": { keySpec: { kty: "RSA", bits: 2048 } },
  "an Ed25519 key": { keySpec: { kty: "OKP", curve: "Ed25519" } },
  "a life of 400 days": {
    validity: {
      notBefore: new Date(NOW - DAY_MS),
      notAfter: new Date(NOW + 399 * DAY_MS),
    },
  },
  "no provisioner and an unknown critical extension": {
    provisioner: null,
    extensions: [
      new x509.Extension("1.2.3.4", true, Uint8Array.of(5, 0)),
      new x509.Extension("1.2.3.5", false, Uint8Array.of(4, 1, 7)),
    ],
  },
};

for (const [name, host] of sample("hosts", Object.entries(HOSTS), 3)) {
  parityTest(
    `offline rekey is the original's of a host with ${name}`,
    async () => {
      await assertParity({ host });
    },
  );
}
