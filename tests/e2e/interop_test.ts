/**
 * This program beside the real `step`, on the same inputs: the same files
 * written, the same certificates but for what has to be new, the same messages,
 * or, where the original is mended, the difference and its reason.
 *
 * The suite does a sample; `deno task sweep` does all.
 */
import { assertMatch } from "../support/assert.ts";
import {
  assertAgree,
  CLEARER,
  FORCED,
  type InteropCase,
  NEWER,
  PAIR,
  write,
} from "../support/interop.ts";
import { INTEROP_REFUSALS } from "../support/interop_refusals.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { runOk } from "../support/run.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { sample } from "../support/sweep.ts";
import { closedPort, tcpPeer } from "../support/tcp_peers.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = stepCaMissing === undefined
  ? await startStepCa(directory, {
    admin: {},
    "no renewal": { disableRenewal: true },
  })
  : undefined;
const otherRoot = await OpensslCa.root(`${directory}/other`, "Other Root CA");
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

const cases: (readonly [name: string, test: InteropCase])[] = [];

function compare(name: string, test: InteropCase): void {
  cases.push([name, test]);
}

function openssl(...args: readonly string[]) {
  return (path: string) => runOk("openssl", args, { cwd: path });
}

/** encrypted.key as openssl writes it, and a password file for it. */
function encrypted(args: readonly string[], password = "secret") {
  return async (path: string) => {
    await write("password", `${password}\n`)(path);
    await runOk("openssl", [
      ...args,
      ...["-in", "internal.key", "-passout", "pass:secret"],
      ...["-out", "encrypted.key"],
    ], { cwd: path });
  };
}

const SEC1_AES256 = ["ec", "-aes256"];
const PBES2 = ["pkcs8", "-topk8", "-v2", "aes-256-cbc"];
const WITH_PASSWORD = [
  ...["--force", "--password-file", "password"],
  ...["internal.crt", "encrypted.key"],
];

/** The new key opens with the old password, and only with it. */
async function assertEncrypted(path: string): Promise<void> {
  const key = await Deno.readTextFile(`${path}/encrypted.key`);
  assertMatch(key, /ENCRYPTED/);
  await pairKeyOf({
    certificateFile: `${path}/internal.crt`,
    keyFile: `${path}/encrypted.key`,
  }, "secret");
}

