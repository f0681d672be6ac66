package backport

import (
	"bytes"
	"context"
	"path"

	"github.com/kubelts/kubelts/internal/merge"
)

const rungText = "text"

// textRung merges texts of which nothing is known by words: scripts, workflows, documents.
type textRung struct{}

func (textRung) name() string { return rungText }

// takes implements [fileRung]: only what can be merged is taken, for the text merge has said already that there is a conflict.
func (textRung) takes(string) bool { return false }

// takesContent implements [contentRung]. It leaves out what other rungs know, and formats in which a change of one line needs others: a list of objects,
// recorded hashes.
func (r textRung) takesContent(s fileSides) bool {
	switch path.Ext(s.path) {
	case ".go", ".json", ".lock", ".sum", ".crt", ".pem", ".key":
		return false
	}
	return !s.added && !(depRung{}).takes(s.path) && r.words(s) != nil
}

// words is the text, merged by words; nil if it cannot be, or if nothing of the fix would be left.
func (textRung) words(s fileSides) []byte {
	text, ok, err := merge.Words(s.base, s.ours, s.theirs)
	if !ok || err != nil || bytes.Equal(text, s.ours) {
		return nil // what is too large is left to a person, as what conflicts
	}
	return text
}

func (r textRung) merge(_ context.Context, s fileSides) (fileMerge, error) {
	return fileMerge{text: r.words(s), confidence: Review, notes: []string{"changes of both sides to the same or neighbouring lines were joined by words"}}, nil
}
