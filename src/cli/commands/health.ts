import { ANY_COMMAND, CA_ASKER, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import {
  type Address,
  resolveVerified,
  VERIFIED_FLAGS,
} from "../resolve/authority_info.ts";

interface HealthOptions extends Address {
  readonly root: string;
  readonly isJson: boolean;
}

export const command = defineCommand({
  path: ["ca", "health"],
  brief: "get the status of the CA",
  programInErrors: "step",
  description: [
    "step-rekey ca health asks the certificate authority whether it works, and prints what it says: ok.",
  ],
  positionals: {},
  flags: VERIFIED_FLAGS,
  exitCodes: exitCodes("the CA answered", { ...ANY_COMMAND, ...CA_ASKER }),
  examples: [
    ["Ask the CA of defaults.json", "ca health"],
    [
      "Ask any CA",
      "ca health --ca-url https://ca.example:9000 --root root_ca.crt",
    ],
  ],
  async resolve(invocation) {
    return {
      ...await resolveVerified(invocation, "step ca health"),
      isJson: invocation.flags.json === true,
    };
  },
  async run({ isJson, ...address }: HealthOptions, program: Program) {
    const { askAuthority } = await import("../process/ask_authority.ts");
    return await askAuthority(program, address.url, async (asker) => {
      const [{ fetchHealth }, { jsonAnswer }] = await Promise.all([
        import("../../ca/online/authority_info.ts"),
        import("../../observe/json_line.ts"),
      ]);
      const { url } = address;
      const status = await fetchHealth({ ...address, ...asker });
      program.stdout.write(
        isJson ? jsonAnswer({ url, status }) : `${status}\n`,
      );
      return 0;
    });
  },
});
