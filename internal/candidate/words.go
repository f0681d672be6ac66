package candidate

import (
	"regexp"
	"slices"
	"strings"
)

// What a change is about, by its words and its code; the worst first.
const (
	SeveritySecurity   = "security"   // a flaw that somebody can use
	SeverityData       = "data"       // data are lost, damaged or shown in two versions
	SeverityCrash      = "crash"      // a process ends, or has no memory left
	SeverityHang       = "hang"       // something waits for ever
	SeverityRace       = "race"       // what goroutines share is not guarded
	SeverityLeak       = "leak"       // memory, goroutines, files or connections are not given back
	SeverityRegression = "regression" // what worked before does not
	SeverityBug        = "bug"        // it says that it repairs something
)

// Severities are all of them, the worst first.
func Severities() []string {
	return []string{SeveritySecurity, SeverityData, SeverityCrash, SeverityHang, SeverityRace, SeverityLeak, SeverityRegression, SeverityBug}
}

// word is something that messages say of faults.
type word struct {
	severity string
	points   int
	form     *regexp.Regexp
}

// Bounds on what is read of a message.
const (
	maxBody  = 4 << 10 // bytes
	maxTitle = 500     // bytes of a subject, and of a pull request's title
	maxQuote = 60      // bytes of a message that a sign quotes
)

func words() []word { return severityWords }

var severityWords = []word{
	{SeveritySecurity, 45, regexp.MustCompile(`(?i)\b(?:CVE-\d{4}-\d{4,7}|GHSA(?:-[0-9a-z]{4}){3})\b`)},
	{SeveritySecurity, 30, regexp.MustCompile(`(?i)\b(?:vulnerab\w+|security (?:issue|fix|hole|flaw|bug|problem)\w*|exploit\w*|privileges? escalat\w+|escalat\w+ (?:of )?privileges?|escalation|path traversal|(?:directory|symlink) traversal|SSRF|denial[- ]of[- ]service|(?:rapid|stream) reset|DoS|code injection|spoof\w*|impersonat\w+ without)\b`)},
	{SeveritySecurity, 24, regexp.MustCompile(`(?i)\b(?:bypass\w*|unauthori[sz]ed|unauthenticated|permission (?:check|denied)\w*|low permission|credential\w* leak\w*|leak\w* (?:of )?(?:credentials?|tokens?|secrets?|passwords?)|(?:log\w*|print\w*|expos\w+|disclos\w+) (?:\w+ ){0,2}(?:credentials?|tokens?|secrets?|passwords?)|revoked|constant[- ]time|brute[- ]?force|sanitiz\w+|security)\b`)},
	{SeverityData, 34, regexp.MustCompile(`(?i)\b(?:data[- ]?loss|los(?:e|es|ing|t) (?:\w+ ){0,2}data|data (?:\w+ ){0,2}(?:corrupt\w*|inconsisten\w*)|corrupt\w*|inconsisten\w* (?:data|state|revision|hash)|(?:data|revision|hash) inconsisten\w*|divergen\w+|split[- ]brain|lost (?:update|write|event|watch)\w*|(?:miss\w*|drop\w*|los\w+) (?:\w+ ){0,2}(?:events?|writes?|updates?|entries))\b`)},
	{SeverityCrash, 28, regexp.MustCompile(`(?i)\b(?:panic\w*|crash\w*|nil[- ]pointers?|nil[- ]deref\w*|invalid memory address|segfault\w*|SIGSEGV|index out of (?:range|bounds)|out of (?:range|bounds)|stack overflow|fatal error|OOM\w*|out[- ]of[- ]memory|memory (?:exhaust\w+|blow\w*))\b`)},
	{SeverityHang, 24, regexp.MustCompile(`(?i)\b(?:dead[- ]?lock\w*|live[- ]?lock\w*|hang|hangs|hanging|hung|stuck|infinite (?:loop|recursion|retr\w+)|block\w* forever|forever|starv\w+|never (?:return|finish|terminat|exit|complet|end)\w*|busy[- ]?loop|hot[- ]?loop\w*|spin\w* cpu)\b`)},
	{SeverityRace, 22, regexp.MustCompile(`(?i)\b(?:(?:data )?races?|race[- ]conditions?|racy|racing|concurrent (?:map|write|read|access|modif)\w*|unsynchroni[sz]ed|not thread[- ]?safe|thread[- ]?saf\w+|cache mutation|mutat\w+ (?:\w+ ){0,3}(?:cache|shared|header)\w*|use after (?:free|close))\b`)},
	{SeverityLeak, 22, regexp.MustCompile(`(?i)\b(?:(?:memory|goroutine|connection|conn|fd|file descriptor|socket|timer|watch\w*|resource)s? leak\w*|leak\w*|unbounded|without (?:a )?(?:limit|bound|timeout)|exhaust\w+)\b`)},
	{SeverityRegression, 16, regexp.MustCompile(`(?i)\b(?:regress\w+|broke(?:n)?|no longer works?|stopped working|backwards? (?:in)?compat\w+)\b`)},
	{SeverityBug, 10, regexp.MustCompile(`(?i)\b(?:fix|fixes|fixed|fixing|bugfix|bug|bugs|wrong|wrongly|incorrect|incorrectly|invalid|spurious|unexpected\w*|prevent|avoid|ensure|properly|correctly|fail\w*|mistake\w*|must not|should not|don't|do not)\b`)},
}

