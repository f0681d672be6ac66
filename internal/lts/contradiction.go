package lts

import (
	"slices"
	"strings"
)

// evidenceOfHole is triage's word for lines as the fix found them.
const evidenceOfHole = "hole_lines"

// Contradiction says how what is known now speaks against a person's decision; empty when it does not. A decision is made in view of the evidence of its day: that
// it went against that evidence is no contradiction, unless it denies what the evidence shows. Deciding again, in view of what is known now, ends one.
func (e *Entry) Contradiction() string {
	d := e.Decision
	if d == nil {
		return ""
	}
	switch {
	case d.Status == StatusNotAffected && e.Base == StatusAffected && d.denies() && e.hole() != "":
		return d.when() + " for " + d.Justification + ", but lines of the hole are in " + e.hole()
	case d.Status == StatusNotAffected && e.Base == StatusAffected && d.Base != StatusAffected:
		return d.when() + d.then() + "; now it says affected" + e.because()
	case d.Status == StatusAffected && slices.Contains([]string{StatusFixed, StatusNotAffected}, e.Base) && d.Base != e.Base:
		return d.when() + d.then() + "; now it says " + e.Base + e.because()
	case d.Status == StatusAffected && e.Status == StatusFixed && e.Base != StatusFixed:
		return d.when() + ", but the series cures it"
	case d.Status == StatusFixed && e.Status != StatusFixed && len(d.Patches) > 0:
		return d.when() + " by " + d.names() + ", which the series does not have as it was"
	case d.Status == StatusFixed && e.Status != StatusFixed:
		return d.when() + ", but the line is " + e.Status + e.because()
	}
	return ""
}

// when is the decision in a few words.
func (d *Decision) when() string { return "decided " + d.Status + " on " + d.Date }

// then is what the evidence said on that day.
func (d *Decision) then() string {
	if d.Base == "" {
		return ", with no record of what the evidence said"
	}
	return ", when the evidence said " + d.Base + " of the base"
}

// denies reports whether the decision says that the code is not there at all.
func (d *Decision) denies() bool {
	return slices.Contains([]string{"component_not_present", NotPresent}, d.Justification)
}

func (d *Decision) names() string {
	names := make([]string, len(d.Patches))
	for i, c := range d.Patches {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// hole is the first file in which the evidence saw the hole.
func (e *Entry) hole() string {
	for _, ev := range e.Evidence {
		if ev.Kind == evidenceOfHole && ev.Path != "" {
			return ev.Path
		}
	}
	return ""
}

// because is the first evidence, in brackets.
func (e *Entry) because() string {
	if len(e.Evidence) == 0 {
		return ""
	}
	ev := e.Evidence[0]
	text := ev.Kind
	if !ev.Commit.IsZero() {
		text += " " + ev.Commit.Short()
	}
	if ev.Path != "" {
		text += " in " + ev.Path
	}
	return " (" + text + ")"
}
