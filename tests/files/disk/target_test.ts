import {
  relativeTo,
  resolveFrom,
  resolveTarget,
} from "../../../src/files/disk/target.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("resolveTarget() names directory and file of a plain path", async () => {
  await using dir = await tempDir();
  assertEquals(resolveTarget(dir.file("a.crt")), {
    path: dir.file("a.crt"),
    directory: dir.path,
    name: "a.crt",
    file: dir.file("a.crt"),
  });
});

Deno.test("resolveTarget() follows a chain of links, relative and absolute", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("real"));
  await Deno.writeTextFile(dir.file("real/a.crt"), "");
  await Deno.symlink("real", dir.file("linked"));
  await Deno.symlink("linked/a.crt", dir.file("second"));
  await Deno.symlink(dir.file("second"), dir.file("first"));
  assertEquals(resolveTarget(dir.file("first")), {
    path: dir.file("first"),
    directory: dir.file("real"),
    name: "a.crt",
    file: dir.file("real/a.crt"),
  });
});

Deno.test("resolveTarget() follows a dangling link to the file that it would have", async () => {
  await using dir = await tempDir();
  await Deno.symlink("later.crt", dir.file("link"));
  assertEquals(resolveTarget(dir.file("link")).file, dir.file("later.crt"));
});

Deno.test("resolveTarget() takes .. after the link, as the system does", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("x/y"), { recursive: true });
  await Deno.symlink("x/y", dir.file("link"));
  assertEquals(resolveTarget(dir.file("link/../a")).file, dir.file("x/a"));
});

Deno.test("resolveTarget() finds a name without a directory in the current one", () => {
  assertEquals(resolveTarget("a.crt").directory, Deno.realPathSync("."));
});

for (const path of ["", "/", ".", "..", "dir/", "dir/."]) {
  Deno.test(`resolveTarget() refuses ${JSON.stringify(path)}`, async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("dir"));
    const full = path.startsWith("dir") ? dir.file(path) : path;
    assertThrows(
      () => resolveTarget(full),
      "install",
      /^open .*failed: (is a directory|no such file or directory)$/,
    );
  });
}

Deno.test("resolveTarget() refuses a missing directory, as the original does", async () => {
  await using dir = await tempDir();
  const path = dir.file("missing/a.crt");
  const error = assertThrows(() => resolveTarget(path), "install");
  assertEquals(error.message, `open ${path} failed: no such file or directory`);
});

Deno.test("resolveTarget() refuses links in a circle", async () => {
  await using dir = await tempDir();
  await Deno.symlink("b", dir.file("a"));
  await Deno.symlink("a", dir.file("b"));
  assertThrows(
    () => resolveTarget(dir.file("a")),
    "install",
    /too many levels of symbolic links$/,
  );
});

Deno.test("relativeTo() gives the way from a directory to a path, and resolveFrom() goes it", () => {
  const ways: readonly (readonly [string, string, string])[] = [
    ["/srv/tls", "/srv/tls", ""],
    ["/srv/tls", "/srv/tls/a.key", "a.key"],
    ["/srv/tls", "/srv/private/a.key", "../private/a.key"],
    ["/srv/tls", "/srv", ".."],
    ["/srv/tls", "/etc/a.key", "../../etc/a.key"],
    ["/", "/srv", "srv"],
    ["/srv", "/", ".."],
    ["/srv/tls", "/srv/tls2", "../tls2"],
  ];
  for (const [directory, path, way] of ways) {
    assertEquals(relativeTo(directory, path), way);
    assertEquals(resolveFrom(directory, way), path);
  }
});
