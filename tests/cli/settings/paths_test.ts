/** Paths as text. */
import {
  absolutePath,
  cleanPath,
  joinPath,
} from "../../../src/cli/settings/step_path.ts";
import { assertEquals } from "../../support/assert.ts";

// Rows of Go's path/filepath clean tests.
const CLEAN: readonly (readonly [string, string])[] = [
  ["", "."],
  ["abc", "abc"],
  ["abc/def", "abc/def"],
  [".", "."],
  ["..", ".."],
  ["../..", "../.."],
  ["../../abc", "../../abc"],
  ["/abc", "/abc"],
  ["/", "/"],
  ["abc/", "abc"],
  ["abc//def//ghi", "abc/def/ghi"],
  ["//abc", "/abc"],
  ["abc/./def", "abc/def"],
  ["/./abc/def", "/abc/def"],
  ["abc/def/ghi/../jkl", "abc/def/jkl"],
  ["abc/def/../..", "."],
  ["/abc/def/../..", "/"],
  ["abc/def/../../..", ".."],
  ["/abc/def/../../..", "/"],
  ["abc/def/../../../ghi/jkl/../../../mno", "../../mno"],
  ["/../abc", "/abc"],
];

for (const [path, clean] of CLEAN) {
  Deno.test(`cleanPath() makes '${path}' into '${clean}'`, () => {
    assertEquals(cleanPath(path), clean);
  });
}

Deno.test("joinPath() leaves empty parts out", () => {
  assertEquals(joinPath("/a/", "", "b", "../c"), "/a/c");
});

Deno.test("absolutePath() starts a relative path from the directory only", () => {
  assertEquals(absolutePath("./a", "/x/y"), "/x/y/a");
  assertEquals(absolutePath("/a/./b", "/x/y"), "/a/b");
});
