package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
)

const (
	maxPickLine  = 64 << 10 // bytes of a line of a batch
	keepTogether = 256      // results whose trees get their refs in one transaction
)

// pickLine is one pick of a batch.
type pickLine struct {
	ID     string `json:"id"`
	Commit string `json:"commit"`
	Onto   string `json:"onto"`
	AsOf   string `json:"as_of"`
	// OntoTree is the result of an earlier pick, to put this one upon.
	OntoTree string `json:"onto_tree"`
}

// batch does the picks that standard input names, several at a time, and prints the results in order. At most twice as many results as
// there are workers are held.
func (s *picking) batch(ctx context.Context) error {
	boundMemory()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := s.parallel()
	slots := make(chan struct{}, workers)
	queue := make(chan chan backport.Result, workers)
	var readErr error
	go func() {
		defer close(queue)
		readErr = readLines(s.Stdin, func(l rawLine) error {
			done := make(chan backport.Result, 1)
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			go func() {
				defer func() { <-slots }()
				done <- s.line(ctx, l)
			}()
			select {
			case queue <- done:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}()
	counts, err := s.printAll(ctx, queue)
	if err != nil {
		cancel(err)
		for range workers { // those that still work end soon; the reader may wait for input that never comes, and is left
			slots <- struct{}{}
		}
		return err
	}
	if readErr != nil {
		return fmt.Errorf("read picks: %w", readErr)
	}
	return s.summary(counts)
}

// rawLine is a line of input as it came.
type rawLine struct {
	number  int
	text    []byte // without its end
	tooLong bool   // text is only its start
}

// readLines calls each with the lines of r, blank ones left out.
func readLines(r io.Reader, each func(rawLine) error) error {
	in := bufio.NewReaderSize(r, maxPickLine)
	for number := 1; ; number++ {
		text, err := in.ReadSlice('\n')
		l := rawLine{number: number, text: bytes.Clone(bytes.TrimSpace(text)), tooLong: errors.Is(err, bufio.ErrBufferFull)}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if len(l.text) > 0 {
			if err = each(l); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// line does one pick of a batch. Whatever goes wrong is told in its result.
func (s *picking) line(ctx context.Context, raw rawLine) backport.Result {
	var l pickLine
	fail := func(err error) backport.Result {
		res := backport.Failed(backport.Request{ID: l.ID}, err)
		res.Commit, res.Onto = l.Commit, l.Onto
		return res
	}
	if raw.tooLong {
		return fail(errs.New(errs.Invalid, "line %d: more than %d bytes", raw.number, maxPickLine))
	}
	if err := json.Unmarshal(raw.text, &l); err != nil {
		return fail(errs.New(errs.Invalid, "line %d: %w", raw.number, err))
	}
	if l.Commit == "" || l.Onto == "" {
		return fail(errs.New(errs.Invalid, `line %d: it needs "commit" and "onto"`, raw.number))
	}
	asOf := l.AsOf
	if asOf == "" {
		asOf = s.asOf
	}
	r, err := s.request(ctx, l.ID, l.Commit, l.Onto, asOf)
	if err != nil {
		return fail(err)
	}
	if r.OntoTree, err = s.upon(ctx, l.OntoTree); err != nil {
		return fail(err)
	}
	return s.carry(ctx, r)
}

// printAll prints results as they come, and keeps their trees alive.
func (s *picking) printAll(ctx context.Context, queue <-chan chan backport.Result) (map[backport.Outcome]int, error) {
	counts := map[backport.Outcome]int{}
	out := json.NewEncoder(s.Stdout)
	out.SetEscapeHTML(false)
	var trees []git.OID
	for {
		res, ok, err := next(ctx, queue)
		if err != nil {
			// What was printed is somebody's now: its trees are kept, though the batch ends here.
			return counts, errors.Join(err, s.keep(context.WithoutCancel(ctx), trees))
		}
		if !ok {
			return counts, s.keep(ctx, trees)
		}
		if trees = append(trees, res.Tree); len(trees) == keepTogether {
			if err := s.keep(ctx, trees); err != nil {
				return counts, err
			}
			trees = trees[:0]
		}
		if err := out.Encode(res); err != nil {
			return counts, fmt.Errorf("write result: %w", err)
		}
		counts[res.Outcome]++
	}
}

// next waits for the next result; ok is false behind the last one.
func next(ctx context.Context, queue <-chan chan backport.Result) (res backport.Result, ok bool, err error) {
	select {
	case done, ok := <-queue:
		if !ok {
			return res, false, nil
		}
		select {
		case res = <-done:
			return res, true, nil
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return res, false, context.Cause(ctx)
}

// keep gives trees a ref in our own store, so that nothing prunes them. The clone's refs are its owner's.
func (s *picking) keep(ctx context.Context, trees []git.OID) error {
	if s.write {
		return nil
	}
	var updates []gitrepo.RefUpdate
	seen := map[git.OID]bool{}
	for _, t := range trees {
		if !t.IsZero() && !seen[t] {
			seen[t] = true
			updates = append(updates, gitrepo.RefUpdate{Name: "refs/kubelts/picks/" + t.String(), New: t})
		}
	}
	if len(updates) == 0 {
		return nil
	}
	return s.store.UpdateRefs(ctx, updates)
}

// summary says on standard error what became of a batch.
func (s *picking) summary(counts map[backport.Outcome]int) error {
	text, total := "", 0
	for _, o := range []backport.Outcome{backport.Present, backport.Empty, backport.Clean, backport.Resolved, backport.Conflicted, backport.Error} {
		total += counts[o]
		text += fmt.Sprintf(", %d %s", counts[o], o)
	}
	if _, err := fmt.Fprintf(s.Stderr, "%d picks%s\n", total, text); err != nil {
		return err
	}
	if counts[backport.Conflicted]+counts[backport.Error] > 0 {
		return errAct
	}
	return nil
}
