package backport

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/kubelts/kubelts/internal/gomerge"
)

// goRung merges Go source by its parts.
type goRung struct{}

func (goRung) name() string { return "go" }

func (goRung) takes(p string) bool { return strings.HasSuffix(p, ".go") }

func (goRung) merge(_ context.Context, s fileSides) (fileMerge, error) {
	if s.added {
		return fileMerge{refusals: []refusal{{Reason(gomerge.ReasonBothAdded), "both sides have a new file there"}}}, nil
	}
	res, err := gomerge.Merge(s.base, s.ours, s.theirs)
	if refused, ok := errors.AsType[*gomerge.RefusedError](err); ok {
		return fileMerge{refusals: []refusal{{Reason(refused.Reason), refused.Note}}}, nil
	}
	if err != nil {
		return fileMerge{}, err
	}
	if bytes.Equal(res.Text, s.ours) {
		return fileMerge{refusals: []refusal{{ReasonNear, "nothing of the fix's change would be left"}}}, nil
	}
	if res.Additions && strings.HasSuffix(s.path, "_test.go") {
		return fileMerge{refusals: []refusal{{ReasonNear, "new tests, where the target has not what stands around them"}}}, nil
	}
	if !res.Certain {
		return fileMerge{refusals: []refusal{{ReasonNear, "edits of both sides would stand beside each other in one statement or list"}}}, nil
	}
	return fileMerge{text: res.Text, confidence: Adapted, notes: res.Notes}, nil
}
