package equiv

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on what is taken from one commit message.
const (
	maxMessage = 256 << 10 // bytes read
	maxClaims  = 64        // numbers or names of one sort
)

var (
	mergeForm     = regexp.MustCompile(`^Merge pull request #([1-9][0-9]{0,8}) from `)
	squashForm    = regexp.MustCompile(`\(#([1-9][0-9]{0,8})\)$`)
	pickForm      = regexp.MustCompile(`(?i)(part(?:ial|ially|s)?\s+(?:of\s+)?)?\b(?:cherry[- ]?pick|back[- ]?port)(?:s|ed|ing)?(?:[- ]of)?(?:\s+(?:pr|pull request))?[ :-]*((?:(?:#|https://github\.com/[\w.-]+/[\w.-]+/pull/)[1-9][0-9]{0,8}\b(?:\s*(?:,|&|and)\s*|[\s-])*)+)`)
	pickBotForm   = regexp.MustCompile(`/cherry-pick-([1-9][0-9]{0,8})-to-`)
	numberForm    = regexp.MustCompile(`(?:#|/([\w.-]+)/pull/)([1-9][0-9]{0,8})`)
	originForm    = regexp.MustCompile(`\(cherry[- ]picked from commit ([0-9a-f]{7,40})\)`)
	kubeForm      = regexp.MustCompile(`(?m)^Kubernetes-commit: ([0-9a-f]{40})\s*$`)
	revertForm    = regexp.MustCompile(`(?i)\bthis reverts (?:commits? )?([0-9a-f]{7,40})\b`)
	revertPull    = regexp.MustCompile(`(?i)^revert(?:s|ing)? (?:(?:pr|pull request) )?#?([1-9][0-9]{2,8})\b`)
	revertOther   = regexp.MustCompile(`(?m)^Reverts (?:[\w.-]+/[\w.-]+)?#([1-9][0-9]{0,8})\s*$`)
	revertTitle   = regexp.MustCompile(`(?i)^(?:\[[^\]]{1,40}\]\s*)*(revert|reapply)[: ]+"(.+?)"?$`)
	subjectPrefix = regexp.MustCompile(`^(?:\[[^\]]{1,40}\]:?\s*|(?i:release-[0-9.]{1,20}):\s*)+`)
)

// Claims are what a commit message says about other commits and pull requests. Anybody can write anything: a claim counts only where
// the commit's paths bear it out.
type Claims struct {
	Merge   bool // "Merge pull request", whatever its parents: publishing flattens some
	Pull    int  // the pull request that it merges, or was squashed from
	Title   string
	Picks   []int    // pull requests that it says it is a cherry-pick of
	Origins []string // commits that it says it was picked from, full or abbreviated
	Reverts []string // commits that it says it reverts, full or abbreviated

	RevertTitle string // the subject of what it says it reverts
	RevertPulls []int  // the pull requests that it says it reverts
}

// ParseClaims reads a message from a repository (owner/name); nil when it claims nothing.
func ParseClaims(message, repository string) *Claims {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	subject := git.Subject(message)
	_, body, _ := strings.Cut(strings.TrimLeft(message, "\n"), "\n\n")
	var c Claims
	// Most messages claim nothing: a look for the word spares the pattern.
	if strings.Contains(message, "(cherry") {
		c.Origins = namesIn(originForm, message)
	}
	if strings.Contains(message, "everts") {
		c.Reverts = namesIn(revertForm, message)
	}
	if m := mergeForm.FindStringSubmatch(subject); m != nil {
		c.Merge, c.Pull = true, number(m[1])
		c.Title, _, _ = strings.Cut(strings.TrimSpace(body), "\n")
		c.Title = strings.Clone(c.Title)
	} else if m := squashForm.FindStringSubmatch(subject); m != nil {
		c.Pull = number(m[1])
	}
	c.Picks = picks(message, path.Base(repository))
	c.RevertTitle = titleReverted(subject)
	for _, form := range []struct {
		form *regexp.Regexp
		text string
	}{{revertPull, subject}, {revertOther, body}} {
		for _, m := range form.form.FindAllStringSubmatch(form.text, maxClaims) {
			c.RevertPulls = append(c.RevertPulls, number(m[1]))
		}
	}
	if m := mergeForm.FindStringSubmatch(c.RevertTitle); m != nil {
		c.RevertPulls = append(c.RevertPulls, number(m[1]))
	}
	if !c.Merge && c.Pull == 0 && len(c.Picks)+len(c.Origins)+len(c.Reverts)+len(c.RevertPulls) == 0 && c.RevertTitle == "" {
		return nil
	}
	return &c
}

