// Package feed fetches what others publish about Kubernetes' vulnerabilities and releases, and reads it into common values.
//
// Words: a source is a place with a name, a format and a rank ([Sources]). A document is what one request, one file, or one member of an archive
// gave. A refusal is a document, or an entry of one, that could not be used, with the reason: nothing is dropped in silence.
//
// A [Client] asks over HTTP: conditionally, with retries, at the pace that the source allows, within bounds of size and time. Redirects stay on
// the scheme they began with, and a token goes to the host that it is for and nowhere else. The parsers, one file each, are pure functions. Everything that
// comes in is taken for hostile: a source that answers with nothing usable is an error, never an empty result.
package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Format is how a source's documents are written.
type Format string

// The formats.
const (
	FormatCVEFeed      Format = "cve-feed"      // the official feed of Kubernetes, JSON Feed 1.1
	FormatOSV          Format = "osv"           // OSV records: one, a folder of them, or a zip archive
	FormatCVE          Format = "cve"           // CVE Record Format 5.x
	FormatNVD          Format = "nvd"           // NVD API 2.0
	FormatAdvisories   Format = "advisories"    // GitHub security advisories, global or of a repository
	FormatPullRequests Format = "pull-requests" // GitHub's search for pull requests
	FormatEndOfLife    Format = "endoflife"     // endoflife.date
)

// Source is a place that publishes.
type Source struct {
	Name   string          `json:"name"`
	Format Format          `json:"format"`
	Rank   provenance.Rank `json:"rank"`
	URL    string          `json:"url,omitempty"` // "": from files only; {cve} stands for each name that is known
	About  string          `json:"about"`         // one line, for people
	Token  string          `json:"token,omitempty"`
	// Pace is the least time between two requests, without and with a token.
	Pace, PaceWithToken time.Duration `json:"-"`
}

// The names of tokens, which are the environment variables that hold them.
const (
	TokenGitHub = "GITHUB_TOKEN" //nolint:gosec // a name, not a token
	TokenNVD    = "NVD_API_KEY"  //nolint:gosec // as above
)

// packagesAsked are those that GitHub's global advisories are asked for.
const packagesAsked = "k8s.io/kubernetes,k8s.io/apiserver,k8s.io/apimachinery,k8s.io/client-go,k8s.io/kubelet,k8s.io/kube-proxy,k8s.io/kubectl,github.com/kubernetes/kubernetes"

// Sources returns all sources, in the order in which they are asked.
func Sources() []Source {
	const search, core = 6 * time.Second, time.Second
	return []Source{
		{Name: "git", Format: FormatOSV, Rank: provenance.Git, About: "records that \"kubelts vuln diff\" made from a repository; from files only"},
		{
			Name: "kubernetes-osv", Format: FormatOSV, Rank: provenance.Announced, About: "OSV records of the project (kubernetes-sigs/cve-feed-osv)",
			URL: "https://github.com/kubernetes-sigs/cve-feed-osv/archive/refs/heads/main.zip", Pace: core,
		},
		{
			Name: "kubernetes-cve-feed", Format: FormatCVEFeed, Rank: provenance.Announced, About: "the official CVE feed of Kubernetes",
			URL: "https://kubernetes.io/docs/reference/issues-security/official-cve-feed/index.json", Pace: core,
		},
		{
			Name: "kubernetes-advisories", Format: FormatAdvisories, Rank: provenance.Announced, About: "security advisories of kubernetes/kubernetes on GitHub", Token: TokenGitHub,
			URL: "https://api.github.com/repos/kubernetes/kubernetes/security-advisories?state=published&per_page=100", Pace: core, PaceWithToken: core,
		},
		{
			Name: "cve", Format: FormatCVE, Rank: provenance.Other, About: "CVE records; those that Kubernetes assigned count as announced",
			URL: "https://cveawg.mitre.org/api/cve/{cve}", Pace: 250 * time.Millisecond,
		},
		{
			Name: "nvd", Format: FormatNVD, Rank: provenance.Other, About: "the National Vulnerability Database", Token: TokenNVD,
			URL:  "https://services.nvd.nist.gov/rest/json/cves/2.0?virtualMatchString=cpe:2.3:a:kubernetes:kubernetes&resultsPerPage=500",
			Pace: 6 * time.Second, PaceWithToken: 700 * time.Millisecond,
		},
		{
			Name: "github-advisories", Format: FormatAdvisories, Rank: provenance.Other, About: "GitHub's advisory database", Token: TokenGitHub,
			URL: "https://api.github.com/advisories?ecosystem=go&per_page=100&affects=" + packagesAsked, Pace: core, PaceWithToken: core,
		},
		{Name: "go-vulndb", Format: FormatOSV, Rank: provenance.Other, About: "the Go vulnerability database", URL: "https://vuln.go.dev/vulndb.zip", Pace: core},
		{Name: "osv", Format: FormatOSV, Rank: provenance.Other, About: "any other OSV records; from files only"},
		{
			Name: "pull-requests", Format: FormatPullRequests, Rank: provenance.Other, About: "merged cherry-picks that name a CVE", Token: TokenGitHub,
			URL: "https://api.github.com/search/issues?per_page=100&q=repo:kubernetes/kubernetes+is:pr+is:merged+label:cherry-pick-approved+CVE", Pace: search, PaceWithToken: 2 * time.Second,
		},
		{Name: "endoflife", Format: FormatEndOfLife, Rank: provenance.Other, About: "releases and their ends (endoflife.date)", URL: "https://endoflife.date/api/kubernetes.json", Pace: core},
	}
}

