package candidate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/presence"
)

// The kinds of signs.
const (
	SignWord       = "word"       // a severity word
	SignCode       = "code"       // what the changed lines do
	SignTaken      = "taken"      // how many newer branches took it
	SignReach      = "reach"      // whether it was taken to the oldest newer branch that was kept then
	SignPlaces     = "places"     // how the places that it touches stand on the line
	SignArea       = "area"       // the part of the program
	SignSize       = "size"       // how much it changes
	SignFeature    = "feature"    // it speaks of something new, or of tidying up
	SignNoise      = "noise"      // it speaks of tests, of checks of the source, or of spelling
	SignNamesake   = "namesake"   // the line has a commit with its subject by its author, in other lines
	SignKnown      = "known"      // it came with a change that a record names
	SignLabel      = "label"      // a label of the pull request, or what it names
	SignClass      = "class"      // it is no cherry-pick
	SignDependency = "dependency" // it touches only what pins dependencies
	SignReverted   = "reverted"   // some newer branch took it back
	SignRevert     = "revert"     // it takes back what the line has
	SignTests      = "tests"      // it brings a test
)

// codeForm is something that changed lines do. Lines are plain ones, without white space: see [equiv.PlainLine].
type codeForm struct {
	name     string
	severity string
	points   int
	note     string
	hints    string // texts, by spaces, of which a line has one: a look for them spares the pattern
	form     *regexp.Regexp
	gone     bool // it counts where it goes, not where it comes
	clear    bool // it says enough to call the change by this severity; other forms stand in much code that is about something else
}

// maxTexts bounds the texts that one sign looks at.
const maxTexts = 4000

func codeForms() []codeForm { return codeSigns }

var codeSigns = []codeForm{
	{"permission", SeveritySecurity, 12, "checks who may do this", "", regexp.MustCompile(`(?i)(?:isadmin|permi(?:t|ssion)|authoriz|unauthori|forbidden|isauthenticated|anonymous|revoked|constanttimecompare)\w*\(`), false, true},
	{"sync", SeverityData, 12, "writes to disk before it goes on", "ync", regexp.MustCompile(`\.Sync\(\)|[Ff]sync\(|[Ff]datasync\(`), false, true},
	{"nil_check", SeverityCrash, 6, "checks for nil", "=nil", regexp.MustCompile(`[\w\])](?:==|!=)nil\b`), false, false},
	{"bounds", SeverityCrash, 8, "checks a length or an index", "len(", regexp.MustCompile(`^(?:\}else)?if.*(?:len\([^)]*\)(?:==|!=|<|>)|(?:==|<|>|<=|>=)len\()`), false, false},
	{"recover", SeverityCrash, 8, "catches a panic", "recover HandleCrash", regexp.MustCompile(`\brecover\(\)|HandleCrash\w*\(`), false, true},
	{"no_panic", SeverityCrash, 10, "ends the process no more", "anic Fatal os.Exit", regexp.MustCompile(`\bpanic\(|\.(?:Fatal|Panic)(?:f|ln)?\(|os\.Exit\(`), true, true},
	{"context", SeverityHang, 6, "stops when it is no longer wanted", "ctx. stopC With cancel() time.After", regexp.MustCompile(`ctx\.Done\(\)|stopC\w*|\.WithTimeout\(|\.WithCancel\(|\.WithDeadline\(|\bcancel\(\)|time\.After\(|WaitWithContext`), false, false},
	{"limit", SeverityLeak, 8, "sets a limit or a timeout", "imit imeout ax ytes", regexp.MustCompile(`LimitReader\(|MaxBytesReader\(|(?i:(?:header|idle|handshake|read|write)timeout)[:=]|(?i:max(?:bytes|size|request|conc|stream))`), false, true},
	{"lock", SeverityRace, 8, "guards with a lock, or holds it otherwise", "ock() sync.", regexp.MustCompile(`\.(?:R?Lock|R?Unlock|TryLock)\(\)|sync\.(?:RW)?Mutex|sync\.Once|sync\.Map`), false, false},
	{"atomic", SeverityRace, 8, "reads or writes in one step", "atomic.", regexp.MustCompile(`\batomic\.`), false, false},
	{"copy", SeverityRace, 5, "works on a copy", "Copy Clone copy(", regexp.MustCompile(`\.DeepCopy\w*\(|\.Clone\(|\bcopy\(|CopyFrom\(|maps\.Clone|slices\.Clone`), false, false},
	{"close", SeverityLeak, 8, "gives something back", "close( Close( Stop( Shutdown( Release( CloseIdleConnections(", regexp.MustCompile(`\.(?:Close|Stop|Shutdown|Release|CloseIdleConnections)\(\)|\bclose\(`), false, false},
	{"refuse", SeverityBug, 5, "refuses what it let through", "return", regexp.MustCompile(`^return.*(?:errors\.New|Errorf\(|status\.Error|\.New(?:Forbidden|BadRequest|Unauthorized|Invalid)|field\.(?:Invalid|Forbidden|Required)|\bErr[A-Z]\w*)`), false, false},
}

