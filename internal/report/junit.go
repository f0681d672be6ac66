package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *junitResult `xml:"failure"`
		Error   *junitResult `xml:"error"`
		Skipped *junitResult `xml:"skipped"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit prints a suite for each cluster and a case for each finding: failed at the threshold and above, passed with its text as
// output below it, skipped where the risk was accepted. What was not observed is skipped, or an error where it was asked for. An area
// of which all was observed and nothing found is a case that passed.
func (f *Fleet) WriteJUnit(w io.Writer, threshold findings.Severity) error {
	clean := f.Clean()
	all := junitSuites{Name: "kubelts check"}
	for _, r := range clean.Clusters {
		all.add(junitOf(r, threshold))
	}
	for _, m := range clean.Missed {
		missed := junitCase{Class: m.Context, Name: "the cluster is observed", Error: &junitResult{Message: m.Reason, Type: "not-observed", Text: m.Hint}}
		all.add(junitSuite{Name: m.Context, Timestamp: f.At.UTC().Format("2006-01-02T15:04:05"), Cases: []junitCase{missed}})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// add appends a suite and counts its cases.
func (s *junitSuites) add(suite junitSuite) {
	for _, c := range suite.Cases {
		suite.Tests++
		switch {
		case c.Failure != nil:
			suite.Failures++
		case c.Error != nil:
			suite.Errors++
		case c.Skipped != nil:
			suite.Skipped++
		}
	}
	s.Tests, s.Failures, s.Errors, s.Skipped = s.Tests+suite.Tests, s.Failures+suite.Failures, s.Errors+suite.Errors, s.Skipped+suite.Skipped
	s.Suites = append(s.Suites, suite)
}

func junitOf(r *findings.Report, threshold findings.Severity) junitSuite {
	suite := junitSuite{Name: name(r), Timestamp: r.At.UTC().Format("2006-01-02T15:04:05")}
	touched := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		touched[string(f.Area)] = true
		suite.Cases = append(suite.Cases, junitFinding(r, f, threshold))
	}
	for _, n := range r.NotObserved {
		touched[n.Area] = true
		c := junitCase{Class: name(r) + "." + n.Area, Name: n.What + " is observed"}
		why := &junitResult{Message: n.Reason, Type: "not-observed", Text: n.Hint}
		if n.Asked {
			c.Error = why
		} else {
			why.Type = ""
			c.Skipped = why
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, a := range cluster.Areas() {
		if !touched[string(a)] {
			suite.Cases = append(suite.Cases, junitCase{Class: name(r) + "." + string(a), Name: "nothing found"})
		}
	}
	return suite
}

func junitFinding(r *findings.Report, f *findings.Finding, threshold findings.Severity) junitCase {
	c := junitCase{Class: name(r) + "." + string(f.Area), Name: f.Title + " [" + f.ID + "]"}
	text := strings.TrimSpace(f.Effect + "\n" + remedy(f, "\n"))
	switch {
	case f.Accepted != nil:
		c.Skipped = &junitResult{Message: fmt.Sprintf("accepted by %s until %s: %s", f.Accepted.Owner, f.Accepted.Expires, f.Accepted.Reason)}
	case counts(f, threshold):
		c.Failure = &junitResult{Message: f.Title, Type: string(f.Severity), Text: text}
	default:
		c.Out = string(f.Severity) + ": " + text
	}
	return c
}
