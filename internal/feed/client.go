package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
)

// Client asks sources over HTTP. Its fields must not change while it works, and one goroutine at a time may use it.
type Client struct {
	Now   func() time.Time
	Wait  func(ctx context.Context, d time.Duration) error // sleeps; returns the context's error when that ends first
	Agent string                                           // what we call ourselves
	// Tokens are sent to their own hosts only.
	Tokens []Token
	Each   time.Duration // for one request and its answer
	Stall  time.Duration // for the next byte of an answer
	Tries  int           // how often a request is made before it is given up
	Limit  int64         // bytes of one answer, unpacked; 0: MaxDocument
	// Offline refuses every request.
	Offline bool

	http *http.Client
	last map[string]time.Time // when a host was asked last
}

// Token is a secret that one host wants in a header.
type Token struct {
	Host   string // with the port, where it is not the scheme's
	Header string
	Value  string
}

// Bounds.
const (
	maxRedirects = 5
	maxHeader    = 64 << 10
	maxPages     = 200
	maxAskedWait = 2 * time.Minute // longest wait that a server may ask for
)

// errStalled is the cause where a server sent nothing for too long.
var errStalled = errors.New("the server sent nothing for too long")

// answer is what one request gave.
type answer struct {
	data           []byte
	etag, modified string
	next           string // address of the next page
	unchanged      bool
}

// conditions are what makes a request conditional.
type conditions struct{ etag, modified string }

// CheckURL refuses what is not asked: anything but https, but for plain http to this machine, and addresses with a password.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errs.New(errs.Invalid, "address %q cannot be read", address)
	}
	switch {
	case u.Host == "":
		return errs.New(errs.Invalid, "address %q names no host", u.Redacted())
	case u.User != nil:
		return errs.New(errs.Invalid, "address %q holds a name or password", u.Redacted())
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errs.WithHint(errs.New(errs.Invalid, "address %q is not https", u.Redacted()), "what is fetched in the clear can be forged; fetch it another way and give the file")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// prepare makes the HTTP client.
func (c *Client) prepare() {
	if c.http != nil {
		return
	}
	c.last = map[string]time.Time{}
	transport := &http.Transport{
		DisableKeepAlives: true, // what a server sends unasked over a kept connection would be logged by net/http
		Proxy:             http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: c.Stall}).DialContext, TLSHandshakeTimeout: c.Stall,
		ResponseHeaderTimeout: c.Stall, MaxResponseHeaderBytes: maxHeader, ForceAttemptHTTP2: true,
	}
	c.http = &http.Client{Transport: &tokens{c.Tokens, transport}, CheckRedirect: checkRedirect}
}

// checkRedirect lets a request go on over the same scheme only, and not for ever.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errs.New(errs.Unavailable, "more than %d redirects", maxRedirects)
	}
	if req.URL.Scheme != via[0].URL.Scheme || req.URL.User != nil {
		return errs.New(errs.Denied, "redirect to %q, which is not %s", req.URL.Redacted(), via[0].URL.Scheme)
	}
	if inside(req.URL.Hostname()) && !strings.EqualFold(req.URL.Host, via[0].URL.Host) && !inside(via[0].URL.Hostname()) {
		return errs.New(errs.Denied, "redirect to %q, which is no public address", req.URL.Redacted())
	}
	if err := CheckURL(req.URL.String()); err != nil {
		return fmt.Errorf("redirect: %w", err)
	}
	return nil
}

// inside reports whether a host is named by an address of this machine or of a private network, where a stranger must not send us.
func inside(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host == "localhost" || strings.HasSuffix(host, ".localhost")
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast()
}

// tokens adds a token to requests to its own host. It stands below the client that follows redirects, so that no redirect can take a token along.
type tokens struct {
	tokens []Token
	next   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *tokens) RoundTrip(req *http.Request) (*http.Response, error) {
	for _, token := range t.tokens {
		if token.Value != "" && strings.EqualFold(req.URL.Host, token.Host) && CheckURL(req.URL.String()) == nil {
			req = req.Clone(req.Context())
			req.Header.Set(token.Header, token.Value)
		}
	}
	return t.next.RoundTrip(req)
}

// hasToken reports whether a token would be sent to the address.
func (c *Client) hasToken(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	for _, t := range c.Tokens {
		if t.Value != "" && strings.EqualFold(t.Host, u.Host) {
			return true
		}
	}
	return false
}

// get asks for one address, several times where that may help. Errors are [errs.Unavailable], [errs.Denied] or [errs.NotFound].
func (c *Client) get(ctx context.Context, address string, pace time.Duration, have conditions) (answer, error) {
	if c.Offline {
		return answer{}, errs.New(errs.Denied, "offline: %s is not asked", address)
	}
	if err := CheckURL(address); err != nil {
		return answer{}, err
	}
	c.prepare()
	for try := 1; ; try++ {
		if err := c.pace(ctx, address, pace); err != nil {
			return answer{}, err
		}
		a, retry, err := c.once(ctx, address, have)
		if err == nil || retry < 0 || try >= c.Tries || ctx.Err() != nil {
			if err != nil && try > 1 {
				err = fmt.Errorf("%w (tried %d times)", err, try)
			}
			return a, err
		}
		if err := c.Wait(ctx, max(retry, time.Second<<(try-1))); err != nil {
			return answer{}, err
		}
	}
}

