import type { CommandGroup } from "../grammar/command.ts";
import { placesIn, type Shell } from "../grammar/route.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { placeWords } from "./words.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** What a shell reads to complete lines of this program. */
export async function completionScript(
  shell: Shell,
  commands: CommandGroup,
): Promise<string> {
  const places = placesIn({ path: [], entry: commands });
  return SCRIPTS[shell](await placeWords(places));
}
