package upkeep

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// ReleaseOptions say how to release.
type ReleaseOptions struct {
	At      time.Time // the release's date
	Fixed   bool      // a person named At: an interrupted release with another date is begun anew, not taken up
	Twice   bool      // build twice, in different directories, and compare
	Network bool
}

// Released is what a release made.
type Released struct {
	*lts.Manifest
	Dir string `json:"dir"` // below the project
	New bool   `json:"new"` // false when this state of the line was released already
}

// Release cuts a release of a line: a tag in the project's store, programs, packages, checksums, changelog and manifest. It works in the
// project's private directory and puts the release in its place in one step, at the end. A run that was interrupted is taken up, as far as the project's
// State tells that it was ours.
func (p *Project) Release(ctx context.Context, minor release.Minor, o ReleaseOptions) (*Released, error) {
	state, tip, err := p.open(ctx, minor)
	if err != nil {
		return nil, err
	}
	if blocks := state.blocks(); len(blocks) > 0 {
		return nil, errs.WithHint(errs.New(errs.Conflict, "line %s cannot be released: %s", minor, strings.Join(blocks, "; ")),
			"see kubelts line status %s; resolve conflicts, verify, or record a decision with kubelts line decide", minor)
	}
	if len(state.line.Components) == 0 || len(state.line.Platforms) == 0 {
		return nil, errs.WithHint(errs.New(errs.Conflict, "line %s has nothing to build", minor), "name components and platforms in %s/line.yaml", state.dir)
	}
	r := &cut{project: p, state: state, chain: tip, options: o, work: workDir + "/release-" + minor.String(), sources: map[string]string{}}
	if done, err := r.begin(); done != nil || err != nil {
		return done, err
	}
	if err := r.components(ctx); err != nil {
		return nil, err
	}
	return r.finish(ctx)
}

// cut is one release being made.
type cut struct {
	project *Project
	state   *lineState
	chain   *chain
	options ReleaseOptions
	work    string // directory of its own
	plan    plan
	left    unfinished
	date    time.Time
	sources map[string]string // where trees were exported to, by the name of the directory
	built   []builtComponent
}

