import { PROGRAM } from "../process/called_as.ts";
import type { Candidates, FlagWord, PlaceWords } from "./words.ts";

/** The completion script for fish. */
export function fishScript(places: readonly PlaceWords[]): string {
  const valued = new Set(
    places.flatMap(({ flags }) =>
      flags.filter(({ value }) => value !== undefined).map(({ word }) => word)
    ),
  );
  const groups = places.filter(({ below }) => below.length > 0);
  const names = groups.map(({ place, below }) =>
    `        case '${place}'\n            set below ${
      below.map(({ word }) => word).join(" ")
    }`
  );
  const lines = places.flatMap(({ place, below, flags, args }) => [
    ...below.map(({ word, brief }) =>
      line(place, `-f -a ${word} -d '${brief}'`)
    ),
    ...flags.map((flag) => line(place, flagWords(flag))),
    ...args.map((candidates, index) =>
      line(`${place}/${index}`, offered(candidates))
    ),
  ]);
  return `# fish completion for ${PROGRAM}; load it with
#   ${PROGRAM} completion fish | source

# Whether the words so far lead to a command, or to an argument of it: ca rekey/0
function __step_rekey_at
    set -l place ''
    set -l args 0
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip -eq 1
            set skip 0
            continue
        end
        set -l below
        switch "$place"
${names.join("\n")}
        end
        if string match -q -- '-*' $word
            contains -- $word ${[...valued].join(" ")}
            and set skip 1
        else if contains -- $word $below
            contains -- $word help h
            or set place (string trim -- "$place $word")
        else
            set args (math $args + 1)
        end
    end
    test "$argv[1]" = "$place" -o "$argv[1]" = "$place/$args"
end

function __step_rekey_contexts
    set -l base $STEPPATH
    test -n "$base"
    or set base ~/.step
    test -r $base/contexts.json
    and string match -rg '^\\s*"([^"]*)": *\\{' <$base/contexts.json
end

# Directories, and files whose names end with one of the words; else all files.
function __step_rekey_files
    set -l all (__fish_complete_path (commandline -ct))
    set -l ends (string join '|' (string escape --style=regex -- $argv))
    set -l found (string match -r -- "^.*(?:/|$ends)(?:\\t.*)?"'$' $all)
    or set found $all
    printf '%s\\n' $found
end

complete -c ${PROGRAM} -f
${lines.join("\n")}
`;
}

function line(place: string, words: string): string {
  return `complete -c ${PROGRAM} -n '__step_rekey_at "${place}"' ${words}`;
}

function flagWords({ word, brief, value }: FlagWord): string {
  const spelling = word.startsWith("--")
    ? `-l ${word.slice(2)}`
    : `-s ${word.slice(1)}`;
  const what = value === undefined ? "" : ` -r ${offered(value)}`;
  return `${spelling}${what} -d '${brief}'`;
}

function offered(candidates: Candidates): string {
  switch (candidates.kind) {
    case "words":
      return `-f -a '${candidates.words.join(" ")}'`;
    case "file": {
      const { suffixes } = candidates;
      return suffixes.length === 0
        ? "-F"
        : `-f -a '(__step_rekey_files ${suffixes.join(" ")})'`;
    }
    case "directory":
      return "-f -a '(__fish_complete_directories)'";
    case "context":
      return "-f -a '(__step_rekey_contexts)'";
    case "text":
      return "-f";
  }
}
