package feed

import (
	"regexp"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/vuln"
)

// cveRecord is a record in CVE Record Format 5.x (https://cveproject.github.io/cve-schema/schema/docs/).
type cveRecord struct {
	DataType    string `json:"dataType"`
	DataVersion string `json:"dataVersion"`
	Metadata    struct {
		ID        string `json:"cveId"`
		Assigner  string `json:"assignerShortName"`
		State     string `json:"state"`
		Published string `json:"datePublished"`
		Updated   string `json:"dateUpdated"`
		Rejected  string `json:"dateRejected"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA cveContainer `json:"cna"`
	} `json:"containers"`
}

type cveContainer struct {
	Title        string `json:"title"`
	Descriptions []struct {
		Lang  string `json:"lang"`
		Value string `json:"value"`
	} `json:"descriptions"`
	Affected []cveAffected `json:"affected"`
	Metrics  []struct {
		V31 cveMetric `json:"cvssV3_1"`
		V30 cveMetric `json:"cvssV3_0"`
	} `json:"metrics"`
	References []struct {
		URL string `json:"url"`
	} `json:"references"`
}

type cveMetric struct {
	Vector string `json:"vectorString"`
}

type cveAffected struct {
	Vendor        string       `json:"vendor"`
	Product       string       `json:"product"`
	PackageName   string       `json:"packageName"`
	CollectionURL string       `json:"collectionURL"`
	DefaultStatus string       `json:"defaultStatus"`
	Versions      []cveVersion `json:"versions"`
}

type cveVersion struct {
	Version         string `json:"version"`
	Status          string `json:"status"`
	LessThan        string `json:"lessThan"`
	LessThanOrEqual string `json:"lessThanOrEqual"`
	Type            string `json:"versionType"`
}

var comparison = regexp.MustCompile(`^(<=|>=|<|>)$`)

func parseCVE(b *Batch, origin provenance.Origin, data []byte, known map[string]bool) error {
	var doc cveRecord
	if err := decode(data, &doc); err != nil {
		return err
	}
	if doc.DataType != "CVE_RECORD" || !strings.HasPrefix(doc.DataVersion, "5.") {
		return errs.New(errs.Invalid, "not a CVE record 5.x: %q, %q", doc.DataType, doc.DataVersion)
	}
	if cveName.FindString(doc.Metadata.ID) != doc.Metadata.ID || doc.Metadata.ID == "" {
		return errs.New(errs.Invalid, "cveId %q is not well formed", doc.Metadata.ID)
	}
	if strings.EqualFold(doc.Metadata.Assigner, "kubernetes") && origin.Rank == provenance.Other {
		origin.Rank = provenance.Announced
	}
	cna := doc.Containers.CNA
	r := &vuln.Record{
		ID: strings.ToUpper(doc.Metadata.ID), Summary: cna.Title,
		Published: moment(doc.Metadata.Published), Modified: moment(doc.Metadata.Updated),
	}
	if doc.Metadata.State == "REJECTED" {
		r.Withdrawn = moment(doc.Metadata.Rejected)
		if r.Withdrawn.IsZero() {
			r.Withdrawn = origin.Fetched.UTC()
		}
	}
	for _, d := range cna.Descriptions {
		if r.Details == "" && strings.HasPrefix(strings.ToLower(d.Lang), "en") {
			r.Details = d.Value
		}
	}
	for _, m := range cna.Metrics {
		if len(r.Severity) == 0 {
			r.Severity = append(rating(m.V31.Vector), rating(m.V30.Vector)...)
		}
	}
	for _, ref := range cna.References {
		r.References = append(r.References, references(link{"WEB", ref.URL})...)
	}
	var faults []string
	for _, a := range cna.Affected {
		out, more := a.read()
		r.Affected = append(r.Affected, out)
		faults = append(faults, more...)
	}
	b.take(origin, r, faults[:min(len(faults), 20)], known)
	return nil
}

// read makes an affected entry of a product with its versions.
func (a cveAffected) read() (vuln.Affected, []string) {
	name := a.PackageName
	ecosystem := "Go"
	if name == "" || a.CollectionURL != "https://pkg.go.dev" {
		name, ecosystem = a.Product, provenance.Ecosystem
		if strings.EqualFold(a.Vendor, "kubernetes") || strings.EqualFold(a.Vendor, "k8s") {
			name = packageOf(name)
		}
	}
	out := vuln.Affected{Package: vuln.Package{Ecosystem: ecosystem, Name: name}}
	var faults []string
	status := strings.ToLower(a.DefaultStatus)
	if status == "affected" {
		faults = append(faults, "versions that are not listed are affected by default")
	}
	for _, v := range a.Versions {
		if strings.ToLower(v.Status) != "affected" {
			continue
		}
		rg, err := v.read()
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		if len(out.Ranges) < 500 {
			out.Ranges = append(out.Ranges, rg)
		}
	}
	var ranges []*vuln.Range
	for i := range out.Ranges {
		ranges = append(ranges, &out.Ranges[i])
	}
	staircase(ranges)
	return out, faults
}

// read makes a range of one entry. Some have the comparison in the version ("<=v1.29.12"), a span ("v1.25.0 - v1.25.10"), or a mere "<=" for the bound.
func (v cveVersion) read() (vuln.Range, error) {
	if comparison.MatchString(v.LessThanOrEqual) {
		return constraint(v.LessThanOrEqual + v.Version)
	}
	if v.LessThan == "" && v.LessThanOrEqual == "" {
		return constraint(v.Version)
	}
	from := ">=" + v.Version + ", "
	switch strings.ToLower(strings.TrimSpace(v.Version)) {
	case "", "0", "*", "unspecified", "n/a", "unknown":
		from = ""
	}
	switch {
	case v.LessThan == "*" || v.LessThanOrEqual == "*":
		return constraint(strings.TrimSuffix(from, ", "))
	case v.LessThan != "":
		return constraint(from + "<" + v.LessThan)
	}
	return constraint(from + "<=" + v.LessThanOrEqual)
}
