package release

import "slices"

// Phase is where a minor stands in its life.
type Phase string

// The phases, in order.
const (
	Unreleased  Phase = "unreleased"
	Active      Phase = "active"      // gets fixes of all kinds
	Maintenance Phase = "maintenance" // gets security fixes and the most critical others
	EndOfLife   Phase = "end-of-life" // gets nothing
)

// Supported reports whether there are still patch releases in this phase.
func (p Phase) Supported() bool { return p == Active || p == Maintenance }

// Window is the supported life of a minor. Unknown days are zero.
type Window struct {
	Released        Date
	MaintenanceFrom Date // first day of maintenance mode; zero where there is none
	EndOfLife       Date // last day of support
}

// Phase returns the phase on a day. A minor is supported through its last day. With an unknown last day it never reaches its
// end here: whoever knows better, by the policy or by what came after, must say so.
func (w Window) Phase(on Date) Phase {
	switch {
	case w.Released.IsZero() || on.Before(w.Released):
		return Unreleased
	case !w.EndOfLife.IsZero() && on.After(w.EndOfLife):
		return EndOfLife
	case !w.MaintenanceFrom.IsZero() && !on.Before(w.MaintenanceFrom):
		return Maintenance
	}
	return Active
}

// Era is a time in which one support policy held. It holds for minors, not for days: 1.18 kept the old policy to its end.
type Era struct {
	ID                string
	Name              string // one line, for people
	From              Minor  // first minor that it holds for
	Newest            int    // how many of the newest minors are supported; 0 where months decide
	ActiveMonths      int    // months from the release to maintenance mode; 0 where there is none
	MaintenanceMonths int
	PerYear           int // releases a year, about
}

// Months returns how long a minor is supported, in months, about.
func (e Era) Months() int { return e.ActiveMonths + e.MaintenanceMonths }

// Policy is the eras, oldest first.
type Policy []Era

// Era returns the era that decides for a minor, and false for a minor from before the first.
func (p Policy) Era(m Minor) (Era, bool) {
	for _, e := range slices.Backward(p) {
		if CompareMinors(m, e.From) >= 0 {
			return e, true
		}
	}
	return Era{}, false
}

// Dates returns the window that the policy gives a minor. The function tells when other minors were released, zero when that is
// unknown or still to come. Where the number of newest minors decides, the last day is that before the release that pushes the
// minor out; it is zero until that is known. Months are counted from the release.
func (p Policy) Dates(m Minor, released func(Minor) Date) Window {
	w := Window{Released: released(m)}
	era, ok := p.Era(m)
	if !ok || w.Released.IsZero() {
		return w
	}
	if era.Newest > 0 {
		if out := released(m.Plus(era.Newest)); !out.IsZero() {
			w.EndOfLife = out.AddDays(-1)
		}
		return w
	}
	if era.MaintenanceMonths > 0 {
		w.MaintenanceFrom = w.Released.AddMonths(era.ActiveMonths)
	}
	w.EndOfLife = w.Released.AddMonths(era.Months())
	return w
}
