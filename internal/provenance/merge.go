package provenance

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Input is what is joined.
type Input struct {
	Facts    []*vuln.Record    // the reviewed facts
	Reviewed release.Date      // the day up to which they were collected
	Releases []release.Version // the releases that are known, in order
	Items    Items
}

// Merged is what came of it.
type Merged struct {
	Records   []*vuln.Record // all, in the order of their names; those that nothing was added to are the same pointers as in the facts
	Conflicts []Conflict     // by name, then source
	Malformed []Conflict     // what is wrong with records of sources by themselves, in the same order; those are no part of Conflicts
	Leads     []Lead         // what somebody should look at, since nothing was made of it
	New       []string       // names of vulnerabilities that the facts do not have
}

// Lead is what somebody should look at: a merged pull request that names a vulnerability which no record is about, or a document about Kubernetes
// that tells nothing about its versions.
type Lead struct {
	Source string   `json:"source"`
	What   string   `json:"what"`
	URL    string   `json:"url"`
	Names  []string `json:"names"` // what no record is about
	Reason string   `json:"reason"`
}

// Merge joins the reviewed facts with what the sources say. The facts are not changed.
func Merge(in Input) Merged {
	m := merger{Input: in, groups: map[string]*group{}}
	m.collect()
	var out Merged
	for _, id := range slices.Sorted(maps.Keys(m.groups)) {
		g := m.groups[id]
		record, conflicts := m.decide(g)
		out.Malformed = append(out.Malformed, m.malformed(g)...)
		if record == nil {
			out.Leads = append(out.Leads, g.leads()...)
			continue
		}
		if g.base == nil {
			out.New = append(out.New, record.ID)
		}
		out.Records = append(out.Records, record)
		out.Conflicts = append(out.Conflicts, conflicts...)
	}
	known := map[string]bool{}
	for _, r := range out.Records {
		for _, n := range r.Names() {
			known[strings.ToUpper(n)] = true
		}
	}
	for _, p := range in.Items.PullRequests {
		unknown := slices.DeleteFunc(slices.Clone(p.Names), func(n string) bool { return known[strings.ToUpper(n)] })
		if len(unknown) > 0 {
			out.Leads = append(out.Leads, Lead{p.Origin.Source, "#" + strconv.Itoa(p.Number) + " " + p.Title, p.URL, unknown, "a merged pull request names it, and no record is about it"})
		}
	}
	return out
}

// malformed reads the records of a group for what is wrong with them by themselves.
func (m *merger) malformed(g *group) []Conflict {
	var all []Conflict
	for _, c := range g.candidates {
		found := c.Record.Faults(m.released)
		if !slices.ContainsFunc(found, func(f vuln.Fault) bool { return f.Kind == vuln.FaultNoVersion }) {
			for _, text := range c.Faults {
				found = append(found, vuln.Fault{Kind: vuln.FaultNoVersion, Note: text})
			}
		}
		for _, f := range found[:min(len(found), maxFaults)] {
			conflict := Conflict{ID: g.id, Field: Malformed, Followed: Side{}, Other: side(c.Origin), Reason: f.Kind}
			conflict.Other.Says = f.Note
			all = append(all, conflict)
		}
	}
	return all
}

// maxFaults bounds what is told of one record.
const maxFaults = 50

// released says whether a release was ever made, where that is known.
func (m *merger) released(v release.Version) (is, known bool) {
	for _, r := range m.Releases {
		if r.Minor == v.Minor {
			known = true
			is = is || r.Patch == v.Patch
		}
	}
	return is, known
}

// group is all that is said about one vulnerability.
type group struct {
	id         string
	base       *vuln.Record
	candidates []Candidate
	aliases    []string // names that stand for this one only
}

// leads are the documents of a group that no record was made of, those about Kubernetes itself.
func (g *group) leads() []Lead {
	var leads []Lead
	for _, c := range g.candidates {
		if slices.ContainsFunc(c.Record.Packages(), IsPart) || len(c.Record.Affected) == 0 {
			leads = append(leads, Lead{c.Origin.Source, c.Record.Summary, c.Origin.URL, c.Record.Names(), "it tells nothing about versions of Kubernetes that can be read"})
		}
	}
	return leads
}