// codeSign is what the lines of a change do, with the file where that was first seen.
type codeSign struct {
	codeForm

	path, decl string
}

// readCode finds what the lines of a change do: what comes and did not stand there before, or the other way round. Where as many come as go, it counts
// for locks only, for these may be held elsewhere.
func readCode(hunks []presence.Hunk) []codeSign {
	var all []codeSign
	add := func(f codeForm, h *presence.Hunk) {
		if !slices.ContainsFunc(all, func(s codeSign) bool { return s.name == f.name }) {
			all = append(all, codeSign{f, h.Path, h.Decl})
		}
	}
	hunks = hunks[:min(len(hunks), maxTexts)]
	for _, f := range codeForms() {
		balance := 0
		var first *presence.Hunk
		for i := range hunks {
			come, gone := f.matching(hunks[i].Come), f.matching(hunks[i].Gone)
			if f.gone {
				come, gone = gone, come
			}
			balance += len(come) - len(gone)
			moved := f.name == "lock" && len(come) > 0 && !slices.Equal(come, gone)
			if first == nil && (len(come) > len(gone) || moved) {
				first = &hunks[i]
			}
		}
		if first != nil && (balance > 0 || f.name == "lock") {
			add(f, first)
		}
	}
	if h := unignored(hunks); h != nil {
		add(codeForm{name: "error", severity: SeverityBug, points: 8, note: "ignores an error no more"}, h)
	}
	return all
}

func (f *codeForm) matching(lines []string) []string {
	var found []string
	for _, l := range lines {
		if f.name == "nil_check" {
			l = errNil.ReplaceAllString(l, "")
		}
		if f.hinted(l) && f.form.MatchString(l) {
			found = append(found, l)
		}
	}
	return found
}

func (f *codeForm) hinted(line string) bool {
	if f.hints == "" {
		return true
	}
	for hint := range strings.SplitSeq(f.hints, " ") {
		if strings.Contains(line, hint) {
			return true
		}
	}
	return false
}

// errNil asks whether there was an error: that is no check for what may be missing.
var errNil = regexp.MustCompile(`[eE]rr(?:or)?(?:==|!=)nil`)

var (
	ignoredForm = regexp.MustCompile(`(?:^|,)_:?=([\w.]+\()`)
	bareForm    = regexp.MustCompile(`^(?:defer)?([\w.]+\().*\)$`)
)

// unignored is the first hunk in which a call whose error was thrown away gives one that is looked at.
func unignored(hunks []presence.Hunk) *presence.Hunk {
	for i := range hunks {
		h := &hunks[i]
		for _, l := range h.Gone {
			m := ignoredForm.FindStringSubmatch(l)
			if m == nil {
				m = bareForm.FindStringSubmatch(l)
			}
			if m == nil {
				continue
			}
			if slices.ContainsFunc(h.Come, func(c string) bool {
				before, _, ok := strings.Cut(c, m[1])
				return ok && strings.HasSuffix(strings.TrimRight(before, ":="), "err") && !strings.Contains(l, "err")
			}) {
				return h
			}
		}
	}
	return nil
}

// area is a part of the program in which faults weigh more.
type area struct {
	points int
	note   string
	form   *regexp.Regexp
}

func areas() []area { return codeAreas }

var codeAreas = []area{
	{8, "who may do what: authentication, authorization, certificates, encryption", regexp.MustCompile(`(?i)(?:^|/)[\w-]*(?:auth(?:n|z|entic\w*|oriz\w*)?|rbac|tls\w*|cert\w*|x509|encrypt\w*|token\w*|admission|oidc|webhook|secret\w*|impersonat\w*|audit)(?:/|\.go$|_)`)},
	{6, "what is stored", regexp.MustCompile(`(?i)(?:^|/)[\w-]*(?:storage|etcd3|mvcc|backend|wal|snap|lease|raft\w*|cacher|watch_?cache|kvstore|store)(?:/|\.go$|_)`)},
}