// SourceNamed returns the source of that name; an unknown one is [errs.NotFound], with the nearest as a hint.
func SourceNamed(name string) (Source, error) {
	all := Sources()
	if i := slices.IndexFunc(all, func(s Source) bool { return s.Name == name }); i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	return Source{}, errs.WithHint(errs.New(errs.NotFound, "source %q is not known", name), "the sources are %s", strings.Join(names, ", "))
}

// Batch is what documents gave.
type Batch struct {
	provenance.Items

	Refused []provenance.Refusal
	Skipped int // entries that are not about Kubernetes
}

func (b *Batch) add(more Batch) {
	b.Add(more.Items)
	b.Refused = append(b.Refused, more.Refused...)
	b.Skipped += more.Skipped
}

func (b *Batch) refuse(what string, err error) {
	b.Refused = append(b.Refused, provenance.Refusal{What: what, Reason: err.Error()})
}

// take adds a candidate that is well formed and concerns Kubernetes, as far as that can be told.
func (b *Batch) take(origin provenance.Origin, r *vuln.Record, faults []string, known map[string]bool) {
	if err := r.Validate(); err != nil {
		b.refuse(origin.URL+" "+r.ID, err)
		return
	}
	if origin.Rank == provenance.Other && !provenance.Concerns(r, known) { // what the project announces concerns it, whatever it names
		b.Skipped++
		return
	}
	if n := boundsOf(r); n > maxBounds || len(r.Aliases) > maxNamed || len(r.Related) > maxNamed {
		b.refuse(origin.URL+" "+r.ID, errs.New(errs.Invalid, "%d bounds and %d aliases are more than a record has", n, len(r.Aliases)))
		return
	}
	r.References = r.References[:min(len(r.References), maxNamed)]
	r.Details = bounded(r.Details)
	r.Summary = bounded(r.Summary)
	b.Candidates = append(b.Candidates, provenance.New(origin, r, faults...))
}

// maxText bounds the texts that are kept of a record, in bytes.
const maxText = 16 << 10

func bounded(s string) string {
	if len(s) <= maxText {
		return strings.TrimSpace(s)
	}
	return strings.ToValidUTF8(strings.TrimSpace(s[:maxText]), "") + " [...]"
}

// Document is one thing to read.
type Document struct {
	URL     string // address or file name, for people and as the origin
	Fetched time.Time
	Data    []byte
}

// Parse reads one document of a source. Known are names of vulnerabilities, in capitals, that are of interest whatever package they name. A document that
// is not of the source's format at all is [errs.Invalid]; entries of it that are broken are refused one by one.
func Parse(s Source, d Document, known map[string]bool) (Batch, error) {
	sum := sha256.Sum256(d.Data)
	origin := provenance.Origin{Source: s.Name, Rank: s.Rank, URL: d.URL, Fetched: d.Fetched, Digest: "sha256:" + hex.EncodeToString(sum[:])}
	var b Batch
	err := shape(d.Data)
	if err != nil {
		return b, fmt.Errorf("%s: %w", d.URL, err)
	}
	switch s.Format {
	case FormatCVEFeed:
		err = parseCVEFeed(&b, origin, d.Data, known)
	case FormatOSV:
		err = parseOSV(&b, origin, d.Data, known)
	case FormatCVE:
		err = parseCVE(&b, origin, d.Data, known)
	case FormatNVD:
		err = parseNVD(&b, origin, d.Data, known)
	case FormatAdvisories:
		err = parseAdvisories(&b, origin, d.Data, known)
	case FormatPullRequests:
		err = parsePullRequests(&b, origin, d.Data)
	case FormatEndOfLife:
		err = parseEndOfLife(&b, origin, d.Data)
	default:
		err = errs.New(errs.Internal, "format %q is not known", s.Format)
	}
	if err != nil {
		return Batch{}, fmt.Errorf("%s: %w", d.URL, err)
	}
	return b, nil
}

// Bounds of what a document, a record and a source may hold. They are far above what is real: of the 88 records of golang/vulndb about Kubernetes the largest
// has 24 bounds and 4 aliases, and all have 564 bounds.
const (
	maxObjects    = 500_000
	maxCommas     = 4_000_000
	maxNamed      = 100 // aliases, or related records, of a record
	maxBounds     = 2_000
	maxStatements = 3_000
	maxAllBounds  = 50_000
)

// shape refuses a document that would take many times its size in memory, before it is read.
func shape(data []byte) error {
	if n := max(bytes.Count(data, []byte("{")), bytes.Count(data, []byte("["))); n > maxObjects {
		return errs.New(errs.Invalid, "%d objects or lists, more than %d", n, maxObjects)
	}
	if n := bytes.Count(data, []byte(",")); n > maxCommas {
		return errs.New(errs.Invalid, "%d values, more than %d", n, maxCommas)
	}
	return nil
}

// boundsOf counts what the ranges of a record are made of.
func boundsOf(r *vuln.Record) int {
	n := len(r.Affected)
	for _, a := range r.Affected {
		n += len(a.Versions)
		for _, rg := range a.Ranges {
			n += 1 + len(rg.Events)
		}
	}
	return n
}

// decode reads JSON; a fault names the place.
func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) { // many servers and proxies say so that something is wrong, with status 200
			return errs.New(errs.Invalid, "a page of HTML or XML, not JSON")
		}
		return errs.New(errs.Invalid, "not the expected JSON: %w", err)
	}
	return nil
}

// moment reads the times that feeds write: with or without a zone, with or without a time of day. What is no time is the zero time.
func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1 && t.Year() < 10_000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// date reads a day; what is none is the unknown day.
func date(s string) release.Date {
	d, err := release.ParseDate(s)
	if err != nil {
		return release.Date{}
	}
	return d
}
