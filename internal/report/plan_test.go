package report_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/report"
	"github.com/kubelts/kubelts/internal/upgrade"
)

// plan has a hop that is blocked and late, one that is free, and a line to stay on.
func plan() *upgrade.Plan {
	return &upgrade.Plan{
		Context: "prod-eu", Server: "https://10.0.0.10:6443", Distribution: cluster.Distribution{Installer: "kubeadm"}, At: at("2026-11-22 12:00"),
		From: "v1.24.17", To: "v1.26.15", DataDay: date("2026-11-20"),
		Now: []upgrade.Blocker{{
			Kind: upgrade.BySkew, What: "2 kubelets are two minors older", Subjects: []string{"node-11", "node-12"}, Count: 2, Certain: true,
			Remedy: []findings.Step{{Text: "Bring the nodes to 1.24.", Command: "kubectl drain node-11 --ignore-daemonsets"}},
		}},
		Hops: []upgrade.Hop{
			{
				From: "v1.24.17", To: "v1.25.16", Minor: "1.25", Released: date("2023-11-15"), SupportUntil: date("2023-10-27"), By: date("2023-07-28"), DaysLeft: new(-1213), Late: true,
				Blockers: []upgrade.Blocker{
					{Kind: upgrade.ByAPI, What: "policy/v1beta1 podsecuritypolicies are in use and are not served any more", Subjects: []string{"kube-apiserver cp-1"}, Count: 1, Certain: true, Remedy: []findings.Step{{Text: "Move to Pod Security admission."}}},
					{Kind: upgrade.ByRuntime, What: "the runtime of node-9 was not observed", Subjects: []string{"node-9"}, Count: 1},
				},
				Removed: []upgrade.Removed{{API: "policy/v1beta1 podsecuritypolicies", Use: upgrade.UseSeen}, {API: "batch/v1beta1 cronjobs", Replacement: "batch/v1", Use: upgrade.UseNotSeen}},
				Steps: []upgrade.Step{
					{Component: "kube-apiserver", Text: "one instance after the other", Command: "kubeadm upgrade apply v1.25.16"},
					{Component: "kubelet", Text: "drain each node first", Command: "kubeadm upgrade node"},
				},
			},
			{
				From: "v1.25.16", To: "v1.26.15", Minor: "1.26", Released: date("2024-03-14"), SupportUntil: date("2024-02-28"), By: date("2023-10-27"), DaysLeft: new(-1122), Late: true,
				Removed: []upgrade.Removed{{API: "autoscaling/v2beta2 horizontalpodautoscalers", Replacement: "autoscaling/v2", Use: upgrade.UseUnknown}},
				Steps:   []upgrade.Step{{Component: "kube-apiserver", Text: "one instance after the other", Command: "kubeadm upgrade apply v1.26.15"}},
			},
		},
		Stays:       []upgrade.Stay{{Minor: "1.24", Vendor: "klts", Product: "KLTS", Phase: "supported", Until: date("2027-05-03"), DaysLeft: new(162), Note: "patches in public"}},
		Notes:       []string{"1.26 is past its end too: go on to a supported minor"},
		NotObserved: []cluster.NotObserved{{What: "deprecated APIs", Area: "apis", Reason: "no right to get /metrics"}},
	}
}

func planFormats() map[string]func(io.Writer, *upgrade.Plan) error {
	return map[string]func(io.Writer, *upgrade.Plan) error{
		"table": func(w io.Writer, l *upgrade.Plan) error { return report.WritePlan(w, l, report.Style{Width: 80}) },
		"wide": func(w io.Writer, l *upgrade.Plan) error {
			return report.WritePlan(w, l, report.Style{Width: 200, All: true})
		},
		"markdown": report.WritePlanMarkdown,
		"html":     report.WritePlanHTML,
	}
}

func TestPlanGolden(t *testing.T) {
	for format, write := range planFormats() {
		t.Run(format, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b, plan()); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "plan."+format)
			if *update {
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

func TestHostilePlanDoesNothing(t *testing.T) {
	for format, write := range planFormats() {
		t.Run(format, func(t *testing.T) {
			l := plan()
			set(reflect.ValueOf(l).Elem(), nasty)
			var b bytes.Buffer
			if err := write(&b, l); err != nil {
				t.Fatal(err)
			}
			if i := strings.IndexFunc(b.String(), func(r rune) bool {
				return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf) || r == unicode.ReplacementChar)
			}); i >= 0 {
				t.Errorf("a character that does something: %q", b.String()[max(0, i-30):i+10])
			}
			if format == "html" && strings.Contains(b.String(), "<img") {
				t.Error("HTML of a stranger stands in it")
			}
		})
	}
}
