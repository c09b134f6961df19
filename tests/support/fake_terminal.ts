/**
 * A terminal whose answers a test gives, and which remembers the questions.
 */
import { NoTerminalError, type Terminal } from "../../src/base/runtime.ts";

/** What it was asked, in order. */
export interface FakeTerminal extends Terminal {
  readonly questions: readonly string[];
}

/** Answers each question with the next of `answers`; an Error is thrown. */
export function fakeTerminal(
  ...answers: readonly (boolean | string | Error)[]
): FakeTerminal {
  const questions: string[] = [];
  const next = (question: string) => {
    const answer = answers[questions.length];
    questions.push(question);
    if (answer === undefined) throw new Error(`unexpected: ${question}`);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return {
    questions,
    busy: () => ({ [Symbol.dispose]: () => {} }),
    confirm: (question) => attempt(() => next(question) === true),
    readPassword: (label) => attempt(() => String(next(label))),
  };
}

/** A terminal that is not there. */
export function noTerminal(): FakeTerminal {
  return fakeTerminal(new NoTerminalError("no such device or address"));
}

function attempt<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => resolve(call()));
}
