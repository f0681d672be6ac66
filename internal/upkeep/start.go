package upkeep

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// Start is what a person says of a new line. What is left out is guessed from the base's tree.
type Start struct {
	Minor      release.Minor
	Tag        string // of the base
	Toolchain  string
	GOPATH     string // import path of the tree's root, for trees that are built in a GOPATH
	Components []lts.Component
	Platforms  []lts.Platform
	// What follows counts only when the project is made with the line.
	Upstream   lts.Upstream
	Scheme     string
	Maintainer lts.Person
}

// Started is what was made.
type Started struct {
	Config *lts.Project
	Line   *lts.Line
	New    bool // the project was made too
}

// Clone is upstream's clone, with its objects.
type Clone interface {
	Upstream
	git.Objects
}

// CheckDirectory refuses a directory that holds something and is no project.
func CheckDirectory(files Files) error {
	names, err := files.List(".")
	if err != nil || slices.Contains(names, ProjectFile) {
		return err
	}
	allowed := []string{".git/", ".gitignore", PrivateDir + "/", "LICENSE", "README.md", "vulnerabilities/"}
	for _, name := range names {
		if !slices.Contains(allowed, name) {
			return errs.WithHint(errs.New(errs.Conflict, "%s is not empty and no project: it has %s", files.Path("."), strings.TrimSuffix(name, "/")),
				"make the project in an empty directory, with --project DIR")
		}
	}
	return nil
}

// StartLine makes a line, and the project with it where there is none.
func StartLine(ctx context.Context, files Files, clone Clone, s Start) (*Started, error) {
	base, tree, err := findBase(ctx, clone, s.Tag)
	if err != nil {
		return nil, err
	}
	made := &Started{}
	project, err := Open(files)
	if errs.Is(err, errs.NotFound) {
		made.New = true
		made.Config, err = newConfig(ctx, clone, tree, s)
	} else if err == nil {
		made.Config = project.Config
	}
	if err != nil {
		return nil, err
	}
	if err = checkBase(made.Config, s); err != nil {
		return nil, err
	}
	dir := "lines/" + s.Minor.String()
	there, err := files.List(dir)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return nil, errs.WithHint(errs.New(errs.Conflict, "line %s is there already", s.Minor), "edit %s/line.yaml, or remove %s to begin anew", dir, dir)
	}
	if made.Line, err = newLine(ctx, clone, tree, made.Config, s); err != nil {
		return nil, err
	}
	made.Line.Base = base
	return made, made.write(files, dir)
}

func (m *Started) write(files Files, dir string) error {
	line, err := m.Line.Format()
	if err != nil {
		return err
	}
	if _, err = lts.ParseLine(dir+"/line.yaml", line); err != nil {
		return err
	}
	ledger, err := (&lts.Ledger{Minor: m.Line.Minor}).Format()
	if err != nil {
		return err
	}
	var ch change
	if m.New {
		if err := m.writeConfig(files, &ch); err != nil {
			return err
		}
	}
	ch.write(dir+"/line.yaml", line)
	ch.write(dir+"/series", nil)
	ch.write(dir+"/ledger.yaml", ledger)
	return ch.commit(files)
}

func (m *Started) writeConfig(files Files, ch *change) error {
	config, err := m.Config.Format()
	if err != nil {
		return err
	}
	if _, err = lts.ParseProject(ProjectFile, config); err != nil {
		return err
	}
	ignore, err := ignoring(files)
	if err != nil {
		return err
	}
	ch.write(ProjectFile, config)
	ch.write(".gitignore", ignore)
	return nil
}

