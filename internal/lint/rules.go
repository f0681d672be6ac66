package lint

import "strconv"

// Rule is a kind of finding.
type Rule struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Why      string `json:"why"` // what goes wrong, a sentence or two
	Do       string `json:"do"`  // what to do, a sentence
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
		{UndefinedPatch, Error, "Patches that nobody defines", "A release names a patch that does not exist. KLTS takes that for no patch, says nothing and goes on: the release lacks what its file promises.", "Define the patch, or take its name out of the release."},
		{MissingFile, Error, "Patch files that are not there", "A patch that is named cannot be applied.", "Bring the file, or take its name out."},
		{BadPatch, Error, "Patch files that cannot be read", "What is no mail of git format-patch, or no diff, is applied by nobody or in part.", "Make it anew with git format-patch --full-index --binary."},
		{BadFile, Error, "Files that cannot be read", "No command can work with them.", "Mend the file where the message says."},
		{BadPath, Error, "Paths that lead out", "A patch outside the repository is not reviewed with it, and not there on the next machine.", "Keep the patch in the repository."},
		{BrokenBase, Error, "Bases that lead nowhere", "A release without an upstream tag at its end cannot be made.", "Name an upstream release at the end of the chain."},
		{BaseMoved, Error, "Bases that moved", "The tag names another commit upstream than the line says: one of the two was tampered with, or wrong.", "Find out which of the two commits upstream released, and by whom the tag was moved, before anything is built."},
		{Duplicate, Error, "Names that stand twice", "Both are applied, or one hides the other.", "Give one of them another name, or take it out."},
		{EmptyPatch, Error, "Patches without a change", "A definition names neither file nor URL: a release that uses it lacks the patch without a word.", "Name a file, or take the definition and its uses out."},
		{UnknownKey, Error, "Keys that nobody reads", "What stands below a misspelt key has no effect.", "Mend the spelling, or take the key out."},
		{FloatingURL, Error, "Patches from addresses that change", "A pull request's patch is what somebody pushed last, fetched without a digest: tomorrow's release is made of other code than today's, and nobody is told.", "Read the patch, keep it in the repository, and name its file."},
		{DoesNotFit, Error, "Patches that do not fit the base", "The lines that a hunk looks for are nowhere in the file as the patches before it leave it. git apply refuses the patch; git am -3 merges what it can guess, where it has the blobs.", "Make the patch anew on this base and the patches before it."},
		{AmbiguousHunk, Error, "Hunks that fit in several places", "The lines that a hunk looks for stand more than once in the file: git am takes a place, not necessarily the right one, and reports success.", "Make the patch anew on this base, with more lines around each change (git format-patch -U10)."},
		{FalseClaim, Error, "Patches that are not what they say", "A patch names a commit or a pull request and changes other lines. Who reviews or triages by the name believes that the fix is there.", "Compare the two, then name what the patch carries, or say that it was made anew."},
		{ToleratedOwn, Error, "Failures tolerated in what a patch changes", "The tests of the very package that a patch changes do not count.", "Name the tests that fail, so that the others count."},
		{Contradicted, Error, "Decisions that the evidence contradicts", "A person decided on other evidence than there is now. What the ledger, the changelog and scanners say of the line rests on it.", "Look again, and decide anew: kubelts line decide."},
		{BaseNotPinned, Error, "Bases without a commit", "A tag can be moved. Without its commit nobody sees that it was.", "Write the commit beside the tag, and compare it before the patches are applied."},
		{MutableBase, Warning, "Bases that are edited in place", "Releases stand on an entry of the same file, which changes under them: a release that is out cannot be made again from today's file.", "Give each state of the base a name of its own, or pin it by a commit."},
		{NoDigest, Warning, "Addresses without a digest", "The address names a commit, but nothing checks what was received.", "Keep the patch in the repository, or write its sha256 beside the address."},
		{MovedHunk, Warning, "Hunks that slide", "The lines that a hunk looks for stand elsewhere than it says: made for another release, it fits this one by luck.", "Make the patch anew on this base."},
		{LittleContext, Warning, "Hunks with little context", "With fewer than three lines around them hunks fit in other places too, and on other minors than they were made for.", "Make the patch anew with three lines around each change, as git does unless it is told otherwise."},
		{ToleratedPackage, Warning, "Packages whose failures are tolerated whole", "A new failure in them is not seen.", "Name the tests that fail."},
		{LeftOut, Warning, "Patches left out by an import", "The project that the line comes from has them.", "Bring the patch, or decide that the line does without it and strike the comment."},
		{OrphanFile, Warning, "Patch files that nobody names", "A fix that was written and is applied nowhere.", "Name it where it belongs, or remove it."},
		{UnusedPatch, Warning, "Patches that no release uses", "A definition that is applied nowhere.", "Use it, or take it out."},
		{NoUpstreamCommit, Warning, "Patches without an origin", "Nothing tells what they carry, so nobody can tell that it is there.", "Write down where it comes from: a commit, a pull request, or that it is your own."},
		{MissingVulnerability, Warning, "Vulnerabilities that nobody speaks of", "The base has a vulnerability, and the line has neither a patch nor a decision for it. Where the clone has the base, triage says so by git's evidence; elsewhere the facts do, whose ranges claim too much for some minors.", "Carry the fix over, or decide on it where people can read it."},
		{MissingNumber, Note, "Numbers that are missing", "A patch was taken out, and nothing says whether on purpose.", "Say why it is gone, or bring it back."},
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
