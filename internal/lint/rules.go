package lint

import "strconv"

// Rule is a kind of finding.
type Rule struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Why      string `json:"why"` // what goes wrong, a sentence or two
}

// The rules.
const (
	UndefinedPatch       = "undefined-patch"
	MissingFile          = "missing-file"
	BadPatch             = "bad-patch"
	BadFile              = "bad-file"
	BadPath              = "bad-path"
	BrokenBase           = "broken-base"
	BaseMoved            = "base-moved"
	Duplicate            = "duplicate-name"
	EmptyPatch           = "empty-patch"
	UnknownKey           = "unknown-key"
	FloatingURL          = "floating-url"
	DoesNotFit           = "does-not-fit"
	AmbiguousHunk        = "ambiguous-hunk"
	FalseClaim           = "false-claim"
	ToleratedOwn         = "tolerated-own-patch"
	Contradicted         = "contradicted-decision"
	BaseNotPinned        = "base-not-pinned"
	MutableBase          = "mutable-base"
	NoDigest             = "url-without-digest"
	MovedHunk            = "moved-hunk"
	MissingNumber        = "missing-number"
	LittleContext        = "little-context"
	ToleratedPackage     = "tolerated-package"
	LeftOut              = "left-out"
	OrphanFile           = "orphan-file"
	UnusedPatch          = "unused-patch"
	NoUpstreamCommit     = "no-upstream-commit"
	MissingVulnerability = "missing-vulnerability"
)

// rules are all of them, in the order of reports.
func rules() []Rule {
	return []Rule{
		{UndefinedPatch, Error, "Patches that nobody defines", "A release names a patch that does not exist. KLTS takes that for no patch, says nothing and goes on: the release lacks what its file promises."},
		{MissingFile, Error, "Patch files that are not there", "A patch that is named cannot be applied."},
		{BadPatch, Error, "Patch files that cannot be read", "What is no mail of git format-patch, or no diff, is applied by nobody or in part."},
		{BadFile, Error, "Files that cannot be read", "No command can work with them."},
		{BadPath, Error, "Paths that lead out", "A patch outside the repository is not reviewed with it, and not there on the next machine."},
		{BrokenBase, Error, "Bases that lead nowhere", "A release without an upstream tag at its end cannot be made."},
		{BaseMoved, Error, "Bases that moved", "The tag names another commit upstream than the line says: one of the two was tampered with, or wrong."},
		{Duplicate, Error, "Names that stand twice", "Both are applied, or one hides the other."},
		{EmptyPatch, Error, "Patches without a change", "A definition names neither file nor URL: a release that uses it lacks the patch without a word."},
		{UnknownKey, Error, "Keys that nobody reads", "What stands below a misspelt key has no effect."},
		{FloatingURL, Error, "Patches from addresses that change", "A pull request's patch is what somebody pushed last, fetched without a digest: tomorrow's release is made of other code than today's, and nobody is told."},
		{DoesNotFit, Error, "Patches that do not fit the base", "The lines that a hunk looks for are nowhere in the file as the patches before it leave it. git apply refuses the patch; git am -3 merges what it can guess, where it has the blobs."},
		{AmbiguousHunk, Error, "Hunks that fit in several places", "The lines that a hunk looks for stand more than once in the file: git am takes a place, not necessarily the right one, and reports success."},
		{FalseClaim, Error, "Patches that are not what they say", "A patch names a commit or a pull request and changes other lines. Who reviews or triages by the name believes that the fix is there."},
		{ToleratedOwn, Error, "Failures tolerated in what a patch changes", "The tests of the very package that a patch changes do not count."},
		{Contradicted, Error, "Decisions that the evidence contradicts", "A person decided on other evidence than there is now. What the ledger, the changelog and scanners say of the line rests on it."},
		{BaseNotPinned, Error, "Bases without a commit", "A tag can be moved. Without its commit nobody sees that it was."},
		{MutableBase, Warning, "Bases that are edited in place", "Releases stand on an entry of the same file, which changes under them: a release that is out cannot be made again from today's file."},
		{NoDigest, Warning, "Addresses without a digest", "The address names a commit, but nothing checks what was received."},
		{MovedHunk, Warning, "Hunks that slide", "The lines that a hunk looks for stand elsewhere than it says: made for another release, it fits this one by luck."},
		{LittleContext, Warning, "Hunks with little context", "With fewer than three lines around them hunks fit in other places too, and on other minors than they were made for."},
		{ToleratedPackage, Warning, "Packages whose failures are tolerated whole", "A new failure in them is not seen."},
		{LeftOut, Warning, "Patches left out by an import", "The project that the line comes from has them."},
		{OrphanFile, Warning, "Patch files that nobody names", "A fix that was written and is applied nowhere."},
		{UnusedPatch, Warning, "Patches that no release uses", "A definition that is applied nowhere."},
		{NoUpstreamCommit, Warning, "Patches without an origin", "Nothing tells what they carry, so nobody can tell that it is there."},
		{MissingVulnerability, Warning, "Vulnerabilities that nobody speaks of", "The base has a vulnerability, and the line has neither a patch nor a decision for it. Where the clone has the base, triage says so by git's evidence; elsewhere the facts do, whose ranges claim too much for some minors."},
		{MissingNumber, Note, "Numbers that are missing", "A patch was taken out, and nothing says whether on purpose."},
	}
}

func ruleOf(id string) Rule {
	for _, r := range rules() {
		if r.ID == id {
			return r
		}
	}
	return Rule{ID: id, Severity: Error}
}

func itoa(n int) string { return strconv.Itoa(n) }

// plural is a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}