// ignoring is the .gitignore with the private directory in it.
func ignoring(files Files) ([]byte, error) {
	content, err := files.Read(".gitignore", lts.MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	text := string(content)
	if slices.Contains(strings.Split(text, "\n"), "/"+PrivateDir+"/") {
		return content, nil
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text + "/" + PrivateDir + "/\n"), nil
}

// findBase finds the tag and its tree.
func findBase(ctx context.Context, clone Clone, tag string) (lts.Base, git.OID, error) {
	var found git.OID
	for _, ref := range clone.Refs() {
		if ref.Name == "refs/tags/"+tag {
			found = ref.Commit
		}
	}
	if found.IsZero() {
		if _, err := clone.Resolve(ctx, tag); err != nil {
			return lts.Base{}, git.OID{}, err
		}
		return lts.Base{}, git.OID{}, errs.WithHint(errs.New(errs.Invalid, "base %q is no tag of a commit", tag), "a line stands on a tag of upstream's, such as v1.28.15")
	}
	commit, err := clone.Commit(ctx, found)
	if err != nil {
		return lts.Base{}, git.OID{}, err
	}
	return lts.Base{Tag: tag, Commit: found}, commit.Tree, nil
}

// checkBase refuses a tag that is no release of the minor.
func checkBase(config *lts.Project, s Start) error {
	base, err := lts.BaseVersion(config.Upstream.Tag, s.Tag)
	if err != nil {
		return err
	}
	version, err := release.Parse(base)
	if err != nil {
		return err
	}
	if version.Minor != s.Minor {
		return errs.WithHint(errs.New(errs.Invalid, "base %q is no release of %s", s.Tag, s.Minor), "it belongs to a line %s", version.Minor)
	}
	return nil
}

var versionInTag = regexp.MustCompile(`[0-9]+\.[0-9]+\.[0-9]+`)

func newConfig(ctx context.Context, clone Clone, tree git.OID, s Start) (*lts.Project, error) {
	c := &lts.Project{Upstream: s.Upstream, VersionScheme: s.Scheme, Maintainer: s.Maintainer}
	if c.VersionScheme == "" {
		c.VersionScheme = lts.SchemePlus
	}
	if c.Upstream.Name == "" {
		path, _, err := module(ctx, clone, tree, s)
		if err != nil {
			return nil, err
		}
		if c.Upstream.Name = repositoryOf(path); c.Upstream.Name == "" {
			return nil, errs.WithHint(errs.New(errs.Invalid, "the upstream's name cannot be told from module path %q", path), "name it with --upstream owner/name")
		}
	}
	if c.Upstream.URL == "" {
		c.Upstream.URL = "https://github.com/" + c.Upstream.Name
	}
	if c.Upstream.MainBranch == "" {
		c.Upstream.MainBranch = mainBranch(clone)
	}
	if c.Upstream.Branches == "" {
		c.Upstream.Branches = "release-*"
	}
	if c.Upstream.Tag == "" {
		c.Upstream.Tag = versionInTag.ReplaceAllLiteralString(s.Tag, "{version}")
	}
	known := knownUpstream(c.Upstream.Name)
	c.Package = known.defaults
	return c, nil
}

func mainBranch(clone Clone) string {
	var names []string
	for _, ref := range clone.Refs() {
		if name, ok := branchName(ref.Name); ok {
			names = append(names, name)
		}
	}
	if !slices.Contains(names, "main") && slices.Contains(names, "master") {
		return "master"
	}
	return "main"
}

func newLine(ctx context.Context, clone Clone, tree git.OID, config *lts.Project, s Start) (*lts.Line, error) {
	line := &lts.Line{Minor: s.Minor, Toolchain: s.Toolchain, Components: s.Components, Platforms: s.Platforms}
	if len(line.Platforms) == 0 {
		line.Platforms = []lts.Platform{"linux/amd64"}
	}
	var err error
	if line.Build, err = newBuild(ctx, clone, tree, s); err != nil {
		return nil, err
	}
	known := knownUpstream(config.Upstream.Name)
	if len(line.Components) == 0 {
		if line.Components, err = guessComponents(ctx, clone, tree, config.Upstream.Name); err != nil {
			return nil, err
		}
	}
	for i := range line.Components {
		c := &line.Components[i]
		if c.Description == "" {
			c.Description = c.Name + " of " + config.Upstream.Name + ", line " + s.Minor.String()
		}
		if len(c.LDFlags) == 0 {
			c.LDFlags = known.ldflags
		}
	}
	return line, nil
}

// newBuild guesses how a tree is built.
func newBuild(ctx context.Context, clone Clone, tree git.OID, s Start) (lts.BuildConfig, error) {
	build := lts.BuildConfig{Mode: lts.ModeModule, Env: map[string]string{"CGO_ENABLED": "0"}}
	path, gopath, err := module(ctx, clone, tree, s)
	switch {
	case err != nil:
		return build, err
	case gopath:
		build.Mode, build.ImportPath = lts.ModeGOPATH, path
		return build, nil
	case path == "":
		return build, errs.WithHint(errs.New(errs.Invalid, "base %q has neither go.mod nor Godeps", s.Tag), "name the import path of its root with --gopath")
	}
	vendored, err := lookup(ctx, clone, tree, "vendor/modules.txt")
	if vendored != nil {
		build.Flags = []string{"-mod=vendor"}
	}
	return build, err
}

// module is the import path of the tree's root, and whether it is built in a GOPATH.
func module(ctx context.Context, clone Clone, tree git.OID, s Start) (path string, gopath bool, err error) {
	if s.GOPATH != "" {
		return s.GOPATH, true, nil
	}
	return readModule(ctx, clone, tree)
}