compare("in place", { args: FORCED });
compare("flags last", { args: [...PAIR, "--force"] });
compare("single dashes", { args: ["-force", ...PAIR] });
for (
  const flags of [
    ["--kty", "EC"],
    ["--kty", "EC", "--curve", "P-384"],
    ["--kty", "EC", "--crv", "P-521"],
    ["--kty", "OKP"],
    ["--kty", "OKP", "--curve", "Ed25519"],
    ["--kty", "RSA"],
    ["--kty", "RSA", "--size", "0xc00"],
  ]
) {
  compare(flags.join(" "), { args: [...flags, ...FORCED] });
}
compare("new files", {
  args: ["--out-cert", "a", "--out-key", "b", ...PAIR],
});
compare("only the certificate elsewhere", {
  args: ["--out-cert", "a", ...FORCED],
});
compare("only the key elsewhere", { args: ["--out-key", "b", ...FORCED] });
for (const kib of [33, 100, 200]) {
  compare(`a certificate file with ${kib} KiB of other certificates`, {
    async prepare(path) {
      const others = otherRoot.certificate.repeat(
        Math.ceil(kib * 1024 / otherRoot.certificate.length),
      );
      const options = { append: true };
      await Deno.writeTextFile(`${path}/internal.crt`, others, options);
    },
    args: FORCED,
  });
}
compare("the largest chain that is sent, with the largest signature", {
  async prepare(path) {
    // 62 bytes and two before them; the rest and the issuer take 1 KiB.
    const names = Array.from(
      { length: 61 * 16 - 7 },
      (_, index) => `DNS:${`n${index}`.padEnd(50, "x")}.example.org`,
    );
    const pair = await ca?.issue("large", "admin", {
      names: names.join(","),
      keyArguments: ["-newkey", "rsa:4096"],
    });
    if (pair === undefined) throw new Error("no CA");
    const options = { mode: 0o600 };
    await Deno.writeTextFile(`${path}/internal.crt`, pair.certificate);
    await Deno.writeTextFile(`${path}/internal.key`, pair.key, options);
  },
  args: FORCED,
});
compare("a given key that is written elsewhere", {
  prepare: openssl("genpkey", "-algorithm", "ed25519", "-out", "given"),
  args: ["--private-key", "given", "--out-key", "b", ...FORCED],
});
compare("a given key that stays where it is", {
  prepare: openssl("genpkey", "-algorithm", "ed25519", "-out", "given"),
  args: ["--private-key", "given", ...FORCED],
  otherText: {
    why: "the original does not warn that two files no longer match",
    ours: /^warning: "internal\.crt" will belong to the key in "given"/,
    theirs: /^✔ Certificate: internal\.crt$/,
  },
});
compare("not due", {
  args: ["--expires-in", "8h", ...PAIR],
  otherText: {
    why: "a second may pass between the two",
    ours: /^certificate not rekeyed: expires in \d+h\d+m\d+s$/,
    theirs: /^certificate not rekeyed: expires in \d+h\d+m\d+s$/,
  },
});
compare("due", { args: ["--expires-in", "30h", ...FORCED] });
compare("a negative window", { args: ["--expires-in=-1h", ...FORCED] });
compare("variables", { args: PAIR, env: { STEP_F: "true" } });

for (const [name, test] of INTEROP_REFUSALS) compare(name, test);

// The CA.
compare("a CA that is not there", {
  args: ["--ca-url", `https://127.0.0.1:${closedPort()}`, ...FORCED],
  code: 69,
  otherText: {
    why: NEWER,
    ours:
      /^error rekeying certificate: client POST https:\S+\/rekey failed: dial tcp \S+ connect: connection refused$/,
    theirs:
      /^error rekeying certificate: client\.Rekey; client POST \S+\/rekey failed: Post "\S+\/rekey": dial tcp \S+ connect: connection refused$/,
  },
});
Deno.test({
  name: "step and step-rekey agree: a CA that hangs up",
  ignore: stepCaMissing !== undefined,
  async fn() {
    if (ca === undefined) throw new Error(stepCaMissing);
    await using peer = tcpPeer(() => Promise.resolve());
    await assertAgree(ca, {
      args: ["--ca-url", `https://127.0.0.1:${peer.port}`, ...FORCED],
      code: 69,
      otherText: {
        why: NEWER,
        ours:
          /^error rekeying certificate: client POST https:\S+\/rekey failed: EOF: the server closed the connection/,
        theirs:
          /^error rekeying certificate: client\.Rekey; client POST \S+\/rekey failed: Post "\S+\/rekey": EOF$/,
      },
    });
  },
});
compare("a CA of another root", {
  args: ["--root", otherRoot.certificateFile, ...FORCED],
  code: 69,
  otherText: {
    why: NEWER,
    ours:
      /^error rekeying certificate: client POST https:\S+\/rekey failed: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    theirs:
      /^error rekeying certificate: client\.Rekey; client POST \S+\/rekey failed: Post "\S+\/rekey": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  },
});
compare("a CA that refuses", {
  provisioner: "no renewal",
  args: FORCED,
  code: 77,
  otherText: {
    why: NEWER,
    ours:
      /^The request lacked necessary authorization to be completed\. Please/,
    theirs:
      /^error rekeying certificate: The request lacked necessary authorization/,
  },
});

