package lint

import (
	"context"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
)

// Judged is how triage judges a vulnerability on a base.
type Judged struct {
	Names    []string // the first is what it is called
	Status   string   // in triage's words
	Evidence string   // in a few words
	// Fixes are the commits that cure it: a patch that is one of them needs no name.
	Fixes []Change
}

// Change is what a change is told by, wherever it was carried to.
type Change struct {
	Plain   equiv.PlainID
	Weight  int    // bytes that Plain rests on
	Subject string // of the commit, or of the mail
}

// NewChange tells a change by its diff.
func NewChange(subject string, diff []byte) Change {
	d := equiv.DigestPatch(diff)
	return Change{d.Plain, d.Weight, equiv.PlainSubject(subject)}
}

// plainWeight is how many bytes of changed source a plain patch-id must rest on to say enough alone; below, the subject must be equal too.
const plainWeight = 120

// is reports whether two changes are one.
func (c Change) is(o Change) bool {
	return !c.Plain.IsZero() && c.Plain == o.Plain && (c.Weight >= plainWeight || c.Subject == o.Subject)
}

// affected and uncertain are triage's words that this package tells apart.
const (
	affected  = "affected"
	uncertain = "under_investigation"
)

// wanted is a line for which missing vulnerabilities are looked for.
type wanted struct {
	line, tag, upstream string
	spoken              []string // vulnerabilities that patches, definitions or the ledger name
	changes             []Change
	at                  Finding // where the line is
}

// vulnerabilities reports those that the bases of the lines have and nobody speaks of: by triage where the clone has the base, otherwise by the facts.
func (c *collector) vulnerabilities(ctx context.Context) error {
	judged := map[string][]Judged{}
	if c.options.Judge != nil {
		var tags []string
		for _, w := range c.wanted {
			if _, there := c.options.Trees.Tag(w.tag); there && c.concerns(w) && !slices.Contains(tags, w.tag) {
				tags = append(tags, w.tag)
			}
		}
		if len(tags) > 0 {
			var err error
			if judged, err = c.options.Judge(ctx, tags); err != nil {
				return err
			}
		}
	}
	for _, w := range c.wanted {
		if w.tag == "" {
			c.unseenOf("missing vulnerabilities of", w.line, "nothing says which release it is for")
			continue
		}
		verdicts, byGit := judged[w.tag]
		c.byEvidence(w, verdicts)
		c.byFacts(w, verdicts, byGit)
	}
	return nil
}

// concerns reports whether the clone is one of the line's upstream.
func (c *collector) concerns(w wanted) bool {
	return c.options.Upstream == "" || w.upstream == c.options.Upstream
}

// byEvidence reports what triage finds.
func (c *collector) byEvidence(w wanted, verdicts []Judged) {
	f := w.at
	for _, v := range verdicts {
		if v.Status != affected || w.speaks(v.Names) {
			continue
		}
		if slices.ContainsFunc(v.Fixes, func(fix Change) bool { return slices.ContainsFunc(w.changes, fix.is) }) {
			continue
		}
		f.Items, f.Evidence = append(f.Items, v.Names[0]), append(f.Evidence, v.Evidence)
	}
	if len(f.Items) == 0 {
		return
	}
	f.Rule, f.Subject, f.Lines = MissingVulnerability, w.line, []string{w.line}
	f.Message = plural(len(f.Items), "vulnerability that triage finds in ", "vulnerabilities that triage finds in ") + w.tag + ", and that no patch of " + w.line + " cures or names"
	c.add(f)
}

// byFacts reports what the facts say where triage cannot tell.
func (c *collector) byFacts(w wanted, verdicts []Judged, byGit bool) { //nolint:revive // whether the base was judged is a fact
	if w.upstream != kubernetes || c.options.Known == nil {
		if !byGit {
			c.unseenOf("missing vulnerabilities of", w.line, noFacts(w))
		}
		return
	}
	known, err := c.options.Known(w.tag)
	if err != nil {
		c.unseenOf("missing vulnerabilities of", w.line, err.Error())
		return
	}
	f := w.at
	for _, names := range known {
		told := slices.ContainsFunc(verdicts, func(v Judged) bool { return v.Status != uncertain && slices.Contains(names, v.Names[0]) })
		if told || w.speaks(names) {
			continue
		}
		f.Items = append(f.Items, names[0])
	}
	if len(f.Items) == 0 {
		return
	}
	f.Rule, f.Severity, f.Subject, f.Lines = MissingVulnerability, Warning, w.line, []string{w.line}
	f.Message = plural(len(f.Items), "vulnerability that the facts give ", "vulnerabilities that the facts give ") + w.tag + ", and that no patch of " + w.line + " names"
	f.Hint = "the facts' ranges claim too much for some minors: name a clone with --repo, which triage judges by"
	if byGit {
		f.Hint = "the clone does not show whether the base has them: look at each"
	}
	c.add(f)
}

func noFacts(w wanted) string {
	switch w.upstream {
	case kubernetes:
		return "no facts were given, and no clone was judged"
	case "":
		return "the facts are about releases of " + kubernetes + ", and nothing says what the line is of"
	}
	return "no clone was judged by records of " + w.upstream + ", and the facts are about releases of " + kubernetes
}

// speaks reports whether the line names a vulnerability by any of its names.
func (w wanted) speaks(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return slices.ContainsFunc(w.spoken, func(s string) bool { return strings.EqualFold(n, s) })
	})
}
