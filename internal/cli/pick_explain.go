package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/explain"
)

// formatHTML is a page that explains a pick.
const formatHTML = "html"

// document makes an explanation of a result.
func (s *picking) document(ctx context.Context, r backport.Request, res backport.Result) (*explain.Document, error) {
	fix, err := s.objects.Commit(ctx, r.Commit)
	if err != nil {
		return nil, err
	}
	return explain.New(ctx, s.store, explain.Input{Result: res, Fix: fix, OntoName: s.onto})
}

// printExplanation prints it for a terminal.
func (s *picking) printExplanation(ctx context.Context, r backport.Request, res backport.Result) error {
	d, err := s.document(ctx, r, res)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintln(s.Stdout); err != nil {
		return err
	}
	return d.WriteText(s.Stdout, explain.Style{Width: s.width(), Colour: s.colour()})
}

// printPage prints it as a page, all of it or nothing.
func (s *picking) printPage(ctx context.Context, r backport.Request, res backport.Result) error {
	d, err := s.document(ctx, r, res)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err = d.WriteHTML(&page); err != nil {
		return err
	}
	_, err = s.Stdout.Write(page.Bytes())
	return err
}
