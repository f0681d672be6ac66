// Package internal_test holds the architecture: which room may import which. A room that is missing from the table, or an import
// that the table does not allow, fails. Changing the table is a decision and goes into docs/decisions.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const module = "github.com/kubelts/kubelts/"

// ground and middle are judgement: values and pure functions.
var (
	ground = []string{"internal/errs", "internal/git", "internal/recent", "internal/release", "internal/visible", "internal/vuln"}
	middle = []string{
		"internal/catalog", "internal/patch", "internal/merge", "internal/gomerge", "internal/godialect", "internal/gotypes", "internal/importmap", "internal/depmerge", "internal/memory", "internal/backport", "internal/explain", "internal/lts", "internal/upkeep", "internal/triage", "internal/pki", "internal/timeline",
		"internal/replay", "internal/cluster", "internal/findings", "internal/skew", "internal/upgrade", "internal/report",
		"internal/provenance", "internal/equiv", "internal/presence", "internal/candidate",
		"internal/foreign", "internal/lint",
	}
	// rim rooms each speak to one thing outside. They see ground, middle and command.
	rim = []string{"internal/command", "internal/gitrepo", "internal/verify", "internal/dist", "internal/probe", "internal/feed", "internal/datadir", "internal/kube", "internal/host"}
	// world is what judgement must not import: it reads through interfaces that it owns.
	world = []string{"os", "os/exec", "os/signal", "net", "net/http", "database/sql", "io/ioutil", "syscall", "plugin"}
)

// allowed is the table: for each room, the rooms that it may import.
func allowed() map[string][]string {
	table := map[string][]string{"data": {}, "cmd/kubelts": {"internal/cli"}}
	for _, room := range ground {
		table[room] = ground
	}
	for _, room := range middle {
		table[room] = slices.Concat(ground, middle)
	}
	for _, room := range rim {
		table[room] = slices.Concat(ground, middle, []string{"internal/command"})
	}
	table["internal/command"] = []string{"internal/errs"}
	table["internal/gittest"] = ground
	table["internal/clustertest"] = ground
	table["internal/cli"] = slices.Concat(ground, middle, rim, []string{"data"})
	return table
}

// imports returns what each room's files import, tests left out, by room and file.
func imports(t *testing.T) map[string]map[string][]string {
	t.Helper()
	found := map[string]map[string][]string{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "tools" || d.Name() == "test" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(name, ".."+string(filepath.Separator))))
		if found[room] == nil {
			found[room] = map[string][]string{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[room][name] = append(found[room][name], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d rooms found: the walk is broken", len(found))
	}
	return found
}

func TestImportTable(t *testing.T) {
	table, rooms := allowed(), imports(t)
	for room, files := range rooms {
		may, ok := table[room]
		if !ok {
			t.Errorf("room %s is not in the table: a new room is a decision (docs/decisions)", room)
			continue
		}
		for file, imported := range files {
			for _, p := range imported {
				if ours, ok := strings.CutPrefix(p, module); ok && ours != room && !slices.Contains(may, ours) {
					t.Errorf("%s: room %s must not import %s", file, room, ours)
				}
			}
		}
	}
	for room := range maps.Keys(table) {
		if _, ok := rooms[room]; !ok {
			t.Errorf("room %s is in the table and has no code", room)
		}
	}
}

func TestJudgementTouchesNothing(t *testing.T) {
	for room, files := range imports(t) {
		for file, imported := range files {
			for _, p := range imported {
				if (slices.Contains(ground, room) || slices.Contains(middle, room)) && slices.Contains(world, p) {
					t.Errorf("%s: judgement must not import %s: own an interface, let the rim implement it", file, p)
				}
				if p == "os/exec" && room != "internal/command" && room != "internal/gittest" && room != "internal/clustertest" {
					t.Errorf("%s: only internal/command runs programs", file)
				}
			}
		}
	}
}

// TestDocumentedPathsExist checks every path that the one-page description of the house names.
func TestDocumentedPathsExist(t *testing.T) {
	for _, doc := range []string{"../docs/architecture.md", "../README.md", "../CONTRIBUTING.md"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Error(err)
			continue
		}
		paths := regexp.MustCompile("`((?:cmd|internal|data|docs|tools|scripts|\\.ci)/[A-Za-z0-9_./-]*)`").FindAllStringSubmatch(string(text), -1)
		if doc == "../docs/architecture.md" && len(paths) < 10 {
			t.Errorf("%s names only %d paths", doc, len(paths))
		}
		for _, p := range paths {
			if _, err := os.Stat(path.Join("..", p[1])); err != nil {
				t.Errorf("%s names %s, which is not there", doc, p[1])
			}
		}
	}
	text, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for room := range allowed() {
		if !strings.Contains(string(text), "`"+room+"`") && !strings.Contains(string(text), "`"+room+"/`") {
			t.Errorf("docs/architecture.md does not name room %s", room)
		}
	}
}

// TestDependenciesHaveReasons checks that each direct dependency stands in docs/dependencies.md, and nothing else does.
func TestDependenciesHaveReasons(t *testing.T) {
	content, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var direct, documented []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Mod.Path)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z]\S*\.\S+/\S+)`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(direct)
	slices.Sort(documented)
	if !slices.Equal(direct, documented) {
		t.Errorf("docs/dependencies.md and go.mod differ:\n documented %q\n required   %q", documented, direct)
	}
	if len(direct) > 25 {
		t.Errorf("%d direct dependencies, more than 25", len(direct))
	}
}

func TestSizes(t *testing.T) {
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		content, err := os.ReadFile(name)
		if lines := strings.Count(string(content), "\n"); lines > 500 {
			t.Errorf("%s has %d lines: split it by concept (about 400 at most)", name, lines)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
