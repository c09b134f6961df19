/**
 * This program beside the real `step`, on the same inputs: the same files
 * written, the same certificates but for what has to be new, the same messages,
 * or, where the original is mended, the difference and its reason.
 */
import { type Certificate, parseChain } from "../../src/pki/certificate.ts";
import { EXTENSION_OID } from "../../src/pki/extensions.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runProgram } from "../support/program.ts";
import { run, runOk, type RunResult } from "../support/run.ts";
import {
  startStepCa,
  STEP,
  type StepCa,
  stepCaMissing,
} from "../support/step_ca.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = stepCaMissing === undefined
  ? await startStepCa(directory)
  : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

/** The cache of modules stays where it is when HOME moves. */
const DENO_DIR = JSON.parse(
  (await runOk(Deno.execPath(), ["info", "--json", "--no-config"])).stdout,
).denoDir;

/** One command line for both. */
interface Case {
  /** After `ca rekey`. */
  readonly args: readonly string[];
  /** Runs in each copy of the directory first. */
  readonly prepare?: (path: string) => Promise<unknown>;
  readonly env?: Readonly<Record<string, string>>;
  /** Both fail; ours with this code, the original with 1. */
  readonly code?: number;
  /** Why our first line of stderr is another; without it they are equal. */
  readonly otherText?: { readonly why: string; readonly ours: RegExp };
  /** Why the original does something else than we do. */
  readonly mended?: string;
}

const PAIR = ["internal.crt", "internal.key"];
const FORCED = ["--force", ...PAIR];

/** The original's colours, which we use on a terminal only. */
const COLOURS = new RegExp(String.raw`${"\x1b"}\[\d+m`, "g");

function compare(name: string, test: Case): void {
  Deno.test({
    name: `step and step-rekey agree: ${name}`,
    ignore: stepCaMissing !== undefined,
    async fn() {
      if (ca === undefined) throw new Error(stepCaMissing);
      const [theirs, ours] = await runBoth(test, ca);
      const code = test.code ?? 0;
      assertEquals(ours.result.code, code, ours.result.stderr);
      if (test.mended === undefined) {
        assertEquals(theirs.result.code, code === 0 ? 0 : 1);
        assertEquals(Object.keys(ours.files), Object.keys(theirs.files));
        assertEquals(describe(ours.files), describe(theirs.files));
        for (const file of Object.keys(ours.files)) {
          assertEquals(
            ours.files[file] === ours.before[file],
            theirs.files[file] === theirs.before[file],
            `${file} was written by one of the two`,
          );
        }
      } else {
        const isSame = theirs.result.code === (code === 0 ? 0 : 1) &&
          JSON.stringify(describe(theirs.files)) ===
            JSON.stringify(describe(ours.files));
        assert(!isSame, `nothing to mend any more: ${test.mended}`);
        return;
      }
      const [ourLine, theirLine] = [ours, theirs].map(({ result }) =>
        result.stderr.replaceAll(COLOURS, "").split("\n")[0] ?? ""
      );
      if (test.otherText === undefined) assertEquals(ourLine, theirLine);
      else assertMatch(ourLine ?? "", test.otherText.ours);
    },
  });
}

interface Outcome {
  readonly result: RunResult;
  readonly before: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

async function runBoth(test: Case, ca: StepCa): Promise<[Outcome, Outcome]> {
  const pair = await ca.issue(crypto.randomUUID(), "admin", {
    subject: "/CN=internal",
    names: "DNS:internal,IP:10.0.0.7,email:a@b.example,URI:spiffe://x/y",
  });
  const outcomes = [];
  for (const start of [runStep, runProgram]) {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("internal.crt"), pair.certificate);
    await Deno.writeTextFile(dir.file("internal.key"), pair.key, {
      mode: 0o600,
    });
    await test.prepare?.(dir.path);
    const before = await filesOf(dir.path);
    const result = await start(["ca", "rekey", ...test.args], {
      cwd: dir.path,
      env: {
        STEPPATH: ca.directory,
        HOME: directory,
        DENO_DIR,
        ...test.env,
      },
    });
    outcomes.push({ result, before, files: await filesOf(dir.path) });
  }
  const [theirs, ours] = outcomes;
  if (theirs === undefined || ours === undefined) throw new Error("not run");
  return [theirs, ours];
}

