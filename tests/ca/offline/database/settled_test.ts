/**
 * Reading beside a writer.
 */
import { hintOf } from "../../../support/hint.ts";
import { readCertificateRecord } from "../../../../src/ca/offline/database/ca_database.ts";
import { CorruptDatabaseError } from "../../../../src/ca/offline/database/file/corrupt_database_error.ts";
import { settled } from "../../../../src/ca/offline/database/settled.ts";
import { RekeyError } from "../../../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../support/assert.ts";
import { goTest } from "../../../support/go_program.ts";
import { goDatabase } from "./go_database.ts";

const never = new AbortController().signal;

/** Runs `act` instead of each pause. */
function clockThat(act: () => unknown) {
  const state = { sleptMs: 0 };
  return {
    state,
    now: () => new Date(),
    sleep: async (ms: number) => {
      state.sleptMs += ms;
      await act();
    },
  };
}

Deno.test("settled() tries again while damage may pass", async () => {
  const clock = clockThat(() => {});
  const outcomes = [true, true, false];
  const read = () =>
    outcomes.shift() === true
      ? Promise.reject(
        new CorruptDatabaseError("f", "is torn", { mayPass: true }),
      )
      : Promise.resolve("read");
  assertEquals(await settled(read, { clock, signal: never }), "read");
  assertEquals(clock.state.sleptMs, 40);
});

Deno.test("settled() gives up after ten seconds", async () => {
  const clock = clockThat(() => {});
  const damage = new CorruptDatabaseError("f", "is torn", { mayPass: true });
  const error = await settled(() => Promise.reject(damage), {
    clock,
    signal: never,
  }).catch((error) => error);
  assertEquals(error, damage);
  assertEquals(clock.state.sleptMs, 499 * 20);
});

Deno.test("settled() counts the time that reading takes", async () => {
  const time = { ms: 0 };
  const clock = {
    now: () => new Date(time.ms),
    sleep: (ms: number) => {
      time.ms += ms;
      return Promise.resolve();
    },
  };
  const damage = new CorruptDatabaseError("f", "is torn", { mayPass: true });
  const read = () => {
    time.ms += 570;
    return Promise.reject(damage);
  };
  const error = await settled(read, { clock, signal: never })
    .catch((error) => error);
  assertEquals(error, damage);
  assert(time.ms >= 10_000 && time.ms < 10_600, `${time.ms} ms`);
});

Deno.test("settled() waits for a torn log while somebody writes to it, and no longer", async () => {
  const clock = clockThat(() => {});
  const sizes = Array.from({ length: 60 }, (_, size) => Math.min(size, 20));
  const read = () =>
    Promise.reject(
      new CorruptDatabaseError("f", "is torn", {
        mayPass: true,
        state: `${sizes.shift()}`,
      }),
    );
  const error = await settled(read, { clock, signal: never })
    .catch((error) => error);
  assert(error instanceof CorruptDatabaseError);
  assertEquals(clock.state.sleptMs, (20 + 10) * 20);
});

Deno.test("settled() does not try again after damage that stays, or another error", async () => {
  const clock = clockThat(() => {});
  for (
    const failure of [
      new CorruptDatabaseError("f", "is wrong"),
      new TypeError("a bug"),
    ]
  ) {
    const error = await settled(() => Promise.reject(failure), {
      clock,
      signal: never,
    }).catch((error) => error);
    assertEquals(error, failure);
  }
  assertEquals(clock.state.sleptMs, 0);
});

Deno.test("settled() ends with the reason of the signal", async () => {
  const controller = new AbortController();
  const reason = new RekeyError("interrupted", "stopped");
  const clock = clockThat(() => controller.abort(reason));
  const error = await settled(
    () =>
      Promise.reject(
        new CorruptDatabaseError("f", "is torn", { mayPass: true }),
      ),
    { clock, signal: controller.signal },
  ).catch((error) => error);
  assertEquals(error, reason);
});

goTest(
  "readCertificateRecord() reads on when the rest of an entry arrives",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: 3000,
      ways: ["crash"],
    });
    const [revoked] = database.serials.slice(-50);
    assert(revoked !== undefined);
    const log = await newestLog(database.directory);
    const whole = await Deno.readFile(log);
    // The revocation itself, if need be: it is one of the last entries.
    await Deno.writeFile(log, whole.subarray(0, whole.length - 2000));
    const clock = clockThat(() => Deno.writeFile(log, whole));
    const { isRevoked } = await readCertificateRecord(
      database.settings,
      BigInt(revoked).toString(16),
      { clock, signal: never },
    );
    assertEquals([isRevoked, clock.state.sleptMs], [true, 20]);
  },
);

goTest(
  "readCertificateRecord() reads on when a table that went is out of MANIFEST",
  async () => {
    await using database = await goDatabase("badgerv1", {
      rows: 3000,
      ways: [],
    });
    const { directory, settings, serials } = database;
    const table = await newest(directory, ".sst");
    const content = await Deno.readFile(table);
    await Deno.remove(table);
    const clock = clockThat(() => Deno.writeFile(table, content));
    const { isRevoked } = await readCertificateRecord(
      settings,
      BigInt(serials[0] ?? "").toString(16),
      { clock, signal: never },
    );
    assertEquals([isRevoked, clock.state.sleptMs], [true, 20]);
  },
);

goTest(
  "readCertificateRecord() gives up a torn log that nobody writes to, and says what mends it",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: 3000,
      ways: ["crash"],
    });
    const log = await newestLog(database.directory);
    await Deno.truncate(log, (await Deno.stat(log)).size - 5);
    const clock = clockThat(() => {});
    const error = await assertRejects(
      () =>
        readCertificateRecord(database.settings, "1", { clock, signal: never }),
      "config",
      /\.vlog" ends in the middle of an entry$/,
    );
    assertEquals(clock.state.sleptMs <= 200, true);
    assert(error instanceof RekeyError);
    assertMatch(
      hintOf(error),
      /^restore the database, or have badger trunc/,
    );
  },
);

goTest(
  "readCertificateRecord() ends when a writer never finishes",
  async () => {
    await using database = await goDatabase("bbolt", { rows: 100, ways: [] });
    const path = database.settings.dataSource;
    const whole = await Deno.readFile(path);
    // A meta page that is half written at every look.
    await Deno.writeFile(
      path,
      whole.map((byte, at) => at === 60 ? ~byte : byte),
    );
    await assertRejects(
      () =>
        readCertificateRecord(database.settings, "1", {
          clock: clockThat(() => {}),
          signal: never,
        }),
      "config",
      /wrong checksum$/,
    );
  },
);

function newestLog(directory: string): Promise<string> {
  return newest(directory, ".vlog");
}

async function newest(directory: string, suffix: string): Promise<string> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  const names = entries.map(({ name }) => name).filter((name) =>
    name.endsWith(suffix)
  );
  return `${directory}/${names.sort().at(-1)}`;
}
