package upkeep

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// plan is what an interrupted release must have in common with the one that takes it up.
type plan struct {
	Version string  `json:"version"`
	Base    string  `json:"base"`
	Inputs  string  `json:"inputs"`
	Commit  git.OID `json:"commit"`
	Date    string  `json:"date"` // RFC 3339
	Twice   bool    `json:"twice"`
}

// builtComponent is what is kept of a component that is done.
type builtComponent struct {
	Toolchain    string         `json:"toolchain"`
	Reproducible string         `json:"reproducible"`
	Artifacts    []lts.Artifact `json:"artifacts"`
}

// unfinished is a release that was begun. It is kept in the project's State, never in the project: whoever hands a project over could put a release
// into it that looks half made, with programs of his own.
type unfinished struct {
	Plan plan                      `json:"plan"`
	Done map[string]builtComponent `json:"done"` // by component and platform
}

// takeUp goes on with an interrupted release where that had the same plan, and begins anew otherwise.
func (r *cut) takeUp() error {
	content, err := r.project.State.Read(r.stateFile(), lts.MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var old unfinished
	if err == nil && json.Unmarshal(content, &old) == nil {
		same := r.plan
		if !r.options.Fixed {
			same.Date = old.Plan.Date
		}
		if old.Plan == same {
			r.plan, r.left = same, old
			return r.keepProven()
		}
	}
	if err = r.project.Files.Remove(r.work); err != nil {
		return err
	}
	r.left = unfinished{Plan: r.plan, Done: map[string]builtComponent{}}
	return r.remember()
}

// keepProven leaves of the work directory what the State has digests of, and forgets what is not there any more as it was made.
func (r *cut) keepProven() error {
	files := r.project.Files
	there, err := files.List(r.work)
	if err != nil {
		return err
	}
	for _, name := range there {
		if name != "out/" {
			if err = files.Remove(r.work + "/" + strings.TrimSuffix(name, "/")); err != nil {
				return err
			}
		}
	}
	if there, err = files.List(r.work + "/out"); err != nil {
		return err
	}
	proven := map[string]bool{}
	done := map[string]builtComponent{}
	for key, b := range r.left.Done {
		if len(b.Artifacts) == 0 || slices.ContainsFunc(b.Artifacts, func(a lts.Artifact) bool { return !r.asMade(a) }) {
			continue
		}
		done[key] = b
		for _, a := range b.Artifacts {
			proven[a.Name] = true
		}
	}
	r.left.Done = done
	for _, name := range there {
		if !proven[name] {
			if err := files.Remove(r.work + "/out/" + strings.TrimSuffix(name, "/")); err != nil {
				return err
			}
		}
	}
	return r.remember()
}

// asMade reports whether an artifact is there with the bytes that were packaged.
func (r *cut) asMade(a lts.Artifact) bool {
	sum, size, err := r.project.Files.Digest(r.work + "/out/" + a.Name)
	return err == nil && sum == a.SHA256 && size == a.Size
}

func (r *cut) stateFile() string { return "release-" + r.state.line.Minor.String() + ".json" }

func (r *cut) remember() error {
	content, err := json.MarshalIndent(r.left, "", "  ")
	if err != nil {
		return err
	}
	return r.project.State.Write(r.stateFile(), content)
}

// forget takes the work directory away, and what is remembered of it.
func (r *cut) forget() error {
	if err := r.project.Files.Remove(r.work); err != nil {
		return err
	}
	return r.project.State.Remove(r.stateFile())
}
