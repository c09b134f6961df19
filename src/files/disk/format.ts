/**
 * In which version of its format a hidden file is: the number in its first line.
 *
 * What a later program left is for that program: nothing is concluded from it,
 * and nothing that stands beside it is changed.
 */
import { RekeyError } from "../../base/errors.ts";

/** What the first line of a hidden file says. */
export interface Format {
  /** What the file is; the number follows. */
  readonly name: string;
  /** The version that is written, and the latest one that is understood. */
  readonly version: number;
}

/** The first line, with its end. */
export function headerOf({ name, version }: Format): string {
  return `${name} ${version}\n`;
}

/** The number in the first line; undefined where that says something else. */
export function versionIn(text: string, { name }: Format): number | undefined {
  const [header = ""] = text.split("\n", 1);
  const number = header.startsWith(`${name} `)
    ? header.slice(name.length + 1)
    : "";
  return /^[1-9]\d{0,14}$/.test(number) ? Number(number) : undefined;
}

/**
 * A hidden file is of a later program.
 *
 * @param path the target that the user knows
 */
export function newerFormat(
  path: string,
  { file, version, format }: {
    readonly file: string;
    readonly version: number;
    readonly format: Format;
  },
): RekeyError {
  return new RekeyError(
    "install",
    `cannot work on ${path}: a newer step-rekey left ${file}, in version ${version} of its format, and this one knows version ${format.version}`,
    {
      hint:
        "install that step-rekey or a later one, and run the command with it; nothing was changed",
      // A daemon ends, for whoever starts it again to start the newer program.
      retry: "never",
    },
  );
}
