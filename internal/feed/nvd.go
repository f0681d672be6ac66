package feed

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/vuln"
)

// nvdPage is an answer of the CVE API 2.0 of the National Vulnerability Database (https://nvd.nist.gov/developers/vulnerabilities).
type nvdPage struct {
	Format          string     `json:"format"`
	Version         string     `json:"version"`
	Total           int        `json:"totalResults"`
	Start           int        `json:"startIndex"`
	Vulnerabilities []nvdEntry `json:"vulnerabilities"`
}

type nvdEntry struct {
	CVE nvdRecord `json:"cve"`
}

type nvdRecord struct {
	ID           string `json:"id"`
	Published    string `json:"published"`
	Modified     string `json:"lastModified"`
	Status       string `json:"vulnStatus"`
	Descriptions []struct {
		Lang  string `json:"lang"`
		Value string `json:"value"`
	} `json:"descriptions"`
	Metrics struct {
		V31 []nvdMetric `json:"cvssMetricV31"`
		V30 []nvdMetric `json:"cvssMetricV30"`
	} `json:"metrics"`
	Configurations []struct {
		Nodes []struct {
			Negate  bool       `json:"negate"`
			Matches []nvdMatch `json:"cpeMatch"`
		} `json:"nodes"`
	} `json:"configurations"`
	References []struct {
		URL string `json:"url"`
	} `json:"references"`
}

type nvdMetric struct {
	Type string `json:"type"`
	Data struct {
		Vector string `json:"vectorString"`
	} `json:"cvssData"`
}

type nvdMatch struct {
	Vulnerable     bool   `json:"vulnerable"`
	Criteria       string `json:"criteria"`
	StartIncluding string `json:"versionStartIncluding"`
	StartExcluding string `json:"versionStartExcluding"`
	EndIncluding   string `json:"versionEndIncluding"`
	EndExcluding   string `json:"versionEndExcluding"`
}

func parseNVD(b *Batch, origin provenance.Origin, data []byte, known map[string]bool) error {
	var page nvdPage
	if err := decode(data, &page); err != nil {
		return err
	}
	if page.Format == "" && page.Version == "" { // one record by itself, as mirrors keep them in files
		var one nvdRecord
		if err := decode(data, &one); err != nil {
			return err
		}
		if cveName.FindString(one.ID) == one.ID && one.ID != "" && one.Status != "" {
			page = nvdPage{Format: "NVD_CVE", Version: "2.0", Vulnerabilities: []nvdEntry{{one}}}
		}
	}
	if page.Format != "NVD_CVE" || page.Version != "2.0" {
		return errs.New(errs.Invalid, "not an answer of the NVD API 2.0: %q, %q", page.Format, page.Version)
	}
	for _, v := range page.Vulnerabilities {
		r, faults := v.CVE.read()
		if v.CVE.Status == "Rejected" {
			r.Withdrawn = r.Modified
		}
		b.take(origin, r, faults, known)
	}
	return nil
}

func (n nvdRecord) read() (*vuln.Record, []string) {
	r := &vuln.Record{ID: n.ID, Published: moment(n.Published), Modified: moment(n.Modified)}
	for _, d := range n.Descriptions {
		if r.Details == "" && d.Lang == "en" {
			r.Details = d.Value
		}
	}
	for _, kind := range []string{"Primary", "Secondary"} {
		for _, m := range append(append([]nvdMetric{}, n.Metrics.V31...), n.Metrics.V30...) {
			if m.Type == kind && len(r.Severity) == 0 {
				r.Severity = rating(m.Data.Vector)
			}
		}
	}
	for _, ref := range n.References {
		r.References = append(r.References, references(link{"WEB", ref.URL})...)
	}
	var faults []string
	for _, m := range n.matches() {
		name, rg, err := m.read()
		switch {
		case err != nil:
			faults = append(faults, err.Error())
		case name != "":
			affect(r, name, rg)
		}
	}
	return r, faults[:min(len(faults), 20)]
}

// matches are what is vulnerable.
func (n nvdRecord) matches() []nvdMatch {
	var all []nvdMatch
	for _, c := range n.Configurations {
		for _, node := range c.Nodes {
			for _, m := range node.Matches {
				if m.Vulnerable && !node.Negate {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// affect adds a range to a record's package.
func affect(r *vuln.Record, name string, rg vuln.Range) {
	i := slices.IndexFunc(r.Affected, func(a vuln.Affected) bool { return a.Package.Name == name })
	if i < 0 {
		i = len(r.Affected)
		r.Affected = append(r.Affected, vuln.Affected{Package: vuln.Package{Ecosystem: provenance.Ecosystem, Name: name}})
	}
	r.Affected[i].Ranges = append(r.Affected[i].Ranges, rg)
}

// read makes a range of a match; name is empty for what is not a program of Kubernetes' vendor.
func (m nvdMatch) read() (name string, rg vuln.Range, err error) {
	cpe := strings.Split(m.Criteria, ":") // cpe:2.3:a:kubernetes:kubernetes:1.20.0:...
	if len(cpe) < 7 || cpe[0] != "cpe" || cpe[1] != "2.3" {
		return "", rg, errs.New(errs.Invalid, "criteria %q is no CPE 2.3 name", bounded(m.Criteria))
	}
	if cpe[2] != "a" || cpe[3] != "kubernetes" {
		return "", rg, nil
	}
	var parts []string
	for _, p := range []struct{ op, at string }{{">=", m.StartIncluding}, {">", m.StartExcluding}, {"<=", m.EndIncluding}, {"<", m.EndExcluding}} {
		if p.at != "" {
			parts = append(parts, p.op+p.at)
		}
	}
	if len(parts) == 0 {
		version := cpe[5]
		if len(cpe) > 6 && cpe[6] != "*" && cpe[6] != "-" {
			version += "-" + strings.Replace(cpe[6], `\.`, ".", 1)
		}
		if version == "-" {
			version = "*"
		}
		parts = append(parts, version)
	}
	rg, err = constraint(strings.Join(parts, ", "))
	return packageOf(cpe[4]), rg, err
}
