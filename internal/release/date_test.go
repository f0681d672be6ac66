package release_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/release"
)

func date(t *testing.T, s string) release.Date {
	t.Helper()
	if s == "" {
		return release.Date{}
	}
	d, err := release.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{"", "2023", "2023-02-29", "2023-7-1", "28.07.2023", "0000-01-01", "2023-07-28T00:00:00Z"} {
		if d, err := release.ParseDate(s); err == nil {
			t.Errorf("ParseDate(%q) = %v", s, d)
		}
	}
}

func TestDateArithmetic(t *testing.T) {
	tests := []struct {
		name      string
		got, want release.Date
	}{
		{"months keep the day", date(t, "2022-05-03").AddMonths(14), date(t, "2023-07-03")},
		{"months end at the last day", date(t, "2022-12-31").AddMonths(2), date(t, "2023-02-28")},
		{"months go back", date(t, "2023-03-31").AddMonths(-1), date(t, "2023-02-28")},
		{"days cross a leap day", date(t, "2024-02-28").AddDays(2), date(t, "2024-03-01")},
		{"a time in another zone is a day in UTC", release.DateOf(time.Date(2015, 7, 10, 21, 0, 0, 0, time.FixedZone("", -7*3600))), date(t, "2015-07-11")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %s, want %s", tt.got, tt.want)
			}
		})
	}
	if n := date(t, "9999-12-31").DaysUntil(date(t, "0001-01-01")); n != -3652058 {
		t.Errorf("all days: %d", n)
	}
	if n := date(t, "2023-06-15").DaysUntil(date(t, "2023-07-28")); n != 43 {
		t.Errorf("days until = %d, want 43", n)
	}
}

func TestDateJSON(t *testing.T) {
	got, err := json.Marshal([]release.Date{date(t, "2023-07-28"), {}})
	if err != nil || string(got) != `["2023-07-28",null]` {
		t.Errorf("json = %s, %v", got, err)
	}
	var back []release.Date
	if err := json.Unmarshal(got, &back); err != nil || back[0] != date(t, "2023-07-28") || !back[1].IsZero() {
		t.Errorf("back = %v, %v", back, err)
	}
}

func TestPhase(t *testing.T) {
	window := release.Window{Released: date(t, "2022-05-03"), MaintenanceFrom: date(t, "2023-05-28"), EndOfLife: date(t, "2023-07-28")}
	tests := []struct {
		name, on string
		window   release.Window
		want     release.Phase
	}{
		{"the day before", "2022-05-02", window, release.Unreleased},
		{"first day", "2022-05-03", window, release.Active},
		{"last day of active support", "2023-05-27", window, release.Active},
		{"first day of maintenance", "2023-05-28", window, release.Maintenance},
		{"last day", "2023-07-28", window, release.Maintenance},
		{"the day after", "2023-07-29", window, release.EndOfLife},
		{"no maintenance mode", "2023-06-15", release.Window{Released: window.Released, EndOfLife: window.EndOfLife}, release.Active},
		{"unknown end", "2033-01-01", release.Window{Released: window.Released}, release.Active},
		{"unknown release", "2033-01-01", release.Window{}, release.Unreleased},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.window.Phase(date(t, tt.on)); got != tt.want {
				t.Errorf("phase on %s = %q, want %q", tt.on, got, tt.want)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	minor := func(n int) release.Minor { return release.Minor{Major: 1, Minor: n} }
	policy := release.Policy{
		{ID: "three-newest", From: minor(0), Newest: 3, ActiveMonths: 9},
		{ID: "fourteen-months", From: minor(19), ActiveMonths: 12, MaintenanceMonths: 2},
		{ID: "three-a-year", From: minor(22), ActiveMonths: 12, MaintenanceMonths: 2},
	}
	released := map[int]string{15: "2019-06-19", 18: "2020-03-25", 19: "2020-08-26", 24: "2022-05-03"}
	when := func(m release.Minor) release.Date { return date(t, released[m.Minor]) }
	tests := []struct {
		name                  string
		minor                 int
		era, maintenance, end string
	}{
		{"pushed out by the third after it", 15, "three-newest", "", "2020-03-24"},
		{"not yet pushed out", 18, "three-newest", "", ""},
		{"months", 19, "fourteen-months", "2021-08-26", "2021-10-26"},
		{"three a year", 24, "three-a-year", "2023-05-03", "2023-07-03"},
		{"not released", 30, "three-a-year", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			era, ok := policy.Era(minor(tt.minor))
			if !ok || era.ID != tt.era {
				t.Errorf("era = %q, %v; want %q", era.ID, ok, tt.era)
			}
			w := policy.Dates(minor(tt.minor), when)
			if w.MaintenanceFrom.String() != tt.maintenance || w.EndOfLife.String() != tt.end {
				t.Errorf("dates = %+v; want maintenance %q, end %q", w, tt.maintenance, tt.end)
			}
		})
	}
	if e, ok := policy.Era(release.Minor{}); ok {
		t.Errorf("0.0 has era %q", e.ID)
	}
}
