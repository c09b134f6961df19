/**
 * Where the offline CA finds its files, and how it opens its key.
 */
import { hintOf } from "../../support/hint.ts";
import { readCaFiles } from "../../../src/ca/offline/ca_files.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import type { Terminal } from "../../../src/base/runtime.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { fakeTerminal, noTerminal } from "../../support/fake_terminal.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { oldCertificate } from "../../support/old_certificate.ts";
import { runOk } from "../../support/run.ts";
import { type Change, type OfflineCa, offlineCa } from "./offline_ca.ts";

const PASSWORD = "test password";

function read(
  { configFile }: OfflineCa,
  { file, terminal = noTerminal() }: {
    readonly file?: string;
    readonly terminal?: Terminal;
  } = {},
  warnings: string[] = [],
) {
  return readCaFiles(configFile, {
    password: () => Promise.resolve(file),
    terminal,
    log: {
      write(event) {
        assert(event.event === "warning");
        warnings.push(event.message);
      },
    },
    signal: new AbortController().signal,
  });
}

/** Every way in which openssl and step write a P-256 key; `$P` is the password. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  "SEC 1": ["ec"],
  "PKCS#8": ["pkcs8", "-topk8", "-nocrypt"],
  "RFC 1423 AES-256": ["ec", "-aes256", "-passout", `pass:${PASSWORD}`],
  "RFC 1423 AES-192": ["ec", "-aes192", "-passout", `pass:${PASSWORD}`],
  "RFC 1423 AES-128": ["ec", "-aes128", "-passout", `pass:${PASSWORD}`],
  "RFC 1423 DES-EDE3": ["ec", "-des3", "-passout", `pass:${PASSWORD}`],
  "RFC 1423 DES": [
    ...["ec", "-des", "-provider", "legacy", "-provider", "default"],
    ...["-passout", `pass:${PASSWORD}`],
  ],
  "PBES2 with 3DES": [
    ...["pkcs8", "-topk8", "-v2", "des3", "-passout", `pass:${PASSWORD}`],
  ],
  "PBES2 with SHA-256": [
    ...["pkcs8", "-topk8", "-v2", "aes-256-cbc"],
    ...["-passout", `pass:${PASSWORD}`],
  ],
  "PBES2 with SHA-1": [
    ...["pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
    ...["-passout", `pass:${PASSWORD}`],
  ],
};

const ENCRYPTED = Object.keys(FORMS).filter((form) => /RFC|PBES/.test(form));

async function writeKey(ca: OfflineCa, form: string): Promise<string> {
  const path = ca.file("ca.key");
  const [command = "", ...args] = FORMS[form] ?? [];
  await runOk("openssl", [
    ...[command, "-in", ca.intermediate.keyFile, ...args, "-out", path],
  ]);
  return path;
}

async function encryptedCa(
  form = "RFC 1423 AES-256",
  change: Change = {},
): Promise<OfflineCa> {
  const ca = await offlineCa();
  await ca.configure({ key: await writeKey(ca, form), ...change });
  return ca;
}

for (const form of Object.keys(FORMS)) {
  Deno.test(`readCaFiles() reads a key in ${form}`, async () => {
    await using ca = await encryptedCa(form);
    const { key, issuers } = await read(ca, { file: PASSWORD });
    assertEquals(key.publicKey.toHex(), issuers[0].publicKey.toHex());
  });
}

Deno.test("readCaFiles() reads a key behind its EC PARAMETERS", async () => {
  await using ca = await offlineCa();
  const parameters = await runOk("openssl", [
    ...["ecparam", "-name", "prime256v1"],
  ]);
  const key = ca.file("ca.key");
  await Deno.writeTextFile(
    key,
    parameters.stdout + await Deno.readTextFile(await writeKey(ca, "SEC 1")),
  );
  await ca.configure({ key });
  const { issuers, key: { publicKey } } = await read(ca);
  assertEquals(publicKey.toHex(), issuers[0].publicKey.toHex());
});

Deno.test("readCaFiles() reads a key of OpenSSH", async () => {
  await using ca = await offlineCa();
  const key = await writeKey(ca, "SEC 1");
  await Deno.chmod(key, 0o600);
  await runOk("ssh-keygen", ["-q", "-p", "-P", "", "-N", "", "-f", key]);
  assert((await Deno.readTextFile(key)).includes("OPENSSH PRIVATE KEY"));
  await ca.configure({ key });
  const { issuers, key: { publicKey } } = await read(ca);
  assertEquals(publicKey.toHex(), issuers[0].publicKey.toHex());
});

for (
  const [what, label] of [
    ["a Cosign key", "ENCRYPTED COSIGN PRIVATE KEY"],
    ["a public key", "PUBLIC KEY"],
    ["a certificate", "CERTIFICATE"],
  ] as const
) {
  Deno.test(`readCaFiles() refuses ${what} as the CA's key by its label`, async () => {
    await using ca = await offlineCa();
    const key = ca.file("ca.key");
    await Deno.writeTextFile(
      key,
      `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`,
    );
    await ca.configure({ key });
    await assertRejects(() => read(ca), "config", new RegExp(`"${label}"|key`));
  });
}

/** How many wrong passwords are tried: one in about 256 has sound padding. */
const WRONG_PASSWORDS = 300;

