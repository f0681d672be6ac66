package candidate

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/presence"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, title string
		want              []string // severity and points
	}{
		{"a flaw's name", "Bump net for CVE-2023-45288", "", []string{"security 45"}},
		{"an advisory's name in the body", "Bump net\n\nSee GHSA-5x4g-q5rc-36jp.\n", "", []string{"security 22"}},
		{"an attack", "Stop rapid reset attacks", "", []string{"security 30"}},
		{"a way around", "Users bypass quota", "", []string{"security 24"}},
		{"data", "Repair the possible data loss", "", []string{"data 34"}},
		{"data that differ", "Compare revision inconsistency", "", []string{"data 34"}},
		{"a panic in the pull request's title", "Look first", "Automated cherry pick of #12: Panic in the decoder", []string{"crash 28"}},
		{"a crash in the body", "Look first\n\nElse it crashes.\n", "", []string{"crash 14"}},
		{"memory", "Stop the OOMs", "", []string{"crash 28"}},
		{"a deadlock", "Remove the dead lock", "", []string{"hang 24"}},
		{"change is no hang", "Change the exchange", "", nil},
		{"a race", "Write the header once: data race", "", []string{"race 22"}},
		{"shared memory", "authn: cache mutation", "", []string{"race 22"}},
		{"trace is no race", "Trace the embrace", "", nil},
		{"a leak", "Goroutine leak in the watcher", "", []string{"leak 22"}},
		{"a regression", "Regression of 1.19", "", []string{"regression 16"}},
		{"a fix", "Fix it", "", []string{"bug 10"}},
		{"several", "Fix a panic and a deadlock", "", []string{"crash 28", "hang 24", "bug 10"}},
		{"nothing", "Say more", "", nil},
		{"a trailer is no body", "Say more\n\nReviewed-on: a panic\n", "", nil},
		{"prevent begins like a number's sign", "Say", "Automated cherry pick of #120: prevent it", []string{"bug 10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := readMessage(c.text, c.title)
			var got []string
			for _, f := range m.speaks() {
				got = append(got, f.severity+" "+itoa(f.points))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

func itoa(n int) string {
	return strings.TrimLeft(string([]rune{rune('0' + n/10), rune('0' + n%10)}), "0")
}

func TestFeatureAndNoise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject        string
		feature, noise bool
	}{
		{"Add a flag", true, false},
		{"apf: log the seats", true, false},
		{"[release-1.2] Bump net", true, false},
		{"Give it back", false, false},
		{"Deflake the watcher", false, true},
		{"Fix flaky watcher", false, true},
		{"Fix go vet errors", false, true},
		{"Repair TestWatcher", false, true},
		{"tests: wait longer", false, true},
		{"Skip the proxy in tests", false, true},
		{"server,test: read the cache again", false, false},
		{"Fix a typo", false, true},
	} {
		t.Run(c.subject, func(t *testing.T) {
			t.Parallel()
			m := readMessage(c.subject, "")
			if m.isFeature() != c.feature || m.isNoise() != c.noise {
				t.Errorf("feature %v, noise %v, want %v, %v", m.isFeature(), m.isNoise(), c.feature, c.noise)
			}
		})
	}
}

func TestPlainTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Automated cherry pick of #105069: retry":         "retry",
		"[1.27][CVE-2024-24786] Bump protobuf":            "Bump protobuf",
		"Cherry-pick of #123935: Serve watch":             "Serve watch",
		"Automated cherry pick of #104985 #105475: prune": "prune",
		"Prevent it":        "Prevent it",
		"backport of #1: x": "x",
		"Kubernetes first":  "Kubernetes first",
	} {
		if got := plainTitle(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

// hunk makes one of lines as they stand in files.
func hunk(gone, come string) presence.Hunk {
	plain := func(text string) []string {
		var lines []string
		for l := range strings.Lines(text) {
			if p := equiv.PlainLine(l, "a.go"); p != "" {
				lines = append(lines, p)
			}
		}
		return lines
	}
	return presence.Hunk{Path: "a.go", Decl: "func F", Gone: plain(gone), Come: plain(come)}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, gone, come string
		want             []string
	}{
		{"nil", "", "if handler == nil {\n\treturn\n}\n", []string{"nil_check"}},
		{"nil of a call", "", "if s.handler() != nil && x {\n", []string{"nil_check"}},
		{"an error is no nil", "", "if err != nil {\n\treturn\n}\n", nil},
		{"another error is none either", "", "if closeErr != nil {\n", nil},
		{"nil stood there", "if a == nil {\n", "if b == nil {\n", nil},
		{"permission", "", "if err := as.IsAdminPermitted(info); err != nil {\n", []string{"permission"}},
		{"sync", "", "f.Sync()\n", []string{"sync"}},
		{"bounds", "", "if len(args) < 2 {\n", []string{"bounds"}},
		{"bounds, the other way round", "", "if i >= len(args) {\n", []string{"bounds"}},
		{"recover", "", "defer utilruntime.HandleCrash()\n", []string{"recover"}},
		{"no panic", "panic(err)\n", "return err\n", []string{"no_panic"}},
		{"a panic comes", "return err\n", "panic(err)\n", nil},
		{"context", "", "case <-ctx.Done():\n", []string{"context"}},
		{"limit", "", "b, err := io.ReadAll(io.LimitReader(r, max))\n", []string{"limit"}},
		{"lock", "", "s.mu.Lock()\ndefer s.mu.Unlock()\n", []string{"lock"}},
		{"lock held elsewhere", "s.mu.Lock()\nx()\ns.mu.Unlock()\n", "x()\ns.mu.RLock()\ny()\ns.mu.RUnlock()\n", []string{"lock"}},
		{"atomic", "n++\n", "atomic.AddInt64(&n, 1)\n", []string{"atomic"}},
		{"copy", "obj.Name = n\n", "obj = obj.DeepCopy()\nobj.Name = n\n", []string{"copy"}},
		{"close", "", "defer resp.Body.Close()\n", []string{"close"}},
		{"close moved", "w.Close()\n", "w.Close()\nx()\n", nil},
		{"refuse", "", "return errors.New(\"no\")\n", []string{"refuse"}},
		{"an error that was thrown away", "data, _ := read(name)\n", "data, err := read(name)\n", []string{"error"}},
		{"an error of a bare call", "write(file)\n", "if err := write(file); err != nil {\n", []string{"error"}},
		{"another call", "write(file)\n", "if err := read(file); err != nil {\n", nil},
		{"nothing", "a()\n", "b()\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range readCode([]presence.Hunk{hunk(c.gone, c.come)}) {
				if got = append(got, s.name); s.path != "a.go" || s.decl != "func F" {
					t.Errorf("%s at %q, %q", s.name, s.path, s.decl)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("signs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Reason{
		"pkg/server/server.go":                  "",
		"cmd/build/main.go":                     "",
		"pkg/server/server_test.go":             Tests,
		"tests/e2e/watch.go":                    Tests,
		"go.mod":                                Dependencies,
		"vendor/golang.org/x/net/http2/a.go":    Dependencies,
		".go-version":                           Dependencies,
		"pkg/apis/zz_generated.deepcopy.go":     Generated,
		"pkg/apis/v1/generated.pb.go":           Generated,
		"api/openapi-spec/v3/apis.json":         Generated,
		"CHANGELOG/CHANGELOG-3.5.md":            Docs,
		"Documentation/op-guide/maintenance.go": Docs,
		"OWNERS":                                Docs,
		"hack/update.sh":                        Building,
		".github/workflows/a.yaml":              Building,
		"api/version/version.go":                Building,
		"BUILD":                                 Building,
		"Makefile":                              Building,
	} {
		if got := kindOf(file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	files := func(names ...string) (all []equiv.File) {
		for _, n := range names {
			all = append(all, equiv.File{Path: n})
		}
		return all
	}
	for _, c := range []struct {
		files []equiv.File
		want  Reason
	}{
		{nil, NothingKept},
		{files("go.mod", "README.md", "a_test.go"), Tests},
		{files("README.md", "go.sum"), Dependencies},
		{files("README.md", "hack/a.sh"), Building},
		{files("README.md", "zz_generated.go"), Generated},
		{files("go.mod", "a.go"), ""},
	} {
		if got := reasonOf(c.files); got != c.want {
			t.Errorf("%v: %q, want %q", c.files, got, c.want)
		}
	}
}

func TestAreas(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]int{
		"pkg/authentication/group/a.go": 8, "server/auth/store.go": 8, "pkg/server/options/encryptionconfig/config.go": 8, "pkg/storage/cacher/a.go": 6,
		"server/mvcc/kvstore.go": 6, "pkg/util/flowcontrol/a.go": 0, "pkg/author.go": 0,
	} {
		got := 0
		for _, s := range areaSigns([]string{file}) {
			got += s.Points
		}
		if got != want {
			t.Errorf("%s: %d points, want %d", file, got, want)
		}
	}
}

// FuzzMessage reads strangers' messages and titles: what is quoted is short and valid, stands in what was read, and a title without its head has none.
func FuzzMessage(f *testing.F) {
	f.Add("Fix a panic\n\nIt crashed.\n\nKubernetes-commit: 1234\n", "Automated cherry pick of #1: Fix a panic")
	f.Add("[release-1.2] x: CVE-2020-0001\n\nA data race\nSigned-off-by: A <a@b>", "[1.2][2.3] #1 #2, #3: :")
	f.Add(strings.Repeat("panic ", 4000), strings.Repeat("[a]", 999))
	f.Fuzz(func(t *testing.T, text, title string) {
		m := readMessage(text, title)
		for _, w := range m.speaks() {
			if len(w.quote) > maxQuote+3 || w.points <= 0 || !utf8.ValidString(w.quote) && utf8.ValidString(text+title) {
				t.Errorf("%+v of %q, %q", w, text, title)
			}
		}
		if again := plainTitle(m.title); again != m.title {
			t.Errorf("title %q has a head still: %q", m.title, again)
		}
		if len(m.body) > maxBody {
			t.Errorf("body of %d bytes", len(m.body))
		}
		m.isFeature()
		m.isNoise()
	})
}

// FuzzCode reads strangers' lines: no sign comes of lines that do not change, and none twice.
func FuzzCode(f *testing.F) {
	f.Add("s.mu.Lock()\nwrite(f)\n", "if x == nil {\nif err := write(f); err != nil {\n")
	f.Add("_ = a.b(\n", "err:=a.b(\nlen()<\n")
	f.Fuzz(func(t *testing.T, gone, come string) {
		if got := readCode([]presence.Hunk{hunk(gone, gone)}); len(got) > 0 && got[0].name != "error" {
			t.Errorf("%+v of lines that stay: %q", got, gone)
		}
		seen := map[string]bool{}
		for _, s := range readCode([]presence.Hunk{hunk(gone, come), hunk(come, gone)}) {
			if seen[s.name] || s.points <= 0 {
				t.Errorf("%+v twice, or worth nothing", s)
			}
			seen[s.name] = true
		}
	})
}
