package replay

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Trial is a pair with what became of it.
type Trial struct {
	Pair

	Repository string              `json:"repository"`
	Outcome    backport.Outcome    `json:"outcome"`
	Confidence backport.Confidence `json:"confidence,omitempty"`
	Tree       git.OID             `json:"tree,omitzero"`
	Method     string              `json:"method"` // the rungs that did it, such as dep+go
	Judgement
	Git     *Judgement    `json:"git,omitempty"` // what plain git's result is worth
	Reasons []FileReasons `json:"reasons,omitempty"`
	Problem errs.Kind     `json:"problem,omitempty"` // of an error
	Time    time.Duration `json:"nanoseconds"`
	GitTime time.Duration `json:"git_nanoseconds,omitempty"`
}

// FileReasons are why a file was left to a person.
type FileReasons struct {
	Path    string            `json:"path"`
	Reasons []backport.Reason `json:"reasons"`
}

// NewTrial notes what a pick's result says of itself; the judgements are the caller's to add.
func NewTrial(repository string, p Pair, r backport.Result) Trial {
	t := Trial{Pair: p, Repository: repository, Outcome: r.Outcome, Confidence: r.Confidence, Tree: r.Tree, Method: method(r)}
	if r.Error != nil {
		t.Problem = r.Error.Kind
	}
	for _, f := range r.Files {
		if len(f.Conflicts) == 0 {
			continue
		}
		reasons := FileReasons{Path: f.Path}
		for _, c := range f.Conflicts {
			reasons.Reasons = append(reasons.Reasons, c.Reason)
		}
		t.Reasons = append(t.Reasons, reasons)
	}
	return t
}

// method names the rungs that made a result: those of its files where they say more than the result's own.
func method(r backport.Result) string {
	rungs := map[string]bool{}
	for _, f := range r.Files {
		if f.Rung != "" && f.Rung != string(backport.Verbatim) {
			rungs[f.Rung] = true
		}
	}
	if len(rungs) == 0 {
		return r.Rung
	}
	return strings.Join(slices.Sorted(maps.Keys(rungs)), "+")
}

// Tally counts verdicts.
type Tally struct {
	Pairs   int `json:"pairs"`
	Landed  int `json:"landed"`
	Differs int `json:"differs"`
	Refused int `json:"refused"`
	Layout  int `json:"layout"` // of those that differ, the ones that do so in layout only
}

func (t *Tally) add(v Verdict) {
	t.Pairs++
	switch v.Class {
	case Landed:
		t.Landed++
	case Differs:
		t.Differs++
	case Refused:
		t.Refused++
	}
	if v.Layout {
		t.Layout++
	}
}

// Row is a repository's part of the table.
type Row struct {
	Repository string `json:"repository"`
	Code       Tally  `json:"code"`
	All        Tally  `json:"all"`
	GitCode    Tally  `json:"git_code"`
	GitAll     Tally  `json:"git_all"`
}

// Part is a share of the results, with what it is worth in code.
type Part struct {
	Name string `json:"name"`
	Tally
	GitRefused int `json:"git_refused"` // of the landed, those that plain git refuses
}

// Count is how often something stands.
type Count struct {
	Name  string `json:"name"`
	Picks int    `json:"picks"` // of which it is the first reason
	Files int    `json:"files"` // that have it
}

// Move is how many pairs went from one class under plain git to another here, in code.
type Move struct {
	Git   Class `json:"git"`
	Ours  Class `json:"ours"`
	Pairs int   `json:"pairs"`
}

// Times are wall-clock times of single picks.
type Times struct {
	Median time.Duration `json:"median_nanoseconds"`
	P99    time.Duration `json:"p99_nanoseconds"`
	Max    time.Duration `json:"max_nanoseconds"`
}

// Report is what a replay showed. Rows end with the sum where there are several.
type Report struct {
	Rows        []Row   `json:"rows"`
	Methods     []Part  `json:"methods"`
	Confidences []Part  `json:"confidences"`
	Moves       []Move  `json:"moves"`
	Reasons     []Count `json:"reasons"`
	Times       Times   `json:"times"`
	GitTimes    Times   `json:"git_times"`
}

