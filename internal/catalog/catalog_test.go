package catalog_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

func load(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(data.Files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func version(t *testing.T, s string) release.Version {
	t.Helper()
	v, err := release.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func date(t *testing.T, s string) release.Date {
	t.Helper()
	d, err := release.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSupport(t *testing.T) {
	c := load(t)
	tests := []struct {
		name, version, at string
		phase             release.Phase
		end, era, latest  string
		left              int
	}{
		{"maintenance", "1.24", "2023-06-15", release.Maintenance, "2023-07-28", "three-a-year", "v1.24.15", 43},
		{"through its last day", "1.24", "2023-07-28", release.Maintenance, "2023-07-28", "three-a-year", "v1.24.16", 0},
		{"the day after", "1.24", "2023-07-29", release.EndOfLife, "2023-07-28", "three-a-year", "v1.24.16", -1},
		{"the older era", "1.18", "2020-10-01", release.Active, "2021-06-18", "three-newest", "v1.18.9", 260},
		{"the era between", "1.20", "2021-01-01", release.Active, "2022-02-28", "twelve-plus-two", "v1.20.1", 423},
		{"a release of the future", "v1.24.17", "2023-06-15", release.Unreleased, "2023-07-28", "three-a-year", "v1.24.15", 43},
		{"before the minor", "1.24", "2022-01-01", release.Unreleased, "2023-07-28", "three-a-year", "", 573},
		{"EKS", "v1.28.15-eks-113cf36", "2026-11-22", release.EndOfLife, "2024-10-22", "three-a-year", "v1.28.15", -761},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := c.Support(version(t, tt.version), date(t, tt.at), "")
			if err != nil {
				t.Fatal(err)
			}
			got := []any{s.Phase, s.EndOfLife.String(), s.Era, s.Latest, *s.DaysLeft}
			if diff := cmp.Diff([]any{tt.phase, tt.end, tt.era, tt.latest, tt.left}, got); diff != "" {
				t.Errorf("support (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSupportUnpublishedEnd(t *testing.T) {
	c := load(t)
	for at, want := range map[string]release.Phase{"2015-12-01": release.Active, "2016-06-30": release.Active, "2016-07-01": release.EndOfLife} {
		s, err := c.Support(version(t, "1.0"), date(t, at), "")
		if err != nil {
			t.Fatal(err)
		}
		if s.Phase != want || !s.EndOfLife.IsZero() || s.DaysLeft != nil {
			t.Errorf("1.0 on %s: %s until %q, days left %v; want %s and unknown days", at, s.Phase, s.EndOfLife, s.DaysLeft, want)
		}
	}
}

func TestVendors(t *testing.T) {
	c := load(t)
	tests := []struct {
		name, version, vendor, at, phase, until string
	}{
		{"standard", "1.28", "eks", "2024-11-26", "standard", "2025-11-26"},
		{"extended, asked for by the vendor's name", "1.28", "AWS", "2024-11-27", "extended", "2025-11-26"},
		{"ended", "1.28", "EKS", "2025-11-27", "end-of-life", "2025-11-26"},
		{"not yet", "1.28", "eks", "2023-09-25", "unreleased", "2025-11-26"},
		{"not published", "1.28", "gke", "2026-01-01", "unknown", ""},
		{"only releases are seen", "1.28", "rke2", "2024-01-01", "unknown", ""},
		{"third phase", "1.27", "openshift", "2025-06-01", "extended update support", "2025-10-31"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := c.Support(version(t, tt.version), date(t, tt.at), tt.vendor)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Vendors) == 0 || s.Vendors[0].Phase != tt.phase || s.Vendors[0].Until.String() != tt.until {
				t.Errorf("vendors = %+v, want %s until %q", s.Vendors, tt.phase, tt.until)
			}
		})
	}
	_, err := c.Support(version(t, "1.28"), date(t, "2024-01-01"), "openshif")
	if !errs.Is(err, errs.NotFound) || !strings.Contains(strings.Join(errs.Hints(err), " "), "did you mean openshift?") {
		t.Errorf("error = %v, hints %q", err, errs.Hints(err))
	}
}

func TestResolve(t *testing.T) {
	c := load(t)
	for _, s := range []string{
		"1.28", "v1.28.15", "v1.28.15-eks-113cf36", "v1.27.16-gke.2440000", "v1.26.15+rke2r1", "v1.28.102-akslts", "v1.24.17-aliyun.1",
		"v1.20.0-alpha.1.123+abcdef", "v1.28.16-rc.0",
	} {
		if _, err := c.Resolve(version(t, s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	refused := []struct{ name, in, hint string }{
		{"unknown minor", "1.99", "the nearest known minor is 1.38"},
		{"unknown patch", "v1.28.16", "the nearest known release is v1.28.15"},
		{"a number that was left out", "v1.4.10", "the nearest known release is v1.4.9"},
		{"another program", "3.4.20", "the nearest known minor is 1.38"},
		{"nothing released", "v1.38.0", "no release of 1.38 is known"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Resolve(version(t, tt.in))
			if !errs.Is(err, errs.NotFound) || !strings.Contains(strings.Join(errs.Hints(err), " "), tt.hint) {
				t.Errorf("error = %v, hints %q; want %q", err, errs.Hints(err), tt.hint)
			}
		})
	}
}

func TestAssess(t *testing.T) {
	c := load(t)
	tests := []struct {
		name, version, id string
		outlook           catalog.Outlook // "" when it is not affected
		fixedIn           string
	}{
		{"a later patch release", "v1.28.3", "CVE-2023-5528", catalog.FixedInPatch, "v1.28.4"},
		{"fixed already", "v1.28.4", "CVE-2023-5528", "", ""},
		{"a vendor's build of it", "v1.28.3-eks-1234567", "CVE-2023-5528", catalog.FixedInPatch, "v1.28.4"},
		{"only newer minors", "v1.24.17", "CVE-2023-5528", catalog.FixedInNewer, "v1.25.16"},
		{"never", "v1.24.17", "CVE-2020-8554", catalog.NeverFixed, ""},
		{"last line without a fix", "v1.21.14", "CVE-2022-3172", catalog.FixedInNewer, "v1.22.14"},
		{"a minor has what any of its releases has", "1.13", "CVE-2019-11245", catalog.FixedInPatch, "v1.13.7"},
		{"a patch release without it", "v1.13.5", "CVE-2019-11245", "", ""},
		{"a vendor's own number tells nothing", "v1.28.102-akslts", "CVE-2023-5528", catalog.FixedInPatch, "v1.28.4"},
		{"another project's numbers", "v1.9.0", "CVE-2022-4886", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := c.Assess(version(t, tt.version), catalog.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			var outlook catalog.Outlook
			fixedIn := ""
			for _, a := range found {
				if a.Record.ID == tt.id {
					outlook = a.Outlook
					if !a.FixedIn.IsZero() {
						fixedIn = a.FixedIn.String()
					}
				}
			}
			if outlook != tt.outlook || fixedIn != tt.fixedIn {
				t.Errorf("outlook %q, fixed in %q; want %q, %q", outlook, fixedIn, tt.outlook, tt.fixedIn)
			}
		})
	}
}

func TestAssessNothingReleased(t *testing.T) {
	if found, err := load(t).Assess(version(t, "1.38"), catalog.Filter{}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a minor without releases has %d vulnerabilities, %v", len(found), err)
	}
}

func TestAssessFilter(t *testing.T) {
	c := load(t)
	v := version(t, "v1.24.0")
	all, err := c.Assess(v, catalog.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	kubelet, err := c.Assess(v, catalog.Filter{Component: "Kubelet", Unfixed: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(kubelet) == 0 || len(kubelet) >= len(all) {
		t.Errorf("%d of %d pass the filter", len(kubelet), len(all))
	}
	for _, a := range kubelet {
		if a.Outlook == catalog.FixedInPatch {
			t.Errorf("%s is fixed in %s", a.Record.ID, a.FixedIn)
		}
	}
	if err := c.CheckComponent("kubelett"); !errs.Is(err, errs.NotFound) || len(errs.Hints(err)) == 0 {
		t.Errorf("kubelett: %v", err)
	}
}

func TestVulnerability(t *testing.T) {
	c := load(t)
	for _, name := range []string{"CVE-2021-25741", "cve-2021-25741", "GHSA-f5f7-6478-qm6p", "GO-2022-0910"} {
		r, err := c.Vulnerability(name)
		if err != nil || r.ID != "CVE-2021-25741" {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	_, err := c.Vulnerability("CVE-2021-25471")
	if !errs.Is(err, errs.NotFound) || !strings.Contains(strings.Join(errs.Hints(err), " "), "CVE-2021-25741") {
		t.Errorf("error = %v, hints %q", err, errs.Hints(err))
	}
}

func TestToolchain(t *testing.T) {
	c := load(t)
	tests := []struct{ name, version, want string }{
		{"a release", "v1.24.17", "1.20.7"},
		{"a vendor's build", "v1.24.17-eks-1234567", "1.20.7"},
		{"no source", "v1.12.3", ""},
		{"a minor", "1.24", ""},
		{"a vendor's own number", "v1.28.102-akslts", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := c.Toolchain(version(t, tt.version))
			if err != nil || ok != (tt.want != "") || got.Go != tt.want {
				t.Errorf("Toolchain = %q, %v, %v; want %q", got.Go, ok, err, tt.want)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	c := load(t)
	tests := []struct {
		name, version string
		ends          int
		check         string
	}{
		{"from the start", "v1.6.13", 8760, ""},
		{"backdated", "v1.12.0", 8759, ""},
		{"last with a year", "v1.32.13", 8759, ""},
		{"pre-release before the change", "v1.33.0-alpha.2", 8759, ""},
		{"three years", "v1.33.0", 26303, ""},
		{"health check", "v1.36.0", 26303, "loopback-serving-certificate"},
		{"a minor", "1.36", 26303, "loopback-serving-certificate"},
		{"RKE2 is as upstream", "v1.26.15+rke2r1", 8759, ""},
		{"ACK", "v1.24.17-aliyun.1", 87600, ""},
		{"OpenShift before its backport", "v1.29.6+f67aeb3", 8759, ""},
		{"OpenShift", "v1.30.6+f67aeb3", 26303, ""},
		{"not published", "v1.28.15-eks-113cf36", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok, err := c.Loopback(version(t, tt.version))
			if err != nil || !ok || r.Ends != tt.ends || r.Check != tt.check {
				t.Errorf("Loopback = %+v, %v, %v; want it to end after %d hours", r, ok, err, tt.ends)
			}
		})
	}
	if _, ok, err := c.Loopback(version(t, "v1.5.8")); ok || err != nil {
		t.Errorf("1.5 has a loopback certificate, %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	files := func(name, text string) fstest.MapFS {
		fsys := fstest.MapFS{}
		for _, n := range []string{"releases.yaml", "support.yaml", "vendors.yaml", "loopback.yaml", "toolchains.yaml"} {
			b, err := data.Files.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			fsys[n] = &fstest.MapFile{Data: b}
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
		return fsys
	}
	const head = "snapshot: 2026-01-01\nsources: {a: somewhere}\nminors:\n"
	tests := []struct{ name, file, text, want string }{
		{"unknown key", "releases.yaml", head + "  - minor: \"1.1\"\n    relased: {}\n", `releases.yaml:5: key "relased" is not known`},
		{"date", "releases.yaml", head + "  - minor: \"1.1\"\n    end: {date: 2023-02-30, source: a, confidence: high}\n", `releases.yaml:5: date "2023-02-30"`},
		{"minor", "releases.yaml", head + "  - minor: new\n", `releases.yaml:4: version "new"`},
		{"source", "releases.yaml", head + "  - minor: \"1.1\"\n    end: {date: 2023-02-20, source: b, confidence: high}\n", `source "b" is not in the table`},
		{"confidence", "releases.yaml", head + "  - minor: \"1.1\"\n    end: {date: 2023-02-20, source: a, confidence: sure}\n", `confidence "sure"`},
		{"order", "releases.yaml", head + "  - minor: \"1.2\"\n  - minor: \"1.1\"\n", "minor 1.1: not in order"},
		{"foreign patch", "releases.yaml", head + "  - minor: \"1.2\"\n    patches: [{version: 1.3.0, date: 2023-01-01, source: a, confidence: low}]\n", "v1.3.0 is not a patch release of it"},
		{"two documents", "support.yaml", "eras: []\n---\neras: []\n", "more than one document"},
		{"no YAML", "vendors.yaml", "a: [", "vendors.yaml"},
		{"empty", "releases.yaml", "", "releases.yaml:1: the file holds no facts"},
		{"ends without phases", "vendors.yaml", "sources: {a: b}\nproducts: [{id: x, phases: [s], source: a, confidence: low, windows: [{minor: \"1.1\", ends: [null, null]}]}]\n", "2 ends for 1 phases"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalog.Load(files(tt.file, tt.text))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := catalog.Load(fstest.MapFS{}); !errs.Is(err, errs.NotFound) || len(errs.Hints(err)) == 0 {
		t.Errorf("an empty directory gives %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	support, err := data.Files.ReadFile("support.yaml")
	if err != nil {
		f.Fatal(err)
	}
	vendors := []byte("sources: {a: b}\nproducts: [{id: x, phases: [s], source: a, confidence: low, windows: [{minor: \"1.1\", ends: [2020-01-01]}]}]\n")
	f.Add([]byte("snapshot: 2026-01-01\nsources: {a: b}\nminors: [{minor: \"1.1\", patches: [{version: 1.1.0, date: 2020-01-01, source: a, confidence: low}]}]\n"), vendors)
	f.Fuzz(func(t *testing.T, releases, vendors []byte) {
		c, err := catalog.Load(fstest.MapFS{
			"releases.yaml": {Data: releases}, "support.yaml": {Data: support}, "vendors.yaml": {Data: vendors},
		})
		if err != nil {
			return
		}
		at := release.Date{Year: 2023, Month: 6, Day: 15}
		for _, m := range c.Minors() {
			if _, err := c.Support(release.Version{Minor: m.Minor, Patch: release.NoPatch}, at, ""); err != nil {
				t.Fatalf("a minor that was loaded has no support: %v", err)
			}
			_ = c.ComparePolicy(m)
		}
	})
}
