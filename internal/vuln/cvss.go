package vuln

import (
	"math"
	"strings"
)

// The weights of the base metrics of CVSS 3.0 and 3.1, which are the same.
// https://www.first.org/cvss/v3.1/specification-document, section 7.4.
var cvssWeights = map[string]map[string]float64{
	"AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
	"AC": {"L": 0.77, "H": 0.44},
	"PR": {"N": 0.85, "L": 0.62, "H": 0.27},
	"UI": {"N": 0.85, "R": 0.62},
	"S":  {"U": 0, "C": 1},
	"C":  {"H": 0.56, "L": 0.22, "N": 0},
	"I":  {"H": 0.56, "L": 0.22, "N": 0},
	"A":  {"H": 0.56, "L": 0.22, "N": 0},
}

// privilegesChangedScope replaces the weights of PR where the scope changes.
var privilegesChangedScope = map[string]float64{"N": 0.85, "L": 0.68, "H": 0.5}

// Base computes the base score of a CVSS 3.0 or 3.1 vector, from 0 to 10. It returns false for other schemes, and for vectors
// that lack a base metric, name one twice or give it a value that does not exist.
func (s Severity) Base() (float64, bool) {
	parts := strings.Split(s.Score, "/")
	if parts[0] != "CVSS:3.0" && parts[0] != "CVSS:3.1" {
		return 0, false
	}
	weights, values := map[string]float64{}, map[string]string{}
	for _, part := range parts[1:] {
		metric, value, _ := strings.Cut(part, ":")
		if cvssWeights[metric] == nil {
			continue
		}
		weight, known := cvssWeights[metric][value]
		if _, twice := values[metric]; twice || !known {
			return 0, false
		}
		weights[metric], values[metric] = weight, value
	}
	if len(values) != len(cvssWeights) {
		return 0, false
	}
	changed := values["S"] == "C"
	if changed {
		weights["PR"] = privilegesChangedScope[values["PR"]]
	}
	return baseScore(weights, changed), true
}

func baseScore(w map[string]float64, changed bool) float64 { //nolint:revive // flag-parameter: the specification has two formulas under this condition
	sub := 1 - (1-w["C"])*(1-w["I"])*(1-w["A"])
	impact := 6.42 * sub
	if changed {
		impact = 7.52*(sub-0.029) - 3.25*math.Pow(sub-0.02, 15)
	}
	if impact <= 0 {
		return 0
	}
	score := impact + 8.22*w["AV"]*w["AC"]*w["PR"]*w["UI"]
	if changed {
		score *= 1.08
	}
	return roundUp(math.Min(score, 10))
}

// roundUp is the specification's: up to one decimal, in whole numbers so that no platform's floating point changes a score.
func roundUp(score float64) float64 {
	n := int(math.Round(score * 100000))
	if n%10000 == 0 {
		return float64(n) / 100000
	}
	return (math.Floor(float64(n)/10000) + 1) / 10
}

// Score returns the highest base score of the record's severities, and false where none can be computed.
func (r *Record) Score() (float64, bool) {
	best, found := 0.0, false
	for _, s := range r.Severity {
		if score, ok := s.Base(); ok {
			best, found = max(best, score), true
		}
	}
	return best, found
}

// Rating names a score as CVSS does: none, low, medium, high, critical.
func Rating(score float64) string {
	switch {
	case score >= 9:
		return "critical"
	case score >= 7:
		return "high"
	case score >= 4:
		return "medium"
	case score > 0:
		return "low"
	}
	return "none"
}
