package foreign

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// eksdProjects is where the projects of EKS Distro are, as owner/name, in its repository.
const eksdProjects = "projects"

// Kubernetes is the project whose lines EKS Distro is about; it builds others besides, such as etcd-io/etcd, for each of its minors.
const Kubernetes = "kubernetes/kubernetes"

var (
	eksdMinor  = regexp.MustCompile(`^([0-9]{1,3})-([0-9]{1,3})/$`)
	eksdNumber = regexp.MustCompile(`^[0-9]{4}-`)
	goVersion  = regexp.MustCompile(`^1\.[0-9]{1,3}(\.[0-9]{1,3})?$`)
)

// maxWord bounds the files that hold one word.
const maxWord = 4 << 10

// maxProjects bounds the projects of a checkout.
const maxProjects = 1_000

// EKSDProjects returns the projects in a checkout of EKS Distro that have directories of minors, as owner/name, sorted; none where there is no such checkout.
func EKSDProjects(files Files) ([]string, error) {
	owners, err := files.List(eksdProjects)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, owner := range owners {
		if !strings.HasSuffix(owner, "/") {
			continue
		}
		names, err := files.List(path.Join(eksdProjects, owner))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			dirs, err := files.List(path.Join(eksdProjects, owner, name))
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(dirs, eksdMinor.MatchString) && len(found) < maxProjects {
				found = append(found, owner+strings.TrimSuffix(name, "/"))
			}
		}
	}
	return found, nil
}

// EKSDMinor is what a directory of EKS Distro holds.
type EKSDMinor struct {
	Line

	Dir     string   // of the minor
	Problem string   // why it is no line; empty when it is one
	Outside []string // files beside the patches that are none
}

// EKSDMinors reads the directories of a project, below projects/ or, where that is not there, the ones that are named for minors.
func EKSDMinors(files Files, project string) ([]EKSDMinor, error) {
	dir := path.Join(eksdProjects, project)
	names, err := files.List(dir)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(names, eksdMinor.MatchString) {
		dir = "."
		if names, err = files.List(dir); err != nil {
			return nil, err
		}
	}
	var found []EKSDMinor
	for _, name := range names {
		m := eksdMinor.FindStringSubmatch(name)
		switch {
		case m != nil:
			one, err := eksdMinorOf(files, path.Join(dir, strings.TrimSuffix(name, "/")), project, m[1]+"."+m[2])
			if err != nil {
				return nil, err
			}
			found = append(found, one)
		case eksdMinor.MatchString(name + "/"):
			found = append(found, EKSDMinor{Line: Line{Name: name, File: path.Join(dir, name)}, Dir: path.Join(dir, name), Problem: "it is no directory"})
		}
	}
	if len(found) == 0 {
		return nil, errs.WithHint(errs.New(errs.NotFound, "no directory such as 1-28 is there, nor in %s/%s", eksdProjects, project), "name a checkout of https://github.com/aws/eks-distro")
	}
	return found, nil
}

// ReadEKSD reads the directories of one project of EKS Distro: for each minor the upstream tag, Go's version, and the patches in order of their names. Minors
// without patches are skipped, and said: the repository dropped them where AWS builds from sources that it does not show. Of several that stand on one minor of
// upstream, as those of etcd do, the newest is taken.
func ReadEKSD(files Files, project string) ([]Line, []Skipped, error) {
	minors, err := EKSDMinors(files, project)
	if err != nil {
		return nil, nil, err
	}
	var skipped []Skipped
	best := map[release.Minor]Line{}
	for _, m := range minors {
		problem := m.Problem
		if problem == "" && len(m.Steps) == 0 {
			problem = "it has no patches"
		}
		version, err := release.Parse(m.Tag)
		if problem == "" && err != nil {
			problem = err.Error()
		}
		if problem != "" {
			skipped = append(skipped, Skipped{Name: m.Name, Reason: problem})
			continue
		}
		other, there := best[version.Minor]
		switch {
		case there && compareTags(m.Tag, other.Tag) < 0:
			skipped = append(skipped, Skipped{Name: m.Name, Reason: other.Name + " stands on the newer " + other.Tag})
			continue
		case there:
			skipped = append(skipped, Skipped{Name: other.Name, Reason: m.Name + " stands on " + m.Tag + " too, and is for a newer minor"})
		}
		best[version.Minor] = m.Line
	}
	lines := slices.Collect(maps.Values(best))
	sortLines(lines)
	return lines, skipped, nil
}

func eksdMinorOf(files Files, dir, project, minor string) (m EKSDMinor, err error) {
	m = EKSDMinor{Line: Line{Name: path.Base(dir), File: dir + "/patches"}, Dir: dir}
	if m.Tag, err = word(files, dir+"/GIT_TAG"); err != nil {
		return m, err
	}
	if !IsTag(m.Tag) || project == Kubernetes && !strings.HasPrefix(m.Tag, "v"+minor+".") {
		m.Problem = "GIT_TAG " + strconv.Quote(m.Tag) + " is no release of " + project
		if project == Kubernetes {
			m.Problem = "GIT_TAG " + strconv.Quote(m.Tag) + " is no release of " + minor
		}
	}
	toolchain, err := word(files, dir+"/GOLANG_VERSION")
	if err != nil {
		return m, err
	}
	if goVersion.MatchString(toolchain) {
		m.Toolchain = toolchain
	}
	names, err := files.List(m.File)
	if err != nil {
		return m, err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".patch") {
			m.Outside = append(m.Outside, path.Join(m.File, name))
			continue
		}
		if len(m.Steps) == maxSteps {
			return m, errs.New(errs.Invalid, "%s/patches: more than %d patches", dir, maxSteps)
		}
		m.Steps = append(m.Steps, Step{Name: strings.TrimSuffix(name, ".patch"), Items: []Item{NewItem(m.File+"/"+name, 0)}})
	}
	return m, nil
}

// word reads a file that holds one word; an absent one holds none.
func word(files Files, name string) (string, error) {
	content, err := files.Read(name, maxWord)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(content)), err
}

// Numbers returns the numbers that are missing between a line's first and last patch, where all are numbered: EKS Distro applies what is there, and nobody
// sees that one is gone.
func Numbers(line Line) []int {
	var missing []int
	last := 0
	for _, step := range line.Steps {
		if !eksdNumber.MatchString(step.Name) {
			return nil
		}
		n, err := strconv.Atoi(step.Name[:4])
		if err != nil {
			return nil
		}
		for i := last + 1; i < n && len(missing) < 100; i++ {
			missing = append(missing, i)
		}
		last = max(last, n)
	}
	return missing
}
