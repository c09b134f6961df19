import { PROGRAM } from "../process/called_as.ts";
import type { Candidates, PlaceWords, Word } from "./words.ts";

/** The completion script for zsh. */
export function zshScript(places: readonly PlaceWords[]): string {
  const table = (of: (place: PlaceWords) => readonly Word[]) =>
    places.map((place) =>
      `    '${place.place}') reply=(${of(place).map(described).join(" ")}) ;;`
    ).join("\n");
  const values = places.flatMap(({ place, flags }) =>
    flags.flatMap(({ word, value }) =>
      value === undefined ? [] : [`    '${place}/${word}') ${action(value)} ;;`]
    )
  );
  const args = places.flatMap(({ place, args }) =>
    args.map((candidates, index) =>
      `    '${place}/${index}') ${action(candidates)} ;;`
    )
  );
  return `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}; load it with
#   source <(${PROGRAM} completion zsh)

_step_rekey_below() {
  case $1 in
${table(({ below }) => below)}
  esac
}

_step_rekey_flags() {
  case $1 in
${table(({ flags }) => flags)}
  esac
}

# Offers the values of a flag; fails where it takes none. Only asks with -q.
_step_rekey_value() {
  case $1/$2 in
${values.join("\n")}
    *) return 1 ;;
  esac
}

_step_rekey_argument() {
  case $1/$2 in
${args.join("\n")}
  esac
}

_step_rekey_offer() {
  [[ -n $only_asks ]] && return 0
  case $1 in
    words) compadd -- \${@:2} ;;
    file) _files ;;
    suffix) _files -g "*(\${(j:|:)@:2})" ;;
    directory) _files -/ ;;
    context)
      local file=\${STEPPATH:-$HOME/.step}/contexts.json
      [[ -r $file ]] && compadd -- \${(f)"$(sed -n 's/^[[:space:]]*"\\([^"]*\\)": *{.*/\\1/p' $file)"}
      ;;
    text) _message value ;;
  esac
}

_step_rekey() {
  local place='' flag='' word is_end='' only_asks=''
  local -i i args=0
  local -a reply names
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $flag ]]; then
      flag=
      continue
    fi
    if [[ $word == -- && -z $is_end ]]; then
      is_end=1
    elif [[ $word == -* && -z $is_end ]]; then
      only_asks=1
      [[ $word != *=* ]] && _step_rekey_value "$place" $word && flag=$word
      only_asks=
    else
      reply=()
      _step_rekey_below "$place"
      names=(\${reply%%:*})
      if (( $names[(Ie)$word] )); then
        [[ $word == help ]] || place="\${place:+$place }$word"
      else
        args+=1
      fi
    fi
  done
  reply=()
  if [[ -n $flag ]]; then
    _step_rekey_value "$place" $flag
  elif [[ -z $is_end && $words[CURRENT] == --*=* ]]; then
    compset -P '*='
    _step_rekey_value "$place" \${words[CURRENT]%%=*}
  elif [[ -z $is_end && $words[CURRENT] == -* ]]; then
    _step_rekey_flags "$place"
    _describe -o flag reply
  else
    _step_rekey_below "$place"
    if (( $#reply )); then
      _describe command reply
    else
      _step_rekey_argument "$place" $args
    fi
  fi
}

compdef _step_rekey ${PROGRAM}
`;
}

/** For _describe: a colon ends the word. */
function described({ word, brief }: Word): string {
  return `'${word}:${brief}'`;
}

function action(candidates: Candidates): string {
  switch (candidates.kind) {
    case "words":
      return `_step_rekey_offer words ${candidates.words.join(" ")}`;
    case "file": {
      const suffixes = candidates.suffixes.join(" ");
      return `_step_rekey_offer ${
        suffixes === "" ? "file" : `suffix ${suffixes}`
      }`;
    }
    default:
      return `_step_rekey_offer ${candidates.kind}`;
  }
}
