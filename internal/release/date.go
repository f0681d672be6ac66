package release

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
)

// Date is a day of the UTC calendar. The zero Date is an unknown day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

const dateLayout = "2006-01-02"

// ParseDate reads a date as 2023-07-28. The error is [errs.Invalid].
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil || t.Year() < 1 {
		return Date{}, errs.WithHint(errs.New(errs.Invalid, "date %q is not a day of the calendar", clip(s)), "write it as 2023-07-28")
	}
	return DateOf(t), nil
}

// DateOf returns the day of t in UTC.
func DateOf(t time.Time) Date {
	year, month, day := t.UTC().Date()
	return Date{year, month, day}
}

// Time returns the first instant of the day.
func (d Date) Time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// String returns the date as 2023-07-28, and "" for an unknown day.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// IsZero reports whether the day is unknown.
func (d Date) IsZero() bool { return d == Date{} }

// Compare orders days. An unknown day comes first; callers that mean something else must ask IsZero.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is a later day than e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// AddDays returns the day n days later.
func (d Date) AddDays(n int) Date { return DateOf(d.Time().AddDate(0, 0, n)) }

// AddMonths returns the same day n months later, or the last day of that month where it is shorter.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return DateOf(first.AddDate(0, 0, min(d.Day, last)-1))
}

// DaysUntil returns the number of days from d to e, negative when e is earlier.
func (d Date) DaysUntil(e Date) int {
	const day = 24 * 60 * 60 // seconds; a time.Duration ends after 292 years
	return int((e.Time().Unix() - d.Time().Unix()) / day)
}

// MarshalText writes the date as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDate does; empty text is the unknown day.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(text))
	return err
}

// MarshalJSON writes the date as a string, and null for an unknown day.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}
