/**
 * What is shown of certificates and requests, beside the real step. Where the
 * two differ on purpose, a test below says how.
 */
import {
  certificateRequestText,
  certificateText,
} from "../../../src/pki/inspect/certificate_text.ts";
import {
  certificateJson,
  jsonText,
  requestJson,
} from "../../../src/pki/inspect/certificate_json.ts";
import {
  type Document,
  readFirstDocument,
} from "../../../src/pki/inspect/documents.ts";
import {
  shortCertificateText,
  shortRequestText,
} from "../../../src/pki/inspect/short_text.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import {
  makeShownCertificates,
  SHOWN_CERTIFICATES,
  SHOWN_REQUESTS,
} from "../../support/shown_certificates.ts";
import { STEP, stepCaMissing } from "../../support/step_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
if (stepCaMissing === undefined) await makeShownCertificates(directory);

const SHOWN = [...SHOWN_CERTIFICATES, ...SHOWN_REQUESTS];

async function documentOf(name: string): Promise<Document> {
  return readFirstDocument(await Deno.readFile(`${directory}/${name}`))
    .document;
}

/** What the real one prints. */
async function inspected(name: string, ...flags: string[]): Promise<string> {
  const { stdout } = await runOk(STEP, [
    ...["certificate", "inspect", ...flags, `${directory}/${name}`],
  ], { env: { STEPPATH: `${directory}/none` } });
  return stdout;
}

function besideStep(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: stepCaMissing !== undefined, fn });
}

for (const name of SHOWN) {
  besideStep(
    `certificateText() of ${name} is step's, byte by byte`,
    async () => {
      const document = await documentOf(name);
      const text = document.kind === "certificate"
        ? certificateText(document.value)
        : certificateRequestText(document.value);
      assertEquals(text, await inspected(name));
    },
  );

  besideStep(`shortCertificateText() of ${name} is step's`, async () => {
    const document = await documentOf(name);
    const text = document.kind === "certificate"
      ? await shortCertificateText(document.value)
      : shortRequestText(document.value);
    assertEquals(text, await inspected(name, "--short"));
  });
}

type Members = Record<string, unknown>;

/** The member at a path with dots, taken away. */
function without(object: Members, path: string): Members {
  const [first = "", ...rest] = path.split(".");
  const { [first]: value, ...others } = object;
  if (value === undefined) return object;
  return rest.length === 0
    ? others
    : { ...object, [first]: without(value as Members, rest.join(".")) };
}

/** The original's order of these is that of a map: by chance. */
function inOrder(object: Members): Members {
  const { names } = object;
  return Array.isArray(names) ? { ...object, names: names.toSorted() } : object;
}

/**
 * What is left out: the numbers of a curve, which its name stands for, and the
 * timestamps of certificate transparency. (And the notices of policies.)
 */
const LEFT_OUT = [
  ...["b", "gx", "gy", "n", "p"].map((number) =>
    `subject_key_info.ecdsa_public_key.${number}`
  ),
  "extensions.signed_certificate_timestamps",
];

/** Of a request: how Go keeps a key, and fields that are always the same. */
const LEFT_OUT_OF_REQUESTS = [
  "PublicKey",
  "Attributes",
  "ExtraExtensions",
];

for (const name of SHOWN_CERTIFICATES) {
  besideStep(
    `certificateJson() of ${name} has step's members and values`,
    async () => {
      const document = await documentOf(name);
      if (document.kind !== "certificate") throw new Error(name);
      const ours: Members = JSON.parse(
        jsonText(await certificateJson(document.value)),
      );
      const theirs: Members = JSON.parse(
        await inspected(name, "--format", "json"),
      );
      assertEquals(inOrder(ours), inOrder(LEFT_OUT.reduce(without, theirs)));
    },
  );
}

for (const name of SHOWN_REQUESTS) {
  besideStep(
    `requestJson() of ${name} has step's members and values`,
    async () => {
      const document = await documentOf(name);
      if (document.kind !== "request") throw new Error(name);
      const ours: Members = JSON.parse(jsonText(requestJson(document.value)));
      const text = await inspected(name, "--format", "json");
      const theirs = LEFT_OUT_OF_REQUESTS.reduce(without, JSON.parse(text));
      // An empty list is left out, which is null there.
      const given = Object.entries(theirs).filter(([, value]) =>
        value !== null
      );
      assertEquals(ours, Object.fromEntries(given));
    },
  );
}

