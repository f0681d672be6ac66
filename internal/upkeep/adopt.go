package upkeep

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// PickedByImport is the rung of patches that came with another project: nobody here has looked at them, so they cure nothing before a person says so.
const PickedByImport = "import"

// LeftOut begins a comment of a series that names a patch which an import left out because it could not be had.
const LeftOut = "# left out: "

// LeftOutDir is the directory of a line in which an import keeps patches that do not fit the base. No command reads it.
const LeftOutDir = "left-out"

// Adoption is what another project keeps, to be made a project here.
type Adoption struct {
	Upstream   lts.Upstream
	Maintainer lts.Person
	Lines      []AdoptedLine // one for each minor
	// LeaveOut makes what cannot be had, and what does not fit, a comment of the series; a patch that does not fit is kept in [LeftOutDir]. Otherwise the series
	// names what cannot be had without a file, and every command on the line refuses until a person settles it.
	LeaveOut bool
}

// AdoptedLine is a line of the other project.
type AdoptedLine struct {
	Minor         release.Minor
	Tag           string // of upstream's release
	Toolchain     string // as line.yaml has it
	From          string // what the other project calls it, and the file that says so
	Patches       []AdoptedPatch
	KnownFailures []lts.KnownFailure
	Notes         []string // what else a person should know
}

// AdoptedPatch is a patch, or a gap where one should be.
type AdoptedPatch struct {
	Name   string     // what the other project calls it
	Patch  *lts.Patch // nil for a gap
	Gap    string     // why it is one
	Origin string     // where it was, and for a patch the sha256 of that source
	Commit git.OID    // that the source says it was made from: believed when upstream's clone has it
	Fixes  []string   // vulnerabilities that its name tells
}

// Adopted is what became of a line.
type Adopted struct {
	Minor   release.Minor `json:"minor"`
	From    string        `json:"from"`
	Base    string        `json:"base"`
	Commit  git.OID       `json:"commit"` // of the base; empty while it is not pinned
	Patches int           `json:"patches"`
	Pinned  int           `json:"pinned"`  // patches whose upstream commit is known
	Moved   int           `json:"moved"`   // patches whose hunks stood elsewhere on the base, so that they say other lines now
	Missing []string      `json:"missing"` // gaps, one sentence each
	Unfit   []string      `json:"unfit"`   // patches that do not fit the base and those before them, one sentence each
	Notes   []string      `json:"notes"`
}

// Adopt writes a project into an empty directory. The clone may be nil: then no base is pinned, and lint says so. The store borrows the clone's objects; it is
// nil when the clone is.
func Adopt(ctx context.Context, files Files, clone Clone, store git.Store, a Adoption) ([]Adopted, error) {
	if len(a.Lines) == 0 {
		return nil, errs.New(errs.NotFound, "there is no line to import")
	}
	w := &adopter{files: files, clone: clone, store: store, adoption: a}
	if err := w.config(); err != nil {
		return nil, err
	}
	var done []Adopted
	for _, line := range a.Lines {
		result, err := w.line(ctx, line)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", line.Minor, err)
		}
		done = append(done, result)
	}
	return done, nil
}

type adopter struct {
	files    Files
	clone    Clone
	store    git.Store
	adoption Adoption
	project  *lts.Project
}

func (w *adopter) config() error {
	u := w.adoption.Upstream
	u.Tag = cmp.Or(u.Tag, "v{version}")
	u.Branches = cmp.Or(u.Branches, "release-*")
	if u.MainBranch == "" {
		u.MainBranch = "master"
		if w.clone != nil {
			u.MainBranch = mainBranch(w.clone)
		}
	}
	w.project = &lts.Project{Upstream: u, VersionScheme: lts.SchemePlus, Maintainer: w.adoption.Maintainer, Package: knownUpstream(u.Name).defaults}
	content, err := w.project.Format()
	if err != nil {
		return err
	}
	if _, err = lts.ParseProject(ProjectFile, content); err != nil {
		return err
	}
	if err = w.files.Write(ProjectFile, content); err != nil {
		return err
	}
	return w.files.Write(".gitignore", []byte("/"+PrivateDir+"/\n"))
}