function runStep(
  args: readonly string[],
  options: Parameters<typeof run>[2],
): Promise<RunResult> {
  return run(STEP, args, options);
}

async function filesOf(path: string): Promise<Record<string, string>> {
  const names = [];
  for await (const { name, isFile } of Deno.readDir(path)) {
    if (isFile) names.push(name);
  }
  const files: Record<string, string> = {};
  for (const name of names.sort()) {
    files[name] = await Deno.readTextFile(`${path}/${name}`);
  }
  return files;
}

/** What has to be equal: everything but serial, dates, key, signature. */
function describe(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([name, text]) => ({
    name,
    labels: [...text.matchAll(/-----BEGIN ([^-]+)-----/g)].map(([, label]) =>
      label
    ),
    certificates: text.includes("BEGIN CERTIFICATE")
      ? parseChain(new TextEncoder().encode(text)).map(describeCertificate)
      : [],
  }));
}

function describeCertificate(certificate: Certificate) {
  const { subject, issuer, names, notBefore, notAfter, extensions } =
    certificate;
  return {
    subject,
    issuer,
    names,
    lifetimeMs: notAfter.getTime() - notBefore.getTime(),
    signature: certificate.signatureAlgorithm.oid,
    keyType: certificate.publicKey.length,
    extensions: extensions.map(({ oid, critical, value }) => [
      oid,
      critical,
      oid === EXTENSION_OID.subjectKeyIdentifier ? "new" : value.toHex(),
    ]),
  };
}

function openssl(...args: readonly string[]) {
  return (path: string) => runOk("openssl", args, { cwd: path });
}

const CLEARER = "the original cuts the reason off at its last colon";
const NEWER = "the texts are those of step 0.30, not of 0.21";
const MISSING = "error reading certificate chain: ";

compare("in place", { args: FORCED });
compare("flags last", { args: [...PAIR, "--force"] });
compare("single dashes", { args: ["-force", ...PAIR] });
for (
  const flags of [
    ["--kty", "EC"],
    ["--kty", "EC", "--curve", "P-384"],
    ["--kty", "EC", "--crv", "P-521"],
    ["--kty", "OKP"],
    ["--kty", "RSA"],
    ["--kty", "RSA", "--size", "0xc00"],
  ]
) {
  compare(flags.join(" "), { args: [...flags, ...FORCED] });
}
compare("new files", {
  args: ["--out-cert", "a", "--out-key", "b", ...PAIR],
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
  },
});
compare("not due", {
  args: ["--expires-in", "8h", ...PAIR],
  otherText: {
    why: "a second may pass between the two",
    ours: /^certificate not rekeyed: expires in \d+h\d+m\d+s$/,
  },
});
compare("variables", { args: PAIR, env: { STEP_F: "true" } });

// Rules, in the order in which they are checked.
const refusals: readonly [string, Partial<Case> & { args: string[] }][] = [
  ["too few arguments", { args: ["internal.crt"] }],
  ["too many arguments", { args: [...PAIR, "more"] }],
  ["a bad window", { args: ["--expires-in", "1d", ...PAIR] }],
  ["a bad period", { args: ["--rekey-period", "1d", ...PAIR] }],
  ["a period without daemon", { args: ["--rekey-period", "1h", ...PAIR] }],
  ["window and period", {
    args: ["--daemon", "--rekey-period=1h", "--expires-in=1h", ...PAIR],
  }],
  ["two processes to signal", {
    args: ["--pid", "1", "--pid-file", "x", ...PAIR],
  }],
  ["no such process number", { args: ["--pid", "0", ...PAIR] }],
  ["no such signal", { args: ["--pid", "1", "--signal=-1", ...PAIR] }],
  ["an unknown key type", { args: ["--kty", "oct", ...FORCED] }],
  ["a size for EC", { args: ["--kty=EC", "--size=256", ...FORCED] }],
  ["a curve for RSA", { args: ["--kty=RSA", "--curve=P-256", ...FORCED] }],
  ["a short RSA key", { args: ["--kty=RSA", "--size=1024", ...FORCED] }],
  ["a wrong curve", { args: ["--kty=EC", "--curve=p-256", ...FORCED] }],
  ["a period as long as the life", {
    args: ["--daemon", "--rekey-period", "90h", ...PAIR],
  }],
  ["a bad integer", { args: ["--size", "abc", ...PAIR] }],
  ["an unknown flag", { args: ["--nonsense", ...PAIR] }],
  ["two forms of one flag", { args: ["-f", "--force", ...PAIR] }],
];
for (const [name, test] of refusals) compare(name, { code: 64, ...test });

