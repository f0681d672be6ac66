#!/bin/sh
# Replays real backports: replay.sh REPO PAIRS.json [OUT]
#
# PAIRS.json has one object a line with "backport", "backport_parent" and "fix": the commit that upstream landed on a release branch, its parent,
# and the commit on the main branch. Each fix is picked onto the parent, alone (no instances), and the tree is compared with the landed one.
# OUT (a directory, made new) keeps the results, results.jsonl, and the store with their trees, store.git.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 REPO PAIRS.json [OUT]" >&2; exit 2; }
repo=$1 pairs=$2 out=${3:-$(mktemp -d)}
kubelts=${KUBELTS:-$(dirname "$0")/../bin/kubelts}
mkdir -p "$out"
[ ! -e "$out/store.git" ] || { echo "$0: $out/store.git is there already" >&2; exit 1; }

sed -n 's/.*"backport":"\([0-9a-f]*\)".*"backport_parent":"\([0-9a-f]*\)".*"fix":"\([0-9a-f]*\)".*/{"id":"\1","commit":"\3","onto":"\2"}/p' "$pairs" >"$out/picks.jsonl"
begin=$(date +%s)
"$kubelts" pick --stdin --repo "$repo" --store "$out/store.git" --jobs "${JOBS:-1}" <"$out/picks.jsonl" >"$out/results.jsonl" || [ $? -eq 3 ]
end=$(date +%s)

# The landed trees, in the order of the results.
sed 's/^{"id":"\([0-9a-f]*\)".*/\1^{tree}/' "$out/results.jsonl" | git -C "$out/store.git" cat-file --batch-check='%(objectname)' >"$out/landed"
sed 's/.*"outcome":"\([a-z]*\)".*/\1/' "$out/results.jsonl" >"$out/outcomes"
sed 's/.*"tree":"\([0-9a-f]*\)".*/\1/; t
s/.*/none/' "$out/results.jsonl" >"$out/trees"
paste "$out/outcomes" "$out/trees" "$out/landed" | awk -v seconds=$((end - begin)) '
	{ n++; outcome[$1]++; refused = $1 == "conflict" || $1 == "error" }
	!refused { if ($2 == $3) same++; else other++ }
	END {
		printf "%d picks in %d s: the landed tree %d, another tree %d, refused %d\n", n, seconds, same, other, outcome["conflict"] + outcome["error"]
		for (o in outcome) printf "  outcome %-10s %d\n", o, outcome[o] | "sort"
	}'
echo "reasons for what was refused, by file:"
grep -o '"reason":"[a-z-]*"' "$out/results.jsonl" | sed 's/.*:"//; s/"//' | sort | uniq -c | sort -rn | awk '{ printf "  %-20s %d\n", $2, $1 }'
echo "results: $out/results.jsonl, trees: $out/store.git"
