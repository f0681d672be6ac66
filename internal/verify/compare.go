package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/lts"
)

// identity is what makes two failures the same. What tests say varies from run to run; what vet says is the finding itself.
type identity struct{ step, kind, pkg, test, finding string }

func identify(f lts.Failure) identity {
	id := identity{step: f.Step, kind: f.Kind, pkg: f.Package, test: f.Test}
	if f.Step == stepVet {
		id.finding = f.Output
	}
	return id
}

func (o *observed) shows(id identity) bool {
	return slices.ContainsFunc(o.failures, func(f lts.Failure) bool { return identify(f) == id })
}

// compare sorts the failures of both sides.
func compare(line, base *observed, v verdicts, known []lts.KnownFailure) *lts.Verification {
	result := &lts.Verification{}
	failures := slices.Concat(line.failures, lostTests(line, base))
	for _, f := range failures {
		id := identify(f)
		switch {
		case v.flaky[id]:
			result.Flaky = append(result.Flaky, f)
		case isKnown(known, f):
			result.Known = append(result.Known, f)
		case base.shows(id) && !v.freak[id]:
			result.Old = append(result.Old, f)
		default:
			result.New = append(result.New, f)
		}
	}
	for _, f := range base.failures {
		if !line.shows(identify(f)) {
			result.Cured = append(result.Cured, f)
		}
	}
	for _, list := range []*[]lts.Failure{&result.New, &result.Old, &result.Known, &result.Flaky, &result.Cured} {
		slices.SortFunc(*list, byName)
	}
	for _, r := range line.results {
		if r == "pass" || r == "fail" {
			result.Tests++
		}
	}
	result.Notes = notes(line, base, v)
	return result
}

func byName(a, b lts.Failure) int {
	return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Step, b.Step), strings.Compare(a.Test, b.Test), strings.Compare(a.Output, b.Output))
}

// isKnown reports whether line.yaml names the failure: the test, one above it, or the package.
func isKnown(known []lts.KnownFailure, f lts.Failure) bool {
	return slices.ContainsFunc(known, func(k lts.KnownFailure) bool {
		return k.Package == f.Package && (k.Test == "" || k.Test == f.Test || strings.HasPrefix(f.Test, k.Test+"/"))
	})
}

// lostTests are the packages of the line that have test files and pass without running a test, though the base runs some.
func lostTests(line, base *observed) []lts.Failure {
	ran := func(o *observed) map[string]int {
		n := map[string]int{}
		for name := range o.results {
			n[name.pkg]++
		}
		return n
	}
	onLine, onBase := ran(line), ran(base)
	var lost []lts.Failure
	for importPath, hasTests := range line.tested {
		if hasTests && onLine[importPath] == 0 && onBase[importPath] > 0 && !line.has(stepTest, importPath) {
			lost = append(lost, lts.Failure{
				Step: stepTest, Kind: kindNoTests, Package: importPath, Output: fmt.Sprintf("the base runs %d tests here, the line none", onBase[importPath]),
			})
		}
	}
	return lost
}

// notes says what was not observed.
func notes(line, base *observed, v verdicts) []string {
	var list []string
	for i, o := range []*observed{line, base} {
		which := []string{"line", "base"}[i]
		if o.timeUp {
			list = append(list, "the time for the "+which+" was up before everything had run")
		}
		for importPath, why := range o.cutShort {
			list = append(list, fmt.Sprintf("%s: on the %s its tests %s, and the rest was not observed", importPath, which, why))
		}
	}
	for id := range v.freak {
		list = append(list, fmt.Sprintf("%s: %s failed on the base and then passed: the base does not excuse the line", id.pkg, cmp.Or(id.test, "the package")))
	}
	gone := map[string][]string{}
	for name := range base.results {
		if _, ok := line.results[name]; !ok && !strings.Contains(name.test, "/") && !line.has(stepTest, name.pkg) {
			gone[name.pkg] = append(gone[name.pkg], name.test)
		}
	}
	for importPath, tests := range gone {
		slices.Sort(tests)
		list = append(list, fmt.Sprintf("%s: only the base runs %s", importPath, strings.Join(tests, ", ")))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
