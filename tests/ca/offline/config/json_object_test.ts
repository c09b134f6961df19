/**
 * Objects with members that stand there twice, as Go's encoding/json reads them.
 */
import fc from "fast-check";
import {
  isJsonMembers,
  type JsonTree,
  parseJsonMembers,
} from "../../../../src/ca/offline/config/json_members.ts";
import { parseCaConfig } from "../../../../src/ca/offline/config/ca_config.ts";
import {
  JsonObject,
  JsonTypeError,
} from "../../../../src/ca/offline/config/json_object.ts";
import { assert, assertEquals, assertThrows } from "../../../support/assert.ts";

/** As `JSON.parse` gives it: the last of two members. */
function plain(tree: JsonTree): unknown {
  if (Array.isArray(tree)) return tree.map(plain);
  if (!isJsonMembers(tree)) return tree;
  const members = tree.members.map(([name, value]) => [name, plain(value)]);
  return Object.fromEntries(members);
}

Deno.test("parseJsonMembers() reads what JSON.parse() reads", () => {
  fc.assert(fc.property(
    fc.jsonValue({ maxDepth: 5 }),
    fc.constantFrom(undefined, 1, "\t"),
    (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      assertEquals(
        JSON.stringify(plain(parseJsonMembers(text))),
        JSON.stringify(JSON.parse(text)),
      );
    },
  ));
});

Deno.test("parseJsonMembers() refuses what JSON.parse() refuses", () => {
  for (const text of ["", "{", "{]}", '{"a" 1}', "[1,]", '{"a":1}}', "'a'"]) {
    assertThrows(() => parseJsonMembers(text), undefined);
  }
});

Deno.test("parseJsonMembers() survives nesting beyond any stack", () => {
  const depth = 20_000;
  const tree = parseJsonMembers(
    `${'{"a":['.repeat(depth)}${"]}".repeat(depth)}`,
  );
  assert(isJsonMembers(tree));
});

Deno.test("parseJsonMembers() keeps both of two members", () => {
  assertEquals(parseJsonMembers('{"a":1,"b":{},"a":[{"c":"{"}]}'), {
    members: [
      ["a", 1],
      ["b", { members: [] }],
      ["a", [{ members: [["c", "{"]] }]],
    ],
  });
});

for (
  const [text, read, expected] of [
    ['{"a":"x","a":"y"}', (o) => o.text("a"), "y"],
    ['{"a":"x","A":"y"}', (o) => o.text("a"), "y"],
    // In Go a null changes nothing but a pointer.
    ['{"a":"x","a":null}', (o) => o.text("a"), "x"],
    ['{"a":true,"a":null}', (o) => o.boolean("a"), undefined],
    ['{"a":true,"a":null}', (o) => o.flag("a"), true],
    ['{"a":true,"a":false}', (o) => o.flag("a"), false],
    ['{"a":"1s","a":null}', (o) => o.duration("a"), undefined],
    ['{"a":["x"],"a":["y"]}', (o) => o.texts("a").join(), "y"],
    ['{"a":["x"],"a":null}', (o) => o.texts("a").length, 0],
    ['{"a":{"b":"x"},"a":{"c":"y"}}', (o) => o.object("a")?.text("b"), "x"],
    ['{"a":{"b":"x"},"a":{"b":"y"}}', (o) => o.object("a")?.text("b"), "y"],
    ['{"a":{"b":"x"},"a":null}', (o) => o.object("a"), undefined],
    ['{"a":null,"a":{"b":"x"}}', (o) => o.object("a")?.text("b"), "x"],
    ['{"a":[{}],"a":[{},{}]}', (o) => o.objects("a").length, 2],
    // The two letters outside of ASCII that fold into it.
    ['{"pa\u017f\u017fword":"x"}', (o) => o.text("password"), "x"],
    ['{"\u212aey":"x"}', (o) => o.text("key"), "x"],
    ['{"pa\u00dfword":"x"}', (o) => o.text("password"), ""],
  ] satisfies [string, (object: JsonObject) => unknown, unknown][]
) {
  Deno.test(`JsonObject reads ${text} as Go does`, () => {
    assertEquals(read(JsonObject.parse(text)), expected);
  });
}

Deno.test("JsonObject refuses a member of another type under a good one", () => {
  for (const text of ['{"a":1,"a":"x"}', '{"a":"x","a":{}}']) {
    const error = assertThrows(() => JsonObject.parse(text).text("a"));
    assert(error instanceof JsonTypeError);
  }
});

Deno.test("parseCaConfig() obeys a claim of the first of two authorities", () => {
  const text = `{
    "root": "r", "crt": "c", "key": "k", "address": ":443", "dnsNames": ["a"],
    "authority": { "claims": { "disableRenewal": true } },
    "Authority": { "claims": { "enableSSHCA": true },
      "provisioners": [{ "type": "JWK", "name": "a", "key": {} }] }
  }`;
  assertEquals(
    parseCaConfig(text, { file: "ca.json" }).claims.disableRenewal,
    true,
  );
});

Deno.test("parseCaConfig() refuses enableAdmin that a second authority does not repeat", () => {
  const text = `{
    "root": "r", "crt": "c", "key": "k", "address": ":443", "dnsNames": ["a"],
    "authority": { "enableAdmin": true },
    "authority": { "provisioners": [{ "type": "JWK", "name": "a", "key": {} }] }
  }`;
  assertThrows(
    () => parseCaConfig(text, { file: "ca.json" }),
    "config",
    /enableAdmin/,
  );
});