// inputs is a digest of what decides a release: kubelts.yaml, line.yaml and the series with its patches.
func (p *Project) inputs(s *lineState) (string, error) {
	config, err := p.Files.Read(ProjectFile, lts.MaxFile)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, part := range slices.Concat([][]byte{config, s.lineText}, s.contents) {
		fmt.Fprintf(h, "%d\n", len(part))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// begin decides the version, and whether there is something to do, or to take up. A release that is there already is returned.
func (r *cut) begin() (*Released, error) {
	p, line := r.project, r.state.line
	inputs, err := p.inputs(r.state)
	if err != nil {
		return nil, err
	}
	manifests, err := p.releases(line.Minor)
	if err != nil {
		return nil, err
	}
	base, err := lts.BaseVersion(p.Config.Upstream.Tag, line.Base.Tag)
	if err != nil {
		return nil, err
	}
	n := 1
	for _, m := range manifests {
		if m.Base.Tag == line.Base.Tag {
			n++
		}
	}
	for _, m := range manifests { // a number is never given twice, also when somebody removed a release
		n = max(n, lts.Number(p.Config.VersionScheme, base, m.Version)+1)
	}
	if len(manifests) > 0 {
		if last := manifests[len(manifests)-1]; last.InputsSHA256 == inputs {
			return &Released{Manifest: last, Dir: "releases/" + last.Version}, r.forget()
		}
	}
	version, err := lts.Version(p.Config.VersionScheme, base, n)
	if err != nil {
		return nil, err
	}
	r.plan = plan{Version: version, Base: base, Inputs: inputs, Commit: r.chain.tip, Date: r.options.At.UTC().Format(time.RFC3339), Twice: r.options.Twice}
	if err = r.takeUp(); err != nil {
		return nil, err
	}
	r.date, err = time.Parse(time.RFC3339, r.plan.Date)
	return nil, err
}

// components builds and packages what is not done yet.
func (r *cut) components(ctx context.Context) error {
	line := r.state.line
	total := len(line.Components) * len(line.Platforms)
	for _, c := range line.Components {
		for _, platform := range line.Platforms {
			what := c.Name + " " + string(platform)
			r.project.Progress.step(len(r.built), total, what)
			b, err := r.component(ctx, c, platform)
			if err != nil {
				return fmt.Errorf("release %s: %s: %w", r.plan.Version, what, err)
			}
			r.built = append(r.built, *b)
		}
	}
	r.project.Progress.step(total, total, "done")
	return nil
}

func (r *cut) component(ctx context.Context, c lts.Component, platform lts.Platform) (*builtComponent, error) {
	files := r.project.Files
	key := fmt.Sprintf("%s-%s-%s", c.Name, platform.OS(), platform.Arch())
	if b, done := r.left.Done[key]; done {
		return &b, nil
	}
	b := &builtComponent{}
	binary, err := r.build(ctx, c, platform, b)
	if err != nil {
		return nil, err
	}
	if err = files.MakeDir(r.work + "/out"); err != nil {
		return nil, err
	}
	b.Artifacts, err = r.project.Packager.Package(ctx, PackageJob{
		Version: r.plan.Version, Base: r.plan.Base, Component: c, Platform: platform, Binary: files.Path(binary), OutputDir: files.Path(r.work + "/out"),
		Maintainer: r.project.Config.Maintainer, Defaults: r.project.Config.Package, SourceDate: r.date, Changelog: r.changelog(),
	})
	if err != nil {
		return nil, err
	}
	r.left.Done[key] = *b
	return b, r.remember()
}

// build builds one program, twice where that is asked for, and says what with.
func (r *cut) build(ctx context.Context, c lts.Component, platform lts.Platform, b *builtComponent) (string, error) {
	b.Reproducible = lts.ReproducibleUnknown
	binary, first, err := r.buildOnce(ctx, "one", c, platform, b)
	if err != nil || !r.options.Twice {
		return binary, err
	}
	_, second, err := r.buildOnce(ctx, "another", c, platform, b)
	if err != nil {
		return "", err
	}
	b.Reproducible = lts.ReproducibleNo
	if first == second {
		b.Reproducible = lts.ReproducibleYes
	}
	return binary, nil
}

// buildOnce builds in a source directory of its own name, which is exported once.
func (r *cut) buildOnce(ctx context.Context, where string, c lts.Component, platform lts.Platform, b *builtComponent) (binary, digest string, err error) {
	files := r.project.Files
	source, err := r.source(ctx, where)
	if err != nil {
		return "", "", err
	}
	dir := fmt.Sprintf("%s/bin/%s/%s-%s", r.work, where, platform.OS(), platform.Arch())
	if err = files.MakeDir(dir); err != nil {
		return "", "", err
	}
	binary = dir + "/" + c.Name
	built, err := r.project.Builder.Build(ctx, BuildJob{
		Source: source, Output: files.Path(binary), Toolchain: r.state.line.Toolchain, Build: r.state.line.Build, Component: c, Platform: platform,
		Stamp: lts.Stamp{
			Version: r.plan.Version, Base: r.plan.Base, Minor: r.state.line.Minor, Commit: r.plan.Commit, Date: r.plan.Date,
		},
		SourceDate: r.date, Network: r.options.Network,
	})
	if err != nil {
		return "", "", err
	}
	b.Toolchain = built.Toolchain
	digest, _, err = files.Digest(binary)
	return binary, digest, err
}

// source exports the tree once.
func (r *cut) source(ctx context.Context, where string) (string, error) {
	if dir, ok := r.sources[where]; ok {
		return dir, nil
	}
	dir, err := r.project.export(ctx, r.chain.tree, r.work+"/source-"+where, r.state.line)
	if err != nil {
		return "", err
	}
	r.sources[where] = dir
	return dir, nil
}

// finish writes what describes the release, makes the tag and puts the release in its place.
func (r *cut) finish(ctx context.Context) (*Released, error) {
	p := r.project
	tag, err := r.tag(ctx)
	if err != nil {
		return nil, err
	}
	m := r.manifest(tag)
	if err := r.describe(m); err != nil {
		return nil, err
	}
	if err := r.onlyListed(m); err != nil {
		return nil, err
	}
	dir := "releases/" + r.plan.Version
	if err := p.Files.Rename(r.work+"/out", dir); err != nil {
		return nil, err
	}
	return &Released{Manifest: m, Dir: dir, New: true}, r.forget()
}

// tag makes the release's tag in the project's store. Its objects and ref are the same however often it is made.
func (r *cut) tag(ctx context.Context) (git.OID, error) {
	who := r.project.Config.Maintainer
	message := fmt.Sprintf("%s\n\nLine %s on %s with %d patches.\n", r.plan.Version, r.state.line.Minor, r.state.line.Base.Tag, len(r.state.patches))
	tag, err := r.project.Store.WriteTag(ctx, r.plan.Version, r.plan.Commit, git.Signature{Name: who.Name, Email: who.Email, When: r.date}, message)
	if err != nil {
		return git.OID{}, err
	}
	return tag, r.project.Store.SetRef(ctx, "refs/tags/"+r.plan.Version, tag)
}

func (r *cut) manifest(tag git.OID) *lts.Manifest {
	series := sha256.New()
	m := &lts.Manifest{
		Version: r.plan.Version, Minor: r.state.line.Minor, Base: r.state.line.Base, InputsSHA256: r.plan.Inputs, Date: r.plan.Date,
		Source:       lts.Source{Commit: r.plan.Commit, Tree: r.chain.tree, Tag: r.plan.Version, TagOID: tag},
		Reproducible: lts.ReproducibleUnknown, Absent: r.state.line.Absent, Patches: []string{}, Vulnerabilities: []string{}, Open: []lts.Open{}, Artifacts: []lts.Artifact{},
	}
	for i, patch := range r.state.patches {
		series.Write(r.state.contents[i])
		m.Patches = append(m.Patches, patch.Name)
	}
	m.SeriesSHA256 = hex.EncodeToString(series.Sum(nil))
	for _, e := range r.state.ledger.Vulnerabilities {
		switch {
		case e.Status == lts.StatusFixed && e.Base != lts.StatusFixed:
			m.Vulnerabilities = append(m.Vulnerabilities, e.ID)
		case e.Status == lts.StatusAffected || e.Status == lts.StatusUnderInvestigation:
			o := lts.Open{ID: e.ID, Status: e.Status}
			if e.Decision != nil {
				o.Reason = e.Decision.Reason
			}
			m.Open = append(m.Open, o)
		}
	}
	for i, b := range r.built {
		m.Toolchain = cmp.Or(m.Toolchain, b.Toolchain)
		if i == 0 || b.Reproducible == lts.ReproducibleNo {
			m.Reproducible = b.Reproducible
		}
		m.Artifacts = append(m.Artifacts, b.Artifacts...)
	}
	slices.SortFunc(m.Artifacts, func(a, b lts.Artifact) int { return strings.Compare(a.Name, b.Name) })
	return m
}