// After the rekey.
const AFTER_SWAP = "it says that the pair is new, and what is still pending";
compare("a command that fails", {
  prepare: write("hook", "#!/bin/sh\necho said >&2\nexit 7\n", 0o755),
  args: ["--exec", "./hook", ...FORCED],
  code: 7,
  sameCode: true,
  otherText: {
    why: AFTER_SWAP,
    ours:
      /^the new pair is installed, but telling the service failed: exit status 7; still pending: --exec, /,
    theirs: /^exit status 7$/,
  },
});
compare("a command that is missing", {
  args: ["--exec", "no-such-program", ...FORCED],
  code: 64,
  mended: {
    why: "it is looked for before the CA is asked",
    ours:
      /^the program of --exec cannot be run: "no-such-program" is not found/,
    theirs: /^✔ Certificate: internal\.crt$/,
  },
});
compare("no pid-file", {
  args: ["--pid-file", "none", ...FORCED],
  code: 64,
});
compare("a pid-file that holds no number", {
  prepare: write("pid", "many"),
  args: ["--pid-file", "pid", ...FORCED],
  code: 64,
  otherText: {
    why: "the message names the file, and gives the reason once",
    ours:
      /^error converting "many" in pid to integer process id: invalid syntax$/,
    theirs: /^error converting many to integer process id: : invalid syntax$/,
  },
});
compare("a pid-file with a negative number", {
  prepare: write("pid", "-3"),
  args: ["--pid-file", "pid", ...FORCED],
  code: 64,
});
compare("a process that is missing", {
  args: ["--pid", "4194304", ...FORCED],
  code: 71,
  otherText: {
    why: AFTER_SWAP,
    ours:
      /^the new pair is installed, but telling the service failed: kill 4194304 with signal 1 failed: no such process; still pending: the signal, /,
    theirs: /^kill 4194304 with signal 1 failed: no such process$/,
  },
});

// Keys in other forms, as openssl makes them.
for (
  const [name, args] of [
    ["a key in OpenSSL's old encryption", SEC1_AES256],
    ["a key in PKCS #8, encrypted", PBES2],
    ["a key in PKCS #8, encrypted with SHA-1", [
      ...PBES2,
      ...["-v2prf", "hmacWithSHA1"],
    ]],
  ] as const
) {
  compare(name, {
    prepare: encrypted(args),
    args: WITH_PASSWORD,
    mended: {
      why: "the original writes an encrypted key back in plain text",
      ours: /^✔ Certificate: internal\.crt$/,
      theirs: /^✔ Certificate: internal\.crt$/,
    },
    afterwards: assertEncrypted,
  });
  compare(`${name}: a wrong password`, {
    prepare: encrypted(args, "wrong"),
    args: WITH_PASSWORD,
    code: 65,
    otherText: {
      why: CLEARER,
      ours: /^error loading private key: .*decryption password incorrect$/,
      theirs: /^error parsing private key: /,
    },
  });
}
compare("an encrypted key and nobody to ask", {
  prepare: encrypted(PBES2),
  args: ["--force", "internal.crt", "encrypted.key"],
  noTerminal: true,
  code: 65,
  otherText: {
    why: "the original does not say what it wanted to ask",
    ours:
      /^error loading private key: encrypted\.key: the key is encrypted and/,
    theirs:
      /^error parsing private key: open \/dev\/tty: no such device or address$/,
  },
});

