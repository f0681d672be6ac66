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
	References      []string        `json:"references"`
	Vulnerabilities []advisoryEntry `json:"vulnerabilities"`
}

// advisoryEntry is a package with its versions. In advisories of a repository people write both by hand, and may leave them out.
type advisoryEntry struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Range string `json:"vulnerable_version_range"`
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
		r, faults := a.read(origin.Rank == provenance.Announced)
		b.take(origin, r, faults, known)
	}
	return nil
}

// read makes a record; whole says that the advisory is of Kubernetes' own repository, where a package without a name is Kubernetes.
func (a advisory) read(whole bool) (*vuln.Record, []string) {
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
		affected, err := v.read(whole)
		if err != nil {
			if len(faults) < 20 {
				faults = append(faults, err.Error())
			}
			continue
		}
		if len(r.Affected) < 500 {
			r.Affected = append(r.Affected, affected)
		}
	}
	return r, faults
}

func (v advisoryEntry) read(whole bool) (vuln.Affected, error) {
	out := vuln.Affected{Package: vuln.Package{Ecosystem: "Go", Name: strings.TrimSpace(v.Package.Name)}}
	switch {
	case out.Package.Name == "" && !whole:
		return out, errs.New(errs.Invalid, "versions %q are of a package without a name", bounded(v.Range))
	case out.Package.Name == "":
		out.Package = vuln.Package{Ecosystem: provenance.Ecosystem, Name: provenance.Package}
	case !strings.EqualFold(v.Package.Ecosystem, "go"):
		out.Package = vuln.Package{Ecosystem: provenance.Ecosystem, Name: packageOf(out.Package.Name)}
	}
	if strings.TrimSpace(v.Range) == "" {
		return out, errs.New(errs.Invalid, "%s: no versions are named", out.Package.Name)
	}
	var err error
	out.Ranges, err = constraints(v.Range)
	return out, err
}
