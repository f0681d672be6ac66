package candidate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
)

// What signs are worth. The figures were tuned on held-out picks: see docs/decisions/0021-candidates.md.
const (
	maxWords     = 60 // points of all severity words together
	maxCode      = 30 // of all signs in the code
	pointsTaken  = 4  // for each newer branch that took it as a pick
	maxTaken     = 3  // branches that count
	reachGain    = 14 // the oldest newer branch that upstream still kept took it
	reachLoss    = -14
	allBefore    = 14
	someBefore   = 5
	onlyDrifted  = -12
	featureLoss  = -16
	noiseLoss    = -24
	namesakeLoss = -24
	branchLoss   = -10
	mainLoss     = -12
	depsLoss     = -40
	revertedLoss = -20
	largeLoss    = -8
	largeFrom    = 400 // lines that go or come from which a change is large
	manyLoss     = -10
	manyFrom     = 8 // commits with source from which a pull request is a piece of work, not a fix
	smallGain    = 6
	smallTo      = 40
	testsGain    = 4
	namesPoints  = 15 // the pull request names a flaw
	maxSigns     = 40 // that one candidate has

	pointsOfFeature = 2 // that a sign in the code is worth in a change that adds something
)

// candidate makes one of changes that came together, and of what came with them.
func (s *search) candidate(group, more []*change) Candidate {
	main, best := group[0], 0
	for i, c := range group {
		points := 0
		for _, f := range s.message(c).spoken {
			points += f.points
		}
		if i == 0 || points > best {
			main, best = c, points
		}
	}
	all := append(slices.Clone(group), more...)
	slices.SortFunc(all, func(a, b *change) int { return b.at - a.at })
	c := Candidate{
		Class: main.class, Commit: main.commit, Subject: main.info.Subject, Title: plainTitle(main.arrival.Title), Branch: main.branch.Name,
		First: main.first, Last: main.last, Taken: main.taken, Pulls: main.pulls,
	}
	for _, o := range all {
		c.Commits = append(c.Commits, o.commit)
	}
	for _, o := range group {
		code, _ := codeOf(o)
		c.Code.Before += code.Before
		c.Code.Drifted += code.Drifted
		c.Code.Absent += code.Absent
		c.Code.After += code.After
		for _, p := range code.Paths {
			if !slices.Contains(c.Code.Paths, p) && len(c.Code.Paths) < maxPaths {
				c.Code.Paths = append(c.Code.Paths, p)
			}
		}
	}
	c.Signs = s.signs(main, group, more, c.Code)
	for _, sign := range c.Signs {
		c.Score += sign.Points
	}
	c.Score = max(c.Score, 0)
	c.Severity = severities(c.Signs)
	return c
}

// severities are those that the signs speak of, the worst first.
func severities(signs []Sign) []string {
	found := []string{}
	for _, severity := range Severities() {
		if slices.ContainsFunc(signs, func(s Sign) bool { return s.Points > 0 && s.Severity == severity }) {
			found = append(found, severity)
		}
	}
	return found
}

func (s *search) signs(main *change, group, more []*change, code Code) []Sign {
	signs := s.wordSigns(group)
	does := codeSignsOf(group)
	if s.message(main).isFeature() && !slices.ContainsFunc(signs, func(o Sign) bool { return o.Severity != SeverityBug }) {
		// It has to do all this for what it adds: that says little of faults.
		for i := range does {
			does[i].Points, does[i].Severity = min(does[i].Points, pointsOfFeature), ""
		}
		signs = append(signs, Sign{Kind: SignFeature, Points: featureLoss, Note: "speaks of something new or of tidying up: " + clip(main.info.Subject)})
	}
	signs = append(signs, does...)
	if s.message(main).isNoise() {
		signs = append(signs, Sign{Kind: SignNoise, Points: noiseLoss, Note: "speaks of tests, of checks or of spelling: " + clip(main.info.Subject)})
	}
	if id := s.known[main.key()]; id != "" {
		signs = append(signs, Sign{Kind: SignKnown, Note: "came with a fix of " + id + ", and no record names it"})
	}
	if oid := s.namesake(main); !oid.IsZero() {
		signs = append(signs, Sign{Kind: SignNamesake, Points: namesakeLoss, Note: "the line has a commit of that subject by that author, with other lines: " + oid.Short()})
	}
	signs = append(signs, s.takenSigns(main)...)
	signs = append(signs, placeSigns(group, code)...)
	signs = append(signs, areaSigns(code.Paths)...)
	signs = append(signs, sizeSigns(group)...)
	signs = append(signs, s.labelSigns(main)...)
	if slices.ContainsFunc(more, func(c *change) bool { return strings.HasPrefix(c.note, string(Tests)) }) || slices.ContainsFunc(group, bringsTest) {
		signs = append(signs, Sign{Kind: SignTests, Points: testsGain, Note: "brings a test"})
	}
	slices.SortStableFunc(signs, func(a, b Sign) int { return cmp.Compare(b.Points, a.Points) })
	return signs[:min(len(signs), maxSigns)]
}

