/**
 * What every authority must do, held against the real step-ca.
 */
import { hintOf } from "../support/hint.ts";
import type {
  CertificateAuthority,
  RekeyRequest,
  RenewRequest,
} from "../../src/ca/authority.ts";
import { createOfflineAuthority } from "../../src/ca/offline/offline_authority.ts";
import { createOnlineAuthority } from "../../src/ca/online/online.ts";
import { RekeyError } from "../../src/base/errors.ts";
import type { KeySpec } from "../../src/base/options.ts";
import { chainToPem } from "../../src/pki/certificate/certificate.ts";
import { verifyAnswer } from "../../src/ca/verified_answer.ts";
import type { LogEvent } from "../../src/base/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";
import { noTerminal } from "../support/fake_terminal.ts";
import { OpensslCa, type OpensslPair } from "../support/openssl_ca.ts";
import { runOk } from "../support/run.ts";
import { startStepCa, type StepCa, stepCaMissing } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";
import { keyPair, rekeyRequest, renewRequest } from "../support/test_pair.ts";

const PROVISIONERS = {
  admin: {},
  late: { allowRenewalAfterExpiry: true },
  frozen: { disableRenewal: true },
};

/** An expired certificate has these dates. */
const PAST = {
  notBefore: new Date("2025-01-01T00:00:00Z"),
  notAfter: new Date("2025-01-02T03:04:05Z"),
};

const clock = { now: () => new Date(), sleep: () => Promise.resolve() };

/** A way to reach the CA, made for one pass. */
interface Subject {
  readonly name: string;
  open(
    ca: StepCa,
    events: LogEvent[],
  ): CertificateAuthority | Promise<CertificateAuthority>;
}

const ONLINE = {
  name: "createOnlineAuthority()",
  open: (ca: StepCa, events: LogEvent[]) =>
    createOnlineAuthority({
      url: ca.url,
      root: ca.rootFile,
      connectTimeoutMs: 10_000,
      timeoutMs: 10_000,
      clock,
      log: { write: (event) => void events.push(event) },
    }),
};

/** On the files of the same CA, its database included, while it runs. */
const OFFLINE = {
  name: "createOfflineAuthority()",
  open: (ca: StepCa, events: LogEvent[]) =>
    createOfflineAuthority({
      configFile: ca.configFile,
      password: () => Deno.readTextFile(ca.passwordFile),
      terminal: noTerminal(),
      clock,
      log: { write: (event) => void events.push(event) },
      signal: new AbortController().signal,
    }),
};

const SUBJECTS: readonly Subject[] = [ONLINE, OFFLINE];

/** One CA for all tests, started by the first one. */
const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const shared: { starting?: Promise<StepCa>; started?: StepCa } = {};
addEventListener("unload", () => {
  shared.started?.kill();
  Deno.removeSync(directory, { recursive: true });
});

async function stepCa(): Promise<StepCa> {
  shared.starting ??= startStepCa(directory, PROVISIONERS);
  return shared.started = await shared.starting;
}

/** A test with the shared CA; the process of the CA outlives it. */
function contractTest(name: string, fn: (ca: StepCa) => Promise<void>): void {
  Deno.test({
    name: stepCaMissing === undefined ? name : `${name} (${stepCaMissing})`,
    ignore: stepCaMissing !== undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await fn(await stepCa()),
  });
}

async function verified(
  authority: CertificateAuthority,
  request: RekeyRequest,
) {
  const chain = await authority.rekey(request);
  return await verifyAnswer(chain, {
    publicKey: request.csr.publicKey,
    previous: request.current.chain[0],
    roots: await authority.roots(),
    now: clock.now(),
  });
}

async function renewed(
  authority: CertificateAuthority,
  request: RenewRequest,
) {
  const { current } = request;
  return await verifyAnswer(await authority.renew(request), {
    publicKey: current.key.publicKey,
    previous: current.chain[0],
    roots: await authority.roots(),
    now: clock.now(),
  });
}

function lifetimeMs(
  { notBefore, notAfter }: {
    readonly notBefore: Date;
    readonly notAfter: Date;
  },
): number {
  return notAfter.getTime() - notBefore.getTime();
}

const SPECS: readonly KeySpec[] = [
  { kty: "EC", curve: "P-256" },
  { kty: "EC", curve: "P-384" },
  { kty: "EC", curve: "P-521" },
  { kty: "OKP", curve: "Ed25519" },
  { kty: "RSA", bits: 2048 },
];

