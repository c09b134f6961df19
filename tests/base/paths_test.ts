import { absolutePath } from "../../src/base/paths.ts";
import { assertEquals } from "../support/assert.ts";

for (
  const [path, cwd, expected] of [
    ["/a/./b/../c", "/x", "/a/./b/../c"],
    ["a.crt", "/x/y", "/x/y/a.crt"],
    [".//./a.crt", "/x/", "/x/a.crt"],
    ["../a.crt", "/", "/../a.crt"],
  ] as const
) {
  Deno.test(`absolutePath() makes ${expected} of ${path}`, () => {
    assertEquals(absolutePath(path, () => cwd), expected);
  });
}

Deno.test("absolutePath() does not ask for the directory of an absolute path", () => {
  const cwd = () => {
    throw new Error("it is gone");
  };
  assertEquals(absolutePath("/a", cwd), "/a");
});
