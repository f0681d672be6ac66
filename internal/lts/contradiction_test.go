package lts_test

import (
	"testing"

	"github.com/kubelts/kubelts/internal/lts"
)

func TestContradiction(t *testing.T) {
	decided := func(status, justification, base string, patches ...lts.Cure) *lts.Decision {
		return &lts.Decision{Status: status, Justification: justification, Base: base, Date: "2026-01-02", Patches: patches}
	}
	hole := []lts.Evidence{{Kind: "not_found"}, {Kind: "hole_lines", Path: "a/b.go"}}
	const path = "vulnerable_code_not_in_execute_path"
	tests := []struct {
		name  string
		entry lts.Entry
		want  string
	}{
		{"no decision", lts.Entry{Base: lts.StatusAffected, Status: lts.StatusAffected}, ""},
		{"not affected, in view of the evidence", lts.Entry{Base: lts.StatusAffected, Evidence: hole, Decision: decided(lts.StatusNotAffected, path, lts.StatusAffected)}, ""},
		{
			"not affected, found since",
			lts.Entry{Base: lts.StatusAffected, Evidence: hole, Decision: decided(lts.StatusNotAffected, path, lts.StatusUnderInvestigation)},
			"decided not_affected on 2026-01-02, when the evidence said under_investigation of the base; now it says affected (not_found)",
		},
		{
			"not affected, nobody knows on what",
			lts.Entry{Base: lts.StatusAffected, Decision: decided(lts.StatusNotAffected, path, "")},
			"decided not_affected on 2026-01-02, with no record of what the evidence said; now it says affected",
		},
		{
			"not there, and seen there",
			lts.Entry{Base: lts.StatusAffected, Evidence: hole, Decision: decided(lts.StatusNotAffected, lts.NotPresent, lts.StatusAffected)},
			"decided not_affected on 2026-01-02 for vulnerable_code_not_present, but lines of the hole are in a/b.go",
		},
		{"not there, and not seen", lts.Entry{Base: lts.StatusAffected, Evidence: hole[:1], Decision: decided(lts.StatusNotAffected, lts.NotPresent, lts.StatusAffected)}, ""},
		{"not affected, and fixed", lts.Entry{Base: lts.StatusFixed, Status: lts.StatusFixed, Decision: decided(lts.StatusNotAffected, path, lts.StatusAffected)}, ""},
		{"risk accepted", lts.Entry{Base: lts.StatusAffected, Status: lts.StatusAffected, Decision: decided(lts.StatusAffected, "", lts.StatusAffected)}, ""},
		{
			"risk accepted, and never there",
			lts.Entry{Base: lts.StatusNotAffected, Status: lts.StatusAffected, Decision: decided(lts.StatusAffected, "", lts.StatusAffected)},
			"decided affected on 2026-01-02, when the evidence said affected of the base; now it says not_affected",
		},
		{
			"risk accepted, and cured",
			lts.Entry{Base: lts.StatusAffected, Status: lts.StatusFixed, Decision: decided(lts.StatusAffected, "", lts.StatusAffected)},
			"decided affected on 2026-01-02, but the series cures it",
		},
		{"fixed", lts.Entry{Base: lts.StatusAffected, Status: lts.StatusFixed, Decision: decided(lts.StatusFixed, "", lts.StatusAffected)}, ""},
		{
			"fixed, and not any more",
			lts.Entry{Base: lts.StatusAffected, Status: lts.StatusAffected, Decision: decided(lts.StatusFixed, "", lts.StatusAffected)},
			"decided fixed on 2026-01-02, but the line is affected",
		},
		{
			"fixed by a patch that went",
			lts.Entry{Base: lts.StatusAffected, Status: lts.StatusAffected, Decision: decided(lts.StatusFixed, "", lts.StatusAffected, lts.Cure{Name: "0001-x.patch"})},
			"decided fixed on 2026-01-02 by 0001-x.patch, which the series does not have as it was",
		},
		{"noted", lts.Entry{Base: lts.StatusAffected, Status: lts.StatusAffected, Decision: decided(lts.StatusUnderInvestigation, "", lts.StatusFixed)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.entry.Contradiction(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			blocks := len(tt.entry.Blocks()) > 0
			if want := tt.want != "" && tt.entry.Decision.Status != lts.StatusAffected; blocks != want {
				t.Errorf("blocks a release: %v, want %v", blocks, want)
			}
		})
	}
}