for (const { name, open } of SUBJECTS) {
  for (const spec of SPECS) {
    const key = spec.kty === "RSA" ? "RSA" : spec.curve;
    contractTest(
      `${name} certifies a new ${key} key, names and lifetime kept`,
      async (ca) => {
        const pair = await ca.issue(`pair-${key}`, "admin");
        const request = await rekeyRequest(pair, { spec });
        const previous = request.current.chain[0];
        const { chain: [leaf], warnings } = await verified(
          await open(ca, []),
          request,
        );
        assertEquals(warnings, []);
        assertEquals(leaf.publicKey.toHex(), request.csr.publicKey.toHex());
        assertEquals(leaf.subject, previous.subject);
        assertEquals(leaf.names, previous.names);
        assert(leaf.serial !== previous.serial);
        // The CA adds its backdate of a minute.
        assert(Math.abs(lifetimeMs(leaf) - lifetimeMs(previous)) <= 60_000);
      },
    );
  }

  contractTest(`${name} returns a chain that openssl verifies`, async (ca) => {
    await using dir = await tempDir();
    const request = await rekeyRequest(await ca.issue("openssl", "admin"));
    const authority = await open(ca, []);
    const chain = await authority.rekey(request);
    await Deno.writeTextFile(dir.file("chain.crt"), chainToPem(chain));
    await runOk("openssl", [
      ...["verify", "-x509_strict", "-CAfile", ca.rootFile],
      ...["-untrusted", dir.file("chain.crt"), dir.file("chain.crt")],
    ]);
  });

  contractTest(`${name} refuses when renewal is disabled`, async (ca) => {
    const request = await rekeyRequest(await ca.issue("frozen", "frozen"));
    const authority = await open(ca, []);
    await assertRejects(
      () => authority.rekey(request),
      "refused",
      /lacked necessary authorization/,
    );
  });

  contractTest(
    `${name} refuses an expired certificate and names the claim`,
    async (ca) => {
      const request = await rekeyRequest(await ca.issue("past", "admin", PAST));
      const authority = await open(ca, []);
      const error = await assertRejects(
        () => authority.rekey(request),
        "pair",
        /^cannot rekey an expired certificate: expired on 2025-01-02T03:04:05Z/,
      );
      assertStringIncludes(
        error instanceof RekeyError ? hintOf(error) : "",
        "allowRenewalAfterExpiry",
      );
    },
  );

  contractTest(`${name} renews for the key that is there`, async (ca) => {
    const request = await renewRequest(await ca.issue("renewed", "admin"));
    const { chain: [leaf] } = await renewed(await open(ca, []), request);
    const [previous] = request.current.chain;
    assert(leaf.serial !== previous.serial);
    assertEquals(leaf.names, previous.names);
  });

  contractTest(
    `${name} renews an expired certificate only where its provisioner allows it`,
    async (ca) => {
      const late = await renewRequest(await ca.issue("late-1", "late", PAST));
      const events: LogEvent[] = [];
      await renewed(await open(ca, events), late);
      const past = await renewRequest(await ca.issue("past-1", "admin", PAST));
      const authority = await open(ca, []);
      await assertRejects(
        () => authority.renew(past),
        "pair",
        /^cannot renew an expired certificate: expired on 2025-01-02T03:04:05Z/,
      );
    },
  );

  contractTest(`${name} ends when the signal aborts`, async (ca) => {
    const pair = await ca.issue("aborted", "admin");
    const request = await rekeyRequest(pair, { signal: AbortSignal.abort() });
    const authority = await open(ca, []);
    await assertRejects(() => authority.rekey(request), "interrupted");
  });
}

contractTest(
  "createOnlineAuthority() rekeys an expired certificate that the CA renews",
  async (ca) => {
    const request = await rekeyRequest(await ca.issue("late", "late", PAST));
    const events: LogEvent[] = [];
    const { chain: [leaf] } = await verified(ONLINE.open(ca, events), request);
    assertEquals(leaf.publicKey.toHex(), request.csr.publicKey.toHex());
    const [event] = events;
    assert(event?.event === "warning");
    assertMatch(event.message, /expired on 2025-01-02T03:04:05Z/);
  },
);