besideStep(
  "jsonText() has the layout and the escapes of step's JSON",
  async () => {
    const document = await documentOf("intermediate.crt");
    if (document.kind !== "certificate") throw new Error(document.kind);
    const curve = /^ {6}"(?:b|gx|gy|n|p)": .*\n/gm;
    assertEquals(
      `${jsonText(await certificateJson(document.value), 2)}\n`,
      (await inspected("intermediate.crt", "--format", "json"))
        .replaceAll(curve, ""),
    );
  },
);

/** An openssl certificate with one extension or another subject. */
async function certificateWith(
  name: string,
  { subject = "/CN=a", extensions = [], key = [] }: {
    readonly subject?: string;
    readonly extensions?: readonly string[];
    readonly key?: readonly string[];
  },
) {
  const file = `${directory}/${name}.crt`;
  await runOk("openssl", [
    ...["req", "-x509", "-nodes", "-days", "30", "-utf8", "-subj", subject],
    ...["-keyout", `${directory}/${name}.key`, "-out", file],
    ...key.length === 0
      ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
      : key,
    ...extensions.flatMap((extension) => ["-addext", extension]),
  ]);
  const { document } = readFirstDocument(await Deno.readFile(file));
  if (document.kind !== "certificate") throw new Error(document.kind);
  return document.value;
}

besideStep(
  "differs: an extended usage without a name is shown by its number, where step says UNKNOWN",
  async () => {
    const certificate = await certificateWith("sgc", {
      extensions: ["extendedKeyUsage=msSGC,serverAuth"],
    });
    const ours =
      "                Server Authentication, 1.3.6.1.4.1.311.10.3.3\n";
    assertStringIncludes(certificateText(certificate), ours);
    assertStringIncludes(
      await inspected("sgc.crt"),
      "                UNKNOWN, Server Authentication\n",
    );
  },
);

besideStep(
  "differs: name constraints say in JSON whether they are critical, where step always says false",
  async () => {
    const certificate = await certificateWith("critical", {
      extensions: ["nameConstraints=critical,permitted;DNS:example.com"],
    });
    const json = jsonText(await certificateJson(certificate));
    assertStringIncludes(json, '"name_constraints":{"critical":true,');
  },
);

besideStep(
  "differs: control characters are shown, where step sends them to the terminal",
  async () => {
    const subject = "/CN=a\u001b[2Jb\u009bc";
    const certificate = await certificateWith("control", { subject });
    const shown = "a\\x1b[2Jb\\x9bc";
    assertStringIncludes(
      certificateText(certificate),
      `Subject: CN=${shown}\n`,
    );
    assertStringIncludes(
      await shortCertificateText(certificate),
      `  Subject:     ${shown}\n`,
    );
    assertStringIncludes(
      jsonText(await certificateJson(certificate)),
      '"a\\u001b[2Jb\\u009bc"',
    );
    assertStringIncludes(await inspected("control.crt"), "\u001b[2J");
  },
);

besideStep(
  "differs: a key that Go does not know is named, where step refuses the certificate",
  async () => {
    const certificate = await certificateWith("brainpool", {
      key: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"],
    });
    const name = "EC with brainpoolP256r1";
    assertStringIncludes(
      certificateText(certificate),
      `            Public Key Algorithm: ${name}\n`,
    );
    assertStringIncludes(
      await shortCertificateText(certificate),
      ` Certificate (${name}) [Serial: `,
    );
  },
);

besideStep(
  "differs: an empty issuer ends its line, where step goes on in it",
  async () => {
    const certificate = await certificateWith("nameless", { subject: "/" });
    assertStringIncludes(
      certificateText(certificate),
      "        Issuer: \n        Validity\n",
    );
    assertStringIncludes(
      await inspected("nameless.crt"),
      "        Issuer:         Validity\n",
    );
  },
);