// allRows is the name of the sum.
const allRows = "all"

// Summarize counts trials. They stay in the order given, by repository.
func Summarize(trials []Trial) Report {
	r := Report{Rows: rows(trials)}
	r.Methods = parts(trials, func(t Trial) string { return t.Method })
	r.Confidences = parts(trials, func(t Trial) string { return string(t.Confidence) })
	moves := map[[2]Class]int{}
	var ours, theirs []time.Duration
	for _, t := range trials {
		ours = append(ours, t.Time)
		if t.Git != nil {
			moves[[2]Class{t.Git.Code.Class, t.Code.Class}]++
			theirs = append(theirs, t.GitTime)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(moves), func(a, b [2]Class) int {
		return cmp.Or(rank(a[0])-rank(b[0]), rank(a[1])-rank(b[1]))
	}) {
		r.Moves = append(r.Moves, Move{k[0], k[1], moves[k]})
	}
	r.Reasons = reasons(trials)
	r.Times, r.GitTimes = timesOf(ours), timesOf(theirs)
	return r
}

func rank(c Class) int { return slices.Index([]Class{Landed, Differs, Refused}, c) }

func rows(trials []Trial) []Row {
	var list []Row
	sum := Row{Repository: allRows}
	for _, t := range trials {
		at := slices.IndexFunc(list, func(r Row) bool { return r.Repository == t.Repository })
		if at < 0 {
			at = len(list)
			list = append(list, Row{Repository: t.Repository})
		}
		for _, row := range []*Row{&list[at], &sum} {
			row.Code.add(t.Code)
			row.All.add(t.All)
			if t.Git != nil {
				row.GitCode.add(t.Git.Code)
				row.GitAll.add(t.Git.All)
			}
		}
	}
	if len(list) > 1 {
		list = append(list, sum)
	}
	return list
}

// parts groups what was not refused.
func parts(trials []Trial, name func(Trial) string) []Part {
	byName := map[string]*Part{}
	for _, t := range trials {
		if t.Code.Class == Refused {
			continue
		}
		n := name(t)
		if t.Outcome == backport.Conflicted {
			n = "(metadata left)" // the code is complete
		}
		p := byName[n]
		if p == nil {
			p = &Part{Name: n}
			byName[n] = p
		}
		p.add(t.Code)
		if t.Code.Class == Landed && t.Git != nil && t.Git.Code.Class == Refused {
			p.GitRefused++
		}
	}
	list := make([]Part, 0, len(byName))
	for _, p := range byName {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Part) int { return cmp.Or(b.Pairs-a.Pairs, strings.Compare(a.Name, b.Name)) })
	return list
}

// reasons counts why picks were refused. Conflicts in dependency metadata count like others: all files are looked at.
func reasons(trials []Trial) []Count {
	byName := map[string]*Count{}
	at := func(name string) *Count {
		if byName[name] == nil {
			byName[name] = &Count{Name: name}
		}
		return byName[name]
	}
	for _, t := range trials {
		if t.Problem != "" {
			at("error: "+string(t.Problem)).Picks++
		}
		for i, f := range t.Reasons {
			if i == 0 {
				at(string(f.Reasons[0])).Picks++
			}
			seen := slices.Sorted(slices.Values(f.Reasons))
			for _, reason := range slices.Compact(seen) {
				at(string(reason)).Files++
			}
		}
	}
	list := make([]Count, 0, len(byName))
	for _, c := range byName {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(b.Picks-a.Picks, b.Files-a.Files, strings.Compare(a.Name, b.Name))
	})
	return list
}

func timesOf(d []time.Duration) Times {
	if len(d) == 0 {
		return Times{}
	}
	sorted := slices.Sorted(slices.Values(d))
	return Times{Median: sorted[len(sorted)/2], P99: sorted[len(sorted)*99/100], Max: sorted[len(sorted)-1]}
}