/** Keys of other kinds, expired, in the hands of the CA's own CLI format. */
for (
  const [key, args] of [
    ["RSA", ["-newkey", "rsa:2048"]],
    ["Ed25519", ["-newkey", "ed25519"]],
    ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["P-521", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"]],
  ] as const
) {
  contractTest(
    `createOnlineAuthority() rekeys an expired certificate with a ${key} key`,
    async (ca) => {
      const pair = await ca.issue(`late-${key}`, "late", {
        ...PAST,
        keyArguments: args,
      });
      const request = await rekeyRequest(pair);
      const { chain: [leaf] } = await verified(ONLINE.open(ca, []), request);
      assertEquals(leaf.publicKey.toHex(), request.csr.publicKey.toHex());
    },
  );
}

contractTest(
  "createOnlineAuthority() refuses a revoked certificate",
  async (ca) => {
    const pair: OpensslPair = await ca.issue("revoked", "admin");
    const revocation = await ca.step(
      ...["ca", "revoke", "--cert", pair.certificateFile],
      ...["--key", pair.keyFile, "--ca-url", ca.url, "--root", ca.rootFile],
    );
    assertEquals(revocation.code, 0, revocation.stderr);
    const request = await rekeyRequest(pair);
    const error = await assertRejects(
      () => ONLINE.open(ca, []).rekey(request),
      "refused",
      /lacked necessary authorization/,
    );
    assert(error instanceof RekeyError);
    assertMatch(hintOf(error), /^HTTP 401, request id \S+; .*revoked/);
  },
);

contractTest(
  "createOnlineAuthority() sends a leaf without its issuer all the same",
  async (ca) => {
    const pair = await ca.issue("bare", "admin");
    const end = "-----END CERTIFICATE-----\n";
    const certificate = pair.certificate.slice(
      0,
      pair.certificate.indexOf(end) + end.length,
    );
    const request = await rekeyRequest({ ...pair, certificate });
    assertEquals(
      (await verified(ONLINE.open(ca, []), request)).chain.length,
      2,
    );
  },
);

contractTest(
  "createOnlineAuthority() explains that the CA did not issue the certificate",
  async (ca) => {
    const { OpensslCa } = await import("../support/openssl_ca.ts");
    const other = await OpensslCa.root(`${ca.directory}/other`, "Other");
    const request = await rekeyRequest(
      await other.issue("host", { subject: "/CN=host", names: "DNS:host" }),
    );
    const error = await assertRejects(
      () => ONLINE.open(ca, []).rekey(request),
      "unreachable",
      /remote error: tls: /,
    );
    assert(error instanceof RekeyError);
    assertStringIncludes(hintOf(error), "may not have issued");
  },
);

contractTest(
  "createOnlineAuthority() explains a certificate that is for servers only",
  async (ca) => {
    const pair = await ca.intermediate.issue("server-only", {
      subject: "/CN=host",
      names: "DNS:host",
      usages: "serverAuth",
    });
    const request = await rekeyRequest(pair);
    const error = await assertRejects(
      () => ONLINE.open(ca, []).rekey(request),
      "pair",
      /no clientAuth/,
    );
    assertMatch(hintOf(error), /get a new certificate/);
  },
);

contractTest(
  "createOfflineAuthority() signs what the running CA signs",
  async (ca) => {
    const request = await rekeyRequest(await ca.issue("both", "admin"));
    const offline = await OFFLINE.open(ca, []);
    const [ours, ...ourIssuers] = await offline.rekey(request);
    const [theirs, ...theirIssuers] = await ONLINE.open(ca, []).rekey(request);
    assert(ours !== undefined && theirs !== undefined);
    assertEquals(
      ourIssuers.map(({ der }) => der.toHex()),
      theirIssuers.map(({ der }) => der.toHex()),
    );
    assertEquals(ours.extensions, theirs.extensions);
    assertEquals(ours.subjectDer.toHex(), theirs.subjectDer.toHex());
    assertEquals(ours.signatureAlgorithm, theirs.signatureAlgorithm);
    assertEquals(lifetimeMs(ours), lifetimeMs(theirs));
  },
);

contractTest(
  "createOfflineAuthority() renews what the running CA renews",
  async (ca) => {
    const request = await renewRequest(await ca.issue("both-renew", "admin"));
    const offline = await OFFLINE.open(ca, []);
    const [ours] = await offline.renew(request);
    const [theirs] = await ONLINE.open(ca, []).renew(request);
    assert(ours !== undefined && theirs !== undefined);
    // The identifier of the key stays where it was among them.
    assertEquals(ours.extensions, theirs.extensions);
    assertEquals(lifetimeMs(ours), lifetimeMs(theirs));
  },
);

for (
  const [key, args] of [
    ["P-256", []],
    ["RSA", ["-newkey", "rsa:2048"]],
    ["Ed25519", ["-newkey", "ed25519"]],
  ] as const
) {
  contractTest(
    `createOnlineAuthority() renews by token with a ${key} key`,
    async (ca) => {
      const keyArguments = args.length === 0 ? undefined : args;
      const pair = await ca.issue(`token-${key}`, "admin", {
        ...keyArguments && { keyArguments },
      });
      const request = await renewRequest(pair, "token");
      await renewed(ONLINE.open(ca, []), request);
    },
  );
}

contractTest(
  "createOnlineAuthority() says what an administrator types for an expired certificate",
  async (ca) => {
    const request = await renewRequest(await ca.issue("past-2", "admin", PAST));
    const error = await assertRejects(
      () => ONLINE.open(ca, []).renew(request),
      "pair",
      /certificate expired on/,
    );
    assertMatch(
      hintOf(error),
      /allowRenewalAfterExpiry.*step ca provisioner update admin --allow-renewal-after-expiry/,
    );
  },
);

contractTest(
  "createOnlineAuthority() warns before it asks by token without provisioner",
  async (ca) => {
    const pair = await ca.intermediate.issue("no-provisioner", {
      subject: "/CN=host",
      names: "DNS:host",
    });
    const certificate = pair.certificate + ca.intermediate.certificate;
    const request = await renewRequest({ ...pair, certificate }, "token");
    const events: LogEvent[] = [];
    await assertRejects(
      () => ONLINE.open(ca, events).renew(request),
      "refused",
      /lacked necessary authorization/,
    );
    const [event] = events;
    assert(event?.event === "warning");
    assertMatch(event.message, /does not name its provisioner/);
    // By TLS it needs none.
    await renewed(ONLINE.open(ca, []), { ...request, by: "certificate" });
  },
);

contractTest(
  "createOnlineAuthority() asks nothing by token without a common name",
  async (ca) => {
    const pair = await ca.issue("nameless", "admin", { subject: "/O=Nobody" });
    const request = await renewRequest(pair, "token");
    await assertRejects(
      () => ONLINE.open(ca, []).renew(request),
      "pair",
      /without common name cannot be renewed by token/,
    );
  },
);

contractTest(
  "createOnlineAuthority() leaves it to the CA whether a token may be of a server",
  async (ca) => {
    const pair = await ca.issue("server-token", "admin", {
      usages: "serverAuth",
    });
    // This one refuses; older ones do not.
    const request = await renewRequest(pair, "token");
    await assertRejects(
      () => ONLINE.open(ca, []).renew(request),
      "refused",
      /error validating renew token/,
    );
    await assertRejects(
      () => ONLINE.open(ca, []).renew({ ...request, by: "certificate" }),
      "pair",
      /^error renewing certificate: .*no clientAuth.*which renewing needs$/,
    );
  },
);

Deno.test("verifyAnswer() names some of the thousands of names that a CA added", async () => {
  await using dir = await tempDir();
  const ca = await OpensslCa.root(dir.file("ca"), "Root");
  const host = { subject: "/CN=host.example", names: "DNS:host.example" };
  const before = await keyPair(await ca.issue("before", host));
  const names = Array.from({ length: 12_000 }, (_, at) => `DNS:h${at}.example`);
  const after = await keyPair(
    await ca.issue("after", { ...host, names: names.join(",") }),
  );
  for (
    const [current, issued] of [[before, after], [after, before]] as const
  ) {
    const error = await assertRejects(
      () =>
        verifyAnswer(issued.chain, {
          publicKey: issued.key.publicKey,
          previous: current.chain[0],
          roots: [],
          now: new Date(),
        }),
      "untrusted",
      /^the CA changed the names: they were .*, and are now .*/,
    );
    assert(error.message.length < 500, String(error.message.length));
    assertStringIncludes(error.message, "DNS:host.example");
    assertStringIncludes(error.message, "…");
  }
});
