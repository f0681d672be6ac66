package triage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

const upstream = "example/server"

// world is a small upstream: main, and release-1.0, which left it before anything was fixed.
type world struct {
	*gittest.Repo

	record vuln.Record
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Repo: gittest.New(t), record: vuln.Record{ID: "CVE-1"}}
	w.Write("server.go", text())
	w.Write("other.go", text())
	w.Write("go.mod", "module example.org/server\n\nrequire (\n\texample.org/yaml v1.0.0\n)\n")
	w.Commit("Start")
	w.Branch("release-1.0", "main")
	w.Tag("v1.0.0")
	w.Checkout("main")
	w.Write("new.go", "package server\n")
	w.Commit("Go on")
	return w
}

// text is a file of forty lines; each change replaces a line: "7=seven".
func text(changes ...string) string {
	lines := make([]string, 40)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d", i)
	}
	for _, c := range changes {
		var at int
		fmt.Sscanf(c, "%d=", &at)
		_, lines[at], _ = strings.Cut(c, "=")
	}
	return strings.Join(lines, "\n") + "\n"
}

// fix lands a fix on main and puts it into the record.
func (w *world) fix(message string, changes ...string) git.OID {
	w.Checkout("main")
	w.Write("server.go", text(append([]string{"20=safe"}, changes...)...))
	c := w.Commit(message)
	w.names("main", c)
	return c
}

// names puts a fix into the record: its commits on a branch.
func (w *world) names(branch string, commits ...git.OID) {
	f := vuln.Fix{Repository: upstream, Kind: vuln.KindFix, Commits: map[string][]string{}}
	for _, c := range commits {
		f.Commits[branch] = append(f.Commits[branch], c.String())
	}
	w.record.Kubelts.Fixes = append(w.record.Kubelts.Fixes, f)
}

// onBranch commits to release-1.0 what has the fix, but not its patch.
func (w *world) onBranch(message string) git.OID {
	w.Checkout("release-1.0")
	w.Write("server.go", text("20=safe", "22=adapted"))
	return w.Commit(message)
}

func judge(t *testing.T, dir string, records []*vuln.Record, names ...string) []triage.Verdict {
	t.Helper()
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	var targets []triage.Target
	for _, name := range names {
		oid, unknown := repo.Resolve(t.Context(), name)
		if unknown != nil {
			t.Fatal(unknown)
		}
		targets = append(targets, triage.Target{Name: name, Commit: oid})
	}
	verdicts, err := triage.Judge(t.Context(), repo, upstream, records, targets)
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

// brief is what the cases say of a verdict: status, the release that has the fix, the kinds of evidence.
func brief(v triage.Verdict) string {
	words := []string{string(v.Status)}
	if v.FixedIn != "" {
		words = append(words, v.FixedIn)
	}
	for _, e := range v.Evidence {
		words = append(words, e.Kind)
	}
	return strings.Join(words, " ")
}

type scenario struct {
	name string
	make func(w *world)
	want string // brief of release-1.0
}

func run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s.make(w)
			verdicts := judge(t, w.Dir, []*vuln.Record{&w.record}, "release-1.0", "main")
			if got := brief(verdicts[0]); got != s.want {
				t.Errorf("release-1.0: %s\nwant %s\n%+v", got, s.want, verdicts[0].Evidence)
			}
			for _, v := range verdicts {
				check(t, v)
			}
		})
	}
}

