/**
 * What the pages tell their readers to type, typed: every command of every page
 * runs in order on a throwaway machine, ends with 0 unless the page shows
 * otherwise, and prints what the page shows.
 */
import { readDocuments } from "./documents.ts";
import { type Bindings, outputProblem } from "./expected_output.ts";
import { sectionsOf, type Step } from "./page_steps.ts";
import type { Ran, Shell } from "./shell.ts";
import { bootWorld, type World, worldMissing } from "./world.ts";

const missing = await worldMissing();
const PAGES = (await readDocuments())
  .map((page) => ({ path: page.path, sections: sectionsOf(page) }))
  .filter(({ sections }) =>
    sections.some(({ steps }) => steps.some(({ kind }) => kind === "command"))
  );

/** The machine is shared: pages come one after the other. */
const shared: { world?: World } = {};
Deno.test.beforeAll(async () => {
  if (missing === undefined) shared.world = await bootWorld();
});
Deno.test.afterAll(async () => {
  await shared.world?.[Symbol.asyncDispose]();
});

for (const { path, sections } of PAGES) {
  Deno.test({
    name: `${path} shows what happens${
      missing === undefined ? "" : ` (ignored: ${missing})`
    }`,
    ignore: missing !== undefined,
    async fn(test) {
      const { world } = shared;
      if (world === undefined) throw new Error(missing);
      await using shell = await world.shell();
      const bindings: Bindings = new Map();
      try {
        for (const { title, needs, steps } of sections) {
          const isHere = needs === undefined || await isIn(shell, needs);
          const isGood = await test.step({
            name: isHere ? title : `${title} (ignored: no ${needs})`,
            ignore: !isHere && Deno.env.get("CI") !== "true",
            fn: () => takeAll(steps, { world, shell, bindings }),
          });
          // What comes after it has no ground to stand on.
          if (isHere && !isGood) break;
        }
      } finally {
        await world.tidy();
      }
    },
  });
}

interface Reader {
  readonly world: World;
  readonly shell: Shell;
  readonly bindings: Bindings;
}

async function isIn(shell: Shell, program: string): Promise<boolean> {
  return (await shell.run(`command -v ${program}`)).code === 0;
}

async function takeAll(
  steps: readonly Step[],
  reader: Reader,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    const mayFail = next?.kind === "command" && next.command === "echo $?";
    const problem = await take(step, mayFail, reader);
    if (problem !== undefined) throw new Error(problem);
  }
}

/** Why it is not as the page tells; undefined when it is. */
async function take(
  step: Step,
  mayFail: boolean,
  { world, shell, bindings }: Reader,
): Promise<string | undefined> {
  switch (step.kind) {
    case "file":
      await world.write(step.path, step.text);
      return;
    case "given":
      for (const item of step.items) await world.give(item);
      return;
    case "command": {
      const { command, output } = step;
      const problemOf = (ran: Ran) =>
        (output === undefined
          ? undefined
          : outputProblem(output, ran.output, bindings)) ??
          (mayFail || ran.code === 0
            ? undefined
            : `exit code ${ran.code}: ${ran.output}`);
      // What was told reloads in a moment of its own.
      let tries = onlyAsks(command) ? MAX_QUESTIONS : 1;
      let problem: string | undefined;
      do problem = problemOf(await shell.run(runnable(command))); while (
        problem !== undefined && --tries > 0
      );
      return problem === undefined ? undefined : `$ ${command}\n${problem}`;
    }
  }
}

/** A daemon is stopped once it waits; every other command ends by itself. */
function runnable(command: string): string {
  return !/^step-rekey .* --daemon /.test(command) ? command : `{
  exec 9< <(exec ${command} 2>&1); daemon=$!
  while read -r line <&9; do
    echo "$line"
    case $line in *"rekey in "*) kill $daemon; break;; esac
  done
  cat <&9
  wait $daemon
}`;
}

/** Until what reloads has to be ready. */
const MAX_QUESTIONS = 100;

/** A server or systemd; asking again changes nothing. */
function onlyAsks(command: string): boolean {
  return /^(openssl s_client|step-rekey certificate \w+ https:|journalctl|systemctl show)/
    .test(command);
}
