package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/findings"
)

// The parts of SARIF 2.1.0 that are written (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		AutomationDetails sarifID           `json:"automationDetails"`
		Invocations       []sarifInvocation `json:"invocations"`
		Results           []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		EndTimeUTC                 string              `json:"endTimeUtc,omitempty"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string       `json:"level"`
		Message sarifMessage `json:"message"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifMessage       `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Properties          map[string]any     `json:"properties"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	homepage    = "https://github.com/kubelts/kubelts"
)

// WriteSARIF prints a run for each cluster. What was not observed is a notification of the run, an error where it was asked for; a
// cluster of which nothing was seen is a run that did not succeed.
func (f *Fleet) WriteSARIF(w io.Writer) error {
	clean := f.Clean()
	log := sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{}}
	for _, r := range clean.Clusters {
		log.Runs = append(log.Runs, sarifOf(r))
	}
	for _, m := range clean.Missed {
		run := newRun(m.Context, []sarifRule{})
		run.Invocations = []sarifInvocation{{ToolExecutionNotifications: []sarifNotification{{"error", sarifMessage{"the cluster was not observed: " + m.Reason}}}}}
		log.Runs = append(log.Runs, run)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(log)
}

func newRun(id string, rules []sarifRule) sarifRun {
	driver := sarifDriver{Name: "kubelts", InformationURI: homepage, Rules: rules}
	return sarifRun{Tool: sarifTool{driver}, AutomationDetails: sarifID{"kubelts/" + id}, Results: []sarifResult{}}
}

func sarifOf(r *findings.Report) sarifRun {
	rules := []sarifRule{}
	index := map[string]int{}
	for _, f := range r.Findings {
		id := cmp.Or(f.Rule, "finding")
		if _, ok := index[id]; !ok {
			index[id] = len(rules)
			rules = append(rules, sarifRule{id, sarifMessage{strings.ReplaceAll(id, "-", " ") + " (" + string(f.Area) + ")"}})
		}
	}
	run := newRun(name(r), rules)
	done := sarifInvocation{ExecutionSuccessful: true, EndTimeUTC: r.Cluster.Taken.UTC().Format("2006-01-02T15:04:05Z")}
	for _, n := range r.NotObserved {
		level := "warning"
		if n.Asked {
			level = "error"
		}
		done.ToolExecutionNotifications = append(done.ToolExecutionNotifications, sarifNotification{level, sarifMessage{"not observed: " + n.What + ": " + n.Reason}})
	}
	run.Invocations = []sarifInvocation{done}
	for i := range r.Findings {
		f := &r.Findings[i]
		id := cmp.Or(f.Rule, "finding")
		run.Results = append(run.Results, sarifFinding(r, f, sarifResult{RuleID: id, RuleIndex: index[id]}))
	}
	return run
}

func sarifFinding(r *findings.Report, f *findings.Finding, out sarifResult) sarifResult {
	out.Level = sarifLevel(f.Severity)
	text := f.Title + "."
	if f.Effect != "" {
		text += " " + f.Effect
	}
	if todo := remedy(f, "\n"); todo != "" {
		text += "\n" + todo
	}
	out.Message.Text = text
	where := sarifLocation{PhysicalLocation: sarifPhysical{sarifArtifact{"clusters/" + url.PathEscape(name(r))}}, LogicalLocations: []sarifLogical{}}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(f.Subjects))) {
		where.LogicalLocations = append(where.LogicalLocations, sarifLogical{name(r) + "/" + s, "resource"})
	}
	out.Locations = []sarifLocation{where}
	out.PartialFingerprints = map[string]string{"kubeltsFinding/v1": cmp.Or(r.Cluster.UID, name(r)) + "/" + f.ID}
	out.Properties = map[string]any{"severity": string(f.Severity), "area": string(f.Area), "security-severity": securitySeverity(f.Severity)}
	if f.When != nil {
		out.Properties["when"] = f.When.UTC().Format("2006-01-02T15:04:05Z")
	}
	if f.Accepted != nil {
		out.Suppressions = []sarifSuppression{{"external", "accepted", fmt.Sprintf("%s (%s, until %s)", f.Accepted.Reason, f.Accepted.Owner, f.Accepted.Expires)}}
	}
	return out
}

func sarifLevel(s findings.Severity) string {
	switch s {
	case findings.Critical, findings.High:
		return "error"
	case findings.Medium:
		return "warning"
	default:
		return "note"
	}
}

// securitySeverity is what forges sort by: the middle of CVSS's range for the severity.
func securitySeverity(s findings.Severity) string {
	return []string{"9.5", "8.0", "5.5", "2.0", "0.0"}[rank(s)]
}
