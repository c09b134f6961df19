import { coresHere } from "../../../src/files/pair/new_key.ts";
import { firstOf, searchesAtOnce } from "../../../src/pki/keys/rsa_search.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { watchStalls } from "../../support/stalls.ts";

for (
  const [count, load, searches] of [
    [1, 0, 1],
    [2, 0, 1],
    [3, 0, 1],
    [4, 0, 2],
    [4, 1, 2],
    [4, 2, 2],
    [4, 2.1, 1],
    [4, 9, 1],
    [8, 0.3, 4],
    [8, 5.5, 2],
    [64, 0, 32],
    [64, 64, 1],
  ] as const
) {
  Deno.test(`searchesAtOnce() is ${searches} on ${count} cores with a load of ${load}`, () => {
    assertEquals(searchesAtOnce({ count, load }), searches);
  });
}

Deno.test("coresHere() knows this machine", () => {
  const { count, load } = coresHere();
  assert(count >= 1 && load >= 0);
  assert(searchesAtOnce({ count, load }) <= Math.max(1, count / 2));
});

Deno.test("coresHere() takes a machine for busy that it may not look at", {
  permissions: { sys: false },
}, () => {
  assertEquals(searchesAtOnce(coresHere()), 1);
});

Deno.test("firstOf() gives the first result, whatever becomes of the others", async () => {
  const others = [
    Promise.withResolvers<string>(),
    Promise.withResolvers<string>(),
  ];
  const searches = [...others.map(({ promise }) => promise)];
  const found = firstOf(3, () => searches.shift() ?? Promise.resolve("key"));
  assertEquals(await found, "key");
  others[0]?.resolve("late");
  others[1]?.reject(new Error("late"));
});

Deno.test("firstOf() gives a result when others fail before it", async () => {
  const failed = [Promise.reject(new Error("no"))];
  const search = () => failed.shift() ?? Promise.resolve("key");
  assertEquals(await firstOf(2, search), "key");
});

Deno.test("firstOf() fails with the first search when all fail", async () => {
  const errors = [new Error("first"), new Error("second")];
  const searches = errors.map((error) => () => Promise.reject(error));
  const found = firstOf(2, () => searches.shift()?.() ?? Promise.resolve(1));
  assertEquals(await found.catch((error) => error), errors[0]);
});

Deno.test("a search that lost holds up neither its process nor the end of it", async () => {
  using stalls = watchStalls();
  const child = new URL("../../support/search_child.ts", import.meta.url).href;
  const { stdout } = await runOk(Deno.execPath(), ["run", "-A", child]);
  const endMs = Date.now();
  const { endedAt, worstMs } = JSON.parse(stdout);
  // The other search would take minutes.
  assert(endMs - endedAt < stalls.limitMs(1_000), `${endMs - endedAt} ms`);
  assert(worstMs < stalls.limitMs(500), `${worstMs} ms`);
});
