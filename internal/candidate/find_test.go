package candidate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/candidate"
	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

const upstream = "example/server"

// server is a source file with two functions; edit makes versions of it.
const server = `package server

// Serve answers requests until the listener is closed by its owner.
func Serve(conn *Conn) error {
	request := conn.ReadRequest()
	handler := lookUpHandler(request.Path)
	response := handler.Answer(request)
	return conn.WriteResponse(response)
}

// Store keeps what was answered in a file for those who ask again.
func Store(response *Response) error {
	file := openResponseFile(response.Name)
	encoded := encodeResponse(response)
	writeEverything(file, encoded)
	return nil
}
`

func edit(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(server) }

var (
	// fixed checks for what crashed.
	fixed = edit("	response := handler.Answer(request)\n", "	if handler == nil {\n		return errUnknownPath\n	}\n	response := handler.Answer(request)\n")
	// stored changes the other function.
	stored = edit("	writeEverything(file, encoded)\n	return nil\n", "	if err := writeEverything(file, encoded); err != nil {\n		return err\n	}\n	return file.Sync()\n")
)

// world is a repository with the branches main, release-1.0, release-1.1 and release-1.2.
type world struct {
	*gittest.Repo

	records []*vuln.Record
	pulls   map[int]candidate.Pull
	options candidate.Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Repo: gittest.New(t)}
	w.Write("server.go", server)
	w.Write("server_test.go", "package server\n")
	w.Write("go.mod", "module example.org/server\n\nrequire example.org/net v0.1.0\n")
	w.Write("README.md", "A server\n")
	w.Write("hack/check.sh", "true\n")
	w.Write("zz_generated.deepcopy.go", "package server\n")
	w.Commit("Start")
	w.Branch("release-1.0", "main")
	w.Tag("v1.0.0")
	w.Checkout("main")
	w.Write("young.go", "package server\n\nfunc Young(name string) string {\n\treturn describeYoungServer(name)\n}\n")
	w.Commit("Grow something younger")
	w.Branch("release-1.1", "main")
	w.Commit("Begin 1.1")
	w.Tag("v1.1.0")
	w.Checkout("main")
	w.Commit("Go on")
	w.Branch("release-1.2", "main")
	w.Commit("Begin 1.2")
	w.Checkout("main")
	return w
}

// change commits a file's new content on the main branch, and picks it onto branches.
func (w *world) change(name, content, message string, branches ...string) git.OID {
	w.Checkout("main")
	w.Write(name, content)
	oid := w.Commit(message)
	w.pick(oid, branches...)
	return oid
}

func (w *world) pick(oid git.OID, branches ...string) {
	for _, b := range branches {
		w.Checkout(b)
		w.CherryPick(oid)
	}
	w.Checkout("main")
}

// find looks for the candidates of release-1.0.
func (w *world) find(t *testing.T) *candidate.Report {
	t.Helper()
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, w.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	r := candidate.Repository{Name: upstream, Records: w.records, Pulls: w.pulls, Main: candidate.Branch{Name: "main", Commit: w.Rev("main")}}
	for minor := range 3 {
		m := release.Minor{Major: 1, Minor: minor}
		r.Branches = append(r.Branches, candidate.Branch{Name: m.Branch(), Commit: w.Rev(m.Branch()), Minor: m})
	}
	finder, err := candidate.Open(t.Context(), repo, r)
	if err != nil {
		t.Fatal(err)
	}
	report, err := finder.Find(t.Context(), r.Branches[0], w.options)
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, n := range report.LeftOut {
		left += n
	}
	if left != len(report.Left) {
		t.Errorf("%d left out, %d named", left, len(report.Left))
	}
	return report
}

// outcome is what became of the change with a subject.
func outcome(r *candidate.Report, subject string) string {
	for _, c := range r.Candidates {
		if c.Subject == subject {
			return "candidate " + c.Class
		}
	}
	for _, u := range r.NotObserved {
		if u.Subject == subject {
			return "not observed"
		}
	}
	for _, l := range r.Left {
		if l.Subject == subject {
			return string(l.Reason)
		}
	}
	return "not looked at"
}

const (
	both    = "release-1.1 release-1.2"
	subject = "Look whether there is a handler"
)

func TestReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		make       func(w *world)
	}{
		{"a fix that newer branches took", "candidate picked", func(w *world) { w.change("server.go", fixed, subject, strings.Fields(both)...) }},
		{"one branch took it from main", "candidate picked", func(w *world) { w.change("server.go", fixed, subject, "release-1.1") }},
		{"one branch has it alone", "candidate branch", func(w *world) {
			w.Checkout("release-1.1")
			w.Write("server.go", fixed)
			w.Commit(subject)
		}},
		{"one branch has it alone and says that it is a pick", "candidate picked", func(w *world) {
			w.Checkout("release-1.1")
			w.Write("server.go", fixed)
			w.Commit(subject + "\n\n(cherry picked from commit 1234567890123456789012345678901234567890)\n")
		}},
		{"the line took it", "on_line", func(w *world) { w.change("server.go", fixed, subject, "release-1.0", "release-1.1") }},
		{"the line has it in other words of the same subject", "on_line", func(w *world) {
			w.change("server.go", stored, subject, "release-1.1")
			w.Checkout("release-1.0")
			w.Write("server.go", strings.ReplaceAll(stored, "return file.Sync()", "return file.SyncAll()"))
			w.Commit(subject)
		}},
		{"the line's lines are those of the fix", "already_there", func(w *world) {
			w.change("server.go", stored, subject, "release-1.1")
			w.Checkout("release-1.0")
			w.Write("server.go", strings.ReplaceAll(stored, "ReadRequest", "ReadWholeRequest"))
			w.Commit("Do much")
		}},
		{"the line took it back", "reverted_on_line", func(w *world) {
			w.change("server.go", fixed, subject, "release-1.0", "release-1.1")
			w.Checkout("release-1.0")
			w.Git("revert", "--no-edit", "HEAD")
		}},
		{"the line never had the code", "code_absent", func(w *world) {
			w.change("young.go", "package server\n\nfunc Young(name string) string {\n\treturn describeYoungServer(name + name)\n}\n", subject, "release-1.1")
		}},
		{"it only adds", "new_code", func(w *world) { w.change("server.go", server+"\nfunc Added() {}\n", subject, "release-1.1") }},
		{"newer branches took it back", "reverted", func(w *world) {
			w.change("server.go", fixed, subject, "release-1.1")
			w.Git("revert", "--no-edit", "HEAD")
			w.Checkout("release-1.1")
			w.Git("revert", "--no-edit", "HEAD")
		}},
		{"one of two took it back", "candidate picked", func(w *world) {
			w.change("server.go", fixed, subject, strings.Fields(both)...)
			w.Checkout("release-1.1")
			w.Git("revert", "--no-edit", "HEAD")
		}},
		{"a record names its commit", "known", func(w *world) { w.known(w.change("server.go", fixed, subject, "release-1.1").String(), 0) }},
		{"a record names the start of its name", "known", func(w *world) { w.known(w.change("server.go", fixed, subject, "release-1.1").Short(), 0) }},
		{"a record names its pull request", "known", func(w *world) {
			w.known("", 77)
			w.Checkout("release-1.1")
			w.Write("server.go", fixed)
			w.Commit(subject + " (#77)")
		}},
		{"it was taken before the line ended", "before_end", func(w *world) {
			w.change("server.go", fixed, subject, strings.Fields(both)...)
			w.Checkout("release-1.0")
			w.Write("README.md", "The last\n")
			w.Commit("Release")
			w.Tag("v1.0.1")
		}},
		{"taken before the line ended, but since is earlier", "candidate picked", func(w *world) {
			w.change("server.go", fixed, subject, strings.Fields(both)...)
			w.Checkout("release-1.0")
			w.Write("README.md", "The last\n")
			w.Commit("Release")
			w.Tag("v1.0.1")
			w.options.Since = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
		{"only tests", "tests_only", func(w *world) { w.change("server_test.go", "package server\n\nvar x int\n", subject, "release-1.1") }},
		{"only documents", "docs_only", func(w *world) { w.change("README.md", "A server, really\n", subject, "release-1.1") }},
		{"only generated files", "generated_only", func(w *world) {
			w.change("zz_generated.deepcopy.go", "package server\n\nvar y int\n", subject, "release-1.1")
		}},
		{"only scripts", "build_only", func(w *world) { w.change("hack/check.sh", "false\n", subject, "release-1.1") }},
		{"only dependencies", "dependencies_only", func(w *world) {
			w.change("go.mod", "module example.org/server\n\nrequire example.org/net v0.2.0\n", subject, "release-1.1")
		}},
		{"dependencies for a flaw", "candidate picked", func(w *world) {
			w.change("go.mod", "module example.org/server\n\nrequire example.org/net v0.2.0\n", subject+"\n\nFor CVE-2023-1234.\n", "release-1.1")
		}},
		{"nothing at all", "empty", func(w *world) {
			w.Checkout("release-1.1")
			w.Commit(subject)
		}},
		{"a revert of what the line never had", "already_there", func(w *world) {
			w.Checkout("release-1.1")
			w.Write("server.go", fixed)
			w.Commit("Look")
			w.Write("server.go", server)
			w.Commit(subject + "\n\nThis reverts commit 1234567890123456789012345678901234567890.\n")
		}},
		{"a revert of what the line has", "candidate branch", func(w *world) {
			w.Checkout("release-1.1")
			w.Write("server.go", edit("	writeEverything(file, encoded)\n", ""))
			w.Commit(subject + "\n\nThis reverts commit 1234567890123456789012345678901234567890.\n")
		}},
		{"the main branch alone has it", "not looked at", func(w *world) { w.change("server.go", fixed, subject) }},
		{"the main branch alone has it, asked for, without a severe word", "no_sign", func(w *world) {
			w.change("server.go", fixed, subject)
			w.options.Main = true
		}},
		{"an object is absent", "not observed", func(w *world) {
			w.change("server.go", fixed, subject, "release-1.1")
			w.lose("release-1.0:server.go")
		}},
		{"the change cannot be read", "not observed", func(w *world) {
			w.change("server.go", fixed, subject, "release-1.1")
			w.lose("release-1.1:server.go")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.make(w)
			report := w.find(t)
			if got := outcome(report, titled(report, subject)); got != c.want {
				t.Errorf("%s, want %s\n%+v", got, c.want, report)
			}
		})
	}
}

// titled is the subject in the report that begins with a text; the text itself where there is none.
func titled(r *candidate.Report, start string) string {
	for _, l := range r.Left {
		if strings.HasPrefix(l.Subject, start) {
			return l.Subject
		}
	}
	return start
}

func (w *world) known(commit string, pull int) {
	f := vuln.Fix{Repository: upstream, Kind: vuln.KindFix, PullRequest: pull}
	if commit != "" {
		f.Commits = map[string][]string{"main": {commit}}
	}
	w.records = []*vuln.Record{{ID: "CVE-2020-0001", Kubelts: vuln.Extension{Fixes: []vuln.Fix{f}}}}
}

// lose takes an object out of the repository, as in a partial clone.
func (w *world) lose(rev string) {
	name := w.Rev(rev).String()
	if err := os.Remove(filepath.Join(w.Dir, ".git", "objects", name[:2], name[2:])); err != nil {
		panic(err)
	}
}

func TestMainBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change("server.go", fixed, "Fix a panic")
	w.options.Main = true
	report := w.find(t)
	if got := outcome(report, "Fix a panic"); got != "candidate main" {
		t.Errorf("%s, want a candidate of the main branch", got)
	}
}

