package triage

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
)

// Known is a change and a commit of a target that is known to repeat it.
type Known struct {
	Change, Repeat git.OID
	Target         string
}

// Score is how often some kinds of evidence find what is known.
type Score struct {
	Evidence string `json:"evidence"` // the one kind that was looked at, or a name for several
	First    int    `json:"first"`    // known repetitions that are found, all kinds looked at, of which this is the best evidence
	Found    int    `json:"found"`    // those that are found when nothing else is looked at
	Another  int    `json:"another"`  // commits that are found then for a change, and that are known to repeat another one only
	Unknown  int    `json:"unknown"`  // commits that are found then, and of which nothing is known
	// Taken are the commits of Another: they are to be looked at by people, for a commit may repeat two changes.
	Taken []Repetition `json:"taken,omitempty"`
}

// The names of scores of several kinds.
const (
	ScoreAll     = "all"
	ScoreContent = "all but trailer and author_date_subject" // the two by which lists of known pairs are made
)

// kinds are those by which a repetition is found.
func kinds() []string {
	return []string{
		KindPatchID, KindPlainPatch, KindTrailer, KindAuthorDateSubject, KindPullRequest, KindFilePatch, KindLines, KindDependency, KindPostImage,
	}
}

// Scores finds the repetitions of known changes on the targets: with all kinds of evidence, without those by which such lists are made, and with one kind at a time.
func Scores(ctx context.Context, history History, repository string, known []Known, targets []Target) ([]Score, error) {
	var changes []git.OID
	repeats := map[git.OID][]git.OID{} // what a commit is known to repeat
	for _, k := range known {
		if repeats[k.Repeat] = append(repeats[k.Repeat], k.Change); !slices.Contains(changes, k.Change) {
			changes = append(changes, k.Change)
		}
	}
	names := append([]string{ScoreAll, ScoreContent}, kinds()...)
	scores := make([]Score, len(names))
	first := map[string]int{}
	for n, name := range names {
		var off []string
		switch name {
		case ScoreAll:
		case ScoreContent:
			off = []string{KindTrailer, KindAuthorDateSubject}
		default:
			off = slices.DeleteFunc(kinds(), func(kind string) bool { return kind == name })
		}
		found, err := Repetitions(ctx, Without{History: history, Kinds: off}, repository, changes, targets)
		if err != nil {
			return nil, err
		}
		scores[n] = score(name, found, known, repeats)
		if name == ScoreAll {
			first = best(found, known)
		}
	}
	for n := range scores {
		scores[n].First = first[scores[n].Evidence]
	}
	return scores, nil
}

func score(name string, found []Repetition, known []Known, repeats map[git.OID][]git.OID) Score {
	s := Score{Evidence: name}
	at := map[Known]bool{}
	seen := map[Known]bool{} // a commit may stand on many targets
	for _, r := range found {
		at[Known{r.Of, r.Commit, r.Target}] = true
		once := Known{Change: r.Of, Repeat: r.Commit}
		if r.Of == r.Commit || seen[once] {
			continue
		}
		seen[once] = true
		switch of := repeats[r.Commit]; {
		case len(of) == 0:
			s.Unknown++
		case !slices.Contains(of, r.Of):
			s.Another++
			s.Taken = append(s.Taken, r)
		}
	}
	for _, k := range known {
		if at[k] {
			s.Found++
		}
	}
	return s
}

// best counts the known repetitions by the best evidence for each.
func best(found []Repetition, known []Known) map[string]int {
	kind := map[Known]string{}
	for _, r := range found {
		kind[Known{r.Of, r.Commit, r.Target}] = r.Evidence[0].Kind
	}
	counts := map[string]int{}
	for _, k := range known {
		if name, ok := kind[k]; ok {
			counts[name]++
		}
	}
	return counts
}
