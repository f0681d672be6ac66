package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
)

// Previous is what is kept of an earlier reading, to ask for changes only.
type Previous struct{ From, ETag, Modified string }

// Fetch reads a source over HTTP: from its own address, or from another that a person named. Sources with several pages are read whole or not at
// all. A source that yields nothing is [errs.Invalid]; see [Client] for the rest.
func (c *Client) Fetch(ctx context.Context, s Source, address string, have Previous, known map[string]bool) (Reading, error) {
	if address == "" {
		address = s.URL
	}
	if address == "" {
		return Reading{}, errs.WithHint(errs.New(errs.Invalid, "source %s has no address", s.Name), "give a file or folder: --from-file %s=PATH", s.Name)
	}
	out := Reading{From: address}
	var err error
	switch {
	case strings.Contains(address, "{cve}"):
		err = c.each(ctx, s, &out, known)
	case s.Format == FormatNVD:
		err = c.numbered(ctx, s, &out, known)
	case s.Format == FormatAdvisories, s.Format == FormatPullRequests:
		err = c.linked(ctx, s, &out, known)
	default:
		err = c.single(ctx, s, &out, have, known)
	}
	if err == nil && !out.Unchanged {
		err = out.check()
	}
	if err != nil {
		return Reading{}, fmt.Errorf("source %s: %w", s.Name, err)
	}
	return out, nil
}

// pace is the least time between two requests to a source's host.
func (c *Client) paceOf(s Source, address string) time.Duration {
	if c.hasToken(address) && s.PaceWithToken > 0 {
		return s.PaceWithToken
	}
	return s.Pace
}

func (c *Client) single(ctx context.Context, s Source, out *Reading, have Previous, known map[string]bool) error {
	var ask conditions
	if have.From == out.From {
		ask = conditions{have.ETag, have.Modified}
	}
	a, err := c.get(ctx, out.From, c.paceOf(s, out.From), ask)
	if err != nil {
		return err
	}
	out.ETag, out.Modified, out.Fetched = a.etag, a.modified, c.Now().UTC()
	if a.unchanged {
		out.Unchanged = true
		out.ETag, out.Modified = have.ETag, have.Modified
		return nil
	}
	return out.parse(ctx, s, Document{URL: out.From, Fetched: out.Fetched, Data: a.data}, known)
}

// pages collects the digests of several answers.
type pages struct {
	sums  []string
	count int
}

func (p *pages) add(ctx context.Context, s Source, out *Reading, d Document, known map[string]bool) error {
	if p.count++; p.count > maxPages {
		return errs.New(errs.Unavailable, "more than %d pages", maxPages)
	}
	if err := out.parse(ctx, s, d, known); err != nil {
		return err
	}
	if err := out.fits(); err != nil {
		return err
	}
	p.sums = append(p.sums, out.Digest)
	sum := sha256.Sum256([]byte(strings.Join(p.sums, "\n")))
	out.Digest = "sha256:" + hex.EncodeToString(sum[:])
	return nil
}

// linked follows the header Link. GitHub shows a thousand pull requests of a search and no more: that there are others is noted.
func (c *Client) linked(ctx context.Context, s Source, out *Reading, known map[string]bool) error {
	var p pages
	var last []byte
	for address := out.From; address != ""; {
		a, err := c.get(ctx, address, c.paceOf(s, address), conditions{})
		if err != nil {
			return err
		}
		if err = p.add(ctx, s, out, Document{URL: address, Fetched: c.Now().UTC(), Data: a.data}, known); err != nil {
			return err
		}
		address, last = a.next, a.data
	}
	if s.Format != FormatPullRequests {
		return nil
	}
	var page pullRequestPage
	if err := decode(last, &page); err != nil {
		return err
	}
	if read := len(out.PullRequests) + len(out.Refused) + out.Skipped; page.Total != nil && read < *page.Total {
		out.refuse(out.From, errs.New(errs.Unavailable, "the search found %d and shows %d", *page.Total, read))
	}
	return nil
}

// numbered asks the NVD page by page, by the number of the first entry.
func (c *Client) numbered(ctx context.Context, s Source, out *Reading, known map[string]bool) error {
	var p pages
	for start := 0; ; {
		address, err := withQuery(out.From, "startIndex", strconv.Itoa(start))
		if err != nil {
			return err
		}
		a, err := c.get(ctx, address, c.paceOf(s, address), conditions{})
		if err != nil {
			return err
		}
		if err = p.add(ctx, s, out, Document{URL: address, Fetched: c.Now().UTC(), Data: a.data}, known); err != nil {
			return err
		}
		var page nvdPage
		if err = decode(a.data, &page); err != nil {
			return err
		}
		if page.Start != start {
			return errs.New(errs.Invalid, "%s: asked for the page from %d on, got that from %d on", address, start, page.Start)
		}
		start += len(page.Vulnerabilities)
		if start >= page.Total {
			return nil
		}
		if len(page.Vulnerabilities) == 0 {
			return errs.New(errs.Invalid, "%s: an empty page, with %d of %d entries read", address, start, page.Total)
		}
	}
}

func withQuery(address, key, value string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errs.New(errs.Invalid, "address %q cannot be read", address)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += url.QueryEscape(key) + "=" + url.QueryEscape(value)
	return u.String(), nil
}

// each asks for one record after the other: for those whose CVE names are known. One that is not there is refused.
func (c *Client) each(ctx context.Context, s Source, out *Reading, known map[string]bool) error {
	var names []string
	for name := range known {
		if cveName.FindString(name) == name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	p := pages{count: -len(names)} // as many as there are names
	for _, name := range names {
		address := strings.ReplaceAll(out.From, "{cve}", url.PathEscape(name))
		a, err := c.get(ctx, address, c.paceOf(s, address), conditions{})
		if errs.Is(err, errs.NotFound) {
			out.refuse(address, err)
			continue
		}
		if err != nil {
			return err
		}
		if err = p.add(ctx, s, out, Document{URL: address, Fetched: c.Now().UTC(), Data: a.data}, known); err != nil {
			out.refuse(address, err)
		}
	}
	return nil
}
