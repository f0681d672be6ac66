package vuln

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/errs"
)

var (
	idForm         = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
	commitForm     = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+$`)
)

// Parse reads one OSV document. The name is for messages: a file name or an address. Errors are [errs.Invalid] and say what
// in which document is wrong; an error of the reader is passed on.
func Parse(name string, r io.Reader) (*Record, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > MaxSize {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, MaxSize)
	}
	var rec Record
	w := wireRecord{plainRecord: (*plainRecord)(&rec)}
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, errs.New(errs.Invalid, "%s%s: %w", name, position(data, err), err)
	}
	if err := rec.extend(w.DatabaseSpecific.Kubelts); err != nil {
		return nil, errs.New(errs.Invalid, "%s: database_specific.kubelts: %w", name, err)
	}
	if err := rec.Validate(); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	return &rec, nil
}

// position turns the byte offset of a JSON error into ":line".
func position(data []byte, err error) string {
	var offset int64
	switch e := err.(type) { //nolint:errorlint // encoding/json returns these two unwrapped, at the top only
	case *json.SyntaxError:
		offset = e.Offset
	case *json.UnmarshalTypeError:
		offset = e.Offset
	}
	if offset <= 0 || offset > int64(len(data)) {
		return ""
	}
	return ":" + strconv.Itoa(1+bytes.Count(data[:offset], []byte("\n")))
}

type wireExtension struct {
	Extension
	// Commits is the short form for a project's own files: one fix, by branch.
	Commits map[string][]string `json:"commits"`
}

// extend reads our part of the document, and makes fixes of what is said about commits elsewhere: the short form, or, where
// nothing names commits, the fixed events of GIT ranges.
func (r *Record) extend(raw json.RawMessage) error {
	var w wireExtension
	if len(raw) > 0 && string(raw) != "null" {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&w); err != nil {
			return err
		}
	}
	r.Kubelts = w.Extension
	if len(w.Commits) > 0 {
		r.Kubelts.Fixes = append(r.Kubelts.Fixes, Fix{Subject: r.Summary, Kind: KindFix, Commits: w.Commits})
	}
	for _, f := range r.Kubelts.Fixes {
		if len(f.Commits) > 0 {
			return nil
		}
	}
	for _, a := range r.Affected {
		for _, rg := range a.Ranges {
			if f, ok := rg.fix(); ok {
				f.Subject = r.Summary
				r.Kubelts.Fixes = append(r.Kubelts.Fixes, f)
			}
		}
	}
	return nil
}

// fix makes a fix of a GIT range that says where the flaw is fixed. Several fixed events are instances of one fix on several
// branches.
func (rg Range) fix() (Fix, bool) {
	if rg.Type != RangeGit {
		return Fix{}, false
	}
	f := Fix{Repository: repositoryOf(rg.Repo), Kind: KindFix, Commits: map[string][]string{}, Source: rg.Repo}
	for _, e := range rg.Events {
		if e.Fixed != "" {
			f.Commits[e.Fixed] = []string{e.Fixed}
		}
	}
	return f, len(f.Commits) > 0
}

// repositoryOf takes owner/name from the address of a repository on GitHub. Of other addresses nothing is known.
func repositoryOf(address string) string {
	rest, ok := strings.CutPrefix(address, "https://github.com/")
	if !ok {
		return ""
	}
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, "/"), ".git")
	if !repositoryForm.MatchString(rest) {
		return ""
	}
	return rest
}

// Validate checks what the rest of the program relies on, and returns the first fault.
func (r *Record) Validate() error {
	if !idForm.MatchString(r.ID) {
		return fmt.Errorf("id %q is not well formed", r.ID)
	}
	for _, a := range append(append([]string{}, r.Aliases...), r.Related...) {
		if !idForm.MatchString(a) {
			return fmt.Errorf("%s: alias %q is not well formed", r.ID, a)
		}
	}
	if r.SchemaVersion != "" && !strings.HasPrefix(r.SchemaVersion, "1.") {
		return fmt.Errorf("%s: schema_version %q is not 1.x", r.ID, r.SchemaVersion)
	}
	for i, a := range r.Affected {
		for j, rg := range a.Ranges {
			if err := rg.validate(); err != nil {
				return fmt.Errorf("%s: affected %d, range %d: %w", r.ID, i, j, err)
			}
		}
	}
	if err := r.Kubelts.validate(); err != nil {
		return fmt.Errorf("%s: %w", r.ID, err)
	}
	return nil
}

func (rg Range) validate() error {
	switch rg.Type {
	case RangeSemver, RangeEcosystem, RangeGit:
	default:
		return fmt.Errorf("type %q is not known", rg.Type)
	}
	introduced := false
	for _, e := range rg.Events {
		if e.Introduced != "" {
			introduced = true
		}
		if err := e.validate(rg.Type); err != nil {
			return err
		}
	}
	if !introduced {
		return fmt.Errorf("has no introduced event")
	}
	return nil
}

func (e Event) validate(rangeType string) error {
	set := 0
	for _, at := range []string{e.Introduced, e.Fixed, e.LastAffected, e.Limit} {
		if at == "" {
			continue
		}
		set++
		if rangeType == RangeGit && at != "0" && at != "*" && !commitForm.MatchString(at) {
			return fmt.Errorf("%q is not a commit name", at)
		}
	}
	if set != 1 {
		return fmt.Errorf("an event has %d of introduced, fixed, last_affected and limit, instead of one", set)
	}
	return nil
}

func (x Extension) validate() error {
	if err := oneOf("class", x.Class, "", ClassOfficial, ClassOfficialThirdParty, ClassOfficialSubproject, ClassThirdParty, ClassPreFeed, ClassNotInFeed, ClassFault); err != nil {
		return err
	}
	if err := oneOf("confidence", x.Confidence, "", ConfidenceHigh, ConfidenceMedium, ConfidenceLow); err != nil {
		return err
	}
	if err := oneOf("os", x.OS, "", "any", "linux", "windows"); err != nil {
		return err
	}
	for i, f := range x.Fixes {
		if err := f.validate(); err != nil {
			return fmt.Errorf("fix %d: %w", i, err)
		}
	}
	return nil
}

func (f Fix) validate() error {
	if f.Repository != "" && !repositoryForm.MatchString(f.Repository) {
		return fmt.Errorf("repository %q is not owner/name", f.Repository)
	}
	if err := oneOf("kind", f.Kind, KindFix, KindFixDependency, KindFollowUp, KindTest, KindHardening, KindRegressionFix); err != nil {
		return err
	}
	if err := oneOf("confidence", f.Confidence, "", ConfidenceHigh, ConfidenceMedium, ConfidenceLow); err != nil {
		return err
	}
	for branch, commits := range f.Commits {
		if !branchLike(branch) {
			return fmt.Errorf("branch %q is not well formed", branch)
		}
		if len(commits) == 0 {
			return fmt.Errorf("branch %q has no commits", branch)
		}
		for _, c := range commits {
			if !commitForm.MatchString(c) {
				return fmt.Errorf("branch %q: %q is not a commit name", branch, c)
			}
		}
	}
	return nil
}

func oneOf(what, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s %q is not known", what, value)
}

// branchLike keeps out what could be taken for an option or hide in a terminal. Whether the branch exists is git's to say.
func branchLike(name string) bool {
	if name == "" || len(name) > 255 || strings.HasPrefix(name, "-") {
		return false
	}
	return !strings.ContainsFunc(name, func(c rune) bool {
		return unicode.IsSpace(c) || !unicode.IsPrint(c) || strings.ContainsRune(`~^:?*[\`, c)
	})
}
