package foreign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// Piece is a mail of a line, or a gap where one should be.
type Piece struct {
	Step   string // that it belongs to
	Row    int    // of the step
	Fixes  []string
	Origin string  // what the project calls the source: a path or a URL
	SHA256 string  // of the whole source, in hexadecimal digits
	Commit git.OID // that the mail or the URL names; zero when neither does
	Patch  *lts.Patch
	Gap    string // why there is no mail; empty when there is one
}

// Source is where the files of a project's patches are.
type Source struct {
	Files Files  // the project's folder
	Dir   string // below it, where the paths that the project writes begin; empty for the folder itself
	// Kept, when set, is a folder that holds patches under their last names: what somebody fetched from the URLs, or the project's own files. It goes before
	// Files.
	Kept Files
	// History, when set, is upstream's clone: patches of its pull requests and commits that were not kept are made from it.
	History History
	// Upstream is the repository on GitHub that History is a clone of, as owner/name.
	Upstream string
	// Author and Date are of patches that are no mails and do not say themselves.
	Author lts.Person
	Date   time.Time
}

// History is upstream's clone.
type History interface {
	// Pull returns the commits that a pull request brought to the main branch, the oldest first. A pull request of which no merge is there, or more than one,
	// and one that holds merges itself, are errors of kind not-found.
	Pull(ctx context.Context, number int) ([]git.OID, error)
	// Mail returns a commit as git format-patch writes it. A commit that is not there is an error of kind not-found.
	Mail(ctx context.Context, commit git.OID) ([]byte, error)
}

// Pieces reads the sources of a line's steps, in order. What cannot be had is a gap; only the end of ctx is an error.
func (s *Source) Pieces(ctx context.Context, line Line) ([]Piece, error) {
	shared := sharedNames(line)
	var pieces []Piece
	for _, step := range line.Steps {
		blank := Piece{Step: step.Name, Row: step.Row, Fixes: step.Fixes()}
		if step.Gap != "" {
			blank.Gap = step.Gap
			pieces = append(pieces, blank)
		}
		for _, item := range step.Items {
			blank.Origin, blank.Commit = item.Text, item.Commit
			found, err := s.read(ctx, item, blank, shared)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				gap := blank
				gap.Gap = err.Error()
				found = []Piece{gap}
			}
			pieces = append(pieces, found...)
		}
	}
	return pieces, nil
}

// sharedNames are the last names by which a line calls more than one source: a folder of fetched files cannot tell them apart.
func sharedNames(line Line) map[string]bool {
	texts, shared := map[string]string{}, map[string]bool{}
	for _, step := range line.Steps {
		for _, item := range step.Items {
			if other, there := texts[item.Base]; there && other != item.Text {
				shared[item.Base] = true
			}
			texts[item.Base] = item.Text
		}
	}
	return shared
}

func (s *Source) read(ctx context.Context, item Item, blank Piece, shared map[string]bool) ([]Piece, error) {
	content, err := s.content(item, shared)
	if errs.Is(err, errs.NotFound) && s.History != nil && item.Repository != "" && item.Repository == s.Upstream {
		return s.fromHistory(ctx, item, blank)
	}
	if err != nil {
		return nil, err
	}
	return s.fromFile(item, blank, content)
}

// fromHistory makes the patches of a pull request or a commit from upstream's clone.
func (s *Source) fromHistory(ctx context.Context, item Item, blank Piece) ([]Piece, error) {
	commits := []git.OID{item.Commit}
	if item.Kind == KindPull {
		var err error
		if commits, err = s.History.Pull(ctx, item.Pull); err != nil {
			return nil, err
		}
	}
	var pieces []Piece
	for _, commit := range commits {
		mail, err := s.History.Mail(ctx, commit)
		if err != nil {
			return nil, err
		}
		p := blank
		p.Commit, p.SHA256 = commit, digest(mail)
		if p.Patch, err = lts.ParsePatch(item.Base, mail); err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// fromFile cuts a file into patches.
func (s *Source) fromFile(item Item, blank Piece, content []byte) ([]Piece, error) {
	blank.SHA256 = digest(content)
	if head, _, _ := bytes.Cut(content, []byte("\n")); mailStart.Match(head) && bytes.HasSuffix(head, []byte("\r")) {
		content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")) // a mailer's ends of lines: git am takes them away too
	}
	mails, err := SplitMails(content)
	if err != nil {
		return nil, err
	}
	if mails == nil {
		blank.Patch, err = s.plain(item, content)
		return []Piece{blank}, err
	}
	if !item.Commit.IsZero() && (len(mails) != 1 || mailCommit(mails[0]) != item.Commit) {
		return nil, errs.New(errs.Invalid, "the file that was kept is not the patch of commit %s", item.Commit)
	}
	pieces := make([]Piece, 0, len(mails))
	for _, mail := range mails {
		p := blank
		if p.Commit.IsZero() {
			p.Commit = mailCommit(mail)
		}
		if p.Patch, err = lts.ParsePatch(item.Base, mail); err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

// content reads an item's file, from the folder of kept files first.
func (s *Source) content(item Item, shared map[string]bool) ([]byte, error) {
	if s.Kept != nil && !shared[item.Base] && git.ValidPath(item.Base) {
		content, err := s.Kept.Read(item.Base, MaxPatch)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return content, err
		}
	}
	switch {
	case item.Kind == KindCommit:
		return nil, errs.New(errs.NotFound, "it is only on the network: %q is not among the files that were kept, and no clone has it", item.Base)
	case item.Floats():
		return nil, errs.New(errs.NotFound, "it is only on the network, where it can change: %q is not among the files that were kept", item.Base)
	case item.Path == "":
		return nil, errs.New(errs.Denied, "the path leads out of the folder, or is not well formed")
	}
	content, err := s.Files.Read(path.Join(s.Dir, item.Path), MaxPatch)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.New(errs.NotFound, "the file is not there")
	}
	return content, err
}

var mailStart = regexp.MustCompile(`(?m)^From ([0-9a-f]{40}) Mon Sep 17 00:00:00 2001\r?$`)

// SplitMails cuts what git format-patch wrote into mails; nil for what does not begin with one.
func SplitMails(content []byte) ([][]byte, error) {
	starts := mailStart.FindAllIndex(content, maxMails+1)
	if len(starts) == 0 || len(bytes.TrimSpace(content[:starts[0][0]])) > 0 {
		return nil, nil
	}
	if len(starts) > maxMails {
		return nil, errs.New(errs.Invalid, "more than %d mails", maxMails)
	}
	mails := make([][]byte, len(starts))
	for i, at := range starts {
		end := len(content)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		mails[i] = content[at[0]:end]
	}
	return mails, nil
}

// mailCommit is the commit that a mail says it was made from; zero when it does not say.
func mailCommit(mail []byte) git.OID {
	m := mailStart.FindSubmatch(mail)
	if m == nil {
		return git.OID{}
	}
	id, err := git.ParseOID(string(m[1]))
	if err != nil {
		return git.OID{}
	}
	return id
}

// Unfetched returns the URLs of gaps: their files would fill them.
func Unfetched(pieces []Piece) []string {
	var urls []string
	for _, p := range pieces {
		if p.Gap != "" && strings.Contains(p.Origin, "://") && !slices.Contains(urls, p.Origin) {
			urls = append(urls, p.Origin)
		}
	}
	return urls
}
