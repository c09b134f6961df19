import {
  hiddenName,
  isHiddenName,
  journalName,
  lockName,
  randomTag,
} from "../../../src/files/disk/hidden_names.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const TAG = "0123456789abcdef";

Deno.test("isHiddenName() knows every name that hiddenName() makes", () => {
  for (const kind of ["new", "old", "journal"] as const) {
    for (const name of ["a.crt", "a", ".hidden", "a b", "日本.key"]) {
      assert(isHiddenName(hiddenName(name, kind, randomTag()), name), name);
    }
  }
});

Deno.test("isHiddenName() leaves other people's files alone", () => {
  const others = [
    `.a.crt.${TAG}.bak`,
    `.a.crt.${TAG.slice(1)}.new`,
    `.a.crt.${TAG}0.new`,
    `.a.crt.${TAG.toUpperCase()}.new`,
    `a.crt.${TAG}.new`,
    `.b.crt.${TAG}.new`,
    `.a.crt.${TAG}.new~`,
    `.a.crt.new`,
    `.a.crt.swp`,
    "a.crt",
    journalName("a.crt"),
    lockName("a.crt"),
  ];
  assertEquals(others.filter((name) => isHiddenName(name, "a.crt")), []);
});

Deno.test("isHiddenName() does not take another target's file for its own", () => {
  const longer = hiddenName(`a.${TAG}`, "new", TAG);
  assertEquals(isHiddenName(longer, "a"), false);
});

Deno.test("isHiddenName() can ask for one kind", () => {
  assertEquals(
    isHiddenName(hiddenName("a", "old", TAG), "a", ["new"]),
    false,
  );
});

Deno.test("randomTag() never repeats itself", () => {
  const tags = new Set(Array.from({ length: 1000 }, randomTag));
  assertEquals(tags.size, 1000);
});

Deno.test("hidden names fit beside a target of any length", () => {
  for (const name of ["x".repeat(255), "ß".repeat(127), "x".repeat(230)]) {
    const tag = randomTag();
    const names = [
      hiddenName(name, "journal", tag),
      journalName(name),
      lockName(name),
    ];
    for (const hidden of names) {
      assert(new TextEncoder().encode(hidden).length <= 255, hidden);
    }
    assert(isHiddenName(hiddenName(name, "new", tag), name));
    assert(!isHiddenName(hiddenName(name, "new", tag), `${name}y`));
  }
});

Deno.test("hidden names tell long names apart that begin alike", () => {
  const name = "x".repeat(250);
  assert(lockName(`${name}a`) !== lockName(`${name}b`));
});