func (w *adopter) line(ctx context.Context, a AdoptedLine) (Adopted, error) {
	done := Adopted{Minor: a.Minor, From: a.From, Base: a.Tag, Missing: []string{}, Unfit: []string{}, Notes: append([]string{}, a.Notes...)}
	start := Start{Minor: a.Minor, Tag: a.Tag, Toolchain: a.Toolchain}
	if err := checkBase(w.project, start); err != nil {
		return done, err
	}
	line, note, err := w.skeleton(ctx, start)
	if err != nil {
		return done, err
	}
	if note != "" {
		done.Notes = append(done.Notes, note)
	}
	line.KnownFailures, done.Commit = a.KnownFailures, line.Base.Commit
	content, err := line.Format()
	if err != nil {
		return done, err
	}
	if line.Base.Commit.IsZero() {
		pinned := *line
		pinned.Base.Commit = git.OID{1}
		err = pinned.Validate()
	} else {
		err = line.Validate()
	}
	if err != nil {
		return done, err
	}
	ledger, err := (&lts.Ledger{Minor: a.Minor}).Format()
	if err != nil {
		return done, err
	}
	dir := "lines/" + a.Minor.String()
	p := &patching{adopter: w, dir: dir, done: &done}
	series, err := p.series(ctx, a)
	if err != nil {
		return done, err
	}
	for name, text := range map[string][]byte{"line.yaml": content, "ledger.yaml": ledger, "series": series} {
		if err := w.files.Write(dir+"/"+name, text); err != nil {
			return done, err
		}
	}
	return done, nil
}

// skeleton is a line without patches: from the base's tree where the clone has it, otherwise as upstream's lines of that age are built.
func (w *adopter) skeleton(ctx context.Context, s Start) (line *lts.Line, note string, err error) {
	if w.clone == nil {
		return w.unpinned(s), "its base is not pinned: no clone was named, so nothing tells the commit of " + s.Tag, nil
	}
	base, tree, err := findBase(ctx, w.clone, s.Tag)
	if errs.Is(err, errs.NotFound) {
		return w.unpinned(s), "its base is not pinned: the clone has no tag " + s.Tag, nil
	}
	if err != nil {
		return nil, "", err
	}
	line, err = newLine(ctx, w.clone, tree, w.project, s)
	if err != nil {
		return nil, "", err
	}
	line.Base = base
	return line, "", nil
}

// lastGodeps is the last minor of Kubernetes that is built in a GOPATH.
func lastGodeps() release.Minor { return release.Minor{Major: 1, Minor: 14} }

func (w *adopter) unpinned(s Start) *lts.Line {
	known := knownUpstream(w.project.Upstream.Name)
	line := &lts.Line{
		Minor: s.Minor, Base: lts.Base{Tag: s.Tag}, Toolchain: s.Toolchain, Platforms: []lts.Platform{"linux/amd64"},
		Build: lts.BuildConfig{Mode: lts.ModeModule, Env: map[string]string{"CGO_ENABLED": "0"}},
	}
	for _, name := range known.components {
		line.Components = append(line.Components, lts.Component{
			Name: name, Package: "./cmd/" + name, Description: name + " of " + w.project.Upstream.Name + ", line " + s.Minor.String(), LDFlags: known.ldflags,
		})
	}
	switch {
	case !strings.HasSuffix(w.project.Upstream.Name, "/kubernetes"):
	case release.CompareMinors(s.Minor, lastGodeps()) <= 0:
		line.Build.Mode, line.Build.ImportPath = lts.ModeGOPATH, "k8s.io/kubernetes"
	default:
		line.Build.Flags = []string{"-mod=vendor"}
	}
	return line
}

// patching is a line whose patches are being written.
type patching struct {
	*adopter

	dir  string  // of the line
	tip  git.OID // tree with the patches so far; zero where the base is not pinned
	done *Adopted
}

// series writes the patch files and returns the series.
func (w *patching) series(ctx context.Context, a AdoptedLine) ([]byte, error) {
	var series strings.Builder
	if w.store != nil && !w.done.Commit.IsZero() {
		base, err := w.store.Commit(ctx, w.done.Commit)
		if err != nil {
			return nil, err
		}
		w.tip = base.Tree
	}
	fmt.Fprintf(&series, "# imported from %s\n", single(a.From))
	for i, p := range a.Patches {
		entry, err := w.entry(ctx, i+1, p)
		if err != nil {
			return nil, err
		}
		series.WriteString(entry + "\n")
	}
	return []byte(series.String()), nil
}

