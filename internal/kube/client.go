package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

// Bounds of what is asked and answered.
const (
	maxRequests = 8       // at a time
	maxAnswer   = 4 << 20 // bytes of an answer that is read at once
	maxStatus   = 64 << 10
	maxText     = 500 // characters of a text that a server sent, where nothing says how long it should be
	maxMissed   = 2000
)

// client asks one server. It may be used from many goroutines.
type client struct {
	http *http.Client
	base *url.URL
	log  *requests
	gate chan struct{}
}

// answerError is an answer that is no success.
type answerError struct {
	code    int
	message string
	resume  string // where a list goes on that took so long that the server forgot its state
}

func (e *answerError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("the server answers %d %s", e.code, http.StatusText(e.code))
	}
	return fmt.Sprintf("the server answers %d: %s", e.code, e.message)
}

// question is one request.
type question struct {
	verb   string // get or list: what the server will call it
	path   string
	query  url.Values
	accept string
}

// open sends a question and returns the body of the answer, which the caller closes.
func (c *client) open(ctx context.Context, q question) (io.ReadCloser, error) {
	select {
	case c.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	body, err := c.send(ctx, q)
	if err != nil {
		<-c.gate
		return nil, err
	}
	return &counted{ReadCloser: body, log: c.log, q: q, free: sync.OnceFunc(func() { <-c.gate })}, nil
}

func (c *client) send(ctx context.Context, q question) (io.ReadCloser, error) {
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + q.path
	u.RawQuery = q.query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", cmp.Or(q.accept, "application/json"))
	c.log.note(q, 0, true)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	refused := &answerError{code: response.StatusCode}
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxStatus)) // what came is all there is
	c.log.note(q, int64(len(text)), false)
	var status metav1.Status
	if json.Unmarshal(text, &status) == nil {
		refused.message, refused.resume = bounded(status.Message), status.Continue
	}
	return nil, refused
}

// read returns an answer as a whole, which must be small.
func (c *client) read(ctx context.Context, q question) ([]byte, error) {
	body, err := c.open(ctx, q)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return text, nil
}

// get reads one object, as JSON.
func (c *client) get(ctx context.Context, path string, into any) error {
	text, err := c.read(ctx, question{verb: "get", path: path})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the answer is no such object: %w", err)
	}
	return nil
}

// reason says in words why a question was not answered.
func reason(err error) string {
	var refused *answerError
	var dialed *url.Error
	switch {
	case errors.As(err, &refused) && refused.code == http.StatusForbidden:
		return "no right to: " + cmp.Or(refused.message, "forbidden")
	case errors.As(err, &refused) && refused.code == http.StatusUnauthorized:
		return "the server does not take the credentials"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "it was interrupted"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the answer broke off"
	case errors.As(err, &dialed):
		return bounded(dialed.Err.Error()) // without the address, which the line has
	}
	return bounded(err.Error())
}

// remedy is what to do about an error, if something can be done.
func remedy(err error) string {
	var refused *answerError
	switch {
	case errors.As(err, &refused) && refused.code == http.StatusForbidden:
		return "kubelts check --print-rbac prints the rights that are needed"
	case errors.As(err, &refused) && refused.code == http.StatusUnauthorized:
		return "log in anew, and see that kubectl works with this context"
	case errors.Is(err, context.DeadlineExceeded):
		return "use a longer --timeout"
	}
	return ""
}

// absent says that the server has no such thing, which is an answer.
func absent(err error) bool {
	var refused *answerError
	return errors.As(err, &refused) && refused.code == http.StatusNotFound
}

// bounded cuts a text from a stranger.
func bounded(s string) string {
	runes := []rune(strings.ToValidUTF8(s[:min(len(s), 4*maxText)], "\uFFFD"))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return string(runes)
}

// requests counts what was asked, by verb and path.
type requests struct {
	lock sync.Mutex
	all  map[[2]string]*cluster.Request
}

// note counts bytes of an answer, and the question itself where it is new. A nil log counts nothing.
func (r *requests) note(q question, bytes int64, asked bool) { //nolint:revive // asked says what is noted
	if r == nil {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.all == nil {
		r.all = map[[2]string]*cluster.Request{}
	}
	key := [2]string{q.verb, q.path}
	if r.all[key] == nil {
		r.all[key] = &cluster.Request{Verb: q.verb, Path: q.path}
	}
	r.all[key].Bytes += bytes
	if asked {
		r.all[key].Count++
	}
}

// list returns the counts, by path and verb.
func (r *requests) list() []cluster.Request {
	r.lock.Lock()
	defer r.lock.Unlock()
	out := []cluster.Request{}
	for _, one := range r.all {
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b cluster.Request) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Verb, b.Verb))
	})
	return out
}

// counted is a body whose bytes are counted, and which frees its place when it is closed.
type counted struct {
	io.ReadCloser

	log  *requests
	q    question
	free func()
	n    int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counted) Close() error {
	c.log.note(c.q, c.n, false)
	c.n = 0
	c.free()
	return c.ReadCloser.Close()
}
