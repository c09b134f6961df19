/**
 * The whole program offline on a CA with a database.
 */
import { assert, assertEquals, assertMatch } from "../../../support/assert.ts";
import { goTest } from "../../../support/go_program.ts";
import type { OpensslPair } from "../../../support/openssl_ca.ts";
import { runProgram } from "../../../support/program.ts";
import { serialOf } from "../../../support/openssl_reads.ts";
import { startProgram } from "../../../support/running_program.ts";
import { runOk, type RunResult } from "../../../support/run.ts";
import { HOST, type OfflineCa, offlineCa } from "../offline_ca.ts";
import { type GoDatabase, goDatabase } from "./go_database.ts";

function rekey(
  ca: OfflineCa,
  pair: OpensslPair,
  ...more: string[]
): Promise<RunResult> {
  return runProgram([
    ...["ca", "rekey", pair.certificateFile, pair.keyFile, "--force"],
    ...["--offline", "--ca-config", ca.configFile, ...more],
  ], { env: { STEPPATH: ca.file("none"), HOME: ca.path } });
}

/** A CA on a database that knows the certificate with the serial number. */
async function caWith(
  database: GoDatabase,
  serial: string,
): Promise<{ readonly ca: OfflineCa; readonly pair: OpensslPair }> {
  const ca = await offlineCa();
  await ca.configure({
    db: { type: "badgerv2", dataSource: database.directory },
  });
  const pair = await ca.intermediate.issue("host", HOST);
  // Its key again, in a certificate with the number that the database knows.
  const request = ca.file("host.csr");
  await runOk("openssl", [
    ...["req", "-new", "-key", pair.keyFile, "-subj", "/CN=host"],
    ...["-out", request],
  ]);
  await runOk("openssl", [
    ...["x509", "-req", "-in", request, "-days", "30"],
    ...["-CA", ca.intermediate.certificateFile],
    ...["-CAkey", ca.intermediate.keyFile],
    ...["-set_serial", serial, "-out", pair.certificateFile],
  ]);
  return { ca, pair };
}

goTest(
  "offline rekey refuses a revoked certificate as step-ca does, and leaves the pair",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: 300,
      ways: [],
    });
    const { ca, pair } = await caWith(database, database.serials[0] ?? "");
    await using _ = ca;
    const before = await Deno.readTextFile(pair.certificateFile);
    const { code, stdout, stderr } = await rekey(ca, pair);
    assertEquals([code, stdout], [77, ""]);
    assertMatch(
      stderr,
      /^The request lacked necessary authorization to be completed\. .*\n.*certificate has been revoked\n$/,
    );
    assertEquals(await Deno.readTextFile(pair.certificateFile), before);
    assertEquals(await Deno.readTextFile(pair.keyFile), pair.key);
  },
);

goTest(
  "offline rekey says which serial number the database does not have",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: 300,
      ways: [],
    });
    const { ca, pair } = await caWith(database, database.serials[1] ?? "");
    await using _ = ca;
    const { code, stderr } = await rekey(ca, pair);
    assertEquals(code, 0, stderr);
    const serial = BigInt(`0x${await serialOf(pair.certificateFile)}`);
    assertMatch(
      stderr,
      new RegExp(`not recorded in the CA's database: .* ${serial},`),
    );
  },
);

goTest(
  "offline daemon reports a new certificate that the database does not have as no error",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: 300,
      ways: [],
    });
    const { ca, pair } = await caWith(database, database.serials[1] ?? "");
    await using _ = ca;
    await using daemon = startProgram(
      [
        ...["ca", "rekey", "--offline", "--ca-config", ca.configFile],
        ...["--daemon", "--rekey-period", "1s"],
        ...[pair.certificateFile, pair.keyFile],
      ],
      { cwd: ca.path, env: { STEPPATH: ca.file("none"), HOME: ca.path } },
    );
    await daemon.says("not recorded in the CA's database");
    assertMatch(
      daemon.text,
      /^INFO: \S+ \S+ the new certificate is not recorded in /m,
    );
    assert(!daemon.text.includes("ERROR"), daemon.text);
    daemon.kill("SIGTERM");
    assertEquals(await daemon.ended, 0);
  },
);

goTest(
  "--ignore-database issues even for a revoked certificate, and says so loudly",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: 300,
      ways: [],
    });
    const { ca, pair } = await caWith(database, database.serials[0] ?? "");
    await using _ = ca;
    const { code, stderr } = await rekey(ca, pair, "--ignore-database");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /whether the certificate is revoked was NOT checked/);
    assert(await Deno.readTextFile(pair.keyFile) !== pair.key);
  },
);

goTest("--ignore-database gets by a database that is damaged", async () => {
  await using database = await goDatabase("badgerv2", { rows: 100, ways: [] });
  const { ca, pair } = await caWith(database, database.serials[1] ?? "");
  await using _ = ca;
  await Deno.truncate(`${database.directory}/MANIFEST`, 9);
  const refused = await rekey(ca, pair);
  assertEquals(refused.code, 78);
  assertMatch(refused.stderr, /MANIFEST.* is truncated\nhint: .*--ignore-data/);
  const { code, stderr } = await rekey(ca, pair, "--ignore-database");
  assertEquals(code, 0, stderr);
});

/** The extension of step-ca with a provisioner "admin" of type JWK. */
const STEP_EXTENSION =
  "1.3.6.1.4.1.37476.9000.64.1 = DER:300e020101040561646d696e04026b31";

for (const type of ["badger", "badgerv2"]) {
  Deno.test(`offline rekey refuses a certificate of step-ca when the folder of its ${type} database is empty`, async () => {
    await using ca = await offlineCa();
    const dataSource = ca.file("unmounted");
    await Deno.mkdir(dataSource);
    const provisioners = [{ type: "ACME", name: "admin" }];
    await ca.configure({
      db: { type, dataSource },
      authority: { provisioners },
    });
    const pair = await ca.intermediate.issue("host", {
      ...HOST,
      extensions: STEP_EXTENSION,
    });
    const refused = await rekey(ca, pair);
    assertEquals(refused.code, 78, refused.stderr);
    assertMatch(
      refused.stderr,
      /unmounted" is empty, but step-ca, .*\nhint: mount or restore/,
    );
    const before = await Deno.readTextFile(pair.certificateFile);
    assertEquals(before, pair.certificate);
    const ignored = await rekey(ca, pair, "--ignore-database");
    assertEquals(ignored.code, 0, ignored.stderr);
  });

  Deno.test(`offline rekey says that an empty ${type} database makes nothing certain`, async () => {
    await using ca = await offlineCa();
    const dataSource = ca.file("fresh");
    await Deno.mkdir(dataSource);
    await ca.configure({ db: { type, dataSource } });
    const pair = await ca.intermediate.issue("host", HOST);
    const { code, stderr } = await rekey(ca, pair);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /whether the certificate is revoked is NOT certain/);
  });
}