// check holds for every verdict.
func check(t *testing.T, v triage.Verdict) {
	t.Helper()
	if err := v.Status.Validate(); err != nil {
		t.Error(err)
	}
	if len(v.Evidence) == 0 {
		t.Errorf("%s on %s: no evidence", v.Vulnerability, v.Branch)
	}
	if fixed := v.Status == triage.Fixed; fixed != !v.Commit.IsZero() || fixed && len(v.Matches) == 0 || !fixed && v.FixedIn != "" {
		t.Errorf("%s on %s: %s with commit %s, fixed in %q, %d matches", v.Vulnerability, v.Branch, v.Status, v.Commit, v.FixedIn, len(v.Matches))
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{"ancestor", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("server.go", text("20=safe"))
			w.names("main", w.Commit("Fix it"))
			w.Tag("v1.0.1")
			w.Commit("Later")
			w.Tag("v1.0.2")
			w.Checkout("main")
			w.Merge("release-1.0", "Merge release-1.0")
		}, "fixed v1.0.1 ancestor"},
		{"equal patch, nothing else", func(w *world) {
			w.fix("Fix it")
			w.Checkout("release-1.0")
			w.Write("server.go", text("20=safe"))
			w.Commit("Make it safe")
			w.Tag("v1.0.1")
		}, "fixed v1.0.1 patch_id"},
		{"equal patch at other line numbers", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("server.go", "header\n"+text())
			w.Commit("Add a header")
			w.fix("Fix it")
			w.Checkout("release-1.0")
			w.Write("server.go", "header\n"+text("20=safe"))
			w.Commit("Make it safe")
		}, "fixed patch_id"},
		{"author, date and subject", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Write("server.go", text("20=safe", "21=adapted"))
			w.Git("commit", "-qa", "--amend", "--no-edit")
			w.Tag("v1.0.1")
		}, "fixed v1.0.1 author_date_subject"},
		{"one of two commits that are alike, told by its files", func(w *world) {
			first := w.fix("Update generated files")
			date := "--date=" + w.Git("show", "-s", "--format=%aI", first.String())
			w.Write("other.go", text("30=safe"))
			w.Git("commit", "-qa", date, "-m", "Update generated files")
			w.Checkout("release-1.0")
			w.Write("server.go", text("20=safe", "21=adapted"))
			w.Git("commit", "-qa", date, "-m", "Update generated files")
			w.Write("other.go", text("30=safe", "31=adapted"))
			w.Git("commit", "-qa", date, "-m", "Update generated files")
			w.Tag("v1.0.1")
		}, "fixed v1.0.1 author_date_subject"},
		{"the merge picked whole, under the commit's subject", func(w *world) {
			w.Branch("topic", "main")
			w.Write("server.go", text("20=safe"))
			w.names("main", w.Commit("Fix it"))
			w.Checkout("main")
			m := w.Merge("topic", "Merge pull request #7 from ada/topic")
			w.Checkout("release-1.0")
			w.Write("server.go", text("20=safe", "21=adapted"))
			w.Git("commit", "-qa", "-m", "Fix it", "--date="+w.Git("show", "-s", "--format=%aI", m.String()))
			w.Tag("v1.0.1")
		}, "fixed v1.0.1 author_date_subject"},
		{"a clean cherry-pick", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.Git("cherry-pick", "-x", c.String())
		}, "fixed patch_id trailer author_date_subject"},
		{"cherry picked from commit", func(w *world) {
			c := w.fix("Fix it")
			w.onBranch("Make it safe\n\n(cherry picked from commit " + c.String() + ")\n")
		}, "fixed trailer"},
		{"picked from what was picked", func(w *world) {
			c := w.fix("Fix it")
			w.Branch("release-1.1", c.String()+"~1")
			w.Write("server.go", text("20=safe", "24=other"))
			second := w.Commit("Make it safe\n\n(cherry picked from commit " + c.String() + ")\n")
			w.onBranch("Safe\n\n(cherry picked from commit " + second.String() + ")\n")
			w.names("release-1.1", second)
			w.record.Kubelts.Fixes[0].Commits["release-1.1"] = w.record.Kubelts.Fixes[1].Commits["release-1.1"]
			w.record.Kubelts.Fixes = w.record.Kubelts.Fixes[:1]
		}, "fixed trailer"},
		{"Kubernetes-commit", func(w *world) {
			origin := "\n\nKubernetes-commit: " + strings.Repeat("ab", 20) + "\n"
			w.fix("Fix it" + origin)
			w.onBranch("Make it safe" + origin)
		}, "fixed trailer"},
		{"picked from the Kubernetes-commit", func(w *world) {
			w.fix("Fix it\n\nKubernetes-commit: " + strings.Repeat("ab", 20) + "\n")
			w.onBranch("Make it safe\n\n(cherry picked from commit " + strings.Repeat("ab", 20) + ")\n\nKubernetes-commit: " + strings.Repeat("cd", 20) + "\n")
		}, "fixed trailer"},
		{"a dependency brought to the same version", func(w *world) {
			w.Write("go.mod", "module example.org/server\n\nrequire (\n\texample.org/net v0.3.0\n\texample.org/yaml v1.0.2\n)\n")
			w.names("main", w.Commit("bump example.org/yaml to v1.0.2"))
			w.Checkout("release-1.0")
			w.Write("go.mod", "module example.org/server\n\nrequire (\n\texample.org/yaml v1.0.2 // indirect\n)\n")
			w.Commit("bump example.org/yaml to v1.0.2")
		}, "fixed dependency"},
		{"named for the branch", func(w *world) {
			w.fix("Fix it")
			c := w.onBranch("Make it safe")
			w.record.Kubelts.Fixes[0].Commits["release-1.0"] = []string{c.String()[:12]}
		}, "fixed named"},
		{"a fix that only release branches took stands in", func(w *world) {
			w.fix("Remove it")
			w.names("release-1.0", w.onBranch("Blank it out"))
		}, "fixed named"},
		{"fixed events of a GIT range, one a branch", func(w *world) {
			w.fix("Fix it")
			c := w.onBranch("Make it safe")
			f := &w.record.Kubelts.Fixes[0]
			f.Commits = map[string][]string{f.Commits["main"][0]: f.Commits["main"], c.String(): {c.String()}}
		}, "fixed ancestor"},
		{"a fix that no branch has", func(w *world) {
			c := w.fix("Fix it")
			w.Git("update-ref", "refs/pull/7/head", c.String())
			w.Git("reset", "-q", "--hard", "HEAD~1")
			w.Checkout("release-1.0")
			w.CherryPick(c)
		}, "fixed patch_id author_date_subject"},
	})
}