// namesake is a commit of the line that may be a change in other lines: with its subject, by its author, in a file of such a name.
func (s *search) namesake(c *change) git.OID {
	for _, oid := range c.same.Namesakes(s.line.Commit) {
		o, _ := s.changes.Commit(oid)
		twin := &change{info: o}
		if o.Author == c.info.Author && o.Change != nil && c.info.Change != nil && twin.variantOf(c) {
			return oid
		}
	}
	return git.OID{}
}

// wordSigns are the severity words of all commits, one for each severity.
func (s *search) wordSigns(group []*change) []Sign {
	best := map[string]found{}
	for _, c := range group {
		for _, f := range s.message(c).spoken {
			if f.points > best[f.severity].points {
				best[f.severity] = f
			}
		}
	}
	var signs []Sign
	left := maxWords
	for _, severity := range Severities() {
		f, ok := best[severity]
		if !ok {
			continue
		}
		points := min(f.points, left)
		left -= points
		signs = append(signs, Sign{Kind: SignWord, Severity: severity, Points: points, Note: fmt.Sprintf("%q in the %s", f.quote, f.where)})
	}
	return signs
}

// codeSignsOf are what the changed lines do.
func codeSignsOf(group []*change) []Sign {
	var hunks []presence.Hunk
	for _, c := range group {
		hunks = append(hunks, c.view.Hunks...)
	}
	var signs []Sign
	left := maxCode
	for _, f := range readCode(hunks) {
		sign := Sign{Kind: SignCode, Points: min(f.points, left), Note: f.note + in(f.decl), Path: f.path}
		if f.clear {
			sign.Severity = f.severity
		}
		left -= sign.Points
		signs = append(signs, sign)
	}
	return signs
}

func in(decl string) string {
	if decl == "" {
		return ""
	}
	return ", in " + clip(decl)
}

// takenSigns are about the newer branches that took a change.
func (s *search) takenSigns(c *change) []Sign {
	var names, back []string
	for _, t := range c.taken {
		if !t.Reverted.IsZero() {
			back = append(back, t.Branch)
			continue
		}
		if !t.Inherited {
			names = append(names, t.Branch)
		}
	}
	var signs []Sign
	if len(names) > 0 {
		signs = append(signs, Sign{Kind: SignTaken, Points: pointsTaken * min(len(names), maxTaken), Note: "taken by " + some(names)})
	}
	signs = append(signs, s.reach(c)...)
	if len(back) > 0 {
		signs = append(signs, Sign{Kind: SignReverted, Points: revertedLoss, Note: "taken back on " + some(back)})
	}
	switch c.class {
	case ClassBranch:
		signs = append(signs, Sign{Kind: SignClass, Points: branchLoss, Note: "made for " + c.branch.Name + " only, as far as can be told"})
	case ClassMain:
		signs = append(signs, Sign{Kind: SignClass, Points: mainLoss, Note: "no release branch took it"})
	}
	if c.info.Claims.IsRevert() {
		signs = append(signs, Sign{Kind: SignRevert, Points: 0, Note: "takes back an earlier change, whose lines the line has"})
	}
	return signs
}

// reach says whether upstream took a change as far back as it could: to the oldest newer branch that it still made releases of.
func (s *search) reach(c *change) []Sign {
	if c.class == ClassMain {
		return nil
	}
	for _, b := range s.newer {
		if s.ends[b.Name].Before(c.first) {
			continue
		}
		i := slices.IndexFunc(c.taken, func(t Taken) bool { return t.Branch == b.Name })
		if i >= 0 && !c.taken[i].Reverted.IsZero() {
			return nil // said already
		}
		if i >= 0 {
			return []Sign{{Kind: SignReach, Points: reachGain, Note: b.Name + " took it, the oldest newer branch that was kept then"}}
		}
		return []Sign{{Kind: SignReach, Points: reachLoss, Note: b.Name + " was still kept and did not take it"}}
	}
	return nil
}

