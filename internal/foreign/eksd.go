package foreign

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// eksdDirs are where the minors of EKS Distro are, seen from the repository or from further inside.
func eksdDirs() []string { return []string{"projects/kubernetes/kubernetes", "."} }

var (
	eksdMinor  = regexp.MustCompile(`^([0-9]{1,3})-([0-9]{1,3})/$`)
	eksdNumber = regexp.MustCompile(`^[0-9]{4}-`)
	goVersion  = regexp.MustCompile(`^1\.[0-9]{1,3}(\.[0-9]{1,3})?$`)
)

// maxWord bounds the files that hold one word.
const maxWord = 4 << 10

// ReadEKSD reads the directories of EKS Distro: for each minor the upstream tag, Go's version, and the patches in order of their names. Minors without
// patches are skipped, and said: the repository dropped them where AWS builds from sources that it does not show.
func ReadEKSD(files Files) ([]Line, []Skipped, error) {
	for _, dir := range eksdDirs() {
		names, err := files.List(dir)
		if err != nil {
			return nil, nil, err
		}
		var (
			lines   []Line
			skipped []Skipped
		)
		for _, name := range names {
			m := eksdMinor.FindStringSubmatch(name)
			if m == nil {
				if eksdMinor.MatchString(name + "/") {
					skipped = append(skipped, Skipped{Name: name, Reason: "it is no directory"})
				}
				continue
			}
			line, reason, err := eksdLine(files, path.Join(dir, strings.TrimSuffix(name, "/")), m[1]+"."+m[2])
			if err != nil {
				return nil, nil, err
			}
			if reason != "" {
				skipped = append(skipped, Skipped{Name: line.Name, Reason: reason})
				continue
			}
			lines = append(lines, line)
		}
		if len(lines)+len(skipped) > 0 {
			sortLines(lines)
			return lines, skipped, nil
		}
	}
	return nil, nil, errs.WithHint(errs.New(errs.NotFound, "no directory such as 1-28 is there, nor in projects/kubernetes/kubernetes"), "name a checkout of https://github.com/aws/eks-distro")
}

func eksdLine(files Files, dir, minor string) (line Line, reason string, err error) {
	line = Line{Name: path.Base(dir), File: dir + "/patches"}
	if line.Tag, err = word(files, dir+"/GIT_TAG"); err != nil {
		return line, "", err
	}
	if !IsTag(line.Tag) || !strings.HasPrefix(line.Tag, "v"+minor+".") {
		return line, "GIT_TAG " + strconv.Quote(line.Tag) + " is no release of " + minor, nil
	}
	toolchain, err := word(files, dir+"/GOLANG_VERSION")
	if err != nil {
		return line, "", err
	}
	if goVersion.MatchString(toolchain) {
		line.Toolchain = toolchain
	}
	names, err := files.List(dir + "/patches")
	if err != nil {
		return line, "", err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".patch") {
			continue
		}
		if len(line.Steps) == maxSteps {
			return line, "", errs.New(errs.Invalid, "%s/patches: more than %d patches", dir, maxSteps)
		}
		line.Steps = append(line.Steps, Step{Name: strings.TrimSuffix(name, ".patch"), Items: []Item{NewItem(line.File+"/"+name, 0)}})
	}
	if len(line.Steps) == 0 {
		return line, "it has no patches", nil
	}
	return line, "", nil
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