func TestPullRequests(t *testing.T) {
	t.Parallel()
	const merged = "Merge pull request #7 from ada/fix\n\nFix the server"
	const carried = "Merge pull request #9 from ada/automated-cherry-pick-of-#5-#7-upstream-release-1.0\n\nAutomated cherry pick of #5: x #7: Fix the server"
	// land merges a fix as pull request 7.
	land := func(w *world) {
		w.Branch("topic", "main")
		w.Write("server.go", text("20=safe"))
		w.names("main", w.Commit("Fix it"))
		w.Checkout("main")
		w.Merge("topic", merged)
	}
	// carry merges commits into release-1.0 with a message.
	carry := func(w *world, message string, subjects ...string) {
		w.Branch("carry", "release-1.0")
		for i, s := range subjects {
			w.Write("server.go", text("20=safe", fmt.Sprintf("22=%d", i)))
			w.Commit(s)
		}
		w.Checkout("release-1.0")
		w.Merge("carry", message)
		w.Tag("v1.0.1")
	}
	run(t, []scenario{
		{"cherry-pick with the fix's subject", func(w *world) { land(w); carry(w, carried, "Something", "Fix it") }, "fixed v1.0.1 cherry_pick_pull_request"},
		{"branch in brackets before the subject", func(w *world) { land(w); carry(w, carried, "Something", "[release-1.0] Fix it") }, "fixed v1.0.1 cherry_pick_pull_request"},
		{"squashed to one commit", func(w *world) { land(w); carry(w, carried, "Everything at once") }, "fixed v1.0.1 cherry_pick_pull_request"},
		{"squashed without a merge", func(w *world) { land(w); w.onBranch("Cherry pick of #7: make it safe (#9)") }, "fixed cherry_pick_pull_request"},
		{"the robot's branch name", func(w *world) {
			land(w)
			carry(w, "Merge pull request #9 from robot/cherry-pick-7-to-release-1.0\n\nText", "Fix it")
		}, "fixed v1.0.1 cherry_pick_pull_request"},
		{"the number is in the record only", func(w *world) {
			w.fix("Fix it")
			w.record.Kubelts.Fixes[0].PullRequest = 7
			carry(w, carried, "Fix it")
		}, "fixed v1.0.1 cherry_pick_pull_request"},
		{"the record names the cherry-pick", func(w *world) {
			w.fix("Fix it")
			w.record.Kubelts.Fixes[0].PullRequests = map[string]int{"release-1.0": 9}
			carry(w, "Merge pull request #9 from ada/by-hand\n\nSafe", "Fix it")
		}, "fixed v1.0.1 cherry_pick_pull_request"},
		{"merges that were flattened", func(w *world) {
			w.fix("Fix it")
			w.Commit(merged)
			w.Checkout("release-1.0")
			w.onBranch("Fix it")
			w.Commit(carried)
		}, "fixed cherry_pick_pull_request"},
		{"a fix given as a merge", func(w *world) {
			land(w)
			w.record.Kubelts.Fixes = nil
			w.names("main", w.Rev("main"))
			carry(w, carried, "Fix it")
		}, "fixed v1.0.1 cherry_pick_pull_request"},
		{"other commits only", func(w *world) { land(w); carry(w, carried, "Something", "Else") }, "under_investigation not_found fix_lines"},
		{"one commit that touches other files", func(w *world) {
			land(w)
			w.Checkout("release-1.0")
			w.Write("other.go", text("1=x"))
			w.Commit("Cherry pick of #7: make it safe (#9)")
		}, "affected not_found hole_lines"},
		{"another commit of the same subject, of which the branch has the instance", func(w *world) {
			w.Write("server.go", text("30=other"))
			twin := w.Commit("Fix it")
			w.Branch("topic", "main")
			w.Write("server.go", text("20=safe", "30=other"))
			w.names("main", w.Commit("Fix it"))
			w.Checkout("main")
			w.Merge("topic", merged)
			w.Branch("carry", "release-1.0")
			w.CherryPick(twin)
			w.Checkout("release-1.0")
			w.Merge("carry", carried)
		}, "affected not_found hole_lines"},
		{"part of the pull request", func(w *world) { land(w); w.onBranch("Cherry-pick part of #7") }, "under_investigation not_found fix_lines"},
		{"another pull request", func(w *world) { land(w); carry(w, strings.ReplaceAll(carried, "#7", "#77"), "Fix it") }, "under_investigation not_found fix_lines"},
	})
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{"nothing there", func(w *world) { w.fix("Fix it") }, "affected not_found hole_lines"},
		{"equal subject alone", func(w *world) { w.fix("Fix it"); w.onBranch("Fix it") }, "under_investigation not_found fix_lines"},
		{"a claim without the files", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.Write("other.go", text("1=x"))
			w.Commit("Fix it\n\n(cherry picked from commit " + c.String() + ")\n")
		}, "affected not_found hole_lines"},
		{"a claim without any change", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.Commit("Fix it\n\n(cherry picked from commit " + c.String() + ")\n")
		}, "affected not_found hole_lines"},
		{"one of two commits that are alike, their files do not tell which", func(w *world) {
			first := w.fix("Update generated files")
			w.Write("server.go", text("20=safe", "30=safe"))
			w.Git("commit", "-qa", "--date="+w.Git("show", "-s", "--format=%aI", first.String()), "-m", "Update generated files")
			second := w.Rev("HEAD")
			w.Checkout("release-1.0")
			w.Write("server.go", text("30=safe", "31=adapted"))
			w.Commit("Update generated files")
			w.Git("commit", "-q", "--amend", "--no-edit", "--date="+w.Git("show", "-s", "--format=%aI", second.String()))
		}, "affected not_found hole_lines"},
		{"a dependency brought to another version", func(w *world) {
			w.Write("go.mod", "module example.org/server\n\nrequire (\n\texample.org/yaml v1.0.2\n)\n")
			w.names("main", w.Commit("bump example.org/yaml"))
			w.Checkout("release-1.0")
			w.Write("go.mod", "module example.org/server\n\nrequire (\n\texample.org/yaml v1.0.1\n)\n")
			w.Commit("bump example.org/yaml")
		}, "affected not_found"},
		{"named for the branch but not on it", func(w *world) {
			c := w.fix("Fix it")
			w.record.Kubelts.Fixes[0].Commits["release-1.0"] = []string{c.String()}
		}, "affected not_found hole_lines"},
		{"one commit of two", func(w *world) {
			a := w.fix("Fix it")
			b := w.fix("Fix it more", "30=safer")
			w.record.Kubelts.Fixes = nil
			w.names("main", a, b)
			w.Checkout("release-1.0")
			w.CherryPick(a)
		}, "affected patch_id author_date_subject partial"},
		{"one fix of two", func(w *world) {
			a := w.fix("Fix it")
			w.fix("Fix it more", "30=safer")
			w.Checkout("release-1.0")
			w.CherryPick(a)
		}, "affected patch_id author_date_subject partial"},
		{"a commit that this clone does not have", func(w *world) { w.names("main", git.MustOID(strings.Repeat("12", 20))) }, "under_investigation absent_object"},
		{"an abbreviated name that leads nowhere", func(w *world) {
			w.fix("Fix it")
			w.record.Kubelts.Fixes[0].Commits["main"] = []string{"1212121"}
		}, "under_investigation absent_object"},
		{"the branch's own commit is not here", func(w *world) {
			w.fix("Fix it")
			w.record.Kubelts.Fixes[0].Commits["release-1.0"] = []string{strings.Repeat("12", 20)}
		}, "under_investigation not_found absent_object"},
		{"another branch's commit is not here", func(w *world) {
			w.fix("Fix it")
			w.record.Kubelts.Fixes[0].Commits["release-1.1"] = []string{strings.Repeat("12", 20)}
		}, "affected not_found absent_object hole_lines"},
		{"no fix in the record", func(*world) {}, "under_investigation no_fix_known"},
		{"a fix in another repository", func(w *world) {
			w.fix("Fix it")
			w.record.Kubelts.Fixes[0].Repository = "example/client"
		}, "under_investigation no_fix_known"},
		{"withdrawn", func(w *world) {
			w.fix("Fix it")
			w.record.Withdrawn = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
		}, "under_investigation withdrawn"},
		{"brought in after the branch left, says the record, but the branch has the lines", func(w *world) {
			w.introducedBy(w.Rev("main"))
			w.fix("Fix it")
		}, "under_investigation introduced hole_lines"},
		{"brought in after the branch left", func(w *world) {
			w.introducedBy(w.Rev("main"))
			w.Checkout("main")
			w.Write("new.go", "package server\n\nvar limit = 10\n")
			w.names("main", w.Commit("Fix it"))
		}, "not_affected introduced"},
		{"brought in before the branch left", func(w *world) {
			w.introducedBy(w.Rev("release-1.0"))
			w.fix("Fix it")
		}, "affected not_found hole_lines"},
		{"brought in, and carried to the branch", func(w *world) {
			c := w.Rev("main")
			w.introducedBy(c)
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.fix("Fix it")
		}, "affected not_found hole_lines"},
		{"brought in by what is not here", func(w *world) {
			w.introducedBy(git.MustOID(strings.Repeat("12", 20)))
			w.fix("Fix it")
		}, "affected not_found absent_object hole_lines"},
	})
}

