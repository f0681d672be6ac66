package backport

import (
	"context"

	"golang.org/x/mod/modfile"

	"github.com/kubelts/kubelts/internal/depmerge"
)

const rungDep = "dep"

// depRung merges dependency files by what their entries mean.
type depRung struct{}

func (depRung) name() string           { return rungDep }
func (depRung) takes(path string) bool { return depmerge.Of(path) != "" }

// merge implements [fileRung] for a file of which nothing else is known.
func (depRung) merge(_ context.Context, s fileSides) (fileMerge, error) {
	return depMerge(s, nil), nil
}

// mergeBeside implements [neighbourly]: what a go.sum has to hold is said by the go.mod beside it, and a module whose packages the carried files do not
// find in the target is not the module that they were written for.
func (depRung) mergeBeside(ctx context.Context, s fileSides, around neighbourhood) (fileMerge, error) {
	switch depmerge.Of(s.path) { //nolint:exhaustive // the other formats say all by themselves
	case depmerge.GoSum:
		mod, err := around.beside(ctx, "go.mod")
		if err != nil || mod == nil {
			return depMerge(s, nil), err
		}
		modules := &depmerge.Modules{Base: mod.base, Ours: mod.ours, Theirs: mod.theirs, Merged: mod.merged}
		if err := around.recall(ctx, modules); err != nil {
			return fileMerge{}, err
		}
		return depMerge(s, modules), nil
	case depmerge.GoMod:
		file, pkg, err := around.missing(ctx, modfile.ModulePath(s.ours))
		if err != nil || pkg != "" {
			return fileMerge{refusals: []refusal{{ReasonDependency, file + " imports " + pkg + ", which the module does not have in the target"}}}, err
		}
	}
	return depMerge(s, nil), nil
}

func depMerge(s fileSides, modules *depmerge.Modules) fileMerge {
	if s.added {
		return fileMerge{refusals: []refusal{{ReasonAdded, "both sides added the file: which entries the fix means to change is not known"}}}
	}
	res := depmerge.Merge(depmerge.Of(s.path), depmerge.Sides{Base: s.base, Ours: s.ours, Theirs: s.theirs}, modules)
	out := fileMerge{text: res.Text, confidence: Adapted, notes: res.Notes}
	if res.Review {
		out.confidence = Review
	}
	for _, why := range res.Refusals {
		out.refusals = append(out.refusals, refusal{ReasonDependency, why})
	}
	return out
}
