package gitrepo

import (
	"context"
	"fmt"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// FormatPatch returns a commit with one parent as a mail file that git am takes: no commit name, no version of git, object names in full,
// binary files whole. The same commit always gives the same bytes.
func (s *Store) FormatPatch(ctx context.Context, commit git.OID) ([]byte, error) {
	out, err := s.run.Run(ctx, ownGit(s.gitDir, "-c", "core.quotePath=true", "-c", "core.abbrev=40", "format-patch", "--stdout", "-1", "--zero-commit",
		"--no-signature", "--full-index", "--binary", "--no-attach", "--no-thread", "--no-color", "--no-ext-diff", "--no-textconv", "--no-notes",
		"--encode-email-headers", "--no-numbered", "--stat=80", "-M", "--diff-algorithm=myers", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/",
		"--end-of-options", commit.String()))
	if err != nil {
		return nil, fmt.Errorf("format commit %s as a mail: %w", commit, err)
	}
	if len(out) == 0 {
		return nil, errs.New(errs.Invalid, "format commit %s as a mail: it has no change, or several parents", commit)
	}
	return out, nil
}
