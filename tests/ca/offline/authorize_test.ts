/**
 * Who may rekey.
 */
import { authorizeReissue } from "../../../src/ca/offline/authorize.ts";
import type {
  CaConfig,
  Claims,
} from "../../../src/ca/offline/config/ca_config.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import type { Certificate } from "../../../src/pki/certificate/certificate.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import {
  LEAF_EXTENSIONS,
  NOW,
  OpensslCertificates,
} from "../../support/openssl_certificates.ts";

const openssl = new OpensslCertificates();
const BEFORE = new Date("2025-12-31T23:59:59.999Z");
const FIRST = new Date("2026-01-01T00:00:00Z");
const LAST = new Date("2027-01-01T00:00:00Z");
const AFTER = new Date("2027-01-01T00:00:00.001Z");

async function issue(...extensions: string[]): Promise<Certificate> {
  return (await openssl.issue({
    subject: "/CN=host",
    extensions: [...LEAF_EXTENSIONS.slice(0, 2), ...extensions],
  })).certificate;
}

const OID = "1.3.6.1.4.1.37476.9000.64.1";
const PLAIN = await issue();
const MALFORMED = await issue(`${OID} = DER:3000`);
/** Of type 1, JWK, with the name "admin". */
const NAMED = await issue(
  `${OID} = DER:300e` + "020101" + "040561646d696e" + "04026964",
);

type Flags = { readonly [name in keyof Claims]?: boolean };

function config(
  { own = {}, all = {}, type = "jwk", name = "admin" }: {
    readonly own?: Flags;
    readonly all?: Flags;
    readonly type?: string;
    readonly name?: string;
  } = {},
): CaConfig {
  const none = {
    disableRenewal: undefined,
    allowRenewalAfterExpiry: undefined,
  };
  return {
    rootFiles: ["root"],
    certificateFile: "crt",
    keyFile: "key",
    password: "",
    backdate: 0n,
    database: undefined,
    claims: { ...none, ...all },
    provisioners: [
      { type: "acme", name: "other", id: "acme/other", claims: none },
      { type, name, id: "recorded", claims: { ...none, ...own } },
    ],
  };
}

const ON = { disableRenewal: true };
const OFF = { disableRenewal: false };
const LATE = { allowRenewalAfterExpiry: true };
const NEVER_LATE = { allowRenewalAfterExpiry: false };

for (
  const [what, certificate, settings, now] of [
    ["a certificate with default claims", NAMED, {}, NOW],
    ["false at the provisioner over true", NAMED, { own: OFF, all: ON }, NOW],
    ["no extension, renewal disabled", PLAIN, { all: ON, own: ON }, NOW],
    ["no extension, not yet valid", PLAIN, {}, BEFORE],
    ["a name that another type has now", NAMED, { type: "acme" }, NOW],
    ["the first second", NAMED, {}, FIRST],
    ["the last second", NAMED, {}, LAST],
    ["expired, allowed by the provisioner", NAMED, { own: LATE }, AFTER],
    ["expired, allowed by the authority", NAMED, { all: LATE }, AFTER],
  ] as const
) {
  Deno.test(`authorizeReissue() allows ${what}`, () => {
    authorizeReissue(certificate, config(settings), { now, act: "rekey" });
  });
}

const NOT_FOUND = "provisioner not found";
const DISABLED = "renew is disabled for provisioner 'admin'";
const NOT_IMPLEMENTED = "provisioner.AuthorizeRenew not implemented";