compare("a CA address without TLS", {
  args: ["--ca-url", "http://ca", ...PAIR],
  code: 78,
});
compare("no root certificate", {
  args: ["--root", "/nowhere/root.crt", ...FORCED],
  code: 78,
  otherText: {
    why: NEWER,
    ours:
      /^error reading cert pool: open \/nowhere\/root\.crt: no such file or/,
  },
});
compare("a root file without certificate", {
  prepare: (path) => Deno.writeTextFile(`${path}/root`, "nothing"),
  args: ["--root", "root", ...FORCED],
  code: 78,
  otherText: {
    why: NEWER,
    ours: /^error reading cert pool: not certificates found$/,
  },
});
compare("a missing certificate", {
  args: ["--force", "none.crt", "internal.key"],
  code: 65,
  otherText: { why: CLEARER, ours: new RegExp(`^${MISSING}open none\\.crt`) },
});
compare("a missing key", {
  args: ["--force", "internal.crt", "none.key"],
  code: 65,
  otherText: {
    why: "the original looks for a plugin",
    ours: /^error loading private key: open none\.key failed: no such file/,
  },
});
compare("a CA that is not there", {
  args: ["--ca-url", `https://127.0.0.1:${closedPort()}`, ...FORCED],
  code: 69,
  otherText: {
    why: NEWER,
    ours:
      /^error rekeying certificate: client POST https:\S+\/rekey failed: dial tcp \S+ connect: connection refused$/,
  },
});

// Keys in other forms, as openssl makes them.
compare("a key in OpenSSL's old encryption", {
  prepare: async (path) => {
    await Deno.writeTextFile(`${path}/password`, "secret\n");
    await runOk("openssl", [
      ...["ec", "-in", "internal.key", "-aes256", "-passout", "pass:secret"],
      ...["-out", "encrypted.key"],
    ], { cwd: path });
  },
  args: [
    ...["--force", "--password-file", "password"],
    ...["internal.crt", "encrypted.key"],
  ],
  mended: "the original writes an encrypted key back in plain text",
});
compare("a wrong password", {
  prepare: async (path) => {
    await Deno.writeTextFile(`${path}/password`, "wrong");
    await runOk("openssl", [
      ...["pkcs8", "-topk8", "-in", "internal.key", "-passout", "pass:secret"],
      ...["-out", "encrypted.key"],
    ], { cwd: path });
  },
  args: [
    ...["--force", "--password-file", "password"],
    ...["internal.crt", "encrypted.key"],
  ],
  code: 65,
  otherText: {
    why: CLEARER,
    ours: /^error loading private key: .*decryption password incorrect$/,
  },
});
compare("parameters in front of the key", {
  prepare: async (path) => {
    const { stdout } = await runOk("openssl", [
      ...["ecparam", "-name", "prime256v1"],
    ]);
    const key = await Deno.readTextFile(`${path}/internal.key`);
    await Deno.writeTextFile(`${path}/internal.key`, stdout + key);
  },
  args: FORCED,
  mended: "the original refuses a second block",
});
compare("a boolean flag between the arguments", {
  args: ["internal.crt", "--force", "internal.key"],
  mended: "the original swaps the two arguments",
});
compare("a curve alone", {
  args: ["--curve", "P-384", ...FORCED],
  mended: "the original refuses what its manual allows",
});
compare("the manual's --out-crt", {
  args: [...PAIR, "--out-crt", "foo.crt", "--out-key", "foo.key"],
  mended: "the original does not know its manual's flag",
});
compare("a key of another certificate", {
  prepare: openssl("genpkey", "-algorithm", "ed25519", "-out", "other.key"),
  args: ["--force", "internal.crt", "other.key"],
  code: 65,
  otherText: {
    why: "the original asks the CA first",
    ours: /is not the key of the certificate/,
  },
});
