package triage

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/vuln"
)

// fix is one fix of a record, with its commits found in the repository.
type fix struct {
	place     int      // in the record's required fixes
	branches  []string // for which the record names its commits
	main      bool     // one of them is the main branch, or none is known to be a release branch
	instances []instance
	absent    []absence
}

// absence is a commit that the record names for a branch and that this clone does not have.
type absence struct {
	branch   string
	evidence Evidence
}

// undecided says whether what is absent here could be what a branch lacks: its own commits, or some of every instance.
func (f *fix) undecided(branch string) bool {
	return slices.ContainsFunc(f.absent, func(a absence) bool { return a.branch == branch }) ||
		!slices.ContainsFunc(f.instances, func(in instance) bool { return in.absent == 0 && len(in.parts) > 0 })
}

// instance is the fix as it stands on one branch, or on several whose commits pair off: if all its parts are on a target, so is the fix.
type instance struct {
	parts  []*part
	absent int // how many of its commits are not in this clone
}

// part is one commit of a fix, wherever it was landed.
type part struct {
	commit  git.OID            // the one on the main branch, else the first that is here
	seeds   []int32            // the commits that the record names
	named   map[int32][]string // for which branches it names them
	pulls   []int              // the pull requests that it came with
	carried []int              // the pull requests that carried it to other branches
	names   []string           // base names of the paths that the seeds change
	members map[int32][]Evidence
	order   []int32           // the members, newest first
	undone  map[int32][]int32 // by member: the commits after it that revert the fix
}

// commitNames collects the commit names of records, and finds them.
type commitNames struct {
	oids map[string]git.OID
	errs map[string]error
}

// resolve finds what the names of all fixes stand for. A full name needs no look now: the walk shows whether it is there.
func (n *commitNames) resolve(ctx context.Context, h History, name string) error {
	_, found := n.oids[name]
	_, failed := n.errs[name]
	if found || failed {
		return nil
	}
	oid, err := git.ParseOID(name)
	if err != nil {
		oid, err = h.Resolve(ctx, name)
	}
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		n.errs[name] = err
	case !strings.HasPrefix(oid.String(), name):
		n.errs[name] = errs.New(errs.NotFound, "%q is a ref here, not a commit", name)
	default:
		n.oids[name] = oid
	}
	return nil
}

