package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Resolve returns the commit that rev names: a branch, a tag, an abbreviated or full object name, or anything else that
// gitrevisions(7) knows. A name that leads nowhere is an error of kind not-found, with the nearest ref as a hint.
func (r *Repo) Resolve(ctx context.Context, rev string) (git.OID, error) {
	oid, err := r.revParse(ctx, rev, git.TypeCommit)
	if err != nil {
		return git.OID{}, err
	}
	return oid, nil
}

// ResolveTree returns the tree that rev names, directly or through a commit or tag.
func (r *Repo) ResolveTree(ctx context.Context, rev string) (git.OID, error) {
	return r.revParse(ctx, rev, git.TypeTree)
}

func (r *Repo) revParse(ctx context.Context, rev string, want git.Type) (git.OID, error) {
	if strings.ContainsRune(rev, 0) {
		return git.OID{}, errs.New(errs.NotFound, "repository %q has no revision %q", r.dir, rev) // no program can be asked
	}
	out, err := r.run.Run(ctx, ownGit(r.view, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{"+string(want)+"}"))
	if err != nil {
		failed, ok := errors.AsType[*command.Error](err)
		if !ok || failed.ExitStatus < 0 {
			return git.OID{}, err
		}
		return git.OID{}, r.unknown(rev, failed)
	}
	return git.ParseOID(strings.TrimSpace(string(out)))
}

// unknown says that rev leads nowhere. A full object name is an object that is absent here.
func (r *Repo) unknown(rev string, cause *command.Error) error {
	if oid, err := git.ParseOID(rev); err == nil {
		return errs.WithHint(errs.New(errs.NotFound, "repository %q: %w", r.dir, &git.AbsentError{OID: oid}),
			"fetch it into the clone, or name a commit that is there")
	}
	err := errs.New(errs.NotFound, "repository %q has no revision %q", r.dir, rev)
	if text := strings.TrimSpace(cause.Stderr); strings.Contains(text, "ambiguous") {
		return errs.WithHint(errs.New(errs.Invalid, "revision %q of repository %q is ambiguous", rev, r.dir), "give more digits of the object name")
	}
	if near := nearestRef(r.refs, rev); near != "" {
		return errs.WithHint(err, "did you mean %s?", near)
	}
	return err
}

// nearestRef is the branch or tag whose short name is spelled most like rev, when at most a third of it differs.
func nearestRef(refs []git.Ref, rev string) string {
	name, edits := errs.Nearest(rev, func(yield func(string) bool) {
		for _, ref := range refs {
			if !strings.HasPrefix(ref.Name, "refs/pull/") && !yield(ref.Short()) {
				return
			}
		}
	})
	if edits > len(rev)/3 {
		return ""
	}
	return name
}

// complete refuses a question about ancestry that a shallow clone would answer wrongly.
func (r *Repo) complete() error {
	if !r.shallow {
		return nil
	}
	return errs.WithHint(errs.New(errs.Unavailable, "repository %q is a shallow clone: its history is cut off", r.dir), "git -C %s fetch --unshallow", r.dir)
}

// IsAncestor reports whether ancestor can be reached from commit; a commit is its own ancestor.
func (r *Repo) IsAncestor(ctx context.Context, ancestor, commit git.OID) (bool, error) {
	if err := r.complete(); err != nil {
		return false, err
	}
	_, err := r.run.Run(ctx, ownGit(r.view, "merge-base", "--is-ancestor", ancestor.String(), commit.String()))
	if failed, ok := errors.AsType[*command.Error](err); ok && failed.ExitStatus == 1 {
		return false, nil
	}
	return err == nil, err
}

// MergeBase returns a best common ancestor of two commits; an error of kind not-found when they have none.
func (r *Repo) MergeBase(ctx context.Context, a, b git.OID) (git.OID, error) {
	if err := r.complete(); err != nil {
		return git.OID{}, err
	}
	out, err := r.run.Run(ctx, ownGit(r.view, "merge-base", a.String(), b.String()))
	if failed, ok := errors.AsType[*command.Error](err); ok && failed.ExitStatus == 1 {
		return git.OID{}, errs.New(errs.NotFound, "%s and %s have no common ancestor", a.Short(), b.Short())
	}
	if err != nil {
		return git.OID{}, err
	}
	return git.ParseOID(strings.TrimSpace(string(out)))
}

// Commits visits every commit that can be reached from include and not from exclude, children before parents (git's
// topological order). The walk stops at the first error that visit returns. The commits are the visitor's to keep.
func (r *Repo) Commits(ctx context.Context, include, exclude []git.OID, visit func(*git.Commit) error) error {
	if err := r.complete(); err != nil {
		return err
	}
	if len(include) == 0 {
		return nil
	}
	cmd := ownGit(r.view, "rev-list", "--topo-order", "--header", "--stdin")
	cmd.Stdin = revisions(include, exclude)
	return r.run.Stream(ctx, cmd, func(stdout io.Reader) error {
		in := bufio.NewReaderSize(stdout, 1<<20)
		for {
			record, err := in.ReadBytes(0)
			if errors.Is(err, io.EOF) && len(record) == 0 {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read git rev-list: %w", err)
			}
			c, err := parseHeaderRecord(record[:len(record)-1])
			if err == nil {
				err = visit(c)
			}
			if err != nil {
				return err
			}
		}
	})
}

// parseHeaderRecord reads what rev-list --header prints of a commit: its name, and its content with the message indented by four spaces.
func parseHeaderRecord(record []byte) (*git.Commit, error) {
	name, content, ok := bytes.Cut(record, []byte("\n"))
	if !ok {
		return nil, errs.New(errs.Unavailable, "git rev-list printed %q", record)
	}
	oid, err := git.ParseOID(string(name))
	if err != nil {
		return nil, err
	}
	c, err := git.ParseCommit(oid, content)
	if err != nil {
		return nil, err
	}
	c.Message = strings.ReplaceAll(strings.TrimPrefix(c.Message, "    "), "\n    ", "\n")
	return c, nil
}

func revisions(include, exclude []git.OID) io.Reader {
	var in bytes.Buffer
	for _, oid := range include {
		in.WriteString(oid.String() + "\n")
	}
	for _, oid := range exclude {
		in.WriteString("^" + oid.String() + "\n")
	}
	return &in
}

// Graph reads the parents of every commit that can be reached from the given ones, or from all refs when none are given.
func (r *Repo) Graph(ctx context.Context, from ...git.OID) (*git.Graph, error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	args := []string{"rev-list", "--topo-order", "--reverse", "--parents"}
	cmd := ownGit(r.view, append(args, "--all")...)
	if len(from) > 0 {
		cmd = ownGit(r.view, append(args, "--stdin")...)
		cmd.Stdin = revisions(from, nil)
	}
	graph := git.NewGraph()
	err := r.run.Stream(ctx, cmd, func(stdout io.Reader) error {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var ids []git.OID
			for field := range strings.FieldsSeq(lines.Text()) {
				oid, err := git.ParseOID(field)
				if err != nil {
					return err
				}
				ids = append(ids, oid)
			}
			graph.Add(ids[0], ids[1:]...)
		}
		return lines.Err()
	})
	if err != nil {
		return nil, err
	}
	return graph, nil
}