type merger struct {
	Input

	groups map[string]*group
}

// collect sorts the candidates by what they are about: the record's CVE name, or what another calls its alias.
func (m *merger) collect() {
	owner := map[string]string{} // name in capitals, to the group
	for _, r := range m.Facts {
		m.groups[r.ID] = &group{id: r.ID, base: r}
		for _, n := range r.Names() {
			owner[strings.ToUpper(n)] = r.ID
		}
	}
	claims := m.claims()
	for _, c := range m.Items.Candidates {
		for _, id := range subjects(c.Record, owner, claims) {
			g := m.groups[id]
			if g == nil {
				g = &group{id: id}
				m.groups[id] = g
				owner[strings.ToUpper(id)] = id
			}
			g.candidates = append(g.candidates, c)
			g.name(c.Record, owner, claims)
		}
	}
}

// claims are, for each name in capitals, the CVE names that candidates give to what bears it.
func (m *merger) claims() map[string][]string {
	claims := map[string][]string{}
	for _, c := range m.Items.Candidates {
		for _, n := range c.Record.Names() {
			n = strings.ToUpper(n)
			for _, cve := range cves(c.Record) {
				if !slices.Contains(claims[n], cve) {
					claims[n] = append(claims[n], cve)
				}
			}
		}
	}
	return claims
}

// name adds a record's names that nothing else has to the group's.
func (g *group) name(r *vuln.Record, owner map[string]string, claims map[string][]string) {
	for _, n := range r.Names() {
		up := strings.ToUpper(n)
		if owner[up] == "" && len(claims[up]) <= 1 {
			g.aliases, owner[up] = append(g.aliases, n), g.id
		}
	}
}

func isCVE(name string) bool { return strings.HasPrefix(strings.ToUpper(name), "CVE-") }

// cves returns the CVE names of a record, in capitals.
func cves(r *vuln.Record) []string {
	var names []string
	for _, n := range r.Names() {
		if isCVE(n) {
			names = append(names, strings.ToUpper(n))
		}
	}
	return names
}

// subjects returns the groups that a record belongs to: those of its CVE names; without any, that of a name which something else ties to a CVE.
func subjects(r *vuln.Record, owner map[string]string, claims map[string][]string) []string {
	var ids []string
	add := func(id string) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, cve := range cves(r) {
		add(cmp.Or(owner[cve], cve))
	}
	if len(ids) > 0 {
		return ids
	}
	for _, n := range r.Names() {
		n = strings.ToUpper(n)
		if owner[n] != "" {
			add(owner[n])
			continue
		}
		for _, cve := range claims[n] {
			add(cmp.Or(owner[cve], cve))
		}
	}
	if len(ids) == 0 {
		add(r.ID)
	}
	return ids
}

// opinion is what one side says about Kubernetes itself.
type opinion struct {
	origin   Origin
	record   *vuln.Record
	affected []vuln.Affected
	in       []bool // by release: affected
	unknown  []bool // by release: cannot be told
	silent   []bool // by release: it has no say here, though its record does; all of rank git
	newer    bool   // later than the review
}

// ask reads an opinion; nil where the record says nothing about Kubernetes itself.
func (m *merger) ask(origin Origin, r *vuln.Record, unclear bool) *opinion {
	affected, spoken, doubt := kubernetes(r)
	if !spoken {
		return nil
	}
	o := m.opinion(origin, r)
	o.affected = affected
	o.newer = origin.Rank == Announced && release.DateOf(latest(r)).After(m.Reviewed)
	judged := vuln.Record{ID: r.ID, Affected: affected}
	for i, v := range m.Releases {
		has, err := judged.Affects(Package, v)
		o.in[i] = has
		o.unknown[i] = !has && (err != nil || unclear || doubt)
		o.silent[i] = origin.Rank == Git && len(r.Kubelts.JudgedByGit) > 0 && !slices.Contains(r.Kubelts.JudgedByGit, v.Minor.String())
	}
	return o
}

