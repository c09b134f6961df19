/**
 * The proof that no crash, power cut or failing call mixes a pair, and the proof
 * of the proof: small mistakes in the recorded system calls of an install, each
 * of which the same judge has to find.
 *
 * Nothing here knows the source of the install: only the calls that one real
 * run made, and the recovery of the next run. The suite does a sample of the
 * layouts; `deno task sweep` does all.
 */
import { assert, assertEquals } from "../support/assert.ts";
import {
  type Break,
  FAILURE_BREAKS,
  INSTALL_BREAKS,
  REPAIR_BREAKS,
} from "../support/proof/breaks.ts";
import {
  type Ending,
  Judge,
  keepsForeign,
  killsOf,
  withForeign,
} from "../support/proof/judge.ts";
import {
  PROOF_LAYOUTS,
  type ProofLayout,
  Recorder,
  type Recording,
} from "../support/proof/recording.ts";
import { sample } from "../support/sweep.ts";
import {
  type Action,
  describePoint,
  tracerMissing,
} from "../support/tracer/tracer.ts";

const because = tracerMissing === undefined
  ? ""
  : ` (ignored: ${tracerMissing})`;

/** Thousands of states are made and repaired; on a disk each fsync waits. */
const MEMORY = "/dev/shm";

const directory = Deno.realPathSync(
  await Deno.makeTempDir({ dir: MEMORY, prefix: "step-rekey-test-" })
    .catch(() => Deno.makeTempDir({ prefix: "step-rekey-test-" })),
);
addEventListener(
  "unload",
  () => Deno.removeSync(directory, { recursive: true }),
);

/** One install of a layout, and its judge, for all tests. */
interface Case {
  readonly recorder: Recorder;
  readonly judge: Judge;
  readonly install: Recording;
}

const cases = new Map<ProofLayout, Promise<Case>>();

function caseOf(layout: ProofLayout): Promise<Case> {
  const made = cases.get(layout) ?? (async () => {
    const recorder = new Recorder(
      await Deno.makeTempDir({ dir: directory }),
    );
    const install = await recorder.install(layout);
    assert(install.said.includes("installed"), install.said);
    return { recorder, install, judge: new Judge(recorder) };
  })();
  cases.set(layout, made);
  return made;
}

function test(
  name: string,
  layout: ProofLayout,
  fn: (made: Case) => Promise<void>,
): void {
  Deno.test({
    name: `${name}: ${layout.name}${because}`,
    ignore: tracerMissing !== undefined,
    fn: async () => await fn(await caseOf(layout)),
  });
}

/** The repair after the kill at the first change of what a reader sees. */
async function repairOf({ recorder, install }: Case): Promise<Recording> {
  const isSwap = ({ description }: { readonly description: string }) =>
    /killed after point \d+, (p?write\w*|rename\w* .* ->) host\.key$/.test(
      description,
    );
  const kill = killsOf(install, install.calls).find(isSwap);
  assert(kill !== undefined, "the swap does not begin with the key");
  const [repair] = await recorder.repairs(install, [kill.state]);
  assert(repair !== undefined);
  return repair;
}

/** An install whose last rename fails. */
async function failedInstall(
  { recorder, install }: Case,
  action: Action = "fail:5:once",
): Promise<Recording> {
  const rename = install.calls.findLast(({ call }) => call === "rename");
  assert(rename !== undefined, "nothing is renamed");
  const failed = await recorder.install(install.layout, {
    point: rename.point,
    action,
  });
  assert(failed.said.includes("failed install"), failed.said);
  return failed;
}

async function assertFound(
  { judge }: Case,
  recording: Recording,
  { change, ending }: Pick<Break, "change"> & { readonly ending: Ending },
): Promise<void> {
  const calls = change(recording.calls);
  const inWords = (list: Recording["calls"]) =>
    list.map((call) => JSON.stringify(call));
  assert(
    inWords(calls).join() !== inWords(recording.calls).join(),
    "there is no such call to be changed",
  );
  const found = await judge.violation(recording, { calls, ending });
  assert(found !== undefined, "the break was not found");
}