// IsRevert reports whether the message says that the commit takes something back.
func (c *Claims) IsRevert() bool {
	return c != nil && (len(c.Reverts) > 0 || len(c.RevertPulls) > 0 || c.RevertTitle != "")
}

// picks finds the pull requests that a message says it carries over. "Cherry-pick part of #1" says that it does not carry all of it. An address must be
// that of a repository of the same name, or of kubernetes, which staging repositories are published from.
func picks(message, name string) []int {
	var found []int
	if !strings.Contains(message, "#") && !strings.Contains(message, "/pull/") && !strings.Contains(message, "/cherry-pick-") {
		return nil
	}
	for _, m := range pickForm.FindAllStringSubmatch(message, maxClaims) {
		if m[1] != "" {
			continue
		}
		for _, n := range numberForm.FindAllStringSubmatch(m[2], maxClaims) {
			if n[1] == "" || strings.EqualFold(n[1], name) || strings.EqualFold(n[1], "kubernetes") {
				found = append(found, number(n[2]))
			}
		}
	}
	if m := pickBotForm.FindStringSubmatch(message); m != nil {
		found = append(found, number(m[1]))
	}
	return found
}

// titleReverted is the subject of the commit that a subject says it takes back: T of `Revert "T"`, `Revert "T"` of `Reapply "T"`.
func titleReverted(subject string) string {
	m := revertTitle.FindStringSubmatch(strings.TrimSpace(squashForm.ReplaceAllString(subject, "")))
	if m == nil {
		return ""
	}
	if strings.EqualFold(m[1], "reapply") {
		return `Revert "` + m[2] + `"`
	}
	// Long subjects are cut off, the closing quotes with the rest: `Revert "Revert "T"`.
	if strings.Count(m[2], `"`)%2 == 1 {
		return m[2] + `"`
	}
	return strings.Clone(m[2])
}

// KubernetesCommit is the commit of kubernetes/kubernetes that a staging repository's commit was published from.
func KubernetesCommit(message string) git.OID {
	all := kubeForm.FindAllStringSubmatch(message[max(0, len(message)-maxMessage):], maxClaims)
	if len(all) == 0 {
		return git.OID{}
	}
	oid, err := git.ParseOID(all[len(all)-1][1])
	if err != nil {
		return git.OID{}
	}
	return oid
}

// PlainSubject is a subject without what release branches put around it: "[release-1.2] " before and " (#123)" behind.
func PlainSubject(subject string) string {
	plain := strings.TrimSpace(subject)
	// Most subjects have neither: a look at the ends spares the patterns.
	if strings.HasSuffix(plain, ")") {
		plain = strings.TrimSpace(squashForm.ReplaceAllString(plain, ""))
	}
	if strings.HasPrefix(plain, "[") || len(plain) > 8 && strings.EqualFold(plain[:8], "release-") {
		if rest := plain[len(subjectPrefix.FindString(plain)):]; rest != "" {
			plain = rest
		}
	}
	return plain
}

func namesIn(form *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range form.FindAllStringSubmatch(text, maxClaims) {
		found = append(found, strings.Clone(m[1]))
	}
	return found
}

// number is for digits that a pattern has bounded.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
