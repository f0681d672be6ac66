package feed

import (
	"regexp"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/vuln"
)

// cveFeed is the official feed of Kubernetes: JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/), one item an announcement. It has no field for versions:
// they stand in the text, under headings.
type cveFeed struct {
	Version string `json:"version"`
	Items   []struct {
		ID         string `json:"id"` // one CVE, or several with commas
		URL        string `json:"url"`
		External   string `json:"external_url"`
		Summary    string `json:"summary"`
		Text       string `json:"content_text"`
		Published  string `json:"date_published"`
		Modified   string `json:"date_modified"`
		Kubernetes struct {
			Issue any    `json:"issue_number"`
			Group string `json:"google_group_url"`
		} `json:"_kubernetes_io"`
	} `json:"items"`
}

var (
	cveName    = regexp.MustCompile(`(?i)\bCVE-\d{4}-\d{4,19}\b`)
	vectorForm = regexp.MustCompile(`CVSS:3\.[01](?:/[A-Z]{1,3}:[A-Z])+`)
	headingTop = regexp.MustCompile(`(?i)^\W*affected versions?\b\W*$`)
	numbers    = regexp.MustCompile(`\d\.\d`)
)

func parseCVEFeed(b *Batch, origin provenance.Origin, data []byte, known map[string]bool) error {
	var doc cveFeed
	if err := decode(data, &doc); err != nil {
		return err
	}
	if !strings.HasPrefix(doc.Version, "https://jsonfeed.org/version/") {
		return errs.New(errs.Invalid, "not a JSON Feed: version is %q", doc.Version)
	}
	for _, item := range doc.Items {
		names := cveName.FindAllString(item.ID, -1)
		if len(names) == 0 {
			b.refuse(origin.URL, errs.New(errs.Invalid, "item %q names no CVE", item.ID))
			continue
		}
		for _, name := range names {
			name = strings.ToUpper(name)
			text := section(item.Text, name)
			r := &vuln.Record{
				ID: name, Summary: item.Summary, Details: text, Published: moment(item.Published), Modified: moment(item.Modified),
				References: references(link{"REPORT", item.URL}, link{"ADVISORY", item.External}, link{"WEB", item.Kubernetes.Group}),
			}
			if r.Modified.IsZero() {
				r.Modified = r.Published
			}
			r.Severity = rating(vectorForm.FindString(text))
			var faults []string
			r.Affected, faults = announced(text)
			b.take(origin, r, faults, known)
		}
	}
	return nil
}

// section is the part of an announcement of several vulnerabilities that is about one: from the heading that names it to the next that names another.
func section(text, name string) string {
	from, to := -1, len(text)
	at := 0
	for line := range strings.SplitAfterSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if names := cveName.FindAllString(trimmed, -1); strings.HasPrefix(trimmed, "#") && len(names) == 1 {
			switch {
			case strings.EqualFold(names[0], name) && from < 0:
				from = at
			case from >= 0 && to == len(text):
				to = at
			}
		}
		at += len(line)
	}
	if from < 0 {
		return text
	}
	return text[from:to]
}

// announced reads the list under the heading "Affected Versions". A line of it that has a number and is no list of versions is a fault.
func announced(text string) (affected []vuln.Affected, faults []string) {
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case headingTop.MatchString(line):
			inside = true
			continue
		case !inside || line == "":
			continue
		case strings.HasPrefix(line, "#") || strings.HasPrefix(line, "**") || headingLike(line):
			inside = false
			continue
		}
		phrase := strings.TrimSpace(strings.Trim(strings.TrimLeft(line, "-*•· \t"), "`*"))
		a, err := affectedBy(phrase)
		switch {
		case err == nil && len(affected) < 200:
			affected = append(affected, a)
		case numbers.MatchString(phrase) && len(faults) < 20:
			faults = append(faults, err.Error())
		default:
			inside = false // prose
		}
	}
	byPackage := map[string][]*vuln.Range{}
	for _, a := range affected {
		byPackage[a.Package.Name] = append(byPackage[a.Package.Name], &a.Ranges[0])
	}
	for _, ranges := range byPackage {
		staircase(ranges)
	}
	return affected, faults
}

// headingLike is a line such as "Fixed Versions".
func headingLike(line string) bool {
	lower := strings.ToLower(strings.Trim(line, "*_: "))
	return lower == "fixed versions" || lower == "fixed version"
}

// link is a reference before it is checked.
type link struct{ kind, url string }

// references keeps the links that are of the web.
func references(links ...link) []vuln.Reference {
	var refs []vuln.Reference
	for _, l := range links {
		web := strings.HasPrefix(l.url, "https://") || strings.HasPrefix(l.url, "http://")
		if web && len(l.url) < 2000 && !strings.ContainsAny(l.url, " \t\r\n\"<>") && len(refs) < 100 {
			refs = append(refs, vuln.Reference{Type: l.kind, URL: l.url})
		}
	}
	return refs
}

// rating keeps a CVSS vector whose score can be computed.
func rating(vector string) []vuln.Severity {
	for _, s := range []vuln.Severity{{Type: "CVSS_V3", Score: vector}} {
		if _, ok := s.Base(); ok {
			return []vuln.Severity{s}
		}
	}
	return nil
}
