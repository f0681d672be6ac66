package upkeep

import (
	"context"
	"errors"
	"fmt"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// VerifyOptions say how much to verify.
type VerifyOptions struct {
	Transitive, Network bool
}

// Verify builds, vets and tests what the series touches, on the line and on its base, and keeps the result. A verification that passed is
// noted in the patches' Verified trailers, which changes no tree.
func (p *Project) Verify(ctx context.Context, minor release.Minor, o VerifyOptions) (*lts.Verification, error) {
	state, tip, err := p.open(ctx, minor)
	if err != nil {
		return nil, err
	}
	if len(state.patches) == 0 {
		return nil, errs.WithHint(errs.New(errs.Conflict, "line %s has no patches: there is nothing to verify", minor), "kubelts line update %s", minor)
	}
	work := workDir + "/verify-" + minor.String()
	job := VerifyJob{
		Changed: tip.changed(), Transitive: o.Transitive, Network: o.Network, Toolchain: state.line.Toolchain, Build: state.line.Build,
		KnownFailures: state.line.KnownFailures, Progress: p.Progress,
	}
	p.Progress.step(0, 0, "export")
	if job.Base, err = p.export(ctx, tip.baseTree, work+"/base", state.line); err != nil {
		return nil, err
	}
	if job.Line, err = p.export(ctx, tip.tree, work+"/line", state.line); err != nil {
		return nil, err
	}
	v, err := p.Builder.Verify(ctx, job)
	if err != nil {
		return nil, err
	}
	if len(v.Packages) == 0 {
		return nil, errs.New(errs.Internal, "verify line %s: no package was verified", minor)
	}
	v.Tree, v.BaseTree, v.Changes = tip.tree, tip.baseTree, state.changes()
	if err := p.keepVerification(state, v); err != nil {
		return nil, err
	}
	return v, p.Files.Remove(work)
}

// keepVerification writes the result and the trailers in one change.
func (p *Project) keepVerification(state *lineState, v *lts.Verification) error {
	content, err := v.Format()
	if err != nil {
		return err
	}
	var ch change
	ch.write(state.dir+"/verification.yaml", content)
	if v.Passed() {
		note := fmt.Sprintf("%s, %s, %d packages, %d tests", v.Toolchain, v.Scope, len(v.Packages), v.Tests)
		for i, patch := range state.patches {
			if marked := lts.WithVerified(state.contents[i], note); string(marked) != string(state.contents[i]) {
				ch.write(state.dir+"/patches/"+patch.Name, marked)
			}
		}
	}
	return ch.commit(p.Files)
}

// export writes a tree where the go program can build it, and returns the path. In gopath mode that is below a GOPATH of its own.
func (p *Project) export(ctx context.Context, tree git.OID, dir string, line *lts.Line) (string, error) {
	if err := p.Files.Remove(dir); err != nil {
		return "", err
	}
	if line.Build.Mode == lts.ModeGOPATH {
		dir += "/src/" + line.Build.ImportPath
	}
	err := p.Files.Export(ctx, p.Store, tree, dir, line.Absent...)
	if _, absent := errors.AsType[*git.AbsentError](err); absent {
		return "", errs.WithHint(err, "fetch it into the clone; or, if nothing is built from that file, name it under absent in lines/%s/line.yaml", line.Minor)
	}
	if err != nil {
		return "", err
	}
	return p.Files.Path(dir), nil
}
