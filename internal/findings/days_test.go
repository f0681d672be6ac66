package findings_test

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/findings"
)

var daysInTitle = regexp.MustCompile(`ends in ([0-9]+) days?|, ([0-9]+) days? over`)

// TestDaysAreCountedOneWay: the number of days in a finding's title is the one in its column, whatever the hour.
func TestDaysAreCountedOneWay(t *testing.T) {
	counted := 0
	for from, hours := at(t, "2024-03-17T08:59:00Z"), 0; hours < 24*20; hours += 5 {
		for _, f := range judge(t, kubeadm124(t), findings.Options{At: from.Add(time.Duration(hours) * time.Hour)}).Findings {
			m := daysInTitle.FindStringSubmatch(f.Title)
			if m == nil || f.DaysLeft == nil {
				continue
			}
			counted++
			days, err := strconv.Atoi(m[1] + m[2])
			if m[2] != "" {
				days = -days
			}
			if err != nil || days != *f.DaysLeft {
				t.Errorf("%d hours on: %q, and %d days left", hours, f.Title, *f.DaysLeft)
			}
		}
	}
	if counted < 100 {
		t.Errorf("only %d titles count days", counted)
	}
}
