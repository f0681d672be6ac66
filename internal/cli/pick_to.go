package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// What a pick that is laid out for a person consists of.
const (
	laidState  = ".kubelts-pick.yaml"
	laidReport = "CONFLICTS"
	laidFiles  = "files"
	laidTemp   = ".tmp"
)

// handwork is what is given to a person, and taken back.
type handwork struct {
	to, resume          string
	author, reason      string
	removed, kept, also []string
	memory              memoryFlag
}

func (h *handwork) add(cmd *cobra.Command) {
	h.memory.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&h.to, "to", "", "lay the files of the result out in the new directory `DIR`, for a person to edit")
	flags.StringVar(&h.resume, "continue", "", "take back the files that --to laid out in `DIR`, edited")
	flags.StringVar(&h.author, "author", "", "who resolved it, `NAME <ADDRESS>`, with --continue")
	flags.StringVar(&h.reason, "reason", "", "why it is right, `TEXT`, with --continue")
	flags.StringSliceVar(&h.removed, "remove", nil, "the result shall not have the file `PATH`, with --continue")
	flags.StringSliceVar(&h.kept, "keep", nil, "the conflict's file `PATH` is right as it was laid out, with --continue")
	flags.StringSliceVar(&h.also, "also", nil, "take in `PATH`, a file beside the pick's, with --continue")
}

// check finds faults of the command line.
func (h *handwork) check(p *pick, args []string) error {
	taking := len(h.removed)+len(h.kept)+len(h.also) > 0 || h.author != "" || h.reason != ""
	switch {
	case h.resume != "" && (len(args) > 0 || p.onto != "" || p.stdin || h.to != "" || len(p.instances) > 0 || p.explain || p.format == formatHTML):
		return errs.New(errs.Invalid, "--continue knows commit and target from the directory: it goes with --repo, --store, --write, --memory, --author, --reason, --remove, --keep, --also and -o only")
	case h.resume == "" && taking:
		return errs.New(errs.Invalid, "--author, --reason, --remove, --keep and --also are for --continue")
	case h.to != "" && p.stdin:
		return errs.New(errs.Invalid, "--to is for one pick: --stdin lays nothing out")
	}
	return nil
}

// layOut writes the files of a result into the new directory, the state last: without it the directory is not complete.
func (s *picking) layOut(ctx context.Context, r backport.Request, res backport.Result) (err error) {
	if len(res.Files) == 0 {
		return errs.New(errs.Invalid, "lay out in %q: the commit changes no file", s.to)
	}
	clone, err := filepath.Abs(s.pick.repo)
	if err != nil {
		return err
	}
	files, err := newDirectory(s.to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	fix, err := s.objects.Commit(ctx, r.Commit)
	if err != nil {
		return err
	}
	state := &lts.LaidPick{
		Repository: clone, Commit: r.Commit, Subject: clean(strings.ToValidUTF8(fix.Subject(), "\uFFFD")), Target: s.onto, Onto: r.Onto, Tree: res.Tree,
	}
	if res.Outcome != backport.Conflicted && res.Confidence == backport.Review {
		state.Confidence = lts.ConfidenceReview
	}
	for _, f := range res.Files {
		laid, bad := s.layOutFile(ctx, files, res.Tree, f)
		if bad != nil {
			return fmt.Errorf("lay out %s: %w", f.Path, bad)
		}
		state.Files = append(state.Files, laid)
	}
	if err = files.Write(laidReport, []byte(leftToDo(state, res, s.to))); err != nil {
		return err
	}
	content, err := state.Format()
	if err != nil {
		return err
	}
	if err = files.Write(laidState, content); err != nil {
		return err
	}
	return files.Remove(laidTemp)
}

// newDirectory makes a directory, or takes one that is empty.
func newDirectory(dir string) (*projectFiles, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // it is for people to read
		return nil, errs.New(errs.Unavailable, "lay out in %q: %w", dir, unwrapPath(err))
	}
	files, err := openFiles(dir)
	if err != nil {
		return nil, err
	}
	files.temp = laidTemp
	there, err := fs.ReadDir(files.root.FS(), ".")
	if err == nil && len(there) > 0 {
		err = errs.WithHint(errs.New(errs.Conflict, "lay out in %q: the directory is not empty", dir), "name a new one, or remove it")
	}
	if err != nil {
		return nil, errors.Join(err, files.Close())
	}
	return files, nil
}

// layOutFile writes what the tree has at a file's path. A link is laid out as a file that says where it points, never as a link.
func (s *picking) layOutFile(ctx context.Context, files *projectFiles, tree git.OID, f backport.File) (lts.ConflictFile, error) {
	laid := lts.ConflictFile{Path: f.Path, From: f.From, Rung: f.Rung, Reasons: reasonsOf(f)}
	if len(f.Conflicts) > 0 {
		c := f.Conflicts[0]
		laid.Base, laid.Ours, laid.Theirs = c.Base, c.Ours, c.Theirs
	}
	entry, err := s.engine.Entry(ctx, tree, f.Path)
	if err != nil || !entry.Exists() || entry.Mode.IsTree() {
		return laid, err
	}
	laid.Mode = entry.Mode.String()
	if entry.Mode == git.ModeSubmodule {
		return laid, nil
	}
	content, err := s.store.Blob(ctx, entry.OID)
	if err != nil {
		return laid, err
	}
	laid.Laid = entry.OID
	return laid, files.Write(path.Join(laidFiles, f.Path), content)
}

// reasonsOf are the reasons of a file's conflicts, each once.
func reasonsOf(f backport.File) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range f.Conflicts {
		reason := string(c.Reason)
		if c.Note != "" {
			reason += ": " + c.Note
		}
		if !seen[reason] {
			out = append(out, reason)
		}
		seen[reason] = true
	}
	return out
}

// leftToDo tells a person what is left to do: for each file the reasons, then where the conflicts are.
func leftToDo(state *lts.LaidPick, res backport.Result, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\ncarried over to %s (%s)\n", state.Commit.Short(), state.Subject, clean(state.Target), state.Onto.Short())
	left := 0
	for _, f := range res.Files {
		if len(f.Conflicts) == 0 {
			continue
		}
		left++
		b.WriteByte('\n')
		for _, reason := range reasonsOf(f) {
			fmt.Fprintf(&b, "# %s\n", oneLine(reason))
		}
		fmt.Fprintf(&b, "%s", oneLine(path.Join(laidFiles, f.Path)))
		for _, c := range f.Conflicts {
			if c.Line > 0 {
				fmt.Fprintf(&b, ":%d", c.Line)
				break
			}
		}
		b.WriteByte('\n')
	}
	switch {
	case left == 0 && res.Confidence == backport.Review:
		b.WriteString("\nNo conflict is left, but the result has to be looked at.\n")
	case left == 0:
		b.WriteString("\nNothing is left to do.\n")
	}
	for i, note := range res.Notes {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "note: %s\n", oneLine(note))
	}
	fmt.Fprintf(&b, "\nEdit the files until no marker is left, then:\n\n    %s\n", command.Quote(resumeArgs(dir)))
	b.WriteString("\n--remove PATH leaves a file out, --keep PATH takes one as it was laid out, --also PATH takes in a file beside these.\n")
	return b.String()
}

func resumeArgs(dir string) []string {
	return []string{"kubelts", "pick", "--continue", dir, "--author", "NAME <ADDRESS>"}
}

// oneLine makes text from strangers safe for a line of a file that people read.
func oneLine(s string) string {
	return strings.NewReplacer("\n", "\uFFFD", "\t", " ").Replace(clean(s))
}
