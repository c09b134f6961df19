import { jsonAnswer } from "../../observe/json_line.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { JSON_FLAG } from "../resolve/flags.ts";
import { findStepPath, joinPath } from "../settings/step_path.ts";

const FLAGS = {
  "base": {
    kind: "boolean",
    group: "program",
    help: "Print the directory of all contexts.",
  },
  "profile": {
    kind: "boolean",
    group: "program",
    help: "Print the directory of the current profile.",
  },
  "json": JSON_FLAG,
} as const;

export const command = defineCommand({
  path: ["path"],
  brief: "print the directory of the settings",
  programInErrors: "step",
  description: [
    "step-rekey path prints $(step path): the directory of the authority where a context is in use, else $STEPPATH or $HOME/.step.",
  ],
  positionals: {},
  flags: FLAGS,
  exitCodes: exitCodes("printed", {
    usage: ERROR_MEANINGS.usage,
    bug: ERROR_MEANINGS.bug,
    config: "contexts are unusable, or there is no home directory",
  }),
  examples: [["Print the directory of the settings", "path"]],
  async resolve({ flags, env }) {
    const { path, base, context } = await findStepPath(
      env,
      env("STEP_CONTEXT"),
    );
    const profile = context === undefined
      ? base
      : joinPath(base, "profiles", context.profile);
    return {
      answer: flags.base ? base : flags.profile ? profile : path,
      json: flags.json ? { path, base, profile } : undefined,
    };
  },
  run({ answer, json }, { stdout }: Program) {
    stdout.write(json === undefined ? `${answer}\n` : jsonAnswer(json));
    return Promise.resolve(0);
  },
});