// featureWords are those of changes that add something or tidy up.
var featureWords = regexp.MustCompile(`(?i)^(?:\W*[\w/.-]+:\s*)?(?:add|adding|introduce|support|implement|enable|promote|refactor|clean[- ]?up|cleanup|rename|move|extract|remove unused|simplify|update (?:docs?|comments?)|bump|upgrade|update|generate[d]?|improve|document|log|expose|metrics?|deprecate|automated)\b`)

// noiseWords are those of changes that repair what is not shipped.
var noiseWords = regexp.MustCompile(`(?i:\b(?:flak[ey]\w*|de-?flake|go ?vet|lint|golint|linter|gofmt|goimports|typos?|unit[- ]tests?|integration[- ]tests?|e2e|go test|test (?:failure|case)s?|govulncheck|codespell|spelling|presubmits?|CI)\b|^\W*tests?\b[:,/ ]|\b(?:skip|add|fix|update|run|enable|disable|stabili[sz]e)\b.*\btests?\b)|\bTest[A-Z]\w+`)

// message is what is known of a change in words.
type message struct {
	subject, title string
	body           string // without the subject and without trailers
	spoken         []found
}

// found is a word that stands in a message.
type found struct {
	severity string
	points   int
	quote    string
	where    string // subject, pull request, body
}

// speaks finds the severity words of a message, one for each severity: in the subject and the pull request's title for all they are worth, in the body for half.
func (m *message) speaks() []found {
	var all []found
	for _, w := range words() {
		if slices.ContainsFunc(all, func(f found) bool { return f.severity == w.severity && f.points >= w.points }) {
			continue
		}
		f, ok := m.has(w)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(all, func(o found) bool { return o.severity == f.severity }); i < 0 {
			all = append(all, f)
		} else if all[i].points < f.points {
			all[i] = f
		}
	}
	return all
}

func (m *message) has(w word) (found, bool) {
	for _, place := range []struct{ where, text string }{{"subject", m.subject}, {"pull request", m.title}, {"body", m.body}} {
		quote := w.form.FindString(place.text)
		if quote == "" {
			continue
		}
		points := w.points
		if place.where == "body" {
			points /= 2
		}
		return found{w.severity, points, clip(quote), place.where}, true
	}
	return found{}, false
}

// isFeature reports whether a message speaks of something new or of tidying up, and of no fault.
func (m *message) isFeature() bool {
	text := m.title
	if text == "" {
		text = m.subject
	}
	return featureWords.MatchString(plainTitle(text)) || featureWords.MatchString(plainTitle(m.subject))
}

// isNoise reports whether a subject speaks of tests, checks of the source, or spelling.
func (m *message) isNoise() bool { return noiseWords.MatchString(m.subject) }

var titleHead = regexp.MustCompile(`(?i)^(?:\s*(?:\[[^\]]{1,40}\]|automated cherry[- ]pick of|manual cherry[- ]pick of|cherry[- ]pick(?:ed)?(?: of| from)?|backport(?: of)?|#\d{1,9}|:|,|-|&)\s*)+`)

// plainTitle is a pull request's title without what says that it is a cherry-pick.
func plainTitle(title string) string {
	return strings.TrimSpace(titleHead.ReplaceAllString(cut(title, maxTitle), ""))
}

// cut keeps the beginning of a text.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// readMessage takes a commit's message apart. What programs quote below a rule, and trailers, do not count.
func readMessage(text, title string) message {
	subject, body, _ := strings.Cut(strings.TrimLeft(cut(text, maxBody), "\n"), "\n\n")
	lines := slices.DeleteFunc(strings.Split(body, "\n"), func(l string) bool {
		key, _, ok := strings.Cut(l, ": ")
		return ok && strings.Contains(key, "-") && !strings.Contains(key, " ") || strings.HasPrefix(l, "Kubernetes-commit")
	})
	return message{subject: cut(strings.ReplaceAll(subject, "\n", " "), maxTitle), title: plainTitle(title), body: strings.Join(lines, "\n")}
}

// clip keeps a stranger's text short.
func clip(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxQuote {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuote], "") + "..."
}