// resolveNames finds the commits that the records name for the repository.
func resolveNames(ctx context.Context, h History, repository string, records []*vuln.Record) (*commitNames, error) {
	n := &commitNames{oids: map[string]git.OID{}, errs: map[string]error{}}
	for _, r := range records {
		for _, f := range slices.Concat(r.RequiredFixes(repository), followUps(r, repository)) {
			for _, branch := range slices.Sorted(maps.Keys(f.Commits)) {
				for _, name := range f.Commits[branch] {
					if err := n.resolve(ctx, h, name); err != nil {
						return nil, err
					}
				}
			}
		}
		for _, name := range introduced(r, repository) {
			if err := n.resolve(ctx, h, name); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// place finds a name in the index. What is not there is named in the evidence, with the kind of the error.
func (n *commitNames) place(x *index, unread map[git.OID]error, name string) (int32, *Evidence) {
	oid, known := n.oids[name]
	if i, ok := x.at[oid]; known && ok {
		return i, nil
	}
	err := n.errs[name]
	if known {
		err = unread[oid]
	}
	return 0, &Evidence{Kind: KindAbsentObject, Commit: oid, Note: absentNote("commit "+name, err)}
}

func absentNote(what string, err error) string {
	if err == nil {
		return what + " is not in this repository"
	}
	// What git said at its end is what matters; before it may stand the command and advice.
	text := strings.TrimSpace(err.Error())
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return what + ": " + string(errs.KindOf(err)) + ": " + clip(text)
}

// findFixes finds the commits of fixes.
func (j *judge) findFixes(named []vuln.Fix) []*fix {
	var fixes []*fix
	for n, f := range named {
		found := &fix{place: n}
		mainBranch, _ := f.Main()
		branches := slices.DeleteFunc(slices.Sorted(maps.Keys(f.Commits)), func(b string) bool { return b == mainBranch })
		if mainBranch != "" {
			branches = slices.Insert(branches, 0, mainBranch)
		}
		found.branches = branches
		found.main = slices.ContainsFunc(branches, func(b string) bool { return !j.isReleaseBranch(b) })
		for _, branch := range branches {
			j.addInstance(found, f, branch)
		}
		fixes = append(fixes, found)
	}
	return fixes
}

// groups are the sets of fixes of which one must be on a branch in full. Mostly there is one, all of them. But a fix that release branches took
// and the main branch did not stands in for those of the main branch.
func (s *subject) groups(branch string) [][]*fix {
	var named, main, other []*fix
	standIn := false
	for _, f := range s.fixes {
		if slices.Contains(f.branches, branch) {
			named = append(named, f)
			standIn = standIn || !f.main
		}
		if f.main {
			main = append(main, f)
		} else {
			other = append(other, f)
		}
	}
	var groups [][]*fix
	if standIn {
		groups = append(groups, named)
	}
	for _, g := range [][]*fix{main, other} {
		if len(g) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// addInstance adds what the record names for a branch: to the main branch's parts where they pair off, else as an instance of its own.
func (j *judge) addInstance(to *fix, f vuln.Fix, branch string) {
	commits := f.Commits[branch]
	var places []int32
	absent := 0
	for _, name := range commits {
		i, missing := j.commits.place(j.x, j.unread, name)
		if missing != nil {
			missing.Note += ", which the record names for " + branch
			to.absent = append(to.absent, absence{branch, *missing})
			absent++
			continue
		}
		places = append(places, j.expand(i)...)
	}
	if len(to.instances) > 0 && absent == 0 {
		if first := &to.instances[0]; first.absent == 0 && len(first.parts) == len(places) {
			for k, i := range places {
				first.parts[k].add(i, branch)
			}
			return
		}
	}
	in := instance{absent: absent}
	for _, i := range places {
		p := newPart(j.x.commits[i].oid)
		p.add(i, branch)
		if f.PullRequest != 0 {
			p.pulls = append(p.pulls, f.PullRequest)
		}
		p.carried = slices.Sorted(maps.Values(f.PullRequests))
		in.parts = append(in.parts, p)
	}
	to.instances = append(to.instances, in)
}

func newPart(commit git.OID) *part {
	return &part{commit: commit, named: map[int32][]string{}, undone: map[int32][]int32{}}
}

func (p *part) add(i int32, branch string) {
	if !slices.Contains(p.seeds, i) {
		p.seeds = append(p.seeds, i)
	}
	p.named[i] = append(p.named[i], branch)
}

// expand takes a merge for the commits that it brought, oldest first. Those that change nothing here are left out, where others remain: there is nothing of them
// that a branch could lack.
func (j *judge) expand(i int32) []int32 {
	c := &j.x.commits[i]
	if !c.merge && (c.claims == nil || !c.claims.Merge) {
		return []int32{i}
	}
	brought := j.x.brought(i)
	if len(brought) == 0 {
		return []int32{i}
	}
	brought = slices.Clone(brought)
	slices.Reverse(brought)
	if some := slices.DeleteFunc(slices.Clone(brought), func(o int32) bool { return j.x.commits[o].nothing() }); len(some) > 0 {
		return some
	}
	return brought
}

var addressForm = regexp.MustCompile(`(?i)^(?:https?|git|ssh)://(?:[^/@]*@)?[^/]+/(.+?)(?:\.git)?/?$`)

// introduced returns the commits that brought the flaw into the repository, by the record's GIT ranges; none when a range starts
// before all history.
func introduced(r *vuln.Record, repository string) []string {
	var found []string
	for _, a := range r.Affected {
		for _, rg := range a.Ranges {
			if rg.Type != vuln.RangeGit || !isOf(rg.Repo, repository) {
				continue
			}
			for _, e := range rg.Events {
				if e.Introduced != "" {
					found = append(found, e.Introduced)
				}
			}
		}
	}
	if slices.Contains(found, "0") {
		return nil
	}
	return found
}

// isOf says whether an address may be a repository's: it is, or one of them is not known.
func isOf(address, repository string) bool {
	m := addressForm.FindStringSubmatch(address)
	return m == nil || repository == "" || strings.EqualFold(m[1], repository)
}