Deno.test("readCaFiles() calls each of many wrong passwords wrong", async () => {
  await using ca = await encryptedCa();
  const words = new Set<string>();
  for (let n = 0; n < WRONG_PASSWORDS; n++) {
    const error = await assertRejects(
      () => read(ca, { file: `wrong ${n}` }),
      "config",
    );
    assert(error instanceof RekeyError);
    words.add(error.message.replace(ca.path, ""));
  }
  assertEquals([...words], [
    "error decrypting /ca.key: x509: decryption password incorrect",
  ]);
});

for (const form of ENCRYPTED) {
  Deno.test(`readCaFiles() refuses a wrong password for ${form}`, async () => {
    await using ca = await encryptedCa(form);
    const error = await assertRejects(
      () => read(ca, { file: "hunter2" }),
      "config",
      /^error decrypting .*ca\.key: x509: decryption password incorrect$/,
    );
    assert(!Deno.inspect(error).includes("hunter2"));
  });
}

for (
  const [where, file, password, answers] of [
    ["of the file before ca.json's", PASSWORD, "wrong", []],
    ["of ca.json before the terminal's", undefined, PASSWORD, ["wrong"]],
    ["of ca.json when the file is empty", "", PASSWORD, []],
    ["of the terminal", undefined, "", [PASSWORD]],
  ] as const
) {
  Deno.test(`readCaFiles() takes the password ${where}`, async () => {
    await using ca = await encryptedCa(undefined, { password });
    const terminal = fakeTerminal(...answers);
    await read(ca, { ...file !== undefined && { file }, terminal });
    assertEquals(
      terminal.questions,
      password === ""
        ? [`Please enter the password to decrypt ${ca.file("ca.key")}: `]
        : [],
    );
  });
}

Deno.test("readCaFiles() asks for no password of a plain key", async () => {
  await using ca = await offlineCa();
  const terminal = fakeTerminal();
  await read(ca, { file: PASSWORD, terminal });
  assertEquals(terminal.questions, []);
});

Deno.test("readCaFiles() names the flags without a terminal", async () => {
  await using ca = await encryptedCa();
  const error = await assertRejects(
    () => read(ca),
    "config",
    /^error decrypting .*ca\.key: /,
  );
  assert(error instanceof RekeyError);
  assertEquals(hintOf(error), "use --ca-password-file or --password-file");
});

Deno.test("readCaFiles() asks once, and refuses the wrong answer", async () => {
  await using ca = await encryptedCa();
  const terminal = fakeTerminal("wrong", PASSWORD);
  await assertRejects(() => read(ca, { terminal }), "config", /incorrect$/);
  assertEquals(terminal.questions.length, 1);
});

for (const prefix of ["softkms:", "softkms:path=", "SoftKMS:"]) {
  Deno.test(`readCaFiles() reads a key behind "${prefix}"`, async () => {
    await using ca = await offlineCa();
    await ca.configure({ key: `${prefix}${ca.intermediate.keyFile}` });
    await read(ca);
  });
}

for (
  const [member, pattern] of [
    ["crt", /^error reading "[^"]*\/missing": no such file or directory$/],
    ["root", /^error reading "[^"]*\/missing": no such file or directory$/],
    [
      "key",
      /^error reading the CA's key "[^"]*\/missing": no such file or directory$/,
    ],
  ] as const
) {
  Deno.test(`readCaFiles() names the missing file of "${member}"`, async () => {
    await using ca = await offlineCa();
    await ca.configure({ [member]: ca.file("missing") });
    await assertRejects(() => read(ca), "config", pattern);
  });

  Deno.test(`readCaFiles() refuses another file as "${member}"`, async () => {
    await using ca = await offlineCa();
    await ca.configure({ [member]: ca.configFile });
    await assertRejects(() => read(ca), "config", /ca\.json/);
  });

  Deno.test(`readCaFiles() refuses a directory as "${member}"`, async () => {
    await using ca = await offlineCa();
    await ca.configure({ [member]: ca.path });
    await assertRejects(() => read(ca), "config", /[Ii]s a directory/);
  });
}

