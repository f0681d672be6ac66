package provenance

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Package and Ecosystem are the names of Kubernetes itself in our records.
const (
	Package   = catalog.Package
	Ecosystem = "Kubernetes"
)

// parts are the components and libraries that are released with kubernetes/kubernetes under its version.
func parts() []string {
	return []string{
		"kubernetes", "api", "apiextensions-apiserver", "apimachinery", "apiserver", "cli-runtime", "client-go", "cloud-provider", "cluster-bootstrap", "component-base",
		"component-helpers", "controller-manager", "cri-api", "csi-translation-lib", "endpointslice", "kube-aggregator", "kube-apiserver", "kube-controller-manager",
		"kube-proxy", "kube-scheduler", "kubeadm", "kubectl", "kubelet", "legacy-cloud-providers", "mount-utils", "pod-security-admission",
	}
}

// IsPart reports whether a name (kubelet, k8s.io/kubelet, github.com/kubernetes/kubernetes), in any case, is of Kubernetes itself.
func IsPart(name string) bool {
	name = strings.ToLower(strings.Trim(name, "/ "))
	for _, prefix := range []string{"k8s.io/", "github.com/kubernetes/"} {
		name = strings.TrimPrefix(name, prefix)
	}
	name, _, _ = strings.Cut(name, "/") // k8s.io/kubernetes/pkg/kubelet is of kubernetes
	return slices.Contains(parts(), name)
}

// Concerns reports whether a record is about Kubernetes or one of its projects, or about a vulnerability that is already known here. Names are
// in capitals. The project's own feed calls some packages "/ingress-nginx".
func Concerns(r *vuln.Record, known map[string]bool) bool {
	for _, n := range r.Names() {
		if known[strings.ToUpper(n)] {
			return true
		}
	}
	for _, p := range r.Packages() {
		if IsPart(p) || strings.HasPrefix(p, "/") || strings.HasPrefix(p, "k8s.io/") || strings.HasPrefix(p, "sigs.k8s.io/") ||
			strings.HasPrefix(p, "github.com/kubernetes/") || strings.HasPrefix(p, "github.com/kubernetes-sigs/") || strings.HasPrefix(p, "github.com/kubernetes-csi/") {
			return true
		}
	}
	return false
}

// libraryVersion is how the staging repositories are tagged since 1.17: v0.28.15 goes with v1.28.15.
var libraryVersion = regexp.MustCompile(`^v?0\.([1-9][0-9]?\..+)$`)

// kubernetes returns what a record says about Kubernetes itself, in versions of Kubernetes, under the name [Package]. Spoken is false where it says
// nothing about it. Ranges of commits tell nothing about releases. Nor do bounds that are no versions, or that a library counted for itself (client-go 11.0.0):
// such a range is left out, and unclear says so.
func kubernetes(r *vuln.Record) (affected []vuln.Affected, spoken, unclear bool) {
	for _, a := range r.Affected {
		if !IsPart(a.Package.Name) || !slices.Contains([]string{"", "go", "kubernetes"}, strings.ToLower(a.Package.Ecosystem)) {
			continue
		}
		t := translator{library: strings.EqualFold(a.Package.Ecosystem, "go") && !strings.HasSuffix(a.Package.Name, "/kubernetes")}
		out := vuln.Affected{Package: vuln.Package{Ecosystem: Ecosystem, Name: Package}}
		for _, rg := range a.Ranges {
			if events, ok := t.events(rg.Events); ok && rg.Type != vuln.RangeGit {
				out.Ranges = append(out.Ranges, vuln.Range{Type: vuln.RangeSemver, Events: events})
			} else if rg.Type != vuln.RangeGit {
				unclear = true
			}
		}
		for _, v := range a.Versions {
			text, ok := t.bound(v)
			unclear = unclear || !ok
			if ok {
				out.Versions = append(out.Versions, text)
			}
		}
		if len(out.Ranges)+len(out.Versions) > 0 {
			affected, spoken = append(affected, out), true
		}
	}
	return affected, spoken, unclear
}

// translator makes bounds ones of Kubernetes, without the v.
type translator struct {
	library bool // the package counts as the staging repositories do
}

// events translates a range; false where a bound cannot be.
func (t translator) events(events []vuln.Event) ([]vuln.Event, bool) {
	out := slices.Clone(events)
	for i := range out {
		for _, at := range []*string{&out[i].Introduced, &out[i].Fixed, &out[i].LastAffected, &out[i].Limit} {
			var ok bool
			if *at, ok = t.bound(*at); !ok {
				return nil, false
			}
		}
	}
	return out, true
}

func (t translator) bound(text string) (string, bool) {
	if text == "" || text == "0" || text == "*" {
		return text, true
	}
	if t.library {
		m := libraryVersion.FindStringSubmatch(text)
		if m == nil {
			return text, false
		}
		text = "1." + m[1]
	}
	text = strings.TrimPrefix(text, "v")
	_, err := release.Parse(text)
	return text, err == nil
}

// spans names releases in short: those that follow each other among all known ones as first-last.
func spans(all []release.Version, in []bool) []string {
	var out []string
	for i := 0; i < len(all); i++ {
		if !in[i] {
			continue
		}
		first := i
		for i+1 < len(all) && in[i+1] {
			i++
		}
		text := strings.TrimPrefix(all[first].String(), "v")
		if i > first {
			text += "-" + strings.TrimPrefix(all[i].String(), "v")
		}
		out = append(out, text)
	}
	return out
}