// TestTogether has a pull request of a fix, its test and a raised dependency: one candidate of three commits, oldest first.
func TestTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Branch("topic", "release-1.1")
	w.Write("server.go", fixed)
	first := w.Commit("Fix the nil pointer of unknown paths")
	w.Write("server_test.go", "package server\n\nvar tested int\n")
	second := w.Commit("Test it")
	w.Write("go.mod", "module example.org/server\n\nrequire example.org/net v0.2.0\n")
	third := w.Commit("Raise net")
	w.Checkout("release-1.1")
	w.Merge("topic", "Merge pull request #9 from ada/automated-cherry-pick-of-#8-upstream-release-1.1\n\nAutomated cherry pick of #8: A crash at unknown paths")
	report := w.find(t)
	if len(report.Candidates) != 1 {
		t.Fatalf("%d candidates, want 1\n%+v", len(report.Candidates), report)
	}
	c := report.Candidates[0]
	if diff := cmp.Diff([]git.OID{first, second, third}, c.Commits); diff != "" {
		t.Errorf("commits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{8}, c.Pulls); diff != "" || c.Commit != first || c.Title != "A crash at unknown paths" || c.Class != candidate.ClassPicked {
		t.Errorf("pulls %v, commit %s, title %q, class %s", c.Pulls, c.Commit, c.Title, c.Class)
	}
	if report.LeftOut[candidate.Together] != 2 || report.Changes != 5 {
		t.Errorf("left out %v of %d", report.LeftOut, report.Changes)
	}
	if !slices.ContainsFunc(c.Signs, func(s candidate.Sign) bool { return s.Kind == candidate.SignTests }) {
		t.Errorf("the test is no sign: %+v", c.Signs)
	}
}