for (
  const [what, certificate, settings, now, reason] of [
    ["disabled by the authority", NAMED, { all: ON }, NOW, DISABLED],
    ["disabled by the provisioner", NAMED, { own: ON }, NOW, DISABLED],
    ["disabled over false", NAMED, { own: ON, all: OFF }, NOW, DISABLED],
    ["disabled and late", NAMED, { own: { ...ON, ...LATE } }, AFTER, DISABLED],
    ["SCEP", NAMED, { type: "scep" }, NOW, NOT_IMPLEMENTED],
    ["SSHPOP", NAMED, { type: "sshpop" }, NOW, NOT_IMPLEMENTED],
    ["an unknown name", NAMED, { name: "Admin" }, NOW, NOT_FOUND],
    ["a malformed extension", MALFORMED, {}, NOW, NOT_FOUND],
    [
      "not yet valid",
      NAMED,
      {},
      BEFORE,
      "certificate is not yet valid 2025-12-31T23:59:59Z vs 2026-01-01T00:00:00Z",
    ],
  ] as const
) {
  Deno.test(`authorizeReissue() refuses: ${what}`, () => {
    const error = assertThrows(
      () =>
        authorizeReissue(certificate, config(settings), { now, act: "rekey" }),
      "refused",
      /^The request lacked necessary authorization to be completed\. /,
    );
    assert(error instanceof RekeyError);
    assertEquals(error.hint, `the reason: ${reason}`);
  });
}

for (
  const [what, certificate, settings] of [
    ["default claims", NAMED, {}],
    ["forbidden over allowed", NAMED, { own: NEVER_LATE, all: LATE }],
    ["no extension, allowed by the authority", PLAIN, { all: LATE }],
  ] as const
) {
  Deno.test(`authorizeReissue() refuses an expired certificate: ${what}`, () => {
    assertThrows(
      () =>
        authorizeReissue(certificate, config(settings), {
          now: AFTER,
          act: "rekey",
        }),
      "pair",
      /^cannot rekey an expired certificate: expired on 2027-01-01T00:00:00Z$/,
    );
  });
}

for (
  const [what, certificate, settings, record] of [
    ["recorded, without extension", PLAIN, {}, "recorded"],
    [
      "recorded, with an extension that names nobody",
      MALFORMED,
      {},
      "recorded",
    ],
    ["recorded under an id that is gone", PLAIN, { own: ON }, "gone"],
    ["not recorded, without extension", PLAIN, { own: ON }, undefined],
    ["recorded over its extension", NAMED, { own: ON }, "acme/other"],
  ] as const
) {
  Deno.test(`authorizeReissue() allows by the CA's record: ${what}`, () => {
    authorizeReissue(certificate, config(settings), {
      now: NOW,
      act: "rekey",
      record: { isRevoked: false, provisionerId: record },
    });
  });
}

for (
  const [what, certificate, settings, record, reason] of [
    ["revoked", NAMED, {}, { isRevoked: true }, "certificate has been revoked"],
    [
      "revoked, from outside of step",
      PLAIN,
      {},
      { isRevoked: true },
      "certificate has been revoked",
    ],
    [
      "recorded with renewal disabled, without extension",
      PLAIN,
      { own: ON },
      { isRevoked: false, provisionerId: "recorded" },
      "renew is disabled for provisioner 'admin'",
    ],
    [
      "recorded for SCEP, without extension",
      PLAIN,
      { type: "scep" },
      { isRevoked: false, provisionerId: "recorded" },
      "provisioner.AuthorizeRenew not implemented",
    ],
    [
      "an unknown record, and an extension that names nobody",
      MALFORMED,
      {},
      { isRevoked: false, provisionerId: "gone" },
      "provisioner not found",
    ],
  ] as const
) {
  Deno.test(`authorizeReissue() refuses by the CA's record: ${what}`, () => {
    const error = assertThrows(
      () =>
        authorizeReissue(certificate, config(settings), {
          now: NOW,
          act: "rekey",
          record: { provisionerId: undefined, ...record },
        }),
      "refused",
      /^The request lacked necessary authorization/,
    );
    assert(error instanceof RekeyError);
    assertEquals(error.hint, `the reason: ${reason}`);
  });
}

Deno.test("authorizeReissue() says that a certificate is revoked before that it expired", () => {
  assertThrows(
    () =>
      authorizeReissue(NAMED, config(), {
        now: AFTER,
        act: "rekey",
        record: { isRevoked: true, provisionerId: undefined },
      }),
    "refused",
  );
});