// opinion makes one that calls nothing affected.
func (m *merger) opinion(origin Origin, r *vuln.Record) *opinion {
	n := len(m.Releases)
	return &opinion{origin: origin, record: r, in: make([]bool, n), unknown: make([]bool, n), silent: make([]bool, n)}
}

func latest(r *vuln.Record) time.Time {
	if r.Modified.After(r.Published) {
		return r.Modified
	}
	return r.Published
}

// decide makes one record of a group; nil where nothing in it is about Kubernetes.
func (m *merger) decide(g *group) (*vuln.Record, []Conflict) {
	if g.base != nil && len(g.candidates) == 0 {
		return g.base, nil
	}
	slices.SortStableFunc(g.candidates, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Origin.Rank.order(), b.Origin.Rank.order()), latest(b.Record).Compare(latest(a.Record)), strings.Compare(a.Origin.Source, b.Origin.Source))
	})
	var opinions []*opinion
	if g.base != nil {
		base := m.ask(Origin{Source: string(Reviewed), Rank: Reviewed}, g.base, false)
		if base == nil { // to say nothing about Kubernetes is what was decided in the review
			base = m.opinion(Origin{Source: string(Reviewed), Rank: Reviewed}, g.base)
		}
		opinions = append(opinions, base)
	}
	for _, c := range g.candidates {
		if o := m.ask(c.Origin, c.Record, len(c.Faults) > 0); o != nil {
			opinions = append(opinions, o)
		}
	}
	slices.SortStableFunc(opinions, func(a, b *opinion) int { return cmp.Compare(a.origin.Rank.order(), b.origin.Rank.order()) })
	record := m.draft(g, opinions)
	if record == nil {
		return nil, nil
	}
	conflicts := slices.Concat(m.ranges(record, g, opinions), fields(record, g))
	slices.SortStableFunc(conflicts, func(a, b Conflict) int { return strings.Compare(a.Other.Source, b.Other.Source) })
	if len(conflicts) > 0 || len(g.aliases) > 0 {
		record.Kubelts.Conflicts = slices.Clone(record.Kubelts.Conflicts)
		for _, c := range conflicts {
			record.Kubelts.Conflicts = append(record.Kubelts.Conflicts, c.String())
		}
		record.Aliases = append(slices.Clone(record.Aliases), g.aliases...)
	}
	return record, conflicts
}

// ranges sets what is affected, and returns where sources disagree about it.
func (m *merger) ranges(record *vuln.Record, g *group, opinions []*opinion) []Conflict {
	if len(opinions) == 0 {
		return nil
	}
	first := opinions[0]
	m.unite(first, opinions[1:])
	who := m.followed(opinions)
	if first.origin.Rank != Reviewed {
		m.settle(record, first, who)
	}
	var conflicts []Conflict
	for _, o := range opinions[1:] {
		for _, f := range opinions {
			if f == o || !slices.Contains(who, f) {
				continue
			}
			if c, ok := m.differ(record, g.id, o, f, who); ok {
				conflicts = append(conflicts, c)
			}
		}
	}
	return conflicts
}

// followed is, for each release, the opinion that is followed: the first that has a say.
func (m *merger) followed(opinions []*opinion) []*opinion {
	who := make([]*opinion, len(m.Releases))
	for i := range who {
		who[i] = opinions[0]
		if k := slices.IndexFunc(opinions, func(o *opinion) bool { return !o.silent[i] }); k >= 0 {
			who[i] = opinions[k]
		}
	}
	return who
}

// settle writes what is affected into a record that is not followed as it was reviewed.
func (m *merger) settle(record *vuln.Record, first *opinion, who []*opinion) {
	var affected []vuln.Affected
	if slices.ContainsFunc(who, func(o *opinion) bool { return o != first }) { // each release as the one says who is followed there
		in := make([]bool, len(who))
		for i, o := range who {
			in[i] = o.in[i] || o.unknown[i] && o.origin.Rank != Reviewed
		}
		if rg := vuln.RangeOf(m.Releases, in); len(rg.Events) > 0 {
			affected = []vuln.Affected{{Package: vuln.Package{Ecosystem: Ecosystem, Name: Package}, Ranges: []vuln.Range{rg}}}
		}
	} else {
		affected = m.doubt(record, first)
	}
	others := slices.DeleteFunc(slices.Clone(record.Affected), func(a vuln.Affected) bool { return IsPart(a.Package.Name) })
	record.Affected = slices.Concat(affected, others)
}

