package triage_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// TestHostileHistories has histories that look cured, or clear, and are not.
func TestHostileHistories(t *testing.T) {
	t.Parallel()
	const head = "module example.org/server\n\n"
	const sums = "example.org/other v1.0.0 h1:x\n"
	goMod := func(w *world, v string) {
		w.Write("go.mod", head+"require example.org/codec "+v+"\n")
		w.Write("go.sum", sums+"example.org/codec "+v+" h1:x\n")
	}
	older := func(w *world) {
		w.Checkout("release-1.0")
		w.Write("go.mod", head+"require example.org/other v1.0.0\n")
		w.Write("go.sum", sums)
	}
	run(t, []scenario{
		{"a module that the branch has, and code that it has not", func(w *world) {
			older(w)
			goMod(w, "v0.9.0")
			w.Commit("Prepare")
			w.Checkout("main")
			goMod(w, "v1.0.0")
			w.Commit("Go on")
			w.Write("handler.go", handler())
			w.Commit("Serve names")
			goMod(w, "v1.0.2")
			a := w.Commit("Bump example.org/codec to v1.0.2")
			w.Write("handler.go", handler("read", "write", "remove"))
			w.names("main", a, w.Commit("Refuse names that lead out"))
		}, "under_investigation not_found not_found introduced introduced introduced absent_symbol absent_symbol absent_symbol kindred"},
		{"a module that the branch has, and code that it has not, in one commit", func(w *world) {
			older(w)
			goMod(w, "v0.9.0")
			w.Commit("Prepare")
			w.Checkout("main")
			goMod(w, "v1.0.0")
			w.Commit("Go on")
			w.Write("handler.go", handler())
			w.Commit("Serve names")
			goMod(w, "v1.0.2")
			w.Write("handler.go", handler("read", "write", "remove"))
			w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
		}, "under_investigation not_found introduced introduced introduced absent_symbol absent_symbol absent_symbol kindred"},
		{"a module that was lowered again without a word", func(w *world) {
			w.Checkout("main")
			goMod(w, "v1.0.0")
			c := w.Commit("Use codec")
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Checkout("main")
			goMod(w, "v1.0.2")
			c = w.Commit("Bump example.org/codec to v1.0.2")
			w.names("main", c)
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Write("x.go", "package x\n")
			goMod(w, "v1.0.1")
			w.Commit("Update dependencies")
		}, "under_investigation patch_id author_date_subject dependency undone"},
		{"the same lines in another directory, by a commit of the same subject", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("a/server.go", handler())
			w.Write("b/server.go", handler())
			c := w.Commit("Serve")
			w.Checkout("main")
			w.CherryPick(c)
			w.Write("a/server.go", handler("read"))
			a := w.Commit("Refuse names")
			w.names("main", a)
			w.Write("b/server.go", handler("read"))
			b := w.Commit("Refuse names")
			w.Checkout("release-1.0")
			w.CherryPick(b)
		}, "under_investigation file_patch_id hole_lines"},
		{"a merge that kept the old file, and took another one of its name", func(w *world) {
			w.Checkout("main")
			w.Write("a/server.go", handler())
			w.Write("b/server.go", handler())
			c := w.Commit("Serve")
			w.Git("branch", "-qf", "release-1.0", c.String())
			w.Write("a/server.go", handler("read"))
			a := w.Commit("Refuse names")
			w.names("main", a)
			w.Write("b/server.go", handler("write"))
			w.Commit("Refuse more")
			w.Checkout("release-1.0")
			w.Git("merge", "-q", "--no-ff", "--no-commit", "main")
			w.Write("a/server.go", handler())
			w.Commit("Merge main")
		}, "under_investigation ancestor hole_lines"},
		{"a file that moved, and lost the fix on the way", func(w *world) {
			w.Checkout("main")
			w.Write("a/server.go", handler())
			c := w.Commit("Serve")
			w.Git("branch", "-qf", "release-1.0", c.String())
			w.Write("a/server.go", handler("read"))
			a := w.Commit("Refuse names")
			w.names("main", a)
			w.Checkout("release-1.0")
			w.CherryPick(a)
			w.Git("rm", "-q", "a/server.go")
			w.Write("c/server.go", handler()+"\nfunc more() {\n\tdoSomethingElseAsWell()\n}\n")
			w.Commit("Order directories")
		}, "under_investigation patch_id author_date_subject hole_lines"},
		{"a short name of which the path changed", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("go.mod", head+"require code.example.org/go.net v1.0.0\n")
			w.Write("go.sum", "code.example.org/go.net v1.0.0 h1:x\n")
			w.Commit("Prepare")
			w.Checkout("main")
			w.Write("go.mod", head+"require golang.example.org/x/net v1.0.0\n")
			w.Write("go.sum", "golang.example.org/x/net v1.0.0 h1:x\n")
			w.Commit("Take the net by its new name")
			w.Write("go.mod", head+"require golang.example.org/x/net v1.0.2\n")
			w.Write("go.sum", "golang.example.org/x/net v1.0.2 h1:x\n")
			w.names("main", w.Commit("Bump golang.example.org/x/net to v1.0.2"))
		}, "affected not_found"},
		{"a module that took the place of one that the branch has", func(w *world) {
			older(w)
			w.Write("go.mod", head+"require old.example.org/libbox v1.0.0\n")
			w.Write("go.sum", "old.example.org/libbox v1.0.0 h1:x\n")
			c := w.Commit("Prepare")
			w.Checkout("main")
			w.Git("checkout", "-q", c.String(), "--", "go.mod", "go.sum")
			w.Commit("Prepare")
			goMod(w, "v1.0.0")
			w.Commit("Use the box by its new name")
			goMod(w, "v1.0.2")
			w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
		}, "under_investigation not_found kindred"},
		{"brought in by a merge, of which the branch has a commit", func(w *world) {
			w.bring("main", merged, w.commits("Be fast", "20=first way to be fast", "21=second way to be fast"))
			w.introducedBy(w.Rev("main"))
			c := w.Rev("main^2")
			w.Write("server.go", text("20=safe", "21=second way to be fast"))
			w.names("main", w.Commit("Fix it"))
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Write("server.go", text("20=changed here", "19=too", "21=and here"))
			w.Commit("Adapt")
		}, "affected not_found drifted"},
		{"a copy of an older name below vendor, which nothing lists", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("go.mod", head+"go 1.12\n")
			w.Write("vendor/github.example.org/old/gocodec/codec.go", "package gocodec\n")
			w.Write("vendor/example.org/frame/f.go", "package frame\n\nimport \"github.example.org/old/gocodec\"\n")
			w.Commit("Prepare")
			w.Checkout("main")
			w.Write("go.mod", head+"go 1.12\n")
			w.Commit("Prepare")
			goMod(w, "v1.0.0")
			w.Commit("Use codec")
			goMod(w, "v1.0.2")
			w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
		}, "affected not_found"},
		{"a module that is named in quotes", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("go.mod", head+"require \"example.org/other\" v1.0.0\n")
			w.Commit("Prepare")
			w.Checkout("main")
			goMod(w, "v1.0.0")
			w.Commit("Use codec")
			goMod(w, "v1.0.2")
			w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
		}, "affected not_found"},
		{"a module that was raised further", func(w *world) {
			w.Checkout("main")
			goMod(w, "v1.0.2")
			w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
			w.Checkout("release-1.0")
			w.CherryPick(w.Rev("main"))
			goMod(w, "v1.10.0")
			w.Commit("Update dependencies")
		}, "fixed patch_id author_date_subject dependency"},
		{"code that is not there, and a module that no file names", func(w *world) {
			older(w)
			w.Commit("Prepare")
			w.Checkout("main")
			goMod(w, "v1.0.0")
			w.Commit("Use codec")
			w.Write("handler.go", handler())
			w.Commit("Serve names")
			goMod(w, "v1.0.2")
			w.Write("handler.go", handler("read", "write", "remove"))
			w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
		}, "not_affected introduced introduced introduced absent_symbol absent_symbol absent_symbol"},
		{"a fix in two steps, of which one takes lines of the other back", func(w *world) {
			w.Checkout("main")
			w.Write("server.go", text("20=the first way to be safe"))
			a := w.Commit("Fix it for now")
			w.Write("server.go", text("10=the second way to be safe"))
			w.names("main", a, w.Commit("Fix it well"))
			w.Checkout("release-1.0")
			w.CherryPick(w.Rev("main~1"))
			w.CherryPick(w.Rev("main"))
		}, "fixed patch_id author_date_subject patch_id author_date_subject"},
	})
}

