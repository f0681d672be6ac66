package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Change is one path that a commit changed against its first parent.
type Change struct {
	Path             string
	OldMode, NewMode git.Mode
	Old, New         git.OID // zero where the file is not there
}

// end is given to diff-tree behind the commits. It is no commit, so diff-tree prints it as it is: where it comes out, nothing before was cut short.
const end = "kubelts-end\n"

// Changes visits, for each commit in the order given, the paths that it changed against its only parent (all its paths for a root
// commit). Merge commits are visited with no changes. A rename is a file that went and one that came. No blob is read, so absent ones do no harm.
func (r *Repo) Changes(ctx context.Context, commits []git.OID, visit func(commit git.OID, changes []Change) error) error {
	return r.changes(ctx, commits, visit)
}

func (r *Repo) changes(ctx context.Context, commits []git.OID, visit func(commit git.OID, changes []Change) error, options ...string) error {
	cmd := ownGit(r.view, append([]string{"diff-tree", "--stdin", "-r", "-z", "--root", "--raw", "--always", "--no-renames"}, options...)...)
	cmd.Stdin = io.MultiReader(revisions(commits, nil), strings.NewReader(end))
	return r.run.Stream(ctx, cmd, func(stdout io.Reader) error {
		scan := &rawScanner{in: bufio.NewReaderSize(stdout, 1<<20)}
		for i, want := range commits {
			changes, err := scan.next(want)
			if err != nil {
				return fmt.Errorf("read changes of commit %s (%d of %d): %w", want, i+1, len(commits), err)
			}
			if err := visit(want, changes); err != nil {
				return err
			}
		}
		return nil
	})
}

// rawScanner reads diff-tree's output with -z: a commit's name, then ":modes names status" and path for each change, all ended by NUL.
type rawScanner struct {
	in   *bufio.Reader
	held string
}

func (s *rawScanner) token() (string, error) {
	if t := s.held; t != "" {
		s.held = ""
		return t, nil
	}
	t, err := s.in.ReadString(0)
	return strings.TrimSuffix(t, "\x00"), err
}

func (s *rawScanner) next(commit git.OID) ([]Change, error) {
	head, err := s.token()
	if err != nil {
		return nil, fmt.Errorf("git ended early: %w", err)
	}
	if head != commit.String() {
		return nil, errs.New(errs.Unavailable, "git answered %q", head)
	}
	var changes []Change
	for {
		line, err := s.token()
		if errors.Is(err, io.EOF) && line == end {
			return changes, nil
		}
		if err != nil {
			return nil, fmt.Errorf("git ended early: %w", err)
		}
		if !strings.HasPrefix(line, ":") {
			s.held = line
			return changes, nil
		}
		c, err := s.change(line)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
}

func (s *rawScanner) change(line string) (Change, error) {
	fields := strings.Fields(line[1:])
	if len(fields) != 5 {
		return Change{}, errs.New(errs.Unavailable, "git diff-tree printed %q", line)
	}
	var c Change
	var bad [4]error
	c.OldMode, bad[0] = parseMode(fields[0])
	c.NewMode, bad[1] = parseMode(fields[1])
	c.Old, bad[2] = git.ParseOID(fields[2])
	c.New, bad[3] = git.ParseOID(fields[3])
	if err := errors.Join(bad[:]...); err != nil {
		return Change{}, err
	}
	var err error
	if c.Path, err = s.token(); err != nil {
		return Change{}, err
	}
	return c, err
}

func parseMode(s string) (git.Mode, error) {
	m, err := strconv.ParseUint(s, 8, 32)
	return git.Mode(m), err
}

// Patches visits, for each commit in the order given, its change against its only parent as a unified diff with three lines of context
// and no renames, as "git diff-tree -p" prints it; nothing for a merge commit. The diff is the visitor's until it returns. A blob that is absent ends the
// walk with an [*git.AbsentError] or git's own word for it: the commit at which it ended is named.
func (r *Repo) Patches(ctx context.Context, commits []git.OID, visit func(commit git.OID, diff []byte) error) error {
	cmd := ownGit(r.view, "diff-tree", "--stdin", "-r", "--root", "-p", "--always", "--full-index", "--no-renames", "--no-color", "--no-ext-diff",
		"--no-textconv", "--diff-algorithm=myers", "--unified=3", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/")
	cmd.Env = append(cmd.Env, keepsMemory()...)
	cmd.Stdin = io.MultiReader(revisions(commits, nil), strings.NewReader(end))
	return r.run.Stream(ctx, cmd, func(stdout io.Reader) error {
		s := &patchScanner{in: bufio.NewReaderSize(stdout, 256<<10)}
		for i, want := range commits {
			following := end
			if i+1 < len(commits) {
				following = commits[i+1].String() + "\n"
			}
			if err := s.next(want, following); err != nil {
				return fmt.Errorf("read patch of commit %s (%d of %d): %w", want, i+1, len(commits), err)
			}
			if err := visit(want, s.diff); err != nil {
				return err
			}
			if cap(s.diff) > maxKeptPatch {
				s.diff = nil
			}
		}
		return nil
	})
}

// maxKeptPatch is how much room for patches is kept from one to the next, in bytes.
const maxKeptPatch = 8 << 20

// keepsMemory has the GNU C library give no memory back that git takes again for the next patch: without it a fifth of git's time goes there. Others do not
// look at it.
func keepsMemory() []string {
	return []string{"MALLOC_TOP_PAD_=67108864", "MALLOC_TRIM_THRESHOLD_=268435456", "MALLOC_MMAP_THRESHOLD_=67108864"}
}

// patchScanner cuts diff-tree's output at the lines that are a commit's name: in a patch every line starts with a sign or a word.
type patchScanner struct {
	in   *bufio.Reader
	held bool   // the current commit's name was read already
	diff []byte // of the current commit
}

func (s *patchScanner) next(commit git.OID, following string) error {
	if !s.held {
		line, err := s.in.ReadString('\n')
		if err != nil || line != commit.String()+"\n" {
			return errs.New(errs.Unavailable, "git answered %q (%v)", line, err)
		}
	}
	s.diff = s.diff[:0]
	for within := false; ; {
		line, err := s.in.ReadSlice('\n')
		if !within && string(line) == following {
			s.held = true
			return nil
		}
		within = errors.Is(err, bufio.ErrBufferFull) // the line goes on
		if err != nil && !within {
			return errs.New(errs.Unavailable, "git ended there, an object may be absent: %w", err)
		}
		if s.diff = append(s.diff, line...); len(s.diff) > 2*maxObject {
			return errs.New(errs.Invalid, "its patch has more than %d bytes", 2*maxObject)
		}
	}
}