Deno.test("readCaFiles() names a missing ca.json and the flag", async () => {
  await using ca = await offlineCa();
  await Deno.remove(ca.configFile);
  const error = await assertRejects(
    () => read(ca),
    "config",
    /^open .*\/ca\.json failed: no such file or directory$/,
  );
  assert(error instanceof RekeyError);
  assert(hintOf(error).includes("--ca-config"));
});

Deno.test("readCaFiles() reads bundles: all roots, and all of crt", async () => {
  await using ca = await offlineCa();
  const both = ca.intermediate.certificate + ca.root.certificate;
  await Deno.writeTextFile(ca.file("both.crt"), both);
  await ca.configure({
    crt: ca.file("both.crt"),
    root: [ca.root.certificateFile, ca.file("both.crt")],
  });
  const { issuers, roots } = await read(ca);
  assertEquals(issuers.length, 2);
  assertEquals(roots.length, 3);
});

Deno.test("readCaFiles() reads certificates in DER", async () => {
  await using ca = await offlineCa();
  await runOk("openssl", [
    ...["x509", "-in", ca.intermediate.certificateFile],
    ...["-outform", "der", "-out", ca.file("ca.der")],
  ]);
  await ca.configure({ crt: ca.file("ca.der") });
  assertEquals((await read(ca)).issuers.length, 1);
});