func (w *world) introducedBy(c git.OID) {
	w.record.Affected = []vuln.Affected{{Ranges: []vuln.Range{{Type: vuln.RangeGit, Repo: "https://github.com/" + upstream, Events: []vuln.Event{{Introduced: c.String()}}}}}}
}

func TestReverts(t *testing.T) {
	t.Parallel()
	// picked lands a fix on main and on release-1.0.
	picked := func(w *world) (onMain, onBranch git.OID) {
		c := w.fix("Fix it")
		w.Checkout("release-1.0")
		return c, w.CherryPick(c)
	}
	// back undoes on the branch what is checked out, with a message; forth does it again.
	back := func(w *world, message string) git.OID { w.Write("server.go", text()); return w.Commit(message) }
	forth := func(w *world, message string) git.OID {
		w.Write("server.go", text("20=safe"))
		return w.Commit(message)
	}
	run(t, []scenario{
		{"by name", func(w *world) { _, c := picked(w); back(w, "Take it out\n\nThis reverts commit "+c.String()+".\n") }, "affected reverted"},
		{"by an abbreviated name", func(w *world) {
			_, c := picked(w)
			back(w, "Take it out\n\nThis reverts commit "+c.String()[:9]+".\n")
		}, "affected reverted"},
		{"by subject", func(w *world) { picked(w); back(w, `Revert "Fix it"`) }, "affected reverted"},
		{"by git", func(w *world) { _, c := picked(w); w.Git("revert", "--no-edit", c.String()) }, "affected reverted"},
		{"by the name on main, picked", func(w *world) {
			c, _ := picked(w)
			w.Checkout("main")
			r := back(w, "Take it out\n\nThis reverts commit "+c.String()+".\n")
			w.Checkout("release-1.0")
			w.CherryPick(r)
		}, "affected reverted"},
		{"by pull request", func(w *world) {
			w.Branch("topic", "release-1.0")
			w.names("main", forth(w, "Fix it"))
			w.Checkout("release-1.0")
			w.Merge("topic", "Merge pull request #700 from ada/topic\n\nFix the server")
			back(w, "Revert pr 700")
		}, "affected reverted"},
		{"by a merge's title", func(w *world) {
			w.Branch("topic", "release-1.0")
			w.names("main", forth(w, "Fix it"))
			w.Checkout("release-1.0")
			w.Merge("topic", "Merge pull request #700 from ada/topic\n\nFix the server")
			back(w, `Revert "Fix the server"`)
		}, "affected reverted"},
		{"by a merge's name", func(w *world) {
			w.Branch("topic", "release-1.0")
			w.names("main", forth(w, "Fix it"))
			w.Checkout("release-1.0")
			m := w.Merge("topic", "Merge pull request #700 from ada/topic\n\nFix the server")
			w.Git("revert", "--no-edit", "-m1", m.String())
		}, "affected reverted"},
		{"by the name in kubernetes/kubernetes", func(w *world) {
			w.fix("Fix it\n\nKubernetes-commit: " + strings.Repeat("ab", 20) + "\n")
			w.onBranch("Make it safe\n\nKubernetes-commit: " + strings.Repeat("ab", 20) + "\n")
			back(w, "Take it out\n\nThis reverts commit "+strings.Repeat("ab", 20)+".\n")
		}, "affected reverted"},
		{"reverted on main only", func(w *world) {
			c, _ := picked(w)
			w.Checkout("main")
			back(w, "Take it out\n\nThis reverts commit "+c.String()+".\n")
		}, "fixed patch_id author_date_subject"},
		{"a revert that touches other files", func(w *world) {
			_, c := picked(w)
			w.Write("other.go", text("1=x"))
			w.Commit("Hostile\n\nThis reverts commit " + c.String() + ".\n")
		}, "fixed patch_id author_date_subject"},
		{"a revert of something else with the same subject", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("server.go", text("1=one"))
			other := w.Commit("Fix it")
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Git("revert", "--no-edit", other.String())
		}, "fixed patch_id author_date_subject"},
		{"the revert was reverted", func(w *world) {
			_, c := picked(w)
			w.Tag("v1.0.1")
			r := back(w, "Take it out\n\nThis reverts commit "+c.String()+".\n")
			w.Tag("v1.0.2")
			forth(w, "Put it in\n\nThis reverts commit "+r.String()+".\n")
			w.Tag("v1.0.3")
			w.Commit("Later")
			w.Tag("v1.0.4")
		}, "fixed v1.0.3 patch_id author_date_subject restored"},
		{"reapplied by subject", func(w *world) { picked(w); back(w, `Revert "Fix it"`); forth(w, `Reapply "Fix it"`) }, "fixed patch_id author_date_subject restored"},
		{"the revert's revert was reverted", func(w *world) {
			_, c := picked(w)
			w.Git("revert", "--no-edit", c.String())
			w.Git("revert", "--no-edit", "HEAD")
			w.Git("revert", "--no-edit", "HEAD")
		}, "affected reverted"},
		{"a revert's revert that touches only some of its files", func(w *world) {
			picked(w)
			w.Write("server.go", text())
			w.Write("other.go", text("1=x"))
			r := w.Commit(`Revert "Fix it"`)
			w.Write("other.go", text("2=x"))
			w.Commit("Put a part back\n\nThis reverts commit " + r.String() + ".\n")
		}, "affected reverted"},
		{"landed again", func(w *world) {
			c, _ := picked(w)
			w.Tag("v1.0.1")
			back(w, `Revert "Fix it"`)
			w.Tag("v1.0.2")
			w.CherryPick(c)
			w.Tag("v1.0.3")
		}, "fixed v1.0.3 patch_id author_date_subject"},
	})
}

func TestFixedIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		make         func(w *world)
		branch, main string
	}{
		{"no release yet", func(*world) {}, "", ""},
		{"a pre-release while there is nothing else", func(w *world) { w.Tag("v1.0.1-rc.0") }, "v1.0.1-rc.0", ""},
		{"the release, not its candidate", func(w *world) { w.Tag("v1.0.1-rc.0"); w.Tag("v1.0.1") }, "v1.0.1", ""},
		{"numbers, not letters", func(w *world) { w.Tag("v1.0.10"); w.Tag("v1.0.9") }, "v1.0.9", ""},
		{"another minor's tag", func(w *world) { w.Tag("v1.1.0") }, "", ""},
		{"somebody else's tags", func(w *world) { w.Tag("v1.0.1+lts.1"); w.Tag("v1.0.1-eks-1-2-3"); w.Tag("nightly") }, "", ""},
		{"main's first release", func(w *world) {
			w.Checkout("main")
			w.Tag("v1.2.0-alpha.1")
			w.Tag("v1.2.0")
			w.Tag("v1.3.0")
		}, "", "v1.2.0"},
		{"staging repositories", func(w *world) { w.Tag("v0.0.1"); w.Tag("v1.0.1"); w.Tag("kubernetes-1.0.2") }, "kubernetes-1.0.2", ""},
		{"a tag beside the branch", func(w *world) {
			w.Git("checkout", "-q", "--detach", "release-1.0")
			w.Commit("Pin versions")
			w.Tag("v1.0.1")
		}, "v1.0.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			fix := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(fix)
			c.make(w)
			verdicts := judge(t, w.Dir, []*vuln.Record{&w.record}, "release-1.0", "main")
			if diff := cmp.Diff([]string{c.branch, c.main}, []string{verdicts[0].FixedIn, verdicts[1].FixedIn}); diff != "" {
				t.Errorf("fixed in (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.fix("Fix it")
	b := w.fix("Fix it more", "30=safer")
	w.record.Kubelts.Fixes = nil
	w.names("main", a, b)
	w.Branch("release-1.1", "main")
	w.Checkout("release-1.0")
	onA := w.CherryPick(a)
	w.Branch("release-0.9", "release-1.0")
	onB := w.CherryPick(b)
	verdicts := judge(t, w.Dir, []*vuln.Record{&w.record}, "release-0.9", "release-1.0", "release-1.1", "v1.0.0")
	got := map[string][]triage.Match{}
	for _, v := range verdicts {
		got[v.Branch] = v.Matches
	}
	want := map[string][]triage.Match{
		"release-0.9": {{Commit: a, On: onA, Kind: triage.KindPatchID}, {Commit: b, On: onB, Kind: triage.KindPatchID}},
		"release-1.0": {{Commit: a, On: onA, Kind: triage.KindPatchID}},
		"release-1.1": {{Commit: a, On: a, Kind: triage.KindAncestor}, {Commit: b, On: b, Kind: triage.KindAncestor}},
		"v1.0.0":      nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("matches (-want +got):\n%s", diff)
	}
}