// pace keeps the least time between two requests to a host.
func (c *Client) pace(ctx context.Context, address string, pace time.Duration) error {
	u, err := url.Parse(address)
	if err != nil {
		return errs.New(errs.Invalid, "address %q cannot be read", address)
	}
	now := c.Now()
	if last, ok := c.last[u.Host]; ok && pace > 0 {
		if wait := last.Add(pace).Sub(now); wait > 0 {
			if err := c.Wait(ctx, wait); err != nil {
				return err
			}
			now = now.Add(wait)
		}
	}
	c.last[u.Host] = now
	return nil
}

// never stands for a failure that another try would not mend.
const never = time.Duration(-1)

// once makes one request. The duration is the least time to wait before another, or never.
func (c *Client) once(ctx context.Context, address string, have conditions) (answer, time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithTimeoutCause(ctx, c.Each, errs.New(errs.Unavailable, "no end of the answer after %v", c.Each))
	defer stop()
	watch := time.AfterFunc(c.Stall*2, func() { cancel(errStalled) })
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return answer{}, never, errs.New(errs.Invalid, "address %q cannot be asked", address)
	}
	req.Header.Set("User-Agent", c.Agent)
	req.Header.Set("Accept", "application/json, application/zip, */*;q=0.1")
	if have.etag != "" {
		req.Header.Set("If-None-Match", have.etag)
	}
	if have.modified != "" {
		req.Header.Set("If-Modified-Since", have.modified)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, retryable(err), c.failed(ctx, address, err)
	}
	defer resp.Body.Close()
	wait, err := c.status(resp, have)
	if err != nil {
		return answer{}, wait, fmt.Errorf("%s: %w", address, err)
	}
	a := answer{etag: headerText(resp, "ETag"), modified: headerText(resp, "Last-Modified")}
	if resp.StatusCode == http.StatusNotModified {
		a.unchanged = true
		return a, 0, nil
	}
	a.next = nextPage(resp)
	if a.data, err = c.body(resp, func() { watch.Reset(c.Stall) }); err != nil {
		return answer{}, retryable(err), c.failed(ctx, address, err)
	}
	return a, 0, nil
}

// headerText is a header that may be kept: short, and of visible characters.
func headerText(resp *http.Response, name string) string {
	s := resp.Header.Get(name)
	if len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return s
}

// failed says what went wrong: the cause that we gave, where it was us who gave up.
func (c *Client) failed(ctx context.Context, address string, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled):
		return fmt.Errorf("%s: %w", address, cause)
	case cause != nil:
		err = cause
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address is said here
	}
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.Invalid) {
		return fmt.Errorf("%s: %w", address, err)
	}
	return errs.New(errs.Unavailable, "%s: %w", address, err)
}

// retryable is never for what is refused on our side, and for a host that does not exist.
func retryable(err error) time.Duration {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return never
	}
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.Invalid) {
		return never
	}
	return 0
}

// status judges the answer's status, and when another try makes sense.
func (c *Client) status(resp *http.Response, have conditions) (time.Duration, error) {
	code := resp.StatusCode
	limited := code == http.StatusTooManyRequests || code == http.StatusForbidden && (resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0")
	switch {
	case code == http.StatusOK:
		return 0, nil
	case code == http.StatusNotModified && have != conditions{}:
		return 0, nil
	case limited || code == http.StatusServiceUnavailable:
		wait := c.askedWait(resp)
		if wait > maxAskedWait {
			return never, errs.New(errs.Unavailable, "the server answers %s and asks to come back in %v", statusText(code), wait.Round(time.Second))
		}
		return wait, errs.New(errs.Unavailable, "the server answers %s", statusText(code))
	case code >= 500:
		return 0, errs.New(errs.Unavailable, "the server answers %s", statusText(code))
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return never, errs.New(errs.Denied, "the server answers %s", statusText(code))
	case code == http.StatusNotFound, code == http.StatusGone:
		return never, errs.New(errs.NotFound, "the server answers %s", statusText(code))
	}
	return never, errs.New(errs.Unavailable, "the server answers %s", statusText(code))
}

// statusText leaves out what the server says beside the number.
func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// askedWait is how long the server wants us to stay away.
func (c *Client) askedWait(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(c.Now()))
	}
	if at, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		return max(0, time.Unix(at, 0).Sub(c.Now()))
	}
	return 0
}

// body reads the answer within bounds; moved is called after each piece.
func (c *Client) body(resp *http.Response, moved func()) ([]byte, error) {
	limit := c.Limit
	if limit <= 0 {
		limit = MaxDocument
	}
	if resp.ContentLength > limit {
		return nil, errs.New(errs.Invalid, "the answer would have %d bytes, more than %d", resp.ContentLength, limit)
	}
	data, err := io.ReadAll(io.LimitReader(&watched{resp.Body, moved}, limit+1))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errs.New(errs.Unavailable, "the answer ends after %d bytes, before its end: %w", len(data), err)
	}
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, errs.New(errs.Invalid, "the answer has more than %d bytes", limit)
	}
	return data, nil
}

// watched tells of each piece that comes.
type watched struct {
	io.Reader

	moved func()
}

// Read implements [io.Reader].
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.moved()
	}
	return n, err
}

// nextPage is the address of the next page by the header Link (RFC 8288), of the same host and path only.
func nextPage(resp *http.Response) string {
	for part := range strings.SplitSeq(resp.Header.Get("Link"), ",") {
		target, params, ok := strings.Cut(strings.TrimSpace(part), ">")
		if !ok || !strings.HasPrefix(target, "<") || !strings.Contains(params, `rel="next"`) {
			continue
		}
		u, err := resp.Request.URL.Parse(target[1:])
		if err == nil && u.Scheme == resp.Request.URL.Scheme && u.Host == resp.Request.URL.Host && u.Path == resp.Request.URL.Path && u.User == nil {
			return u.String()
		}
	}
	return ""
}
