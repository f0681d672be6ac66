package backport

import (
	"context"

	"github.com/kubelts/kubelts/internal/depmerge"
)

const rungDep = "dep"

// depRung merges dependency files by what their entries mean.
type depRung struct{}

func (depRung) name() string           { return rungDep }
func (depRung) takes(path string) bool { return depmerge.Of(path) != "" }

func (r depRung) merge(ctx context.Context, s fileSides) (fileMerge, error) {
	return r.mergeBeside(ctx, s, func(string) (*fileMerged, error) { return nil, nil })
}

// mergeBeside implements [neighbourly]: what a go.sum needs to hold is said by the go.mod beside it.
func (depRung) mergeBeside(_ context.Context, s fileSides, beside func(name string) (*fileMerged, error)) (fileMerge, error) {
	if s.added {
		return fileMerge{refusals: []refusal{{ReasonAdded, "both sides added the file: which entries the fix means to change is not known"}}}, nil
	}
	var modules *depmerge.Modules
	format := depmerge.Of(s.path)
	if format == depmerge.GoSum {
		mod, err := beside("go.mod")
		if err != nil {
			return fileMerge{}, err
		}
		if mod != nil {
			modules = &depmerge.Modules{Base: mod.base, Ours: mod.ours, Theirs: mod.theirs, Merged: mod.merged}
		}
	}
	res := depmerge.Merge(format, depmerge.Sides{Base: s.base, Ours: s.ours, Theirs: s.theirs}, modules)
	out := fileMerge{text: res.Text, confidence: Adapted, notes: res.Notes}
	if res.Review {
		out.confidence = Review
	}
	for _, why := range res.Refusals {
		out.refusals = append(out.refusals, refusal{ReasonDependency, why})
	}
	return out, nil
}