for (const layout of sample("proofs, layouts", PROOF_LAYOUTS, 4)) {
  test(
    "no crash and no power cut in an install mixes a pair",
    layout,
    async ({ judge, install }) => {
      assertEquals(
        await judge.violation(install, { ending: "new" }),
        undefined,
      );
    },
  );

  test(
    "no second crash or power cut, in the repair, mixes a pair",
    layout,
    async ({ recorder, judge, install }) => {
      const kills = killsOf(install, install.calls);
      const chosen = sample(`repairs, ${layout.name}`, kills, 6);
      const states = chosen.map(({ state }) => state);
      const repairs = await recorder.repairs(install, states);
      for (const [index, repair] of repairs.entries()) {
        assertEquals(
          await judge.violation(repair, { ending: "either" }),
          undefined,
          chosen[index]?.description,
        );
      }
    },
  );

  test(
    "short writes and a failing rename leave one pair",
    layout,
    async (made) => {
      const { recorder, judge, install } = made;
      // Of more bytes than it may take: two hexadecimal digits each.
      const writes = install.calls.filter(({ data = "" }) =>
        data.length > 2 * 100
      );
      for (const call of sample(`short writes, ${layout.name}`, writes, 3)) {
        const short = await recorder.install(layout, {
          point: call.point,
          action: "short:100",
        });
        const where = `short ${describePoint(call)}: ${short.said}`;
        assert(short.said.includes("installed"), where);
        assert(short.calls.some(({ hit }) => hit !== undefined), where);
        assertEquals(
          await judge.violationAtEnd(short, { ending: "new" }),
          undefined,
          where,
        );
      }
      for (const action of ["fail:5:once", "fail:5:same"] as const) {
        const failed = await failedInstall(made, action);
        assertEquals(
          await judge.violationAtEnd(failed, { ending: "old" }),
          undefined,
          `${action}: ${failed.said}`,
        );
      }
    },
  );

  for (const { name, layouts, change } of INSTALL_BREAKS) {
    if (!layouts(layout)) continue;
    test(`it is found that ${name}`, layout, async (made) => {
      await assertFound(made, made.install, { change, ending: "new" });
    });
  }

  for (const { name, layouts, change } of REPAIR_BREAKS) {
    if (!layouts(layout)) continue;
    test(`it is found that ${name}`, layout, async (made) => {
      const repair = await repairOf(made);
      await assertFound(made, repair, { change, ending: "either" });
    });
  }

  for (const { name, layouts, change } of FAILURE_BREAKS) {
    if (!layouts(layout)) continue;
    test(`it is found that ${name}`, layout, async (made) => {
      const failed = await failedInstall(made);
      await assertFound(made, failed, { change, ending: "old" });
    });
  }
}

for (
  const layout of PROOF_LAYOUTS.filter(({ name }) =>
    name === "same directory" || name === "two directories"
  )
) {
  test(
    "recovery leaves a certificate alone that somebody else wrote meanwhile, and it is found when it does not look",
    layout,
    async ({ recorder, install }) => {
      const kills = killsOf(install, install.calls);
      const states = kills.map(({ state }) => state);
      const repairs = await recorder.repairs(
        install,
        states.map((state) => withForeign(state, install.files)),
      );
      for (const [index, repair] of repairs.entries()) {
        assert(
          keepsForeign(repair, repair.calls),
          `it is overwritten, ${kills[index]?.description}`,
        );
      }
      // What is done where nobody wrote, done without a look.
      const blind = await recorder.repairs(install, states);
      assert(
        blind.some((repair) =>
          !keepsForeign({
            ...repair,
            before: withForeign(repair.before, repair.files),
          }, repair.calls)
        ),
        "no repair renames a certificate",
      );
    },
  );
}
