package vuln_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

const full = `{
  "schema_version": "1.7.0", "id": "CVE-2022-3172", "modified": "2026-09-28T00:00:00Z", "published": "2022-09-16T00:00:00Z",
  "aliases": ["GHSA-xxxx"], "summary": "redirects", "a_field_of_tomorrow": {"x": 1},
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:C/C:L/I:L/A:L"}],
  "affected": [{"package": {"ecosystem": "Kubernetes", "name": "k8s.io/kubernetes"}, "ranges": [{"type": "SEMVER", "events": [
    {"introduced": "0"}, {"last_affected": "1.21.14"}, {"introduced": "1.22.0"}, {"fixed": "1.22.14"}]}]}],
  "references": [{"type": "WEB", "url": "https://example.org"}],
  "database_specific": {"other": true, "kubelts": {"class": "official", "components": ["kube-apiserver"], "confidence": "high",
    "fixes": [
      {"repository": "kubernetes/apimachinery", "kind": "fix", "pull_request": 112193, "commits": {"master": ["1c318b6a1"], "release-1.25": ["4759a80"]}},
      {"repository": "kubernetes/apimachinery", "kind": "regression-fix", "commits": {"master": ["2e3bf73d7"]}},
      {"repository": "kubernetes/kubectl", "kind": "fix-dependency", "commits": {"master": ["aaaaaaa"]}},
      {"repository": "kubernetes/kubectl", "kind": "test", "commits": {"master": ["bbbbbbb"]}}]}}
}`