// large is a clone in which a version of a file is too large to be read.
type large struct {
	*gitrepo.Repo

	content string
}

func (l large) Blob(ctx context.Context, id git.OID) ([]byte, error) {
	content, err := l.Repo.Blob(ctx, id)
	if strings.Contains(string(content), l.content) {
		return nil, &git.OversizeError{OID: id, Size: 2, Limit: 1}
	}
	return content, err
}

// TestLargeFile has a fix of which one part is in no file of the branch, and the other in one that cannot be read as the fix left it.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Checkout("main")
	w.Write("handler.go", handler())
	w.Commit("Serve names")
	w.Write("handler.go", handler("read", "write", "remove"))
	a := w.Commit("Refuse names that lead out")
	w.Write("server.go", text("20=safe"))
	w.names("main", a, w.Commit("Fix it"))
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, w.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	target := []triage.Target{{Name: "release-1.0", Commit: w.Rev("release-1.0")}}
	for content, want := range map[string]string{"line 19\nsafe": "affected not_found not_found absent_object", "no such text": "affected not_found not_found hole_lines"} {
		verdicts, err := triage.Judge(t.Context(), large{repo, content}, upstream, []*vuln.Record{&w.record}, target)
		if err != nil {
			t.Fatal(err)
		}
		if check(t, verdicts[0]); brief(verdicts[0]) != want {
			t.Errorf("%q too large: %s, want %s", content, brief(verdicts[0]), want)
		}
	}
}
