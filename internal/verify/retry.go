package verify

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/lts"
)

// verdicts say what running failed tests again showed.
type verdicts struct {
	flaky map[identity]bool // passed on the line when it was run again
	freak map[identity]bool // failed once on the base and then passed: it excuses nothing
}

// confirm runs what failed again: on the line everything, on the base what would excuse the line.
func (t *tool) confirm(ctx context.Context, line, base *side, sides [2]*observed) verdicts {
	ctx, cancel := context.WithTimeout(ctx, t.builder.options.Time)
	defer cancel()
	v := verdicts{flaky: t.retry(ctx, line, sides[0].failures)}
	var excused []lts.Failure
	for _, f := range sides[0].failures {
		if id := identify(f); !v.flaky[id] && sides[1].shows(id) {
			excused = append(excused, f)
		}
	}
	v.freak = t.retry(ctx, base, excused)
	return v
}

// retry runs failed tests up to twice more and returns those that passed once. Where a package failed as a whole, all of its tests are run.
// What stopped the others of its package is run alone.
func (t *tool) retry(ctx context.Context, s *side, failures []lts.Failure) map[identity]bool {
	passed := map[identity]bool{}
	together := map[string][]lts.Failure{}
	for _, f := range failures {
		switch {
		case f.Step != stepTest || slices.Contains([]string{kindBuild, kindSetup, kindNoTests}, f.Kind):
		case f.Kind == kindFailed && f.Test != "":
			together[f.Package] = append(together[f.Package], f)
		default:
			t.retryGroup(ctx, s, []lts.Failure{f}, passed)
		}
	}
	for _, target := range s.targets {
		t.retryGroup(ctx, s, together[target.importPath], passed)
	}
	return passed
}

// retryGroup runs failed tests of one package.
func (t *tool) retryGroup(ctx context.Context, s *side, pending []lts.Failure, passed map[identity]bool) {
	for range retries {
		if len(pending) == 0 || ctx.Err() != nil {
			return
		}
		i := slices.IndexFunc(s.targets, func(p *pkg) bool { return p.importPath == pending[0].Package })
		if i < 0 {
			return
		}
		o := newObserved()
		t.test(ctx, s, s.targets[i].unit, testRun{packages: s.targets[i : i+1], only: onlyTests(pending)}, o)
		pending = slices.DeleteFunc(slices.Clone(pending), func(f lts.Failure) bool {
			good := len(o.failures) == 0
			if f.Test != "" {
				good = o.results[testName{f.Package, f.Test}] == "pass"
			}
			if good {
				passed[identify(f)] = true
			}
			return good
		})
	}
}

// onlyTests is the value of -run for the tests that failed, empty when all of a package's are meant.
func onlyTests(failures []lts.Failure) string {
	var tops []string
	for _, f := range failures {
		top, _, _ := strings.Cut(f.Test, "/")
		if top == "" {
			return ""
		}
		if top = regexp.QuoteMeta(top); !slices.Contains(tops, top) {
			tops = append(tops, top)
		}
	}
	return "^(" + strings.Join(tops, "|") + ")$"
}
