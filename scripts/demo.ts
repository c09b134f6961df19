/**
 * `deno task demo`: rekeys a certificate, on a CA made for it.
 *
 * Runs the real program as anybody would, and compares what was there with what
 * is there now. Needs nothing but Deno: no network, no step-ca, no openssl. Must
 * never read the settings of the person who runs it.
 *
 * Option: `--keep` leaves the files, and says where they are.
 */
import { RekeyError } from "../src/base/errors.ts";
import {
  type Certificate,
  parseChain,
} from "../src/pki/certificate/certificate.ts";
import { equalBytes } from "../src/base/bytes.ts";
import { loadPrivateKey } from "../src/pki/keys/private_key.ts";
import { verifyIssued } from "../src/pki/verify/verify.ts";
import { createDevCa, type DevCa, type DevPair } from "./dev_ca.ts";
import { denoCacheDirectory, fromFileUrl } from "./paths.ts";

const HOUR_MS = 3_600_000;

/** sysexits.h EX_USAGE. */
const USAGE = 64;

const MAIN = fromFileUrl(new URL("../main.ts", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((word) => word !== "--keep");
  if (unknown !== undefined) {
    console.error(
      `unknown option ${JSON.stringify(unknown)}, the only one is --keep`,
    );
    return USAGE;
  }
  const isKept = args.includes("--keep");
  const directory = await Deno.makeTempDir({ prefix: "step-rekey-demo-" });
  try {
    const ca = await createDevCa(directory);
    // Twenty hours old, of a day: due.
    const start = Math.floor(Date.now() / 1000) * 1000 - 20 * HOUR_MS;
    const host = await ca.issue("host", {
      names: [{ type: "dns", value: "host.example" }, {
        type: "ip",
        value: "10.1.2.3",
      }],
      validity: {
        notBefore: new Date(start),
        notAfter: new Date(start + 24 * HOUR_MS),
      },
    });
    console.log("A throwaway CA, and a host certificate that is nearly over:");
    await show(host.certificate);
    const code = await rekey(ca, host);
    if (code === 0) return await report(ca, host);
    console.error(`\n${tick(false)} the program exited with status ${code}`);
    return code;
  } finally {
    if (isKept) console.log(`\nEverything is in ${directory}`);
    else await Deno.remove(directory, { recursive: true });
  }
}

/** Runs the program, and shows the command line. */
async function rekey(ca: DevCa, host: DevPair): Promise<number> {
  const words = [
    "ca",
    "rekey",
    "--offline",
    "--ca-config",
    ca.configFile,
    "--password-file",
    ca.passwordFile,
    "--force",
    host.certificateFile,
    host.keyFile,
  ];
  console.log(`\n$ step-rekey ${words.join(" ")}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", MAIN, ...words],
    env: await environment(ca.directory),
    clearEnv: true,
  }).spawn().status;
  return code;
}

/**
 * Without STEPPATH, `STEP_*` and ~/.step of the person: these would choose
 * another key or another lifetime. Deno's cache would move with HOME.
 */
async function environment(
  directory: string,
): Promise<Record<string, string>> {
  const own = Object.entries(Deno.env.toObject())
    .filter(([name]) => !name.startsWith("STEP"));
  return {
    ...Object.fromEntries(own),
    HOME: directory,
    STEPPATH: directory,
    DENO_DIR: await denoCacheDirectory(),
  };
}

/** Shows the new certificate; 0 when it is what it should be. */
async function report(ca: DevCa, old: DevPair): Promise<number> {
  const chain = parseChain(await Deno.readFile(old.certificateFile));
  const [leaf] = chain;
  if (leaf === undefined) throw new TypeError("an empty chain");
  console.log("\nThe same files now:");
  await show(leaf);
  const problem = await findProblem(async () => {
    const { key } = await loadPrivateKey(
      await Deno.readFile(old.keyFile),
      () => Promise.reject(new RekeyError("pair", "the key is encrypted now")),
    );
    await verifyIssued(chain, {
      publicKey: key.publicKey,
      previous: old.certificate,
      roots: [ca.root],
      now: new Date(),
    });
  });
  const isNew = leaf.serial !== old.certificate.serial &&
    !equalBytes(leaf.publicKey, old.certificate.publicKey);
  console.log(
    `\n${tick(problem === undefined)} certificate and key match, ` +
      `same names, valid now, up to the root${problem ? `: ${problem}` : ""}`,
  );
  console.log(`${tick(isNew)} another serial number and another key`);
  return problem === undefined && isNew ? 0 : 1;
}

async function findProblem(
  check: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof RekeyError) return error.message;
    throw error;
  }
}

async function show(certificate: Certificate): Promise<void> {
  const { notBefore, notAfter, names, publicKey, serial, subject } =
    certificate;
  const fingerprint = new Uint8Array(
    await crypto.subtle.digest("SHA-256", publicKey),
  ).toHex();
  console.log(`  subject  ${subject} (${names.join(", ")})`);
  console.log(`  serial   ${serial}`);
  console.log(`  key      SHA-256 ${fingerprint}`);
  console.log(
    `  valid    ${minutes(notBefore)} to ${minutes(notAfter)} (${
      (notAfter.getTime() - notBefore.getTime()) / HOUR_MS
    } h)`,
  );
}

function minutes(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function tick(isGood: boolean): string {
  return isGood ? "✔" : "✘";
}

if (import.meta.main) Deno.exit(await main(Deno.args));
