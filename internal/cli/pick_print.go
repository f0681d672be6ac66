package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// one does a single pick and prints it.
func (s *picking) one(ctx context.Context, commit string) error {
	r, err := s.request(ctx, "", commit, s.onto, s.asOf)
	if err != nil {
		return err
	}
	if r.OntoTree, err = s.upon(ctx, s.ontoTree); err != nil {
		return err
	}
	res := s.carry(ctx, r)
	if res.Outcome == backport.Error {
		return s.failure(res)
	}
	if err = s.keep(ctx, []git.OID{res.Tree}); err != nil {
		return err
	}
	if s.to != "" {
		if err = s.layOut(ctx, r, res); err != nil {
			return err
		}
	}
	switch s.format {
	case formatHTML:
		err = s.printPage(ctx, r, res)
	case "table":
		err = s.printPick(ctx, r, res)
	default:
		err = s.print(s.format, res, grid{})
	}
	if s.to != "" {
		fmt.Fprintf(s.Stderr, "kubelts: hint: edit the files below %s, then: %s\n", clean(s.to), clean(command.Quote(resumeArgs(s.to))))
	}
	if err == nil && res.Outcome == backport.Conflicted {
		return errAct
	}
	return err
}

func (s *picking) failure(res backport.Result) error {
	err := errs.New(res.Error.Kind, "%s", res.Error.Message)
	if res.Error.Kind == errs.Unavailable {
		return errs.WithHint(err, "the clone lacks objects: fetch them, or use a full clone")
	}
	return err
}

// printPick prints a result for people.
func (s *picking) printPick(ctx context.Context, r backport.Request, res backport.Result) error {
	fix, err := s.objects.Commit(ctx, r.Commit)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s\n", res.Outcome, r.Commit.Short(), clean(fix.Subject()))
	fmt.Fprintf(&b, "onto:       %s (%s)\n", clean(s.onto), r.Onto.Short())
	fmt.Fprintf(&b, "rung:       %s\n", res.Rung)
	if res.Source != r.Commit {
		fmt.Fprintf(&b, "source:     %s\n", res.Source)
	}
	fmt.Fprintf(&b, "confidence: %s\n", res.Confidence)
	fmt.Fprintf(&b, "tree:       %s\n", res.Tree)
	for _, n := range res.Notes {
		fmt.Fprintf(&b, "note:       %s\n", clean(n))
	}
	b.WriteByte('\n')
	if _, err = s.Stdout.Write([]byte(b.String())); err != nil {
		return err
	}
	g := grid{header: []string{"file", "from", "rung", "left"}}
	for _, f := range res.Files {
		g.rows = append(g.rows, []string{f.Path, f.From, f.Rung, left(f.Conflicts)})
	}
	if err = s.print("table", nil, g); err != nil {
		return err
	}
	if s.explain { // which names the prerequisites too
		err = s.printExplanation(ctx, r, res)
	} else {
		err = s.printPrerequisites(res)
	}
	if err != nil {
		return err
	}
	return s.printNext(r, res)
}

// left says in short what of a file is left to do.
func left(conflicts []backport.Conflict) string {
	parts := make([]string, 0, len(conflicts))
	for _, c := range conflicts {
		part := string(c.Reason)
		if c.Line > 0 {
			part += " at line " + strconv.Itoa(c.Line)
		}
		if c.Note != "" {
			part += " (" + c.Note + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// printNext says how to look at the change.
func (s *picking) printNext(r backport.Request, res backport.Result) error {
	if res.Outcome == backport.Present || res.Outcome == backport.Empty {
		return nil
	}
	dir := s.pick.store // as it was typed
	switch {
	case s.write:
		dir = s.repo.Dir()
	case dir == "":
		dir = s.store.Dir()
	}
	argv := []string{"git", "-C", dir, "diff", r.Onto.Short(), res.Tree.Short()}
	_, err := fmt.Fprintf(s.Stdout, "\nthe change: %s\n", command.Quote(argv))
	return err
}
