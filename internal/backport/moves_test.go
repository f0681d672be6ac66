package backport_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

// parted is a history in which the branches parted at a commit.
type parted struct{ at git.OID }

func (parted) IsAncestor(context.Context, git.OID, git.OID) (bool, error) { return false, nil }

func (p parted) MergeBase(context.Context, git.OID, git.OID) (git.OID, error) {
	if p.at.IsZero() {
		return git.OID{}, errors.New("no common ancestor")
	}
	return p.at, nil
}

// committed makes a commit of a tree.
func committed(t *testing.T, store git.Store, tr tree, parents ...git.OID) git.OID {
	t.Helper()
	id, err := store.WriteCommit(t.Context(), &git.Commit{Tree: tr.write(t, store), Parents: parents, Message: "A commit\n"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// also is a tree with more files, or others; an empty content takes a file away.
func (tr tree) also(files map[string]string) tree {
	out := maps.Clone(tr)
	for p, content := range files {
		out[p] = file{git.ModeFile, content}
		if content == "" {
			delete(out, p)
		}
	}
	return out
}

func TestMoves(t *testing.T) {
	mod := func(name string) string { return "module " + name + "\n\ngo 1.20\n" }
	const body = "// One is one.\nfunc One() int { return 1 }\n\n// Two is two.\nfunc Two() int { return 2 }\n"
	server := tree{}.also(map[string]string{
		"go.mod": mod("x.y/new"), "server/store/store.go": "package store\n\n" + body, "server/store/more.go": "package store\n\n// Three is three.\nfunc Three() int { return 3 }\n",
		"server/main.go": "package main\n\nimport (\n\t\"x.y/new/server/store\"\n)\n\nfunc main() {\n\tprintln(store.One())\n}\n",
	})
	flat := tree{}.also(map[string]string{
		"go.mod": mod("x.y/old"), "store/store.go": "package store\n\n" + body, "store/more.go": "package store\n\n// Three is three.\nfunc Three() int { return 3 }\n",
		"main.go": "package main\n\nimport (\n\t\"x.y/old/store\"\n)\n\nfunc main() {\n\tprintln(store.One())\n}\n",
	})
	const body2 = "\n// Five is five.\nfunc Five() int { return 2 + 3 }\n\n// Six is six.\nfunc Six() int { return 2 * 3 }\n\n// Seven is seven.\nfunc Seven() int { return 7 }\n"
	check := func(hole string) string {
		return "\nfunc Allowed(user, verb string) bool {\n\tif user == \"\" {\n\t\treturn " + hole + "\n\t}\n\treturn verb == \"get\"\n}\n"
	}
	main := func(store string) string {
		return "package main\n\nimport (\n\t\"" + store + "\"\n)\n\nfunc main() {\n\tprintln(store.One())\n}\n"
	}
	fixed := func(store string) string {
		return "package main\n\nimport (\n\t\"fmt\"\n\t\"" + store + "\"\n)\n\nfunc main() {\n\tfmt.Println(store.One())\n}\n"
	}
	// A module's major version at the end of a path does not tell what its package is called.
	versioned := func(spec, more string) tree {
		return tree{}.also(map[string]string{
			"go.mod": mod("x.y/m"), "client/v3/client.go": "package clientv3\n\n// One is one.\nfunc One() int { return 1 }\n",
			"main.go": "package main\n\nimport (\n" + spec + "\n)\n\nfunc main() {\n\tprintln(clientv3.One())\n" + more + "}\n",
		})
	}
	const (
		named = "\tclientv3 \"x.y/m/client/v3\""
		bare  = "\t\"x.y/m/client/v3\""
	)
	// A directory that was split: one file of three has its name elsewhere, with names that are not exported, and little else in common.
	start := func(name, line string) string {
		return "// It runs.\nfunc " + name + "(args []string) error {\n\tif len(args) == 0 {\n\t\treturn errNone\n\t}\n\tlog(args)\n\twait(args, " + line + ")\n\treturn check(args)\n}\n"
	}
	var rest strings.Builder
	for i := range 12 {
		fmt.Fprintf(&rest, "\nfunc other%d(n int) (int, error) {\n\treturn n*%d + %d, nil\n}\n", i, i, 7*i)
	}
	process := func(line string) tree {
		return tree{}.also(map[string]string{
			"frame/process.go": "package frame\n\n" + start("Start", line) + "\nfunc Stop() { println(\"stops\") }\n", "frame/a.go": "package frame\n\nvar A = 1\n", "frame/b.go": "package frame\n\nvar B = 2\n",
		})
	}
	split := func(line string) map[string]string {
		return map[string]string{"e2e/process.go": "package e2e\n\n" + start("start", line) + rest.String()}
	}
	tests := []struct {
		name            string
		base, fix, onto tree
		before          tree // where the branches parted
		outcome         backport.Outcome
		confidence      backport.Confidence
		want            map[string]string
	}{
		{
			name: "a name that the path does not tell is written where imports change", outcome: backport.Resolved, confidence: backport.Adapted,
			base: versioned(named, ""), fix: versioned("\t\"os\"\n"+named, "\tos.Exit(1)\n"), onto: versioned(bare, ""),
			want: map[string]string{"main.go": "package main\n\nimport (\n\t\"os\"\n" + named + "\n)\n\nfunc main() {\n\tprintln(clientv3.One())\n\tos.Exit(1)\n}\n"},
		},
		{
			name: "a new file in a moved package imports what is there", base: server, onto: flat, outcome: backport.Resolved, confidence: backport.Review,
			fix:  server.also(map[string]string{"server/store/new.go": "package store\n\nimport \"x.y/new/server/store/sub\"\n\nvar _ = sub.Four\n", "server/store/sub/sub.go": "package sub\n\nconst Four = 4\n"}),
			want: map[string]string{"store/new.go": "package store\n\nimport \"x.y/old/store/sub\"\n\nvar _ = sub.Four\n", "store/sub/sub.go": "package sub\n\nconst Four = 4\n"},
		},
		{
			name: "a file of a directory that was split is found by its name and what it declares", outcome: backport.Resolved, confidence: backport.Review,
			base: process("1"), fix: process("2"), onto: tree{}.also(split("1")), want: split("2"),
		},
		{
			name: "but not if it declares nothing of what the fix changes", outcome: backport.Conflicted, confidence: backport.Review,
			base: process("1"), fix: process("2"), onto: tree{}.also(map[string]string{"e2e/process.go": "package e2e\n" + rest.String()}),
		},
		{
			name: "nor if two files could be meant", outcome: backport.Conflicted, confidence: backport.Review,
			base: process("1"), fix: process("2"), onto: tree{}.also(split("1")).also(map[string]string{"also/process.go": "package also\n\n" + start("start", "1") + rest.String()}),
		},
		{
			name: "a file that came up after the branches parted is left out", outcome: backport.Resolved, confidence: backport.Review,
			base: flat.also(map[string]string{"late.md": "late\n"}), fix: flat.also(map[string]string{"late.md": "later\n", "main.go": "package main\n\nfunc main() {\n}\n"}),
			onto: flat.also(map[string]string{"b": "b\n"}), before: flat, want: map[string]string{"late.md": "", "main.go": "package main\n\nfunc main() {\n}\n"},
		},
		{
			name: "but not if nothing else is left", outcome: backport.Conflicted, confidence: backport.Review,
			base: flat.also(map[string]string{"late.go": "package main\n\nvar late = 1\n"}), fix: flat.also(map[string]string{"late.go": "package main\n\nvar late = 2\n"}),
			onto: flat.also(map[string]string{"b": "b\n"}), before: flat,
		},
		{
			name: "nor if only a comment is left of the code", outcome: backport.Conflicted, confidence: backport.Review,
			base: flat.also(map[string]string{"late.go": "package main\n\nvar late = 1\n"}),
			fix:  flat.also(map[string]string{"late.go": "package main\n\nvar late = 2\n", "store/more.go": "package store\n\n// Three is 3.\nfunc Three() int { return 3 }\n"}),
			onto: flat.also(map[string]string{"b": "b\n"}), before: flat,
		},
		{
			name: "nor if another directory of the target has what it changes, under another name", outcome: backport.Conflicted, confidence: backport.Review,
			base: server.also(map[string]string{"auth/perm.go": "package auth\n" + body + body2 + check("true")}),
			fix:  server.also(map[string]string{"auth/perm.go": "package auth\n" + body + body2 + check("false"), "server/main.go": "package main\n\nfunc main() {\n}\n"}),
			onto: server.also(map[string]string{"old/check.go": "package old\n" + check("true")}), before: server,
		},
		{
			name: "nor if the target deleted it", outcome: backport.Conflicted, confidence: backport.Review,
			base: flat.also(map[string]string{"late.go": "package main\n\nvar late = 1\n"}),
			fix:  flat.also(map[string]string{"late.go": "package main\n\nvar late = 2\n", "main.go": "package main\n\nfunc main() {\n}\n"}),
			onto: flat.also(map[string]string{"b": "b\n"}), before: flat.also(map[string]string{"late.go": "package main\n"}),
		},
		{
			name: "import paths of both sides are the target's before lines are merged", outcome: backport.Resolved, confidence: backport.Adapted,
			base: server.also(map[string]string{"cmd/main.go": main("x.y/new/server/store")}), fix: server.also(map[string]string{"cmd/main.go": fixed("x.y/new/server/store")}),
			onto: flat.also(map[string]string{"cmd/main.go": main("x.y/old/store")}), want: map[string]string{"cmd/main.go": fixed("x.y/old/store")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			var history parted
			if tt.before != nil {
				history.at = committed(t, store, tt.before)
			}
			fix := committed(t, store, tt.fix, committed(t, store, tt.base))
			res := backport.New(store, history).Pick(t.Context(), backport.Request{Commit: fix, Onto: committed(t, store, tt.onto)})
			if res.Outcome != tt.outcome || res.Confidence != tt.confidence {
				t.Fatalf("%s %s, want %s %s: %+v", res.Outcome, res.Confidence, tt.outcome, tt.confidence, res)
			}
			got := contents(read(t, store, res.Tree, ""))
			for p, want := range tt.want {
				if d := cmp.Diff(want, got[p]); d != "" {
					t.Errorf("%s: %s\n%+v", p, d, res)
				}
			}
		})
	}
}

// TestMovesOfNothing: where both sides have their files in the same places, nothing is brought together, left out or translated.
func TestMovesOfNothing(t *testing.T) {
	store := gittest.NewMemory()
	source := "package p\n\nimport (\n\t\"x.y/a/q\"\n)\n\nvar A = q.Q\n"
	base := tree{}.also(map[string]string{"go.mod": "module x.y/a\n", "p/p.go": source, "q/q.go": "package q\n\nvar Q = 1\n", "c": "1\n"})
	fix := committed(t, store, base.also(map[string]string{"p/p.go": source + "\nvar B = q.Q\n", "c": "2\n"}), committed(t, store, base))
	onto := committed(t, store, base.also(map[string]string{"q/r.go": "package q\n", "c": "3\n"}))
	res := backport.New(store, parted{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: onto})
	if d := cmp.Diff(map[string][]backport.Reason{"c": {backport.ReasonContent}}, reasons(res)); d != "" {
		t.Fatal(d)
	}
	for _, f := range res.Files {
		if f.Rung == "moves" || f.From != "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestPrefix(t *testing.T) {
	link := file{git.ModeSymlink, "../staging/src/lib"}
	lib := tree{}.also(map[string]string{"a": with().content, "go.mod": "module lib\n"})
	whole := tree{"vendor/lib": link}.also(map[string]string{"staging/src/lib/a": with("1=one").content, "staging/src/lib/go.mod": "module other\n", "b": "b\n"})
	copied := whole.also(map[string]string{"vendor/lib": "", "vendor/lib/a": with("1=one").content, "vendor/lib/go.mod": "module other\n"})
	forked := copied.also(map[string]string{"vendor/lib/a": "other\n"})
	fixed, both := with("9=nine").content, with("1=one", "9=nine").content
	tests := []struct {
		name      string
		base, fix tree
		onto      tree
		prefix    string
		want      tree
		notes     []string
	}{
		{"into a directory", lib, lib.also(map[string]string{"a": fixed}), whole, "=staging/src/lib", whole.also(map[string]string{"staging/src/lib/a": both}), nil},
		{
			"behind a link", lib, lib.also(map[string]string{"a": fixed}), whole, "=vendor/lib", whole.also(map[string]string{"staging/src/lib/a": both}),
			[]string{"vendor/lib leads to staging/src/lib in the target"},
		},
		{
			"an equal copy", lib, lib.also(map[string]string{"a": fixed}), copied, "=staging/src/lib/",
			copied.also(map[string]string{"staging/src/lib/a": both, "vendor/lib/a": both}), nil,
		},
		{
			"a copy of its own", lib, lib.also(map[string]string{"a": fixed}), forked, "=staging/src/lib/", forked.also(map[string]string{"staging/src/lib/a": both}),
			[]string{"vendor/lib is a copy of its own in the target: it was not changed"},
		},
		{
			"out of a directory", whole, whole.also(map[string]string{"staging/src/lib/a": both, "b": "c\n"}), lib, "staging/src/lib=", lib.also(map[string]string{"a": fixed}),
			[]string{"left out, outside of the prefix: b"},
		},
		{
			"dependencies", lib, lib.also(map[string]string{"a": fixed, "go.mod": "module lib\n\ngo 1.20\n"}), whole, "=staging/src/lib",
			whole.also(map[string]string{"staging/src/lib/a": both}),
			[]string{"left out: go.mod: the dependencies of the repository that the fix is from"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			p, err := backport.ParsePrefix(tt.prefix)
			if err != nil {
				t.Fatal(err)
			}
			fix := committed(t, store, tt.fix, committed(t, store, tt.base))
			res := backport.New(store, parted{}).Pick(t.Context(), backport.Request{
				Commit: fix, Onto: committed(t, store, tt.onto), Prefixes: []backport.Prefix{p}, Foreign: true,
			})
			if res.Outcome != backport.Clean {
				t.Fatalf("%+v", res)
			}
			if d := cmp.Diff(contents(tt.want), contents(read(t, store, res.Tree, ""))); d != "" {
				t.Error(d)
			}
			partial := strings.Contains(strings.Join(tt.notes, " "), "was not changed") || strings.Contains(strings.Join(tt.notes, " "), "outside of the prefix")
			if review := res.Confidence == backport.Review; review != partial {
				t.Errorf("confidence %s; part of the fix is left out: %v", res.Confidence, partial)
			}
			if d := cmp.Diff(tt.notes, res.Notes); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParsePrefix(t *testing.T) {
	for _, s := range []string{"", "a", "a=a", "=", "../a=b", "a=b/../c", "a//b=c", "=.git", "a=.git/b"} {
		if p, err := backport.ParsePrefix(s); err == nil {
			t.Errorf("%q was read as %v", s, p)
		}
	}
	if p, err := backport.ParsePrefix("/a/b/=c/"); err != nil || p != (backport.Prefix{From: "a/b", To: "c"}) {
		t.Errorf("got %v, %v", p, err)
	}
}
