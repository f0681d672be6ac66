package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/kubelts/kubelts/internal/findings"
)

// WriteCalendar prints a calendar (RFC 5545) with an event of a whole day for each deadline, and alarms before it. An event's UID
// follows from the cluster and from what ends, so that a later calendar moves it instead of adding another.
func (f *Fleet) WriteCalendar(w io.Writer) error {
	clean := f.Clean()
	cal := ics.NewCalendarFor("kubelts")
	cal.SetProductId("-//kubelts//check//EN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetXWRCalName("Kubernetes deadlines")
	seen := map[string]bool{}
	for _, r := range clean.Clusters {
		effects := map[string]*findings.Finding{}
		for i := range r.Findings {
			effects[r.Findings[i].ID] = &r.Findings[i]
		}
		used := map[string]int{}
		for i := range r.Deadlines {
			d := &r.Deadlines[i]
			used[d.What]++
			id := eventID(r, d, used[d.What])
			if seen[id] { // two contexts are one cluster
				continue
			}
			seen[id] = true
			addEvent(cal, r, d, id, effects[d.Finding])
		}
	}
	return cal.SerializeTo(w, ics.WithNewLineWindows)
}

// eventID is the same for the same deadline of the same cluster; n counts those of one name.
func eventID(r *findings.Report, d *findings.Deadline, n int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{cmp.Or(r.Cluster.UID, name(r)), string(d.Area), d.What, fmt.Sprint(n)}, "\x00")))
	return hex.EncodeToString(sum[:12]) + "@kubelts"
}

func addEvent(cal *ics.Calendar, r *findings.Report, d *findings.Deadline, id string, f *findings.Finding) {
	e := cal.AddEvent(id)
	e.SetDtStampTime(r.At.UTC())
	e.SetModifiedAt(r.At.UTC())
	day := d.When.UTC().Truncate(24 * time.Hour)
	e.SetAllDayStartAt(day)
	e.SetAllDayEndAt(day.AddDate(0, 0, 1))
	e.SetTimeTransparency(ics.TransparencyTransparent)
	e.AddCategory(string(d.Area))
	e.SetSummary(name(r) + ": " + d.What + " ends")
	text := d.What + " of " + name(r) + " ends on " + d.When.UTC().Format(minute) + " UTC."
	if f != nil {
		text += "\n" + f.Effect
		if todo := remedy(f, "\n"); todo != "" {
			text += "\n\n" + todo
		}
	}
	e.SetDescription(text)
	for _, days := range []int{30, 7} {
		a := e.AddAlarm()
		a.SetAction(ics.ActionDisplay)
		a.SetTrigger(fmt.Sprintf("-P%dD", days))
		a.SetProperty(ics.ComponentPropertyDescription, fmt.Sprintf("%s: %s ends in %d days", name(r), d.What, days))
	}
}