func parse(t *testing.T, doc string) *vuln.Record {
	t.Helper()
	r, err := vuln.Parse("test.json", strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParse(t *testing.T) {
	r := parse(t, full)
	if r.ID != "CVE-2022-3172" || r.Kubelts.Class != vuln.ClassOfficial || r.Published.Year() != 2022 {
		t.Errorf("record = %+v", r)
	}
	tests := []struct {
		name, repository string
		want             []string
	}{
		{"regression fixes are not required", "kubernetes/apimachinery", []string{"1c318b6a1"}},
		{"a bump is required where there is nothing else", "kubernetes/kubectl", []string{"aaaaaaa"}},
		{"another repository", "kubernetes/apiserver", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range r.RequiredFixes(tt.repository) {
				_, commits := f.Main()
				got = append(got, commits...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("required (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseShortForms(t *testing.T) {
	const id = `"id": "X-1", "modified": "2026-01-01T00:00:00Z", "summary": "s"`
	const gitRange = `"affected": [{"ranges": [{"type": "GIT", "repo": "https://github.com/etcd-io/etcd.git",
		"events": [{"introduced": "0"}, {"fixed": "1234567"}, {"fixed": "89abcde"}]}]}]`
	tests := []struct {
		name, doc string
		want      []vuln.Fix
	}{
		{
			"commits by branch", `{` + id + `, "database_specific": {"kubelts": {"commits": {"main": ["1234567"], "release-3.5": ["89abcde"]}}}}`,
			[]vuln.Fix{{Subject: "s", Kind: "fix", Commits: map[string][]string{"main": {"1234567"}, "release-3.5": {"89abcde"}}}},
		},
		{
			"git range", `{` + id + `, ` + gitRange + `}`,
			[]vuln.Fix{{
				Repository: "etcd-io/etcd", Subject: "s", Kind: "fix", Source: "https://github.com/etcd-io/etcd.git",
				Commits: map[string][]string{"1234567": {"1234567"}, "89abcde": {"89abcde"}},
			}},
		},
		{
			"named commits win over the git range", `{` + id + `, ` + gitRange + `, "database_specific": {"kubelts": {"commits": {"main": ["fffffff"]}}}}`,
			[]vuln.Fix{{Subject: "s", Kind: "fix", Commits: map[string][]string{"main": {"fffffff"}}}},
		},
		{"neither", `{` + id + `}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parse(t, tt.doc).Kubelts.Fixes); diff != "" {
				t.Errorf("fixes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const head = `{"id": "X-1", "modified": "2026-01-01T00:00:00Z", `
	events := func(e string) string {
		return head + `"affected": [{"ranges": [{"type": "SEMVER", "events": [` + e + `]}]}]}`
	}
	ours := func(k string) string { return head + `"database_specific": {"kubelts": {` + k + `}}}` }
	tests := []struct{ name, doc, want string }{
		{"no JSON", "id: x", "test.json:1:"},
		{"the line of the fault", "{\n\"id\": \"X-1\",\n\"aliases\": 3}", "test.json:3:"},
		{"no id", `{"modified": "2026-01-01T00:00:00Z"}`, `id "" is not well formed`},
		{"id that is a path", `{"id": "../x"}`, `is not well formed`},
		{"more after the document", head + `"summary": ""} {}`, "test.json"},
		{"future schema", head + `"schema_version": "2.0"}`, "is not 1.x"},
		{"time", `{"id": "X-1", "modified": "yesterday"}`, "test.json"},
		{"range type", head + `"affected": [{"ranges": [{"type": "DATE", "events": []}]}]}`, `type "DATE" is not known`},
		{"no introduced", events(`{"fixed": "1.2.3"}`), "no introduced event"},
		{"two in one event", events(`{"introduced": "0", "fixed": "1.2.3"}`), "2 of introduced"},
		{"empty event", events(`{"introduced": "0"}, {}`), "0 of introduced"},
		{"unknown key of ours", ours(`"klass": "official"`), `unknown field "klass"`},
		{"class", ours(`"class": "rumour"`), `class "rumour" is not known`},
		{"branch that is an option", ours(`"commits": {"--upload-pack=x": ["1234567"]}`), "is not well formed"},
		{"commit that is an option", ours(`"commits": {"main": ["--output=x"]}`), "is not a commit name"},
		{"short commit", ours(`"commits": {"main": ["12345"]}`), "is not a commit name"},
		{"branch without commits", ours(`"commits": {"main": []}`), "has no commits"},
		{"kind", ours(`"fixes": [{"kind": "magic"}]`), `kind "magic" is not known`},
		{"repository", ours(`"fixes": [{"kind": "fix", "repository": "/etc/passwd"}]`), "is not owner/name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := vuln.Parse("test.json", strings.NewReader(tt.doc))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := vuln.Parse("big", strings.NewReader(strings.Repeat(" ", vuln.MaxSize+1))); !errs.Is(err, errs.Invalid) {
		t.Errorf("a huge document gives %v", err)
	}
}

func TestAffects(t *testing.T) {
	rangeOf := func(kind, events string) string {
		return `{"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "Kubernetes", "name": "k8s"},
			"versions": ["v1.9.9+lts.1"], "ranges": [{"type": "` + kind + `", "events": [` + events + `]}]}]}`
	}
	lines := rangeOf("SEMVER", `{"introduced": "1.22.0"}, {"fixed": "1.22.14"}, {"introduced": "0"}, {"last_affected": "1.21.14"}`)
	tests := []struct {
		name, doc, version string
		want               bool
	}{
		{"before all", lines, "v1.6.0", true},
		{"last affected", lines, "v1.21.14", true},
		{"after the last affected", lines, "v1.21.15", false},
		{"in the second line", lines, "v1.22.13", true},
		{"fixed", lines, "v1.22.14", false},
		{"pre-release of the fixed", lines, "v1.22.14-rc.0", true},
		{"a vendor's suffix changes nothing", lines, "v1.22.13-eks-1234567", true},
		{"nor does ours, in SEMVER", lines, "v1.22.14+lts.1", false},
		{"named in the list", lines, "v1.9.9+lts.1", true},
		{"whole version in ECOSYSTEM", rangeOf("ECOSYSTEM", `{"introduced": "0"}, {"fixed": "v1.22.13+lts.2"}`), "v1.22.13+lts.2", false},
		{"the one before in ECOSYSTEM", rangeOf("ECOSYSTEM", `{"introduced": "0"}, {"fixed": "v1.22.13+lts.2"}`), "v1.22.13+lts.1", true},
		{"introduced and fixed at once", rangeOf("SEMVER", `{"introduced": "1.15.0"}, {"fixed": "1.15.0"}`), "v1.15.0", false},
		{"limit", rangeOf("SEMVER", `{"introduced": "0"}, {"limit": "1.10.0"}`), "v1.10.0", false},
		{"no limit", rangeOf("SEMVER", `{"introduced": "0"}, {"limit": "*"}`), "v1.10.0", true},
		{"never fixed", rangeOf("SEMVER", `{"introduced": "1.3.0"}`), "v1.99.0", true},
		{"before it was introduced", rangeOf("SEMVER", `{"introduced": "1.3.0"}`), "v1.2.7", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := release.Parse(tt.version)
			if err != nil {
				t.Fatal(err)
			}
			r := parse(t, tt.doc)
			if got, err := r.Affects("k8s", v); err != nil || got != tt.want {
				t.Errorf("Affects(%s) = %v, %v; want %v", tt.version, got, err, tt.want)
			}
			if got, err := r.Affects("another", v); err != nil || got {
				t.Errorf("another package: %v, %v", got, err)
			}
		})
	}
	r := parse(t, rangeOf("ECOSYSTEM", `{"introduced": "0"}, {"fixed": "2:1.4~rc1-1ubuntu3"}`))
	if _, err := r.Affects("k8s", release.Of(release.Minor{Major: 1, Minor: 3}, 0)); !errs.Is(err, errs.Invalid) {
		t.Errorf("a foreign version gives %v, want an invalid error", err)
	}
}

func TestBase(t *testing.T) {
	tests := []struct {
		name, vector string
		want         float64
		ok           bool
	}{
		{"CVE-2018-1002105", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, true},
		{"scope changed", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10, true},
		{"CVE-2022-3172", "CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:C/C:L/I:L/A:L", 5.1, true},
		{"CVE-2021-25736", "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:C/C:H/I:N/A:N", 5.8, true},
		{"no impact", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, true},
		{"temporal metrics are passed over", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P", 9.8, true},
		{"metric missing", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N", 0, false},
		{"metric twice", "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, false},
		{"value unknown", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, false},
		{"another scheme", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 0, false},
		{"empty", "", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := vuln.Severity{Type: "CVSS_V3", Score: tt.vector}.Base()
			if got != tt.want || ok != tt.ok {
				t.Errorf("Base() = %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"id": "X-1", "modified": "2026-01-01T00:00:00Z", "database_specific": {"kubelts": {"commits": {"main": ["1234567"]}}}}`))
	f.Add([]byte(`{"id": "X-1", "affected": [{"ranges": [{"type": "GIT", "repo": "https://github.com/a/b", "events": [{"introduced": "0"}, {"fixed": "1234567"}]}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := vuln.Parse("fuzz", bytes.NewReader(doc))
		if err != nil {
			return
		}
		for _, a := range r.Affected {
			_, _ = r.Affects(a.Package.Name, release.Of(release.Minor{Major: 1, Minor: 28}, 15))
		}
		_ = r.RequiredFixes("kubernetes/kubernetes")
		once, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("what Parse takes cannot be written: %v", err)
		}
		again, err := vuln.Parse("again", bytes.NewReader(once))
		if err != nil {
			t.Fatalf("what Marshal writes is refused: %v\n%s", err, once)
		}
		twice, err := json.Marshal(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("a record changes when it is written and read: %v\n%s\n%s", err, once, twice)
		}
	})
}
