package feed

import (
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/vuln"
)

// advisory is one of GitHub's security advisories, in the form of the REST API, global or of a repository
// (https://docs.github.com/en/rest/security-advisories).
type advisory struct {
	GHSA        string  `json:"ghsa_id"`
	CVE         *string `json:"cve_id"`
	URL         string  `json:"html_url"`
	Summary     string  `json:"summary"`
	Description string  `json:"description"`
	State       string  `json:"state"` // of a repository: published, closed, draft, ...
	Published   string  `json:"published_at"`
	Updated     string  `json:"updated_at"`
	Withdrawn   string  `json:"withdrawn_at"`
	CVSS        struct {
		Vector string `json:"vector_string"`
	} `json:"cvss"`
	Severities struct {
		V3 struct {
			Vector string `json:"vector_string"`
		} `json:"cvss_v3"`
	} `json:"cvss_severities"`
	References      []string `json:"references"`
	Vulnerabilities []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Range string `json:"vulnerable_version_range"`
	} `json:"vulnerabilities"`
}

func parseAdvisories(b *Batch, origin provenance.Origin, data []byte, known map[string]bool) error {
	var list []rawJSON
	if err := decode(data, &list); err != nil {
		return err
	}
	for _, raw := range list {
		var a advisory
		if err := decode(raw, &a); err != nil {
			b.refuse(origin.URL, err)
			continue
		}
		if !strings.HasPrefix(a.GHSA, "GHSA-") {
			b.refuse(origin.URL, errs.New(errs.Invalid, "ghsa_id %q is not well formed", bounded(a.GHSA)))
			continue
		}
		if a.State != "" && a.State != "published" {
			b.refuse(origin.URL+" "+a.GHSA, errs.New(errs.Invalid, "its state is %q, not published", bounded(a.State)))
			continue
		}
		r, faults := a.read()
		b.take(origin, r, faults, known)
	}
	return nil
}

func (a advisory) read() (*vuln.Record, []string) {
	r := &vuln.Record{
		ID: a.GHSA, Summary: a.Summary, Details: a.Description, Published: moment(a.Published), Modified: moment(a.Updated), Withdrawn: moment(a.Withdrawn),
		References: references(link{"ADVISORY", a.URL}),
	}
	if a.CVE != nil && *a.CVE != "" {
		r.Aliases = []string{*a.CVE}
	}
	r.Severity = rating(a.CVSS.Vector)
	if len(r.Severity) == 0 {
		r.Severity = rating(a.Severities.V3.Vector)
	}
	for _, url := range a.References {
		r.References = append(r.References, references(link{"WEB", url})...)
	}
	var faults []string
	for _, v := range a.Vulnerabilities {
		if !strings.EqualFold(v.Package.Ecosystem, "go") && v.Package.Ecosystem != "" && v.Package.Ecosystem != "other" {
			continue
		}
		ecosystem, name := "Go", v.Package.Name
		if !strings.EqualFold(v.Package.Ecosystem, "go") {
			ecosystem, name = provenance.Ecosystem, packageOf(v.Package.Name)
		}
		rg, err := constraint(v.Range)
		if err != nil {
			if len(faults) < 20 {
				faults = append(faults, err.Error())
			}
			continue
		}
		if len(r.Affected) < 500 {
			r.Affected = append(r.Affected, vuln.Affected{Package: vuln.Package{Ecosystem: ecosystem, Name: name}, Ranges: []vuln.Range{rg}})
		}
	}
	return r, faults
}
