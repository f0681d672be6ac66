package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// maxGrepLine bounds a line that is searched for and one that is found, in bytes.
const maxGrepLine = 4096

// Grep visits the lines of a commit's files that have one of some texts in them, of files with a suffix (".go") only unless it is empty. visit returns
// false to end the search. A file that cannot be read is an error: it may have the text.
func (r *Repo) Grep(ctx context.Context, commit git.OID, texts []string, suffix string, visit func(path, line string) bool) error {
	var in strings.Builder
	for _, text := range texts {
		if text != "" && len(text) <= maxGrepLine && !strings.ContainsAny(text, "\n\x00") {
			in.WriteString(text + "\n")
		}
	}
	if in.Len() == 0 {
		return nil
	}
	cmd := ownGit(r.view, "grep", "-I", "-z", "--full-name", "--no-textconv", "--no-color", "--no-column", "--no-line-number", "-F", "-f", "-",
		commit.String(), "--", ":(top,glob)**/*"+suffix)
	cmd.Stdin = strings.NewReader(in.String())
	err := r.run.Stream(ctx, cmd, func(stdout io.Reader) error { return readHits(stdout, commit.String()+":", visit) })
	failed, ok := errors.AsType[*command.Error](err)
	switch {
	case ok && failed.ExitStatus == 1 && strings.TrimSpace(failed.Stderr) == "":
		return nil // nothing has it
	case err != nil:
		return errs.New(errs.Unavailable, "search commit %s: %w", commit, err)
	}
	return nil
}

// readHits reads what git grep prints of a commit with -z: its name and a path, ended by NUL, and the line.
func readHits(stdout io.Reader, prefix string, visit func(path, line string) bool) error {
	out := bufio.NewReaderSize(stdout, 1<<16)
	for going := true; ; {
		name, err := out.ReadString(0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, err := out.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSuffix(line, "\n")
		// What git still prints after the end of the search is read and let go.
		going = going && visit(strings.TrimPrefix(strings.TrimSuffix(name, "\x00"), prefix), line[:min(len(line), maxGrepLine)])
	}
}
