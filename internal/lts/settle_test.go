package lts_test

import (
	"testing"

	"github.com/kubelts/kubelts/internal/lts"
)

func TestSettle(t *testing.T) {
	picked := lts.Pick{Outcome: lts.OutcomePicked}
	present := lts.Pick{Outcome: lts.OutcomePresent}
	review := lts.Pick{Outcome: lts.OutcomePresent, Confidence: lts.ConfidenceReview}
	reviewed := lts.Pick{Outcome: lts.OutcomePicked, Confidence: lts.ConfidenceReview, Decision: &lts.Decision{}}
	conflict := lts.Pick{Outcome: lts.OutcomeConflict}
	notAffected := &lts.Decision{Status: lts.StatusNotAffected}
	byPatch := &lts.Decision{Status: lts.StatusFixed, Patches: []lts.Cure{{Name: "0001-x.patch"}}}
	tests := []struct {
		name   string
		entry  lts.Entry
		partly bool
		cured  bool
		want   string
	}{
		{"as the base", lts.Entry{Base: lts.StatusUnderInvestigation}, false, false, lts.StatusUnderInvestigation},
		{"all carried over", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{picked, present}}, false, false, lts.StatusFixed},
		{"one in conflict", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{picked, conflict}}, false, false, lts.StatusAffected},
		{"some not tried", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{picked}}, true, false, lts.StatusAffected},
		{"waits for a review", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{picked, review}}, false, false, lts.StatusUnderInvestigation},
		{"reviewed", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{reviewed}}, false, false, lts.StatusFixed},
		{"waived", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{conflict}, Decision: notAffected}, false, false, lts.StatusNotAffected},
		{"waived and fixed all the same", lts.Entry{Base: lts.StatusFixed, Decision: notAffected}, false, false, lts.StatusFixed},
		{"cured by a patch of the series", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{conflict}, Decision: byPatch}, false, true, lts.StatusFixed},
		{"by one that is gone", lts.Entry{Base: lts.StatusAffected, Picks: []lts.Pick{conflict}, Decision: byPatch}, false, false, lts.StatusAffected},
		{"said to be fixed, without a patch", lts.Entry{Base: lts.StatusAffected, Decision: &lts.Decision{Status: lts.StatusFixed}}, false, true, lts.StatusAffected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.entry
			e.Status, e.Since = tt.want, "2020-01-01"
			e.Settle("2026-11-22", lts.Standing{Partly: tt.partly, Cured: tt.cured})
			if e.Status != tt.want || e.Since != "2020-01-01" {
				t.Errorf("%s since %s, want %s, unchanged", e.Status, e.Since, tt.want)
			}
			e.Status = "other"
			e.Settle("2026-11-22", lts.Standing{Partly: tt.partly, Cured: tt.cured})
			if e.Status != tt.want || e.Since != "2026-11-22" {
				t.Errorf("%s since %s, want %s since 2026-11-22", e.Status, e.Since, tt.want)
			}
		})
	}
}
