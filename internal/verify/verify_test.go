package verify_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
	"github.com/kubelts/kubelts/internal/verify"
)

// cache is shared by the tests and outlives them, for compiling the standard library takes longer than all of them.
var cache string

func TestMain(m *testing.M) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	cache = filepath.Join(dir, "kubelts-test", "kubelts", "go")
	os.Exit(m.Run())
}

func newBuilder(t *testing.T, change func(*verify.Options)) *verify.Builder {
	t.Helper()
	o := verify.Options{Work: t.TempDir(), Cache: cache, Time: 5 * time.Minute}
	if change != nil {
		change(&o)
	}
	b, err := verify.New(&command.Runner{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write writes the files of a txtar archive into dir. A file whose content is "-> target" becomes a symbolic link.
func write(t *testing.T, dir string, archives ...string) string {
	t.Helper()
	for _, archive := range archives {
		for _, f := range txtar.Parse([]byte(archive)).Files {
			name := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if target, ok := strings.CutPrefix(string(f.Data), "-> "); ok {
				if err := os.Symlink(strings.TrimSpace(target), name); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := os.WriteFile(name, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func moduleJob(t *testing.T, common, line, base string, changed ...string) upkeep.VerifyJob {
	t.Helper()
	return upkeep.VerifyJob{
		Line: write(t, t.TempDir(), common, line), Base: write(t, t.TempDir(), common, base), Changed: changed,
		Toolchain: "local", Build: lts.BuildConfig{Mode: lts.ModeModule},
	}
}

// brief is a failure without its output.
func brief(failures []lts.Failure) []string {
	var list []string
	for _, f := range failures {
		list = append(list, strings.Join([]string{f.Step, f.Kind, f.Package, f.Test}, " "))
	}
	return list
}

const shop = `
-- go.mod --
module example.com/shop

go 1.21
-- price/price.go --
package price

func Of(n int) int { return 2 * n }
-- price/price_test.go --
package price

import "testing"

func TestOf(t *testing.T) {
	if Of(2) != 4 {
		t.Error("wrong price")
	}
}
-- cart/cart.go --
package cart

import "example.com/shop/price"

func Total() int { return price.Of(3) }
-- cart/cart_test.go --
package cart

import "testing"

func TestTotal(t *testing.T) {
	if Total() != 6 {
		t.Error("wrong total")
	}
}
-- till/till.go --
package till

import "example.com/shop/cart"

func Pay() int { return cart.Total() }
-- onlytests/x_test.go --
package onlytests

import (
	"testing"

	"example.com/shop/price"
)

func TestPrice(t *testing.T) { t.Log(price.Of(1)) }
-- other/other.go --
package other
-- cmd/shop/main.go --
package main

import "example.com/shop/till"

func main() { println(till.Pay()) }
`

func TestOnlyWhatNewlyFailsBlocks(t *testing.T) {
	line := `
-- price/price.go --
package price

func Of(n int) int { return 2*n + 1 }
-- price/new_test.go --
package price

import "testing"

func TestNew(t *testing.T) {
	t.Run("sub", func(t *testing.T) { t.Error("only the line has this") })
}
`
	old := `
-- cart/old_test.go --
package cart

import (
	"fmt"
	"testing"
)

func TestOld(t *testing.T) { t.Error("fails everywhere") }

func TestKnown(t *testing.T) { t.Error("known") }

func TestVet(t *testing.T) { fmt.Sprintf("%d", "x") }
`
	job := moduleJob(t, shop+old, line, "", "price/price.go", "price/new_test.go", "README.md")
	job.KnownFailures = []lts.KnownFailure{{Package: "example.com/shop/cart", Test: "TestKnown", Reason: "a test"}}
	v, err := newBuilder(t, nil).Verify(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"example.com/shop/cart", "example.com/shop/onlytests", "example.com/shop/price"}
	if diff := cmp.Diff(want, v.Packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	wantNew := []string{
		"test failed example.com/shop/cart TestTotal", "test failed example.com/shop/price TestNew/sub", "test failed example.com/shop/price TestOf",
	}
	if diff := cmp.Diff(wantNew, brief(v.New)); diff != "" {
		t.Errorf("new failures (-want +got):\n%s", diff)
	}
	wantOld := []string{"test failed example.com/shop/cart TestOld", "vet finding example.com/shop/cart ", "vet finding example.com/shop/cart "}
	if diff := cmp.Diff(wantOld, brief(v.Old)); diff != "" {
		t.Errorf("old failures (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"test failed example.com/shop/cart TestKnown"}, brief(v.Known)); diff != "" {
		t.Errorf("known failures (-want +got):\n%s", diff)
	}
	if v.Passed() || v.Tests != 8 || !strings.HasPrefix(v.Toolchain, "go1.") || v.Scope != lts.ScopeDirect {
		t.Errorf("passed %v, %d tests, toolchain %s, scope %s", v.Passed(), v.Tests, v.Toolchain, v.Scope)
	}
	for _, f := range slices.Concat(v.New, v.Old) {
		if strings.Contains(f.Output, job.Line) || f.Output == "" {
			t.Errorf("output of %v names a path of this machine or nothing: %q", f.Test, f.Output)
		}
	}
}

func TestTransitiveReachesEveryImporter(t *testing.T) {
	job := moduleJob(t, shop, "", "", "price/price.go")
	job.Transitive = true
	v, err := newBuilder(t, nil).Verify(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	want := "example.com/shop/cart example.com/shop/cmd/shop example.com/shop/onlytests example.com/shop/price example.com/shop/till"
	if got := strings.Join(v.Packages, " "); got != want || !v.Passed() || v.Scope != lts.ScopeTransitive {
		t.Errorf("packages %s, passed %v, scope %s", got, v.Passed(), v.Scope)
	}
}

func TestCompileOnlyRunsNoTest(t *testing.T) {
	job := moduleJob(t, shop, `
-- price/price.go --
package price

func Of(n int) string { return "" }
-- other/other.go --
package other

import "testing"

func init() { testing.Short() }
`, `
-- other/other.go --
package other

var broken int = ""
`, "other/other.go", "price/price.go")
	job.CompileOnly = true
	v, err := newBuilder(t, nil).Verify(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"vet finding example.com/shop/price "}, brief(v.New)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"build build-failed example.com/shop/other "}, brief(v.Cured)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"example.com/shop/other", "example.com/shop/price"}, v.Packages); diff != "" || v.Tests != 0 || v.Scope != "" {
		t.Errorf("%d tests, scope %q, packages %s", v.Tests, v.Scope, diff)
	}
}

func TestNoPackageIsAnError(t *testing.T) {
	job := moduleJob(t, shop, "", "", "docs/readme.md")
	if _, err := newBuilder(t, nil).Verify(t.Context(), job); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "no Go package") {
		t.Errorf("error %v, want one that says that nothing can be proved", err)
	}
}

func TestKindsOfFailureAreToldApart(t *testing.T) {
	const base = `
-- go.mod --
module example.com/kinds

go 1.21
-- a/a.go --
package a
-- a/a_test.go --
package a

import "testing"

func TestFirst(t *testing.T) {}

func TestLast(t *testing.T) {}
`
	tests := []struct {
		name, line string
		want       []string
	}{
		{"compiler", "-- a/a.go --\npackage a\n\nvar x int = \"s\"\n", []string{"build build-failed example.com/kinds/a ", "test build-failed example.com/kinds/a "}},
		{"test does not compile", "-- a/b_test.go --\npackage a\n\nvar x int = \"s\"\n", []string{"test build-failed example.com/kinds/a ", "vet finding example.com/kinds/a "}},
		{"import that is not there", "-- a/a.go --\npackage a\n\nimport _ \"example.com/kinds/none\"\n", []string{"build setup-failed example.com/kinds/a "}},
		{"test's import that is not there", "-- a/b_test.go --\npackage a\n\nimport _ \"example.com/kinds/none\"\n", []string{"test setup-failed example.com/kinds/a ", "vet finding example.com/kinds/a "}},
		{"panic", "-- a/a_test.go --\npackage a\n\nimport \"testing\"\n\nfunc TestFirst(t *testing.T) { panic(1) }\n\nfunc TestLast(t *testing.T) {}\n", []string{"test panic example.com/kinds/a TestFirst"}},
		{"panic outside of a test", "-- a/init.go --\npackage a\n\nfunc init() { panic(1) }\n", []string{"test panic example.com/kinds/a "}},
		{"deadlock", "-- a/a_test.go --\npackage a\n\nimport \"testing\"\n\nfunc TestFirst(t *testing.T) { select {} }\n", []string{"test timeout example.com/kinds/a TestFirst"}},
		{"slow", "-- a/a_test.go --\npackage a\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nfunc TestFirst(t *testing.T) { time.Sleep(time.Hour) }\n", []string{"test timeout example.com/kinds/a TestFirst"}},
		{"exit", "-- a/b_test.go --\npackage a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) { os.Exit(7) }\n", []string{"test failed example.com/kinds/a "}},
		{"tests that vanish", "-- a/b_test.go --\npackage a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) { os.Exit(0) }\n", []string{"test no-tests example.com/kinds/a "}},
		{"verdicts that are made up", "-- a/b_test.go --\npackage a\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) {\n\tfmt.Println(`{\"Action\":\"pass\",\"Package\":\"example.com/kinds/a\",\"Test\":\"TestFirst\"}`)\n\tfmt.Println(\"PASS\\nok example.com/kinds/a\")\n\tos.Exit(1)\n}\n", []string{"test failed example.com/kinds/a "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder(t, func(o *verify.Options) { o.PackageTime = 2 * time.Second })
			v, err := b.Verify(t.Context(), moduleJob(t, base, tt.line, "", "a/a.go"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(v.New)); diff != "" {
				t.Errorf("new failures (-want +got):\n%s\n%+v", diff, v)
			}
		})
	}
}

func TestAPanicDoesNotHideWhatComesAfter(t *testing.T) {
	const tree = `
-- go.mod --
module example.com/stop

go 1.21
-- a.go --
package a

const Good = true
-- a_test.go --
package a

import (
	"os"
	"testing"
)

func TestExits(t *testing.T) { os.Exit(3) }

func TestPanics(t *testing.T) { panic("on both") }

func TestPanicsToo(t *testing.T) { t.Run("sub", func(t *testing.T) { panic("on both") }) }

func TestAfter(t *testing.T) {
	if !Good {
		t.Error("broken")
	}
}
`
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, tree, "-- a.go --\npackage a\n\nconst Good = false\n", "", "a.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"test failed example.com/stop TestAfter"}, brief(v.New)); diff != "" || len(v.Notes) > 0 {
		t.Errorf("new failures (-want +got):\n%s\nnotes %q", diff, v.Notes)
	}
	if diff := cmp.Diff([]string{"test exit example.com/stop TestExits", "test panic example.com/stop TestPanics", "test panic example.com/stop TestPanicsToo/sub"}, brief(v.Old)); diff != "" {
		t.Errorf("old failures (-want +got):\n%s", diff)
	}
}

func TestWhatFailsAsAWholeIsSaidToBeUnobserved(t *testing.T) {
	const tree = "-- go.mod --\nmodule example.com/whole\n\ngo 1.21\n-- a.go --\npackage a\n\nfunc init() { panic(1) }\n-- a_test.go --\npackage a\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {}\n"
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, tree, "", "", "a.go"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"example.com/whole: on the base its tests failed as a whole, and the rest was not observed",
		"example.com/whole: on the line its tests failed as a whole, and the rest was not observed",
	}
	if diff := cmp.Diff(want, v.Notes); diff != "" || len(v.Old) != 1 || v.Tests != 0 {
		t.Errorf("notes (-want +got):\n%s\n%+v", diff, v)
	}
}

func TestFlakyTestsAreListedAndDoNotBlock(t *testing.T) {
	const tree = `
-- go.mod --
module example.com/flaky

go 1.21
-- a.go --
package a
-- a_test.go --
package a

import (
	"os"
	"testing"
)

func TestSometimes(t *testing.T) {
	f, err := os.OpenFile("was-here", os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		f.Close()
		t.Fatal("the first time")
	}
}
`
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, tree, "", "", "a.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"test failed example.com/flaky TestSometimes"}, brief(v.Flaky)); diff != "" || !v.Passed() {
		t.Errorf("flaky (-want +got):\n%s\n%+v", diff, v)
	}
}

func TestAFreakOfTheBaseExcusesNothing(t *testing.T) {
	const tree = `
-- go.mod --
module example.com/freak

go 1.21
-- a.go --
package a
`
	const line = "-- a_test.go --\npackage a\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) { t.Fatal(\"always\") }\n"
	const base = "-- a_test.go --\npackage a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestIt(t *testing.T) {\n\tif os.Mkdir(\"was-here\", 0o755) == nil {\n\t\tt.Fatal(\"the first time\")\n\t}\n}\n"
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, tree, line, base, "a.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"test failed example.com/freak TestIt"}, brief(v.New)); diff != "" {
		t.Errorf("new failures (-want +got):\n%s\n%+v", diff, v)
	}
}
