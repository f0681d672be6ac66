package feed

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// versionForm is a version as people write it in advisories: v1.27.0, V1.27.0, 1.27, v1.27.x, 1.20.0-alpha.1.
const versionForm = `[vV]?\d{1,4}(?:\.(?:\d{1,9}|[xX*])){0,2}(?:-(?:alpha|beta|rc)[.0-9]*|-0)?`

var (
	between   = regexp.MustCompile(`^(` + versionForm + `)\s*(?:-|–|—|to|through|up to)\s*(` + versionForm + `)$`)
	comparing = regexp.MustCompile(`^(<=|>=|<|>|=|==|≤|≥|prior to|before|up to)?\s*(` + versionForm + `)(\s+and (?:earlier|prior|below|older))?$`)
)

// bound is a version with what its spelling leaves open.
type bound struct {
	text string // canonical, without the v
	v    release.Version
	wide bool // names a minor, such as 1.15 or 1.15.x
}

func parseBound(s string) (bound, error) {
	s = strings.TrimLeft(strings.ToLower(strings.TrimSpace(s)), "v")
	wide := false
	for _, suffix := range []string{".x", ".*"} {
		if cut, ok := strings.CutSuffix(s, suffix); ok {
			s, wide = cut, true
		}
	}
	v, err := release.Parse(s)
	if err != nil {
		return bound{}, fmt.Errorf("bound %q is no version", s)
	}
	if !v.HasPatch() {
		v.Patch, wide = 0, true
		s += ".0"
	}
	return bound{text: s, v: v, wide: wide}, nil
}

// next is the first version after all that the bound names.
func (b bound) next() string {
	if b.wide {
		return fmt.Sprintf("%d.%d.0", b.v.Minor.Major, b.v.Minor.Minor+1)
	}
	return fmt.Sprintf("%d.%d.%d", b.v.Minor.Major, b.v.Minor.Minor, b.v.Patch+1)
}

// last is the event that ends a range with the bound in it.
func (b bound) last() vuln.Event {
	if b.wide {
		return vuln.Event{Fixed: b.next()}
	}
	return vuln.Event{LastAffected: b.text}
}

// constraint reads which versions a phrase names: "v1.27.0 - v1.27.1", "<= v1.24.13", ">= 1.24.0, < 1.24.14", "1.15", "v1.3.x", "all versions". A minor
// means all its releases. What cannot be read is an error that quotes it.
func constraint(text string) (vuln.Range, error) {
	out := vuln.Range{Type: vuln.RangeSemver}
	s := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if len(s) > 300 {
		return out, fmt.Errorf("versions %q...: too long", s[:50])
	}
	switch s {
	case "all", "all versions", "*", "0", ">= 0", ">=0", "any", "any version", "all kubernetes versions":
		out.Events = []vuln.Event{{Introduced: "0"}}
		return out, nil
	}
	if m := between.FindStringSubmatch(s); m != nil {
		s = ">=" + m[1] + ",<=" + m[2]
	}
	var limits limits
	for part := range strings.SplitSeq(s, ",") {
		m := comparing.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return out, fmt.Errorf("versions %q cannot be read", text)
		}
		b, err := parseBound(m[2])
		if err != nil {
			return out, err
		}
		op := m[1]
		if op == "" && m[3] != "" { // 1.2 and earlier
			op = "<="
		}
		if err = limits.add(op, b); err != nil {
			return out, fmt.Errorf("versions %q %w", text, err)
		}
	}
	var err error
	if out.Events, err = limits.events(); err != nil {
		return out, fmt.Errorf("versions %q %w", text, err)
	}
	return out, nil
}

// maxConstraints bounds the ranges of one text.
const maxConstraints = 50

// constraints reads a text that is one range, or several with commas ("<= v1.29.12, v1.30.0 - v1.30.8").
func constraints(text string) ([]vuln.Range, error) {
	one, err := constraint(text)
	if err == nil {
		return []vuln.Range{one}, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) < 2 || len(parts) > maxConstraints {
		return nil, err
	}
	var ranges []vuln.Range
	var steps []*vuln.Range
	for _, p := range parts {
		r, bad := constraint(p)
		if bad != nil {
			return nil, err
		}
		ranges = append(ranges, r)
	}
	for i := range ranges {
		steps = append(steps, &ranges[i])
	}
	staircase(steps)
	return ranges, nil
}