// differ is where an opinion says something else than the one that is followed, of the releases of which that one is. What it adds, after the review, is added to the record.
func (m *merger) differ(record *vuln.Record, id string, o, followed *opinion, who []*opinion) (Conflict, bool) {
	c := Conflict{ID: id, Field: "affected", Followed: side(followed.origin), Other: side(o.origin), Newer: o.newer}
	more, fewer, add := make([]bool, len(m.Releases)), make([]bool, len(m.Releases)), []string{}
	for i, v := range m.Releases {
		if who[i] != followed || o.silent[i] {
			continue
		}
		more[i] = o.in[i] && !followed.in[i] && !followed.unknown[i]
		fewer[i] = !o.in[i] && !o.unknown[i] && followed.in[i]
		if more[i] && o.newer && !curedInGit(record, v) {
			add = append(add, strings.TrimPrefix(v.String(), "v"))
		}
	}
	c.More, c.Fewer = spans(m.Releases, more), spans(m.Releases, fewer)
	if len(c.More)+len(c.Fewer) == 0 {
		return c, false
	}
	c.Reason = reason(followed.origin.Rank, o)
	if followed.origin.Rank == Reviewed && len(add) > 0 {
		c.Added = true
		c.Reason = "announced after the review: what it calls affected beyond the review is added, but for what git shows cured"
		record.Affected = append(slices.Clone(record.Affected), vuln.Affected{Package: vuln.Package{Ecosystem: Ecosystem, Name: Package}, Versions: add})
	}
	return c, true
}

// unite adds to the one followed what others of its rank call affected.
func (m *merger) unite(followed *opinion, others []*opinion) {
	for _, o := range others {
		if o.origin.Rank != followed.origin.Rank {
			return
		}
		followed.affected = slices.Concat(followed.affected, o.affected)
		for i := range m.Releases {
			if followed.silent[i] && !o.silent[i] {
				followed.in[i], followed.unknown[i], followed.silent[i] = o.in[i], o.unknown[i], false
				continue
			}
			if o.silent[i] {
				continue
			}
			followed.in[i] = followed.in[i] || o.in[i]
			followed.unknown[i] = !followed.in[i] && (followed.unknown[i] || o.unknown[i])
		}
	}
}

// doubt adds what cannot be told from what the one followed says, where nobody has reviewed it: it is taken for affected.
func (m *merger) doubt(record *vuln.Record, followed *opinion) []vuln.Affected {
	var versions []string
	for i, v := range m.Releases {
		if followed.unknown[i] {
			versions = append(versions, strings.TrimPrefix(v.String(), "v"))
		}
	}
	if len(versions) == 0 {
		return followed.affected
	}
	record.Kubelts.Conflicts = append(slices.Clone(record.Kubelts.Conflicts), "not all that "+followed.origin.Source+" says about versions can be read: "+
		strings.Join(spans(m.Releases, followed.unknown), ", ")+" are taken to be affected")
	return append(slices.Clone(followed.affected), vuln.Affected{Package: vuln.Package{Ecosystem: Ecosystem, Name: Package}, Versions: versions})
}

// curedInGit reports whether git shows a release of the minor, not later than v, that carries the fix.
func curedInGit(r *vuln.Record, v release.Version) bool {
	first, err := release.Parse(r.Kubelts.VerifiedFixed[v.Minor.String()])
	return err == nil && release.CompareUpstream(v, first) >= 0
}

func side(o Origin) Side { return Side{Source: o.Source, Rank: o.Rank, URL: o.URL} }

func reason(followed Rank, o *opinion) string {
	if followed == o.origin.Rank {
		return "of sources of equal rank, what one of them calls affected is affected"
	}
	text := followed.words() + " goes before " + o.origin.Rank.words()
	if followed == Reviewed {
		text = followed.words() + " go before " + o.origin.Rank.words()
	}
	if o.newer {
		text += "; it was announced after the review and should be looked at"
	}
	return text
}
