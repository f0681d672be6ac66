package lint

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// Origins is upstream's history, for what patches say of where they come from. What the history does not have is an error of kind not-found.
type Origins interface {
	// Commit returns what a commit changed that is named in full or by its beginning.
	Commit(ctx context.Context, name string) ([]Origin, error)
	// Pull returns what the commits of a pull request changed, the oldest first.
	Pull(ctx context.Context, number int) ([]Origin, error)
	// Fixes returns what the commits changed that cure a vulnerability, on all branches.
	Fixes(ctx context.Context, vulnerability string) ([]Origin, error)
}

// Origin is a commit of upstream's.
type Origin struct {
	Commit git.OID
	Diff   []byte
}

// claim is what a patch says that it carries.
type claim struct {
	text   string // as people write it
	commit string
	pull   int
	cures  string // a vulnerability
	part   bool   // it says that it carries a part, or something made after it
}

// The bounds of what a message may claim.
const (
	maxClaims = 20
	claimSpan = 200 // bytes behind the words that may name something
)

var (
	pickWords   = regexp.MustCompile(`(?i)(partial |modified |based on |isn.t a |not a |part of a? ?)?(?:the |automated )*\bcherry[- ]?pick(?:ed)?\s*(?::|\bof\b|\bfrom\b|\bupstream\b|\bhandle\b|https:)`)
	claimedPull = regexp.MustCompile(`(?:#\s?|/pull/)([1-9][0-9]{1,6})\b`)
	claimedOID  = regexp.MustCompile(`\b(?:commit[ /]+)([0-9a-f]{8,40})\b`)
	squashedAs  = regexp.MustCompile(`\(#([1-9][0-9]{1,6})\)$`)
)

// claims finds what a message says that it carries. The commit that a mail begins with is none: any program may have made it.
func claims(subject, body string, upstream git.OID) []claim {
	var found []claim
	add := func(c claim) {
		if len(found) < maxClaims && !slices.ContainsFunc(found, func(o claim) bool { return o.text == c.text }) {
			found = append(found, c)
		}
	}
	if !upstream.IsZero() {
		add(claim{text: upstream.String(), commit: upstream.String()})
	}
	if m := squashedAs.FindStringSubmatch(subject); m != nil {
		add(pullClaim(m[1], false))
	}
	message := subject + "\n" + body
	for _, at := range pickWords.FindAllStringSubmatchIndex(message, maxClaims) {
		before := ""
		if at[2] >= 0 {
			before = strings.ToLower(message[at[2]:at[3]])
		}
		if strings.HasPrefix(before, "isn") || strings.HasPrefix(before, "not ") {
			continue
		}
		rest := message[at[1]:min(len(message), at[1]+claimSpan)]
		rest, _, _ = strings.Cut(rest, "\n\n")
		if next := pickWords.FindStringIndex(rest); next != nil {
			rest = rest[:next[0]]
		}
		for _, m := range claimedOID.FindAllStringSubmatch(rest, maxClaims) {
			add(claim{text: m[1], commit: m[1], part: before != ""})
		}
		for _, m := range claimedPull.FindAllStringSubmatch(rest, maxClaims) {
			add(pullClaim(m[1], before != ""))
		}
	}
	return found
}

func pullClaim(digits string, part bool) claim {
	n, err := strconv.Atoi(digits)
	if err != nil {
		n = 0 // the pattern has bounded it
	}
	return claim{text: "#" + digits, pull: n, part: part}
}

// The shares of a patch's lines that must be in what it says it carries: with fewer it is another change, or one that needs a word.
const (
	otherShare   = 10 // percent
	adaptedShare = 50
	leastLines   = 3 // of a patch that is compared by lines
)

// claimed is a patch that says where it comes from.
type claimed struct {
	file   string
	lines  []string // that use it
	claims []claim
	diff   []byte
}

// origin compares a patch with what it says that it carries.
func (c *collector) origin(ctx context.Context, p claimed) error {
	if c.options.Origins == nil || len(p.claims) == 0 {
		return nil
	}
	var (
		diffs [][]byte
		names []string
		part  bool
	)
	for _, one := range p.claims {
		found, err := c.find(ctx, one)
		if errs.Is(err, errs.NotFound) {
			c.unseenOf("whether patches are what they say they are:", p.file, "the clone lacks a commit or pull request that they name")
			return nil // what is left might be in the one that is not here
		}
		if err != nil {
			return err
		}
		names, part = append(names, one.text), part || one.part
		for _, o := range found {
			diffs = append(diffs, o.Diff)
		}
	}
	c.compare(p, names, diffs, part)
	return nil
}

func (c *collector) find(ctx context.Context, one claim) ([]Origin, error) {
	switch {
	case one.commit != "":
		return c.options.Origins.Commit(ctx, one.commit)
	case one.cures != "":
		return c.options.Origins.Fixes(ctx, one.cures)
	}
	return c.options.Origins.Pull(ctx, one.pull)
}

// compare says whether a patch is the change that it says it is.
func (c *collector) compare(p claimed, names []string, diffs [][]byte, part bool) { //nolint:revive // what a patch says of itself is data
	upstream, touched := map[string]int{}, map[string]bool{}
	for _, diff := range diffs {
		for line, n := range changedLines(diff) {
			upstream[line] += n
			name, _, _ := strings.Cut(line, "\x00")
			touched[name] = true
		}
	}
	total, shared := 0, 0
	for line, n := range changedLines(p.diff) {
		// A staging repository has a part of what a pull request changed: only files that both know can be compared.
		if name, _, _ := strings.Cut(line, "\x00"); c.options.Below != "" && !touched[name] {
			continue
		}
		total += n
		shared += min(n, upstream[line])
	}
	if total < leastLines || len(upstream) == 0 {
		return
	}
	c.report.Compared++
	share := 100 * shared / total
	f := Finding{
		Rule: FalseClaim, Subject: p.file, File: p.file, Lines: p.lines,
		Message: p.file + " claims " + strings.Join(names, ", ") + ", but is not that change: " + itoa(shared) + " of its " + plural(total, "changed line is", "changed lines are") + " in it",
	}
	switch {
	case share < otherShare:
	case share < adaptedShare && !part:
		f.Severity = Note
		f.Message = p.file + " claims " + strings.Join(names, ", ") + ", and differs from it: " + itoa(shared) + " of its " + plural(total, "changed line is", "changed lines are") + " in it"
		f.Hint = "say in the patch how and why it differs"
	default:
		return
	}
	if part && share < otherShare {
		f.Severity = Warning
	}
	c.add(f)
}

// changedLines counts the lines that a diff takes away and adds, as plain patch-ids see them, by the base names of their files. Files that only pin dependencies or are
// copies of them do not count.
func changedLines(diff []byte) map[string]int {
	found := map[string]int{}
	for _, s := range patch.Sections(diff) {
		if !s.Content || equiv.IsDependency(s.Path) {
			continue
		}
		name := path.Base(s.Path)
		inHunk := false
		for line := range strings.Lines(string(s.Text)) {
			switch {
			case strings.HasPrefix(line, "@@"):
				inHunk = true
			case !inHunk || line[0] != '+' && line[0] != '-':
			default:
				if plain := equiv.PlainLine(strings.TrimRight(line[1:], "\r\n"), name); plain != "" {
					found[name+"\x00"+line[:1]+plain]++
				}
			}
		}
	}
	return found
}
