package foreign

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// ReadQuilt reads a quilt series: DIR/patches/series, DIR/debian/patches/series, or DIR/series beside the patches. The tag is the upstream release that it is for.
func ReadQuilt(files Files, tag string) (Line, string, error) {
	var (
		dir, name string
		content   []byte
		err       error
	)
	for _, dir = range []string{"patches", "debian/patches", ""} {
		name = path.Join(dir, "series")
		if content, err = files.Read(name, MaxConfig); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Line{}, "", errs.WithHint(errs.New(errs.NotFound, "neither patches/series nor debian/patches/series nor series is there"), "name the directory that holds the patches directory of quilt")
	}
	if err != nil {
		return Line{}, "", err
	}
	line := Line{Name: "quilt", Tag: tag, File: name}
	line.Steps, err = parseQuilt(name, content)
	return line, dir, err
}

// parseQuilt reads a series: a file name a line, options of patch behind it, # before a comment.
func parseQuilt(name string, content []byte) ([]Step, error) {
	var steps []Step
	row := 0
	for text := range strings.Lines(string(content)) {
		row++
		text, _, _ = strings.Cut(text, "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
			continue
		case len(steps) == maxSteps:
			return nil, errs.New(errs.Invalid, "%s:%d: more than %d patches", name, row, maxSteps)
		case len(words[0]) > maxName:
			return nil, errs.New(errs.Invalid, "%s:%d: a name is longer than %d bytes", name, row, maxName)
		}
		step := Step{Name: words[0], Row: row}
		item := NewItem(words[0], row)
		var err error
		if item.Strip, err = quiltOptions(words[1:]); err != nil {
			step.Gap = err.Error()
		} else {
			step.Items = []Item{item}
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// quiltOptions are those behind a name: -p and a number, or ab; anything else changes what the patch does.
func quiltOptions(words []string) (int, error) {
	strip := 1
	for _, w := range words {
		n, err := strconv.Atoi(strings.TrimPrefix(w, "-p"))
		switch {
		case w == "-pab":
			strip = 1
		case strings.HasPrefix(w, "-p") && err == nil && n >= 0 && n < 20:
			strip = n
		default:
			return 0, errs.New(errs.Invalid, "option %q of patch is not known here", w)
		}
	}
	return strip, nil
}

// QuiltOutside returns the patch files below the series' directory that the series does not name, as quilt keeps them: one level.
func QuiltOutside(files Files, dir string, line Line) ([]string, error) {
	names, err := files.List(path.Clean("./" + dir))
	if err != nil {
		return nil, err
	}
	var outside []string
	for _, name := range names {
		isPatch := strings.HasSuffix(name, ".patch") || strings.HasSuffix(name, ".diff")
		if isPatch && !slices.ContainsFunc(line.Steps, func(s Step) bool { return path.Clean(s.Name) == name }) {
			outside = append(outside, path.Join(dir, name))
		}
	}
	return outside, nil
}
