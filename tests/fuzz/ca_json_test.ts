/**
 * Damaged ca.json files: settings or a refusal that quotes no password.
 */
import fc from "fast-check";
import { parseCaConfig } from "../../src/ca/offline/config/ca_config.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { damagedOneOf, fuzzRuns, inTime } from "./mutation.ts";

const SECRET = "hunter2hunter2";

/** As `step ca init --ssh` writes it, and as short as it can be. */
const SEEDS = [
  {
    root: "/ca/certs/root_ca.crt",
    federatedRoots: null,
    crt: "/ca/certs/intermediate_ca.crt",
    key: "/ca/secrets/intermediate_ca_key",
    password: SECRET,
    address: ":443",
    insecureAddress: "",
    dnsNames: ["ca.example.com", "10.0.0.1"],
    ssh: {
      hostKey: "/ca/secrets/ssh_host_ca_key",
      userKey: "/ca/secrets/ssh_user_ca_key",
      keys: [{
        type: "user",
        federated: true,
        key: { kty: "EC", crv: "P-256", x: "eA", y: "eQ" },
      }],
    },
    logger: { format: "text" },
    crl: { enabled: false, cacheDuration: "24h", renewPeriod: "16h" },
    authority: {
      backdate: "1m30s",
      claims: { minTLSCertDuration: "5m", disableRenewal: false },
      provisioners: [
        {
          type: "JWK",
          name: "admin",
          key: { use: "sig", kty: "EC", kid: "id", crv: "P-256" },
          encryptedKey: "e",
          claims: { enableSSHCA: true, allowRenewalAfterExpiry: true },
        },
        { type: "ACME", name: "acme", forceCN: true },
        { type: "OIDC", name: "Google", clientID: "id" },
        { type: "SSHPOP", name: "sshpop" },
      ],
      template: {},
    },
    tls: { cipherSuites: ["A"], minVersion: 1.2, maxVersion: 1.3 },
    templates: {
      ssh: {
        user: [{ name: "a", type: "snippet", template: "a", path: "~/a" }],
        host: [{ name: "b", type: "file", template: "b", path: "/b" }],
      },
      data: { Any: { b: 1 } },
    },
  },
  {
    root: ["a", "b"],
    crt: "c",
    key: "softkms:path=k",
    password: SECRET,
    address: "[::1]:443",
    dnsNames: ["a"],
    kms: { type: "softkms" },
    authority: { provisioners: [{ type: "X5C", name: "x" }] },
  },
].flatMap((config) => [
  JSON.stringify(config),
  JSON.stringify(config, undefined, "\t"),
]).map((text) => new TextEncoder().encode(text));

Deno.test("parseCaConfig() reads or refuses any damaged file", async () => {
  for (const seed of SEEDS) {
    parseCaConfig(new TextDecoder().decode(seed), { file: "ca.json" });
  }
  await fc.assert(
    fc.asyncProperty(damagedOneOf(SEEDS), async (content) => {
      await inTime(() => {
        try {
          parseCaConfig(new TextDecoder().decode(content), { file: "ca.json" });
        } catch (error) {
          if (!(error instanceof RekeyError)) throw error;
          assertEquals(error.kind, "config");
          assert(!error.message.includes(SECRET), "the password is quoted");
        }
      });
    }),
    { numRuns: fuzzRuns(1000) },
  );
});
