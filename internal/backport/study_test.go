package backport

import (
	"testing"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/godialect"
)

func TestStudyIsBounded(t *testing.T) {
	one, other := git.Hash(git.TypeBlob, []byte("one")), git.Hash(git.TypeBlob, []byte("other"))
	big := make([]byte, maxStudied-100)
	pair := []godialect.Pair{{Base: big, Ours: big}}
	same, differ := [][2]git.OID{{one, one}}, [][2]git.OID{{one, other}}
	left := map[string]*item{"a.go": {path: "a.go", conflicts: []Conflict{{Reason: ReasonContent}}}}
	for name, c := range map[string]struct {
		merge *treeMerge
		file  string
		ids   [][2]git.OID
		want  bool
	}{
		"a file that is the same on both sides counts once":   {&treeMerge{}, "b.go", same, true},
		"two versions are too much":                           {&treeMerge{}, "b.go", differ, false},
		"what was studied before counts no more":              {&treeMerge{known: map[[2]git.OID]bool{differ[0]: true}}, "b.go", differ, true},
		"the pick's other files had their share":              {&treeMerge{studied: 101}, "b.go", same, false},
		"less is studied when another file is left to people": {&treeMerge{items: left}, "b.go", same, false},
		"a file's own conflict is what names may cure":        {&treeMerge{items: left}, "a.go", same, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.merge.studied
			if got := c.merge.study(fileSides{path: c.file}, pair, c.ids); got != c.want {
				t.Errorf("study() = %t, want %t", got, c.want)
			}
			if !c.want && (c.merge.studied != before || c.merge.known[c.ids[0]]) {
				t.Errorf("what was refused counts as studied: %d bytes", c.merge.studied-before)
			}
		})
	}
}
