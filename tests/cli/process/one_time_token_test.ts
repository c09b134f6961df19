import { chooseJwk } from "../../../src/cli/process/one_time_token.ts";
import type { Provisioner } from "../../../src/ca/online/provisioners.ts";
import { hintOf } from "../../support/hint.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../support/assert.ts";

const jwk = (name: string, kid = `${name}-kid`): Provisioner => ({
  ...{ name, kid, type: "JWK" },
});
const other = (type: string): Provisioner => ({ name: type, type });

const choose = (
  provisioners: readonly Provisioner[],
  { name, kid }: { name?: string; kid?: string } = {},
) => chooseJwk(provisioners, { name, kid });

Deno.test("chooseJwk() takes the only one, or the one that is named", () => {
  const [a, b] = [jwk("a"), jwk("b")];
  assertEquals(choose([other("ACME"), a, other("OIDC")]), a);
  assertEquals(choose([a, b], { name: "b" }), b);
  assertEquals(choose([a, b], { kid: "b-kid" }), b);
  const again = jwk("a", "second");
  assertEquals(choose([a, again], { name: "a", kid: "second" }), again);
});

Deno.test("chooseJwk() refuses what is not there", () => {
  const provisioners = [jwk("a"), jwk("b")];
  assertThrows(
    () => choose(provisioners, { name: "c" }),
    "usage",
    /^invalid value 'c' for flag '--issuer'$/,
  );
  assertThrows(
    () => choose(provisioners, { kid: "c" }),
    "usage",
    /^invalid value 'c' for flag '--kid'$/,
  );
  assertThrows(
    () => choose(provisioners, { name: "a", kid: "b-kid" }),
    "usage",
    /'a' for flag '--issuer'$/,
  );
  assertThrows(() => choose([]), "usage", /does not have any provisioner/);
});

Deno.test("chooseJwk() names those of which one has to be chosen, but not thousands", () => {
  const many = Array.from({ length: 5000 }, (_, at) => jwk(`p${at}`));
  const { message } = assertThrows(() => choose(many), "usage", /of type JWK/);
  assertMatch(message, /p0 \(JWK\) \[kid: p0-kid\], .* and 4990 more$/);
  assert(message.length < 1000, message);
});

for (
  const [type, words] of [
    ["OIDC", /Smallstep's step oauth --oidc --bare/],
    ["X5C", /Smallstep's step ca token --x5c-cert/],
    ["ACME", /ACME client/],
    ["SCEP", /SCEP client/],
    ["K8sSA", /Smallstep's step has provisioners of type K8sSA/],
    ["\x1b[31m", /of type \S+$/],
  ] as const
) {
  Deno.test(`chooseJwk() says what to do about ${JSON.stringify(type)}`, () => {
    const error = assertThrows(() => choose([other(type)]), "usage");
    assertMatch(hintOf(error), words);
    const text = error.message + hintOf(error);
    assert(!text.includes("\x1b"), text);
  });
}