// entry writes the file of the n-th patch and returns its line in the series.
func (w *patching) entry(ctx context.Context, n int, p AdoptedPatch) (string, error) {
	if p.Patch == nil {
		return w.gap(n, p), nil
	}
	name := lts.PatchName(n, p.Patch.Subject)
	if _, err := p.Patch.Imported(nil).Format(); err != nil {
		p.Gap = "cannot be written as a mail: " + err.Error()
		return w.gap(n, p), nil //nolint:nilerr // the series and the report say it
	}
	comment, misfit, err := w.place(ctx, &p, name)
	if err != nil {
		return "", err
	}
	content, pinned, err := w.patch(ctx, name, p)
	if err != nil {
		return "", err
	}
	if misfit && w.adoption.LeaveOut {
		return LeftOut + name + ", kept in " + w.dir + "/" + LeftOutDir + ":" + strings.TrimPrefix(comment, " #"), w.files.Write(w.dir+"/"+LeftOutDir+"/"+name, content)
	}
	if err := w.files.Write(w.dir+"/patches/"+name, content); err != nil {
		return "", err
	}
	w.done.Patches++
	w.done.Pinned += pinned
	return name + comment, nil
}

// gap is the line of the series for a patch that cannot be had.
func (w *patching) gap(n int, p AdoptedPatch) string {
	what := single(p.Name) + ": " + single(p.Gap)
	if p.Origin != "" && p.Origin != p.Name {
		what = fmt.Sprintf("%s (%s): %s", single(p.Name), single(p.Origin), single(p.Gap))
	}
	w.done.Missing = append(w.done.Missing, what)
	if w.adoption.LeaveOut {
		return LeftOut + what
	}
	return lts.PatchName(n, patchSuffix.ReplaceAllString(p.Name, "")) + " # missing: " + what
}

// place makes a patch fit the tip, which then has it, and returns the comment for the series. A patch that does not fit stays as it is.
func (w *patching) place(ctx context.Context, p *AdoptedPatch, name string) (comment string, misfit bool, err error) {
	if w.tip.IsZero() {
		return "", false, nil
	}
	found, err := placeDiff(ctx, w.store, w.tip, p.Patch.Diff)
	switch {
	case ctx.Err() != nil:
		return "", false, context.Cause(ctx)
	case err != nil:
		why := "does not fit: " + single(err.Error())
		w.done.Unfit = append(w.done.Unfit, name+" "+why)
		return " # " + why, true, nil
	}
	w.tip = found.tree
	if found.moved == 0 {
		return "", false, nil
	}
	w.done.Moved++
	own := *p.Patch
	own.Diff, p.Patch = found.diff, &own
	return fmt.Sprintf(" # hunks moved: %d", found.moved), false, nil
}

// patch is the mail file of an imported patch, and how many of its upstream commits are known: one or none.
func (w *adopter) patch(ctx context.Context, name string, p AdoptedPatch) (content []byte, pinned int, err error) {
	var trailers []git.Trailer
	if w.clone != nil && !p.Commit.IsZero() {
		if _, absent := w.clone.Commit(ctx, p.Commit); absent == nil {
			pinned = 1
			trailers = append(trailers, git.Trailer{Key: lts.TrailerUpstream, Value: p.Commit.String()})
		} else if ctx.Err() != nil {
			return nil, 0, context.Cause(ctx)
		}
	}
	for _, id := range p.Fixes {
		trailers = append(trailers, lts.FixTrailer(id))
	}
	trailers = append(trailers, git.Trailer{Key: lts.TrailerPickedBy, Value: PickedByImport}, git.Trailer{Key: lts.TrailerImported, Value: single(p.Origin)})
	patch := p.Patch.Imported(trailers)
	patch.Name = name
	content, err = patch.Format()
	return content, pinned, err
}

var patchSuffix = regexp.MustCompile(`\.(patch|diff)$`)

// single makes a stranger's text fit for one line of a file: no control characters, nothing that hides.
func single(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.TrimSpace(text)
}
