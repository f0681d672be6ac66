package verify

import (
	"bufio"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/lts"
)

// watch reads what go test -json prints; see "go doc test2json". Only the verdicts of the go program count: a test that prints what looks like a
// verdict changes nothing.
type watch struct {
	results map[testName]string
	done    map[string]string // verdict by package: pass, fail or skip
	output  map[testName]*tailText
	built   map[string]*tailText // what the compiler said, by the name that it uses
	blame   map[string]string    // name of the failed build, by package
	wanted  []string
	ended   func(importPath string)
}

// event is a line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

func newWatch(packages []*pkg, ended func(string)) *watch {
	w := &watch{
		results: map[testName]string{}, done: map[string]string{}, output: map[testName]*tailText{},
		built: map[string]*tailText{}, blame: map[string]string{}, ended: ended,
	}
	for _, p := range packages {
		w.wanted = append(w.wanted, p.importPath)
	}
	return w
}

// running is the result of a test that has begun and has no verdict.
const running = "running"

// maxTests bounds how many tests are told apart.
const maxTests = 1_000_000

func (w *watch) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(lines)
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && len(w.output) < maxTests {
				w.event(e)
			}
		}
		if err == io.EOF { //nolint:errorlint // bufio returns it bare
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine reads a line and throws away what is beyond maxLine of it.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) < maxLine {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull { //nolint:errorlint // bufio returns it bare
			return line, err
		}
	}
}

func (w *watch) event(e event) {
	name := testName{e.Package, e.Test}
	switch e.Action {
	case "run":
		w.results[name] = running
	case "output":
		text(w.output, name).add(e.Output)
	case "build-output":
		text(w.built, e.ImportPath).add(e.Output)
	case "pass", "fail", "skip":
		if e.Test != "" {
			w.results[name] = e.Action
			if e.Action != "fail" {
				delete(w.output, name)
			}
			return
		}
		w.done[e.Package] = e.Action
		w.blame[e.Package] = e.FailedBuild
		w.ended(e.Package)
	}
}

func text[K comparable](m map[K]*tailText, key K) *tailText {
	if m[key] == nil {
		m[key] = &tailText{}
	}
	return m[key]
}

// tailText keeps the beginning and the end of a text.
type tailText struct{ head, tail string }

func (t *tailText) add(s string) {
	if room := maxOutput - len(t.head); room > 0 {
		n := min(room, len(s))
		t.head, s = t.head+s[:n], s[n:]
	}
	t.tail += s
	if over := len(t.tail) - maxOutput; over > maxOutput {
		t.tail = t.tail[over:]
	}
}

func (t *tailText) String() string {
	if t == nil {
		return ""
	}
	return t.head + t.tail
}

// finish returns the failures. Said is what the go program said beside its events.
func (w *watch) finish(said string) []lts.Failure {
	var failures []lts.Failure
	for _, importPath := range w.wanted {
		f := lts.Failure{Step: stepTest, Package: importPath}
		verdict, ok := w.done[importPath]
		switch {
		case !ok:
			f.Kind, f.Output = kindNotRun, "no result: "+said
			failures = append(failures, f)
		case verdict == "fail":
			failures = append(failures, w.failed(f, said)...)
		}
	}
	return failures
}

var (
	panicLine   = regexp.MustCompile(`(?m)^(panic: |fatal error: |SIGQUIT: |runtime: goroutine stack exceeds)`)
	timeoutLine = regexp.MustCompile(`(?m)^(panic: test timed out after |\*\*\* Test killed with quit: ran too long)`)
)

// failed explains a package that failed: by its tests where one did, or else as a whole.
func (w *watch) failed(f lts.Failure, said string) []lts.Failure {
	whole := w.output[testName{f.Package, ""}].String()
	switch {
	case strings.Contains(whole, "[setup failed]"):
		f.Kind = kindSetup
	case strings.Contains(whole, "[build failed]") || w.blame[f.Package] != "":
		f.Kind = kindBuild
	}
	if f.Kind != "" {
		if f.Output = w.built[w.blame[f.Package]].String(); f.Output == "" {
			f.Output = said
		}
		return []lts.Failure{f}
	}
	failures := w.failedTests(f.Package)
	stopped := kindOf(whole)
	for name, out := range w.output {
		if name.pkg == f.Package && stopped == kindFailed {
			stopped = kindOf(out.String())
		}
	}
	if stopped == kindFailed {
		failures = append(failures, w.unfinished(f.Package)...)
	}
	if stopped == kindFailed || slices.ContainsFunc(failures, func(g lts.Failure) bool { return g.Kind == stopped }) {
		if len(failures) > 0 {
			return failures
		}
	}
	f.Kind, f.Output = stopped, whole
	return append(failures, f)
}

// unfinished are the tests during which the process ended, without a panic.
func (w *watch) unfinished(importPath string) []lts.Failure {
	var failures []lts.Failure
	for name, result := range w.results {
		if name.pkg == importPath && result == running && !w.parentOf(name, running) {
			failures = append(failures, lts.Failure{Step: stepTest, Kind: kindExit, Package: name.pkg, Test: name.test, Output: w.output[name].String()})
		}
	}
	slices.SortFunc(failures, func(a, b lts.Failure) int { return strings.Compare(a.Test, b.Test) })
	return failures
}

// failedTests returns the tests of a package that failed, sorted; of a test and its subtests the innermost. A test that was running when
// the process was stopped has no verdict: it counts when its output says that it was the one.
func (w *watch) failedTests(importPath string) []lts.Failure {
	var failures []lts.Failure
	for name, result := range w.results {
		if name.pkg != importPath || result != "fail" && result != running || w.parentOf(name, "fail") {
			continue
		}
		out := w.output[name].String()
		kind := kindOf(out)
		for above := name.test; kind == kindFailed && strings.Contains(above, "/"); { // a panic may be printed under the name of a test above
			above = above[:strings.LastIndexByte(above, '/')]
			kind = kindOf(w.output[testName{importPath, above}].String())
		}
		if result == "fail" || kind != kindFailed {
			failures = append(failures, lts.Failure{Step: stepTest, Kind: kind, Package: name.pkg, Test: name.test, Output: out})
		}
	}
	slices.SortFunc(failures, func(a, b lts.Failure) int { return strings.Compare(a.Test, b.Test) })
	return failures
}

// parentOf reports whether a subtest of the test has a result.
func (w *watch) parentOf(name testName, result string) bool {
	for other, r := range w.results {
		if r == result && other.pkg == name.pkg && strings.HasPrefix(other.test, name.test+"/") {
			return true
		}
	}
	return false
}

func kindOf(output string) string {
	switch {
	case timeoutLine.MatchString(output):
		return kindTimeout
	case panicLine.MatchString(output):
		return kindPanic
	}
	return kindFailed
}