func TestCandidate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pulls = map[int]candidate.Pull{5: {Labels: []string{"priority/critical-urgent", "size/XS"}, Names: []string{"CVE-2020-0009"}}}
	oid := w.change("server.go", fixed, "Fix a panic at unknown paths (#5)", strings.Fields(both)...)
	w.Checkout("release-1.2")
	w.Git("revert", "--no-edit", "HEAD")
	report := w.find(t)
	if len(report.Candidates) != 1 {
		t.Fatalf("%d candidates, want 1\n%+v", len(report.Candidates), report)
	}
	got := report.Candidates[0]
	nearest := w.Rev("release-1.1")
	at := func(minute int) time.Time { return time.Date(2020, 1, 1, 0, minute, 0, 0, time.UTC) }
	want := candidate.Candidate{
		Severity: []string{"security", "crash", "bug"}, Class: candidate.ClassPicked, Commit: nearest, Subject: "Fix a panic at unknown paths (#5)", Pulls: []int{5},
		Commits: []git.OID{nearest}, Branch: "release-1.1", First: at(7), Last: at(8),
		Taken: []candidate.Taken{
			{Branch: "release-1.1", Commit: nearest, Pull: 5, When: at(7)},
			{Branch: "release-1.2", Commit: w.Rev("release-1.2~1"), Pull: 5, When: at(8), Reverted: w.Rev("release-1.2")},
		},
		Code: candidate.Code{Before: 1, Paths: []string{"server.go"}},
		Signs: []candidate.Sign{
			{Kind: "word", Severity: "crash", Points: 28, Note: `"panic" in the subject`},
			{Kind: "label", Points: 15, Note: "#5 has the label priority/critical-urgent"},
			{Kind: "label", Severity: "security", Points: 15, Note: "#5 names CVE-2020-0009"},
			{Kind: "reach", Points: 14, Note: "release-1.1 took it, the oldest newer branch that was kept then"},
			{Kind: "places", Points: 14, Note: "the one place stands on the line as it found it"},
			{Kind: "word", Severity: "bug", Points: 10, Note: `"Fix" in the subject`},
			{Kind: "code", Points: 6, Note: "checks for nil, in func Serve", Path: "server.go"},
			{Kind: "size", Points: 6, Note: "small: 3 lines of source go or come"},
			{Kind: "taken", Points: 4, Note: "taken by release-1.1"},
			{Kind: "reverted", Points: -20, Note: "taken back on release-1.2"},
		},
	}
	for _, s := range want.Signs {
		want.Score += s.Points
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("candidate (-want +got):\n%s\nof %s", diff, oid)
	}
	if report.LastRelease != "v1.0.0" || !report.Since.Equal(at(1)) {
		t.Errorf("since %s, last release %q", report.Since, report.LastRelease)
	}
}

// TestOrder has changes that differ in one thing: the score puts them in order, and among equal ones the later goes first.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	oid := w.change("server.go", edit("ReadRequest", "ReadWholeRequest"), "Read the whole request", "release-1.1")
	w.change("server.go", edit("ReadRequest", "ReadWholeRequest", "openResponseFile", "createResponseFile"), "Fix a deadlock", "release-1.1")
	w.pick(oid, "release-1.2")
	w.change("server.go", edit("ReadRequest", "ReadWholeRequest", "openResponseFile", "createResponseFile", "lookUpHandler", "findTheHandler"), "Fix a deadlock elsewhere", "release-1.1")
	var got []string
	for _, c := range w.find(t).Candidates {
		got = append(got, c.Subject)
	}
	if diff := cmp.Diff([]string{"Fix a deadlock elsewhere", "Fix a deadlock", "Read the whole request"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestBadLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, w.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	line := candidate.Branch{Name: "release-1.0", Commit: w.Rev("release-1.0")}
	finder, err := candidate.Open(t.Context(), repo, candidate.Repository{Name: upstream, Branches: []candidate.Branch{line}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := finder.Find(t.Context(), line, candidate.Options{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a line without a minor: error %v, want one of kind invalid", err)
	}
	line.Minor, line.Commit = release.Minor{Major: 1}, git.OID{1}
	if _, err := finder.Find(t.Context(), line, candidate.Options{}); err == nil {
		t.Error("a commit that is not there: no error")
	}
}
