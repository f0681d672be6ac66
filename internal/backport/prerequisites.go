package backport

import "github.com/kubelts/kubelts/internal/git"

// Prerequisite is a commit of the fix's side that the fix leans on and the target lacks.
type Prerequisite struct {
	Commit  git.OID `json:"commit"`
	Subject string  `json:"subject"`
	// Explains are the conflicts that it introduced the lines of, and the names that it declared, in words.
	Explains []string `json:"explains"`
	Files    []string `json:"files"`
	// Taken says that the result has it: it was picked before the fix.
	Taken bool `json:"taken,omitempty"`
}
