package kube

import (
	"fmt"

	"github.com/kubelts/kubelts/internal/cluster"
)

// beyond names what there was more of than a snapshot holds: what a silent bound leaves out would look well. Missed says what it is, in the plural, and of which area.
func (t *taker) beyond(missed cluster.NotObserved, all, most int) {
	if all <= most {
		return
	}
	missed.What = fmt.Sprintf("%d more %s", all-most, missed.What)
	missed.Reason = fmt.Sprintf("there are %d, and a snapshot holds %d", all, most)
	t.miss(missed)
}

// overflow names, when all else was taken in, how many chains and how many things that were not observed had no place.
func (t *taker) overflow() {
	t.lock.Lock()
	chains, missed, asked := t.found.chains, t.found.missed, t.found.missedAsked
	t.lock.Unlock()
	t.beyond(cluster.NotObserved{What: "chains of certificates", Area: areaCertificates}, maxChains+chains, maxChains)
	if missed > 0 {
		t.add(func(s *cluster.Snapshot, _ *found) {
			s.NotObserved = append(s.NotObserved, cluster.NotObserved{
				What: fmt.Sprintf("%d more things", missed), Area: areaSupport, Reason: fmt.Sprintf("a snapshot names at most %d that were not observed", maxMissed), Asked: asked,
			})
		})
	}
}
