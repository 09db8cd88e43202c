# Shared by the shell scripts: where things are, what earlier steps made, how to check.
GATEHOUSE=${GATEHOUSE:-$(dirname "${BASH_SOURCE[0]}")/../../build/release/gatehouse}
BACKEND=${BACKEND:-http://127.0.0.1:3000}
STORY=${STORY:-$(dirname "${BASH_SOURCE[0]}")/story.env} # NAME=value lines: what earlier steps made
gatehouse() { "$GATEHOUSE" "$@"; }
eval "$(gatehouse env)" # AWS_ENDPOINT_URL, keys of dev mode, and an `aws` that goes there
[ -f "$STORY" ] && . "$STORY"

remember() { printf '%s=%q\n' "$1" "$2" >> "$STORY"; declare -g "$1=$2"; }
say() { printf '\n# %s\n' "$*"; }
# same WHAT EXPECTED CAME
same() {
    [ "$2" = "$3" ] || { printf 'WRONG: %s: expected %s, came %s\n' "$1" "$2" "$3" >&2; exit 1; }
    printf '%s: %s\n' "$1" "$3"
}
# has WHAT NEEDLE TEXT
has() {
    case $3 in *"$2"*) printf '%s: …%s…\n' "$1" "$2" ;;
    *) printf 'WRONG: %s: no %s in %s\n' "$1" "$2" "$3" >&2; exit 1 ;; esac
}
