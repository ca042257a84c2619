# Sourced by the scripts beside it: `timed NAME COMMAND...` appends the seconds of one run to NAME.s, `median NAME` gives
# the median of them. Needs bc.

timed() {
  local name=$1 start end
  shift
  start=$(date +%s.%N)
  "$@" >/dev/null 2>"$name.err" || { cat "$name.err" >&2; exit 1; }
  end=$(date +%s.%N)
  echo "$end - $start" | bc >>"$name.s"
}
median() { sort -n "$1.s" | awk '{ a[NR] = $1 } END { printf "%.2f", a[int((NR + 1) / 2)] }'; }
