/**
 * Help pages as source of manual pages, in the man(7) macros of roff. Pure.
 */
import { VERSION, VERSION_DATE } from "./grammar/command.ts";
import { PROGRAM } from "./process/called_as.ts";
import type { Place } from "./grammar/route.ts";
import { helpSections, type Line } from "./help.ts";

/** mandoc warns of longer lines. */
const LONGEST_LINE = 78;

/** What man-pages(7) calls a section of the help. */
const HEADINGS: ReadonlyMap<string, string> = new Map([
  ["USAGE", "SYNOPSIS"],
  ["EXIT CODES", "EXIT STATUS"],
]);

/** The page of a command, or of a group. */
export async function manualPage(place: Place): Promise<string> {
  const title = [PROGRAM, ...place.path].join("-").toUpperCase();
  const sections = await helpSections(place);
  const lines = sections.flatMap(([heading, lines]) => [
    `.SH ${HEADINGS.get(heading) ?? heading}`,
    ...heading === "NAME" ? lines.flatMap(nameLines) : body(lines),
  ]);
  const head = `.TH ${title} 1 ${VERSION_DATE} "${PROGRAM} ${VERSION}"`;
  return `${[head, ...lines].join("\n")}\n`;
}

/** As apropos(1) reads it: `step-rekey-ca-rekey \- rekey a certificate`. */
function nameLines({ text }: Line): readonly string[] {
  const [name = "", brief = ""] = text.split(" -- ");
  return filled(`${name.replaceAll(" ", "-")} - ${brief}`);
}

function body(lines: readonly Line[]): readonly string[] {
  const out: string[] = [];
  let isDeep = false;
  let needsBreak = false;
  for (const { text, indent, first, isFixed, isTerm } of lines) {
    if (text === "") {
      needsBreak = true;
      continue;
    }
    if (isFixed) {
      out.push(
        ".IP",
        ".EX",
        escaped((first ?? indent).trim() + " " + text).trim(),
        ".EE",
      );
    } else if (isTerm) {
      out.push(".TP", `.B ${quoted(text)}`);
    } else if (first !== undefined) {
      out.push(".TP", `.B ${quoted(first.trim())}`, ...filled(text));
    } else if (indent === "") {
      out.push(`.SS ${escaped(text.replace(/:$/, ""))}`);
    } else {
      if (needsBreak || !isDeep) out.push(isDeep ? ".IP" : ".PP");
      out.push(...filled(text));
    }
    isDeep = isTerm === true || (isDeep && indent.length > 2);
    needsBreak = false;
  }
  // A section begins with a paragraph anyway, and a heading does, too.
  return out.filter((line, index) =>
    line !== ".PP" || index > 0 && !/^\.S[HS]/.test(out[index - 1] ?? "")
  );
}

/** Lines that mandoc takes, broken between words. */
function filled(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of escaped(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > LONGEST_LINE) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map(unlikeMacro);
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '""')}"`;
}

/** No character is taken for a command of roff, or for a sign of print. */
function escaped(text: string): string {
  const plain = text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return Array.from(plain, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x80
      ? character
      : `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  }).join("");
}

function unlikeMacro(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