// some names a few.
func some(names []string) string {
	const limit = 4
	if len(names) > limit {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:limit], ", "), len(names)-limit)
	}
	return strings.Join(names, ", ")
}

func placeSigns(group []*change, code Code) []Sign {
	total := code.Before + code.Drifted + code.Absent + code.After
	switch {
	case code.Before == 1 && total == 1:
		return []Sign{{Kind: SignPlaces, Points: allBefore, Note: "the one place stands on the line as it found it"}}
	case code.Before > 0 && code.Before == total:
		return []Sign{{Kind: SignPlaces, Points: allBefore, Note: fmt.Sprintf("all %d places stand on the line as it found them", total)}}
	case code.Before > 0:
		return []Sign{{Kind: SignPlaces, Points: someBefore, Note: fmt.Sprintf("%d of %d places stand on the line as it found them", code.Before, total)}}
	case code.Drifted > 0:
		return []Sign{{Kind: SignPlaces, Points: onlyDrifted, Note: fmt.Sprintf("the line has %d of %d places, with other lines", code.Drifted, total)}}
	case total > 0:
		return []Sign{{Kind: SignPlaces, Points: onlyDrifted, Note: "its few lines may stand on the line already"}}
	}
	if slices.ContainsFunc(group, func(c *change) bool { return reasonOf(c.info.Change.Files) == Dependencies }) {
		return []Sign{{Kind: SignDependency, Points: depsLoss, Note: "touches only what pins or copies dependencies: raise the line's own"}}
	}
	return nil
}

func areaSigns(paths []string) []Sign {
	for _, a := range areas() {
		for _, p := range paths {
			if a.form.MatchString(p) {
				return []Sign{{Kind: SignArea, Points: a.points, Note: a.note, Path: p}}
			}
		}
	}
	return nil
}

func sizeSigns(group []*change) []Sign {
	lines := 0
	for _, c := range group {
		for i := range c.view.Hunks {
			lines += len(c.view.Hunks[i].Gone) + len(c.view.Hunks[i].Come)
		}
	}
	switch {
	case len(group) >= manyFrom:
		return []Sign{{Kind: SignSize, Points: manyLoss, Note: fmt.Sprintf("a piece of work: %d commits change source", len(group))}}
	case lines >= largeFrom:
		return []Sign{{Kind: SignSize, Points: largeLoss, Note: fmt.Sprintf("large: %d lines of source go or come", lines)}}
	case lines > 0 && lines <= smallTo:
		return []Sign{{Kind: SignSize, Points: smallGain, Note: fmt.Sprintf("small: %d lines of source go or come", lines)}}
	}
	return nil
}

// labelPoints are what labels of pull requests are worth, as the Kubernetes project uses them.
func labelPoints() map[string]int {
	return map[string]int{
		"priority/critical-urgent": 15, "area/security": 15, "kind/regression": 10, "priority/important-soon": 8, "kind/bug": 4, "kind/failing-test": -10, "kind/flake": -10, "kind/cleanup": -8,
		"kind/documentation": -8, "kind/feature": -8,
	}
}

// labelSigns are what is known besides the commits of the pull requests that were carried over, and of those that brought it to branches.
func (s *search) labelSigns(c *change) []Sign {
	numbers := slices.Clone(c.pulls)
	for _, t := range c.taken {
		numbers = append(numbers, t.Pull)
	}
	slices.Sort(numbers)
	var signs []Sign
	points, seen := labelPoints(), map[string]bool{}
	for _, n := range slices.Compact(numbers) {
		pull := s.repo.Pulls[n]
		for _, label := range pull.Labels {
			if points[label] != 0 && !seen[label] {
				signs = append(signs, Sign{Kind: SignLabel, Points: points[label], Note: fmt.Sprintf("#%d has the label %s", n, label)})
				seen[label] = true
			}
		}
		for _, name := range pull.Names {
			if !seen[SeveritySecurity] {
				signs = append(signs, Sign{Kind: SignLabel, Severity: SeveritySecurity, Points: namesPoints, Note: fmt.Sprintf("#%d names %s", n, clip(name))})
				seen[SeveritySecurity] = true
			}
		}
	}
	return signs
}

func bringsTest(c *change) bool {
	if c.info.Change == nil {
		return false
	}
	for _, f := range c.info.Change.Files {
		if kindOf(f.Path) == Tests {
			return true
		}
	}
	return false
}
