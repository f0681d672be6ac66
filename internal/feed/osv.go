package feed

import (
	"bytes"
	"slices"

	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/vuln"
)

// parseOSV reads one record (https://ossf.github.io/osv-schema/), or a list of them.
func parseOSV(b *Batch, origin provenance.Origin, data []byte, known map[string]bool) error {
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '<' {
		return decode(data, nil)
	}
	if len(data) == 0 || data[0] != '[' {
		return takeOSV(b, origin, data, known)
	}
	var list []rawJSON
	if err := decode(data, &list); err != nil {
		return err
	}
	for _, one := range list {
		if err := takeOSV(b, origin, one, known); err != nil {
			b.refuse(origin.URL, err)
		}
	}
	return nil
}

// rawJSON is a JSON value that is read later.
type rawJSON []byte

// UnmarshalJSON keeps the text.
func (r *rawJSON) UnmarshalJSON(data []byte) error {
	*r = bytes.Clone(data)
	return nil
}

func takeOSV(b *Batch, origin provenance.Origin, data []byte, known map[string]bool) error {
	r, err := vuln.Parse("record", bytes.NewReader(data))
	if err != nil {
		return err
	}
	var more struct {
		Affected []struct {
			Severity []vuln.Severity `json:"severity"`
		} `json:"affected"`
	}
	if err := decode(data, &more); err != nil {
		return err
	}
	if len(r.Severity) == 0 { // the project's records rate each package; they agree
		for _, a := range more.Affected {
			for _, s := range a.Severity {
				if _, ok := s.Base(); ok && len(r.Severity) == 0 {
					r.Severity = []vuln.Severity{s}
				}
			}
		}
	}
	faults := unreadable(r)
	b.take(origin, r, faults, known)
	return nil
}

// unreadable names the bounds that are no versions, of packages of Kubernetes.
func unreadable(r *vuln.Record) []string {
	var faults []string
	for _, a := range r.Affected {
		if !provenance.IsPart(a.Package.Name) {
			continue
		}
		for _, at := range bounds(a) {
			if _, err := parseBound(at); err != nil {
				faults = append(faults, a.Package.Name+": "+err.Error())
			}
		}
	}
	return faults[:min(len(faults), 20)]
}

// bounds are the versions that ranges name.
func bounds(a vuln.Affected) []string {
	var all []string
	for _, rg := range a.Ranges {
		if rg.Type == vuln.RangeGit {
			continue
		}
		for _, e := range rg.Events {
			all = append(all, e.Introduced, e.Fixed, e.LastAffected, e.Limit)
		}
	}
	return slices.DeleteFunc(all, func(at string) bool { return at == "" || at == "0" || at == "*" })
}
