/**
 * A terminal that asks for each password once in the life of a daemon.
 *
 * The original asks at its start and keeps the answer, since nobody sits at the
 * terminal when the next rekey is due. The answers are kept in memory only.
 */
import type { Terminal } from "../base/runtime.ts";

/** `terminal` with a memory for passwords. A failed question is asked again. */
export function rememberPasswords(terminal: Terminal): Terminal {
  const answers = new Map<string, string>();
  return {
    confirm: (question, signal) => terminal.confirm(question, signal),
    busy: (what) => terminal.busy(what),
    async readPassword(label, signal) {
      const known = answers.get(label);
      if (known !== undefined) return known;
      const answer = await terminal.readPassword(label, signal);
      answers.set(label, answer);
      return answer;
    },
  };
}
