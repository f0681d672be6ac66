// Package foreign reads release lines that other projects keep, as values: a releases.yml of KLTS, the directories of EKS Distro, a quilt series.
//
// A line is what such a project does to one upstream release: steps in order, each of which names files or URLs. A source of a step is read as pieces: mails
// that become patches here, or gaps. A gap is something that the project asks for and that is not there, not readable, or not fixed by a commit; it is
// never left out, because leaving out is what goes wrong in these layouts.
//
// What is read was written by strangers. Sizes, counts and aliases are bounded, paths stay in the folder that was given, and nothing is fetched. Everything
// is a value; the one interface, [Files], is implemented by who calls. Order is that of the source.
//
// The layouts: https://github.com/klts-io/kubernetes-lts (releases.yml, read by https://github.com/klts-io/kit), https://github.com/aws/eks-distro
// (projects/kubernetes/kubernetes/1-XX), https://git.savannah.nongnu.org/cgit/quilt.git (series and patches).
package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// The bounds of what is read.
const (
	MaxConfig  = 1 << 20   // bytes of a releases.yml or series
	MaxPatch   = 32 << 20  // bytes of a patch file
	maxNodes   = 100_000   // values of a releases.yml, aliases followed
	maxMails   = 1_000     // mails of one patch file
	maxSteps   = 10_000    // patches of a line
	maxEntries = 5_000     // releases or definitions of a releases.yml
	maxName    = 200       // bytes of a name
	MaxProject = 512 << 20 // bytes of all files that are read of one project
)

// Files is the folder that a project was given in. Names are relative to it, with slashes; nothing outside it can be reached, whatever links it holds.
type Files interface {
	// Read returns a file's content; an absent file is an error that is fs.ErrNotExist. Files of more than limit bytes, and what is no regular file, are refused.
	Read(name string, limit int64) ([]byte, error)
	// List returns the names in a directory, sorted, those of directories with a slash at the end. An absent directory has none.
	List(dir string) ([]string, error)
}

// Bounded is a folder of which no more than total bytes are read.
func Bounded(files Files, total int64) Files { return &bounded{files, total} }

type bounded struct {
	Files

	left int64
}

// Read implements [Files].
func (b *bounded) Read(name string, limit int64) ([]byte, error) {
	if b.left <= 0 {
		return nil, errs.New(errs.Invalid, "%s: the files of the project are larger than what is read of one", name)
	}
	content, err := b.Files.Read(name, limit)
	b.left -= int64(len(content))
	return content, err
}

// Line is what a project does to one upstream release.
type Line struct {
	Name      string // as the project calls it: v1.28.15-lts.2, 1-28
	Tag       string // of the upstream release: v1.28.15; empty when nothing tells
	Toolchain string // of Go, as 1.21, where the project says it
	File      string // that says what follows
	Steps     []Step // in the order in which they are applied
	Tolerated []Tolerated
}

// Step is one patch of a line, as the project counts them: it may be several files, and a file several mails.
type Step struct {
	Name  string
	Row   int // of the line's file, from 1; 0 where the file does not name the step
	Items []Item
	Gap   string // why the step has no items; empty when it has
}

// Fixes are the CVEs that the step's name tells.
func (s Step) Fixes() []string { return CVEs(s.Name) }

// Tolerated is a package whose failing tests the project takes no notice of.
type Tolerated struct {
	Package     string
	Row         int
	Release     string // the entry that says so
	Integration bool   // of the integration tests
}

// The kinds of items.
const (
	KindFile   = "file"   // in the project's folder
	KindPull   = "pull"   // the patch of a pull request: it changes whenever somebody pushes
	KindCommit = "commit" // the patch of a commit
	KindURL    = "url"    // anything else on the network
)

// Item is a patch's source: a file or a URL.
type Item struct {
	Text   string // as the project writes it
	Row    int
	Kind   string
	Path   string  // of a file, cleaned; empty when it leads out of the folder
	Base   string  // the last element: by this name the project's own tools keep what they fetched
	Commit git.OID // that a URL of a commit names
	Pull   int     // number of the pull request that a URL names, 0 for none
	// Repository is the one on GitHub that a URL of a pull request or commit is of, as owner/name.
	Repository string
	Strip      int // leading elements of the paths in it that do not count, as patch -p; 1 for mails
}

// Floats reports whether what the item names can change while its text stays the same.
func (i Item) Floats() bool { return i.Kind == KindPull || i.Kind == KindURL }

var (
	urlForm    = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://`)
	pullForm   = regexp.MustCompile(`^https://github\.com/([^/?#]+/[^/?#]+)/pull/([1-9][0-9]{0,8})\.(?:patch|diff)$`)
	commitForm = regexp.MustCompile(`^https://github\.com/([^/?#]+/[^/?#]+)/commit/([0-9a-f]{40})\.patch$`)
	cveForm    = regexp.MustCompile(`CVE-[0-9]{4}-[0-9]{4,9}`)
	tagForm    = regexp.MustCompile(`^v[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$`)
)

var (
	userForm  = regexp.MustCompile(`^([a-z][a-z0-9+.-]*://)[^/@]*@`)
	queryForm = regexp.MustCompile(`[?#].*$`)
)

// redacted is a URL without what may be a secret in it: a user, a query. Other text stays.
func redacted(text string) string {
	if !urlForm.MatchString(text) {
		return text
	}
	return queryForm.ReplaceAllString(userForm.ReplaceAllString(text, "$1***@"), "?***")
}

// NewItem reads how a project names a patch's source. Users and queries of URLs are left out: they may be secrets.
func NewItem(text string, row int) Item {
	text = redacted(text)
	item := Item{Text: text, Row: row, Kind: KindFile, Base: strings.TrimSuffix(text[strings.LastIndexByte(text, '/')+1:], "?***"), Strip: 1}
	commit, pull := commitForm.FindStringSubmatch(text), pullForm.FindStringSubmatch(text)
	switch {
	case commit != nil:
		item.Kind, item.Repository, item.Commit = KindCommit, commit[1], git.MustOID(commit[2])
	case pull != nil:
		item.Kind, item.Repository = KindPull, pull[1]
		item.Pull, _ = strconv.Atoi(pull[2]) // at most nine digits
	case urlForm.MatchString(text):
		item.Kind = KindURL
	case git.ValidPath(strings.TrimPrefix(text, "./")):
		item.Path = strings.TrimPrefix(text, "./")
	}
	return item
}

// CVEs returns the CVEs that a text names, once each, in order.
func CVEs(text string) []string {
	var found []string
	for _, id := range cveForm.FindAllString(text, -1) {
		if !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

var curesForm = regexp.MustCompile(`(?im)^\W*(?:fix(?:es|ed)?|cures?|address(?:es)?|mitigates?|patch(?:es)?)(?: for)?:? +(CVE-[0-9]{4}-[0-9]{4,9})`)

// Cures returns the CVEs of which a message says, at the beginning of a line, that it cures them. Others it may only speak of.
func Cures(message string) []string {
	var found []string
	for _, m := range curesForm.FindAllStringSubmatch(message, maxMails) {
		if id := strings.ToUpper(m[1]); !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

// IsTag reports whether a name is that of a release of Kubernetes, such as v1.28.15.
func IsTag(name string) bool { return tagForm.MatchString(name) }