// What is mended.
compare("a password hashed with SHA-512", {
  prepare: encrypted([...PBES2, "-v2prf", "hmacWithSHA512"]),
  args: WITH_PASSWORD,
  afterwards: assertEncrypted,
  mended: {
    why: "the original takes every other hash for SHA-1",
    ours: /^✔ /,
    theirs: /^error parsing private key: /,
  },
});
compare("parameters in front of the key", {
  prepare: async (path) => {
    const { stdout } = await runOk("openssl", [
      ...["ecparam", "-name", "prime256v1"],
    ]);
    const key = await Deno.readTextFile(`${path}/internal.key`);
    await write("internal.key", stdout + key)(path);
  },
  args: FORCED,
  mended: {
    why: "the original refuses a second block",
    ours: /^✔ /,
    theirs:
      /^error parsing private key: : contains more than one PEM encoded block$/,
  },
});
compare("a boolean flag between the arguments", {
  args: ["internal.crt", "--force", "internal.key"],
  mended: {
    why: "the original swaps the two arguments",
    ours: /^✔ /,
    theirs: /^error reading certificate chain: : file 'internal\.key' is not a/,
  },
});
compare("a curve alone", {
  args: ["--curve", "P-384", ...FORCED],
  mended: {
    why: "the original refuses what its manual allows",
    ours: /^✔ /,
    theirs: /^flag '--curve' requires the '--kty' flag$/,
  },
});
compare("the manual's --out-crt", {
  args: [...PAIR, "--out-crt", "foo.crt", "--out-key", "foo.key"],
  mended: {
    why: "the original does not know its manual's flag",
    ours: /^✔ Certificate: foo\.crt$/,
    theirs: /^too many positional arguments/,
  },
});
compare("a window of a nanosecond", {
  args: ["--expires-in", "1ns", ...FORCED],
  mended: {
    why: "the original crashes on a jitter without width",
    ours: /^certificate not rekeyed: expires in /,
    theirs: /^Something unexpected happened\.$/,
  },
});
compare("a window of centuries", {
  args: ["--expires-in", "2562047h", ...FORCED],
  mended: {
    why: "the original's jitter overflows, so that it never rekeys",
    ours: /^✔ /,
    theirs: /^certificate not rekeyed: expires in /,
  },
});
compare("one file for both", {
  args: ["--out-cert", "a", "--out-key", "a", "--force", ...PAIR],
  code: 64,
  mended: {
    why: "the original overwrites the certificate with the key",
    ours: /^flag '--out-cert' and flag '--out-key' name the same file 'a'$/,
    theirs: /^✔ Certificate: a$/,
  },
});
compare("a directory of the key that is missing", {
  args: ["--out-key", "none/b", ...FORCED],
  code: 73,
  mended: {
    why: "the original has replaced the certificate by then",
    ours: /^open none\/b failed: no such file or directory$/,
    theirs: /^open none\/b failed: no such file or directory$/,
  },
});
compare("a key file that everybody can read", {
  prepare: (path) => Deno.chmod(`${path}/internal.key`, 0o644),
  args: FORCED,
  otherText: {
    why: "the original does not warn",
    ours: /^warning: the private key internal\.key is open to others/,
    theirs: /^✔ Certificate: internal\.crt$/,
  },
});
compare("nobody to ask", {
  args: PAIR,
  noTerminal: true,
  code: 64,
  otherText: {
    why: "the original asks after the CA has issued",
    ours: /^cannot ask whether to overwrite internal\.crt and internal\.key: /,
    theirs:
      /^unexpected error on internal\.crt: open \/dev\/tty: no such device or/,
  },
});
compare("a key of another certificate", {
  prepare: openssl("genpkey", "-algorithm", "ed25519", "-out", "other.key"),
  args: ["--force", "internal.crt", "other.key"],
  code: 65,
  otherText: {
    why: "the original asks the CA first",
    ours: /is not the key of the certificate/,
    // By the half of its connection that hears of it first.
    theirs:
      /^error rekeying certificate: client\.Rekey; client POST \S+\/rekey failed: Post "\S+\/rekey": (?:(?:\w+: )?remote error: tls: |(?:read|write) tcp )/,
  },
});

for (const [name, test] of sample("interop", cases, 25)) {
  Deno.test({
    name: `step and step-rekey agree: ${name}`,
    ignore: stepCaMissing !== undefined,
    async fn() {
      if (ca === undefined) throw new Error(stepCaMissing);
      await assertAgree(ca, test);
    },
  });
}