// limits are the two ends of a range, with the bounds that they were made of.
type limits struct {
	from, to  *vuln.Event
	low, high bound
}

// add takes one comparison; a bound alone is both ends.
func (l *limits) add(op string, b bound) error {
	first, end := compared(op, b)
	if first != nil && l.from != nil || end != nil && l.to != nil {
		return errors.New("have two bounds on one side")
	}
	if first != nil {
		l.from, l.low = first, b
	}
	if end != nil {
		l.to, l.high = end, b
	}
	return nil
}

func (l *limits) events() ([]vuln.Event, error) {
	switch {
	case l.from == nil:
		return []vuln.Event{{Introduced: "0"}, *l.to}, nil
	case l.to == nil:
		return []vuln.Event{*l.from}, nil
	case release.CompareUpstream(l.low.v, l.high.v) > 0:
		return nil, errors.New("end before they begin")
	}
	return []vuln.Event{*l.from, *l.to}, nil
}

// compared makes events of one comparison; a bound alone is both sides.
func compared(op string, b bound) (from, to *vuln.Event) {
	last := b.last()
	switch op {
	case ">=", "≥":
		return &vuln.Event{Introduced: b.text}, nil
	case ">":
		return &vuln.Event{Introduced: b.next()}, nil
	case "<", "prior to", "before":
		return nil, &vuln.Event{Fixed: b.text}
	case "<=", "≤", "up to":
		return nil, &last
	}
	return &vuln.Event{Introduced: b.text}, &last
}

// named is a phrase with what it speaks of: "kubelet v1.27.0 - v1.27.1".
var named = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9/._-]*(?: [a-zA-Z][a-zA-Z0-9/._-]*){0,2}):?\s+([<>=≤≥v0-9].*)$`)

// affectedBy makes an affected entry of one phrase. Kubernetes' own programs and libraries, and a phrase without a name, are of Kubernetes; anything else is its own package.
func affectedBy(phrase string) (vuln.Affected, error) {
	phrase = strings.TrimSpace(phrase)
	name := provenance.Package
	if m := named.FindStringSubmatch(phrase); m != nil {
		switch lower := strings.ToLower(m[1]); lower {
		case "all", "any", "prior to", "before", "up to", "versions", "version", "kubernetes versions", "kubernetes version":
		default:
			name, phrase = packageOf(m[1]), m[2]
		}
	}
	r, err := constraint(phrase)
	if err != nil {
		return vuln.Affected{}, err
	}
	return vuln.Affected{Package: vuln.Package{Ecosystem: provenance.Ecosystem, Name: name}, Ranges: []vuln.Range{r}}, nil
}

// staircase reads bounds without a beginning as announcements mean them: "<= 1.31.11, <= 1.32.7" is up to 1.31.11, and of 1.32 up to 1.32.7. Taken word for word
// the second would call 1.31.12, which has the fix, affected. So of several such bounds in one list, each but the lowest begins at the minor after the one
// below it. Bounds of one minor stay as they are.
func staircase(ranges []*vuln.Range) {
	type step struct {
		r  *vuln.Range
		to release.Version
	}
	var steps []step
	for _, r := range ranges {
		if len(r.Events) != 2 || r.Events[0].Introduced != "0" {
			continue
		}
		if b, err := parseBound(cmp.Or(r.Events[1].Fixed, r.Events[1].LastAffected)); err == nil {
			steps = append(steps, step{r, b.v})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return release.CompareUpstream(a.to, b.to) })
	for i := 1; i < len(steps); i++ {
		below := steps[i-1].to.Minor
		if release.CompareMinors(below, steps[i].to.Minor) < 0 {
			steps[i].r.Events[0].Introduced = fmt.Sprintf("%d.%d.0", below.Major, below.Minor+1)
		} else {
			steps[i].r.Events[0].Introduced = steps[i-1].r.Events[0].Introduced
		}
	}
}

// packageOf is the package for a product or component's name.
func packageOf(name string) string {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
	switch {
	case strings.Contains(name, "/") || strings.Contains(name, ".io"):
		return name
	case provenance.IsPart(name):
		return "k8s.io/" + name
	}
	return "k8s.io/" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, name)
}
