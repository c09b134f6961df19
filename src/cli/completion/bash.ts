import { PROGRAM } from "../process/called_as.ts";
import type { Candidates, PlaceWords } from "./words.ts";

/** The completion script for bash 4 and later. */
export function bashScript(places: readonly PlaceWords[]): string {
  const flagRows = places.flatMap(({ place, flags }) =>
    flags.flatMap(({ word, value }) =>
      value === undefined
        ? []
        : [`    '${place}/${word}') echo '${action(value)}' ;;`]
    )
  );
  const argumentRows = places.flatMap(({ place, args }) =>
    args.map((candidates, index) =>
      `    '${place}/${index}') echo '${action(candidates)}' ;;`
    )
  );
  const rows = (of: (place: PlaceWords) => readonly string[]) =>
    places.map((place) =>
      `    '${place.place}') echo '${of(place).join(" ")}' ;;`
    ).join("\n");
  return `# bash completion for ${PROGRAM}; load it with
#   source <(${PROGRAM} completion bash)
# shellcheck shell=bash

_step_rekey_below() {
  case $1 in
${rows(({ below }) => below.map(({ word }) => word))}
  esac
}

_step_rekey_flags() {
  case $1 in
${rows(({ flags }) => flags.map(({ word }) => word))}
  esac
}

# What the value of a flag can be; nothing where it takes none.
_step_rekey_value() {
  case $1/$2 in
${flagRows.join("\n")}
  esac
}

_step_rekey_argument() {
  case $1/$2 in
${argumentRows.join("\n")}
  esac
}

_step_rekey_contexts() {
  local file=\${STEPPATH:-$HOME/.step}/contexts.json
  [[ -r $file ]] && sed -n 's/^[[:space:]]*"\\([^"]*\\)": *{.*/\\1/p' "$file"
}

_step_rekey_files() {
  local cur=$1 file suffix
  local -a found=()
  shift
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do
    if [[ -d $file ]]; then
      found+=("$file")
      continue
    fi
    for suffix in "$@"; do
      [[ $file == *"$suffix" ]] && found+=("$file")
    done
  done < <(compgen -f -- "$cur")
  if [[ \${#found[@]} -eq 0 ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  else
    COMPREPLY=("\${found[@]}")
  fi
}

_step_rekey() {
  local cur=\${COMP_WORDS[COMP_CWORD]} place='' flag='' before='' what='' word i
  local args=0 isEnd=
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      before=$word
      continue
    fi
    if [[ -n $flag ]]; then
      flag=
    elif [[ $before == = ]]; then
      :
    elif [[ $word == -- && -z $isEnd ]]; then
      isEnd=1
    elif [[ $word == -* && -z $isEnd ]]; then
      [[ $word != *=* && -n $(_step_rekey_value "$place" "$word") ]] && flag=$word
    elif [[ " $(_step_rekey_below "$place") " == *" $word "* ]]; then
      # The words behind help are those of what is asked about.
      [[ $word == help || $word == h ]] || place=\${place:+$place }$word
    else
      args=$((args + 1))
    fi
    before=$word
  done
  [[ $cur == = ]] && cur=
  if [[ -z $flag && $cur == --*=* ]]; then
    flag=\${cur%%=*}
    cur=\${cur#*=}
  fi
  if [[ -n $flag ]]; then
    what=$(_step_rekey_value "$place" "$flag")
  elif [[ $cur == -* && -z $isEnd ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_step_rekey_flags "$place")" -- "$cur")
    return
  else
    what="words $(_step_rekey_below "$place")"
    [[ $what == 'words ' ]] && what=$(_step_rekey_argument "$place" "$args")
  fi
  case $what in
    words\\ *) mapfile -t COMPREPLY < <(compgen -W "\${what#words }" -- "$cur") ;;
    context) mapfile -t COMPREPLY < <(compgen -W "$(_step_rekey_contexts)" -- "$cur") ;;
    directory)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      ;;
    file*)
      read -r -a words <<<"\${what#file}"
      _step_rekey_files "$cur" "\${words[@]}"
      ;;
  esac
}

complete -F _step_rekey ${PROGRAM}
`;
}

function action(candidates: Candidates): string {
  switch (candidates.kind) {
    case "words":
      return `words ${candidates.words.join(" ")}`;
    case "file":
      return ["file", ...candidates.suffixes].join(" ");
    default:
      return candidates.kind;
  }
}