/** The working directory is the process's, so it takes a process. */
async function readElsewhere(
  ca: OfflineCa,
  { file, cwd, stdin }: {
    readonly file: string;
    readonly cwd: string;
    readonly stdin?: string;
  },
): Promise<string> {
  const script = ca.file("read.ts");
  await Deno.writeTextFile(
    script,
    `import { readCaFiles } from ${
      JSON.stringify(`file://${ROOT}src/ca/offline/ca_files.ts`)
    };
const fail = () => Promise.reject(new Error("unexpected"));
try {
  const { issuers } = await readCaFiles(${JSON.stringify(file)}, {
    password: () => Promise.resolve(undefined),
    terminal: { confirm: fail, readPassword: fail },
    signal: new AbortController().signal,
  });
  console.log(issuers[0].subject);
} catch (error) {
  console.log(error.message);
}
`,
  );
  const { stdout } = await runOk(
    Deno.execPath(),
    ["run", "-A", "--no-check", "--no-config", script],
    { cwd, ...stdin !== undefined && { stdin } },
  );
  return stdout.trim();
}

const RELATIVE = {
  root: "root/ca.crt",
  crt: "issued/ca.crt",
  key: "issued/ca.key",
};

Deno.test("readCaFiles() takes paths from the working directory", async () => {
  await using ca = await offlineCa();
  await Deno.mkdir(ca.file("config"));
  await ca.configure(RELATIVE);
  await Deno.rename(ca.configFile, ca.file("config/ca.json"));
  assertEquals(
    await readElsewhere(ca, { file: "config/ca.json", cwd: ca.path }),
    "CN=Test Intermediate CA",
  );
  assertEquals(
    await readElsewhere(ca, { file: "ca.json", cwd: ca.file("config") }),
    'error reading "issued/ca.crt": no such file or directory',
  );
});

Deno.test("readCaFiles() reads ca.json from standard input", async () => {
  await using ca = await offlineCa();
  const stdin = await Deno.readTextFile(ca.configFile);
  assertEquals(
    await readElsewhere(ca, { file: "-", cwd: "/", stdin }),
    "CN=Test Intermediate CA",
  );
});

for (
  const [what, options] of [["a host's", {}], ["a CA's without keyCertSign", {
    basicConstraints: "CA:TRUE",
  }]] as const
) {
  Deno.test(`readCaFiles() trusts no certificate that is ${what}`, async () => {
    await using ca = await offlineCa();
    const leaf = await ca.root.issue("leaf", {
      subject: "/CN=leaf.example",
      names: "DNS:leaf.example",
      ...options,
    });
    await ca.configure({ root: leaf.certificateFile });
    const error = await assertRejects(
      () => read(ca),
      "config",
      /^error reading the CA's roots: no certificate of a CA found: "CN=leaf\.example" in /,
    );
    assert(error.message.includes(leaf.certificateFile));
    // Beside a root, in one file or in two, it is left out.
    const both = ca.file("both.crt");
    await Deno.writeTextFile(both, leaf.certificate + ca.root.certificate);
    await ca.configure({ root: both });
    const warnings: string[] = [];
    const { roots } = await read(ca, {}, warnings);
    assertEquals(roots.map(({ subject }) => subject), ["CN=Test Root CA"]);
    assertEquals(warnings.length, 1);
    await ca.configure({
      root: [ca.root.certificateFile, leaf.certificateFile],
    });
    await assertRejects(
      () => read(ca),
      "config",
      /no certificate of a CA found/,
    );
  });
}

Deno.test("readCaFiles() warns of a root of version 1, and takes it", async () => {
  await using ca = await offlineCa();
  const old = ca.file("old.crt");
  await Deno.writeTextFile(old, await oldCertificate(ca.path));
  await ca.configure({ root: old });
  const warnings: string[] = [];
  assertEquals((await read(ca, {}, warnings)).roots.length, 1);
  assert(/"CN=Old" in .* is of X\.509 version 1/.test(warnings.join()));
});

Deno.test("readCaFiles() reads files up to 4 MiB, whatever they hold", async () => {
  await using ca = await offlineCa();
  const MEBIBYTE = 1024 * 1024;
  for (const filler of ["x", '"', "\\", "\n", "[", " "]) {
    const count = Math.floor(1.9 * MEBIBYTE);
    await ca.configure({ comment: filler.repeat(count) });
    assertEquals((await read(ca)).roots.length, 1);
  }
  const text = await Deno.readTextFile(ca.configFile);
  await Deno.writeTextFile(ca.configFile, text.trim().padEnd(4 * MEBIBYTE));
  assertEquals((await read(ca)).roots.length, 1);
  for (const comment of ["x".repeat(10_000_000), "[".repeat(4_300_000)]) {
    await ca.configure({ comment });
    await assertRejects(
      () => read(ca),
      "config",
      /^open .*ca\.json failed: the file is larger than 4 MiB$/,
    );
  }
});

for (const member of ["root", "crt", "key"]) {
  Deno.test(`readCaFiles() stops at 4 MiB of the file that "${member}" names`, async () => {
    await using ca = await offlineCa();
    const large = `${ca.path}/large`;
    await Deno.writeTextFile(large, "");
    await Deno.truncate(large, 4 * 1024 * 1024 + 1);
    await ca.configure({ [member]: large });
    await assertRejects(
      () => read(ca),
      "config",
      /the file is larger than 4 MiB$/,
    );
  });

  Deno.test(`readCaFiles() refuses a device, and a FIFO without waiting for a writer, as the file that "${member}" names`, async () => {
    await using ca = await offlineCa();
    const fifo = `${ca.path}/fifo`;
    await runOk("mkfifo", [fifo]);
    for (const path of ["/dev/zero", fifo]) {
      await ca.configure({ [member]: path });
      await assertRejects(() => read(ca), "config", /not a regular file$/);
    }
  });
}

Deno.test("readCaFiles() cuts what it quotes of ca.json", async () => {
  await using ca = await offlineCa();
  const long = "y".repeat(100_000);
  const admin = { type: "JWK", name: "admin" };
  for (
    const change of [
      { kms: { type: long } },
      { db: { type: long, dataSource: "db" } },
      { db: { type: "badger", dataSource: "" }, [long]: 1 },
      { authority: { type: long, provisioners: [admin] } },
      { authority: { backdate: long, provisioners: [admin] } },
      {
        authority: {
          provisioners: [{ ...admin, claims: { disableRenewal: long } }],
        },
      },
      { authority: { provisioners: [{ type: long, name: long }] } },
      { root: `/missing/${long}` },
      { crt: `/missing/${long}` },
      { key: `/missing/${long}` },
      { key: `pkcs11:${long}` },
    ]
  ) {
    await ca.configure(change);
    try {
      await read(ca);
    } catch (error) {
      assert(error instanceof RekeyError && error.kind === "config");
      const { length } = `${error.message}${hintOf(error)}`;
      assert(
        length < 1000,
        `${length} of ${JSON.stringify(change).slice(0, 60)}`,
      );
    }
  }
});
