/**
 * Whatever a kill leaves, and whatever a person does about it: the next run
 * removes no key that belongs to the certificate that stands.
 *
 * The suite does a sample; `deno task sweep` does each kill with many acts.
 */
import { assertEquals } from "../support/assert.ts";
import {
  drawAct,
  KeyLossSearch,
  LOSS_LAYOUTS,
  makePairs,
} from "../support/key_loss.ts";
import { IS_WHOLE, sample, seeded } from "../support/sweep.ts";
import { tempDir } from "../support/temp_dir.ts";
import { tracerMissing } from "../support/tracer/tracer.ts";

const because = tracerMissing === undefined
  ? ""
  : ` (ignored: ${tracerMissing})`;

/** Draws of acts for each kill. */
const DRAWS = IS_WHOLE ? 40 : 8;
const CASES = 12;

for (const layout of LOSS_LAYOUTS) {
  for (const password of [undefined, "secret"]) {
    const keys = password === undefined ? "plain keys" : "encrypted keys";
    Deno.test({
      name:
        `no key is lost after a kill and the acts of a person: ${layout.name}, ${keys}${because}`,
      ignore: tracerMissing !== undefined,
      async fn() {
        await using dir = await tempDir();
        const pairs = await makePairs(dir, password);
        const search = await KeyLossSearch.start(layout, pairs, dir);
        const name = `lost keys, ${layout.name}, ${keys}`;
        const random = seeded(name);
        const cases = search.states.flatMap((state) =>
          Array.from({ length: DRAWS }, () => ({
            state,
            acts: [drawAct(random), ...random() < 0.5 ? [drawAct(random)] : []],
          }))
        );
        const lost: string[] = [];
        for (const { state, acts } of sample(name, cases, CASES)) {
          const found = await search.try(state, acts);
          if (found !== undefined) lost.push(found);
        }
        assertEquals(lost, []);
      },
    });
  }
}
