package upkeep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
)

// The files of a release that describe the others.
const (
	checksumsFile = "SHA256SUMS"
	changelogFile = "CHANGELOG.md"
	manifestFile  = "manifest.json"
)

// describe writes changelog, checksums and manifest, and adds the first two to the manifest's artifacts.
func (r *cut) describe(m *lts.Manifest) error {
	names := map[string]bool{}
	for _, a := range m.Artifacts {
		if names[a.Name] || a.Name == "" || strings.ContainsAny(a.Name, "/\\\n") {
			return errs.New(errs.Internal, "release %s: artifact %q stands twice, or is no name", m.Version, a.Name)
		}
		names[a.Name] = true
	}
	changelog := []byte(r.changelog())
	m.Artifacts = append(m.Artifacts, describing(changelogFile, lts.KindChangelog, changelog))
	slices.SortFunc(m.Artifacts, func(a, b lts.Artifact) int { return strings.Compare(a.Name, b.Name) })
	var sums strings.Builder
	for _, a := range m.Artifacts {
		fmt.Fprintf(&sums, "%s  %s\n", a.SHA256, a.Name)
	}
	m.Artifacts = append(m.Artifacts, describing(checksumsFile, lts.KindChecksums, []byte(sums.String())))
	manifest, err := m.Format()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{changelogFile: changelog, checksumsFile: []byte(sums.String()), manifestFile: manifest} {
		if err := r.project.Files.Write(r.work+"/out/"+name, content); err != nil {
			return err
		}
	}
	return nil
}

func describing(name, kind string, content []byte) lts.Artifact {
	sum := sha256.Sum256(content)
	return lts.Artifact{Name: name, Kind: kind, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// onlyListed refuses a release whose directory holds other bytes than the manifest says, or other files.
func (r *cut) onlyListed(m *lts.Manifest) error {
	there, err := r.project.Files.List(r.work + "/out")
	if err != nil {
		return err
	}
	for _, a := range m.Artifacts {
		sum, size, err := r.project.Files.Digest(r.work + "/out/" + a.Name)
		if err != nil {
			return err
		}
		if sum != a.SHA256 || size != a.Size {
			return errs.WithHint(errs.New(errs.Internal, "release %s: %s is not what was packaged", m.Version, a.Name), "remove %s and release again", r.project.Files.Path(r.work))
		}
		there = slices.DeleteFunc(there, func(name string) bool { return name == a.Name })
	}
	for _, name := range there {
		if name == manifestFile {
			continue
		}
		if err := r.project.Files.Remove(r.work + "/out/" + name); err != nil {
			return err
		}
	}
	return nil
}

// changelog tells people what the release changes, in Markdown.
func (r *cut) changelog() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s (%s)\n\n%s with %s, made by kubelts.\n", r.plan.Version, r.date.Format("2006-01-02"), r.state.line.Base.Tag, count(len(r.state.patches), "patch", "patches"))
	var fixed, open, unknown, decided []string
	for _, e := range r.state.ledger.Vulnerabilities {
		line := "* " + e.ID
		if e.Summary != "" {
			line += ": " + oneLine(e.Summary)
		}
		switch {
		case e.Status == lts.StatusFixed && e.Base != lts.StatusFixed:
			fixed = append(fixed, line+carriers(e))
		case e.Status == lts.StatusAffected:
			open = append(open, line+decision(e))
		case e.Status == lts.StatusUnderInvestigation:
			unknown = append(unknown, line+decision(e))
		case e.Status == lts.StatusNotAffected && e.Decision != nil:
			decided = append(decided, line+decision(e))
		}
	}
	section(&b, "Vulnerabilities fixed", fixed)
	section(&b, "Known and not fixed", open)
	section(&b, "Not known whether affected", unknown)
	section(&b, "Not affected, as a person decided", decided)
	var patches []string
	for _, patch := range r.state.patches {
		line := "* " + oneLine(patch.Subject)
		if id := patch.Upstream(); !id.IsZero() {
			line += " (upstream " + id.Short() + ")"
		}
		patches = append(patches, line)
	}
	section(&b, "Patches", patches)
	return b.String()
}

func carriers(e lts.Entry) string {
	var by []string
	for _, p := range e.Picks {
		if p.Outcome == lts.OutcomePicked {
			by = append(by, p.Commit.Short()+" by "+p.Rung)
		}
	}
	if len(by) == 0 && e.Decision != nil {
		for _, c := range e.Decision.Patches {
			by = append(by, "by "+c.Name)
		}
	}
	if len(by) == 0 {
		return ""
	}
	return " (" + strings.Join(by, ", ") + ")"
}

// decision is what a person decided, for people: who writes to the author finds the address in the ledger.
func decision(e lts.Entry) string {
	d := e.Decision
	if d == nil {
		return ""
	}
	who := d.Author
	if person, err := lts.ParsePerson(d.Author); err == nil {
		who = person.Name
	}
	text := d.Status
	if d.Justification != "" {
		text += ", " + d.Justification
	}
	return fmt.Sprintf(" (%s: %s; %s, %s)", text, oneLine(d.Reason), oneLine(who), d.Date)
}

func section(b *strings.Builder, title string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", title, strings.Join(lines, "\n"))
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// oneLine is text of strangers for a line of a file that people print to a terminal.
func oneLine(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(words, " ")
}
