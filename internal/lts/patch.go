package lts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// MaxPatch is the largest patch file that is read, in bytes.
const MaxPatch = 64 << 20

// The trailers by which a patch says where it comes from.
const (
	TrailerUpstream = "Upstream-commit"     // the upstream commit that it carries
	TrailerCVE      = "Fixes-CVE"           // a CVE that it cures, or helps to
	TrailerVuln     = "Fixes-Vulnerability" // the same for names of other kinds, such as GHSA
	TrailerPickedBy = "Picked-by"           // the rung that carried it over, or person
	TrailerResolved = "Resolved-by"         // who resolved its conflict
	TrailerVerified = "Verified"            // what its line's verification covered
	TrailerImported = "Imported-from"       // the source in the project that it was imported from, and the source's sha256
)

// Patch is a mail file as git format-patch writes it.
type Patch struct {
	Name    string // of the file
	Author  Person
	Date    time.Time // of the author, to the second and with the offset that was recorded
	Subject string    // one line
	Body    string    // what follows the subject, trailers included; no newline at the end
	Diff    []byte    // from the first "diff --git" on
}

// Message is the commit message.
func (p *Patch) Message() string {
	if p.Body == "" {
		return p.Subject + "\n"
	}
	return p.Subject + "\n\n" + p.Body + "\n"
}

// Trailers returns the values of all trailers with a key, letter case ignored.
func (p *Patch) Trailers(key string) []string {
	var values []string
	for _, t := range git.Trailers(p.Message()) {
		if strings.EqualFold(t.Key, key) {
			values = append(values, t.Value)
		}
	}
	return values
}

// Upstream is the upstream commit that the patch carries; zero for a patch that does not say.
func (p *Patch) Upstream() git.OID {
	for _, value := range p.Trailers(TrailerUpstream) {
		if id, err := git.ParseOID(value); err == nil {
			return id
		}
	}
	return git.OID{}
}

// Fixes are the vulnerabilities that the patch cures or helps to.
func (p *Patch) Fixes() []string {
	return append(p.Trailers(TrailerCVE), p.Trailers(TrailerVuln)...)
}

// Cure names the patch by what it changes, for a decision that rests on it.
func (p *Patch) Cure() Cure {
	sum := sha256.Sum256(p.Diff)
	return Cure{Name: p.Name, SHA256: hex.EncodeToString(sum[:])}
}

// FixTrailer is the trailer that names a vulnerability.
func FixTrailer(vulnerability string) git.Trailer {
	if strings.HasPrefix(vulnerability, "CVE-") {
		return git.Trailer{Key: TrailerCVE, Value: vulnerability}
	}
	return git.Trailer{Key: TrailerVuln, Value: vulnerability}
}

const mailDate = "Mon, 2 Jan 2006 15:04:05 -0700"

// ParsePatch reads a mail file. The name is the file's.
func ParsePatch(name string, content []byte) (*Patch, error) {
	p := &Patch{Name: name}
	if len(content) > MaxPatch {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, MaxPatch)
	}
	head, rest, ok := bytes.Cut(content, []byte("\n\n"))
	if !ok || !bytes.HasPrefix(head, []byte("From ")) {
		return nil, errs.WithHint(errs.New(errs.Invalid, "%s:1: is no mail file", name), "make it with git format-patch --zero-commit --no-signature --full-index --binary")
	}
	if err := p.headers(string(head)); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	body, diff, ok := splitBody(rest)
	if !ok {
		return nil, errs.New(errs.Invalid, "%s: has no change", name)
	}
	p.Diff = diff
	if p.Body = strings.TrimSpace(string(body)); !utf8.ValidString(p.Body) {
		return nil, errs.New(errs.Invalid, "%s: its message is not UTF-8", name)
	}
	return p, nil
}

// splitBody cuts the message off at the first line that is "---" and the statistics off at the first "diff --git".
func splitBody(rest []byte) (body, diff []byte, ok bool) {
	rest = append([]byte("\n"), rest...)
	at := bytes.Index(rest, []byte("\n---\n"))
	start := bytes.Index(rest, []byte("\ndiff --git "))
	if start < 0 {
		return nil, nil, false
	}
	if at < 0 || at > start {
		at = start
	}
	return rest[:at], rest[start+1:], true
}

var subjectPrefix = regexp.MustCompile(`^\[PATCH[^\]]*\] ?`)

func (p *Patch) headers(head string) error {
	fields := map[string]string{}
	for line := range strings.SplitSeq(strings.ReplaceAll(strings.ReplaceAll(head, "\n ", " "), "\n\t", " "), "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if ok && fields[strings.ToLower(key)] == "" {
			fields[strings.ToLower(key)] = strings.TrimSpace(value)
		}
	}
	var err error
	if p.Author, err = parseFrom(fields["from"]); err != nil {
		return err
	}
	if p.Date, err = time.Parse(mailDate, fields["date"]); err != nil {
		return fmt.Errorf("date %q is not well formed", fields["date"])
	}
	subject, err := decodeWords(fields["subject"])
	if err != nil {
		return err
	}
	p.Subject = strings.TrimSpace(subjectPrefix.ReplaceAllString(subject, ""))
	if p.Subject == "" {
		return fmt.Errorf("has no subject")
	}
	return nil
}

func parseFrom(value string) (Person, error) {
	open := strings.LastIndexByte(value, '<')
	if open < 0 || !strings.HasSuffix(value, ">") {
		return Person{}, fmt.Errorf("from %q names nobody", value)
	}
	name, err := decodeWords(strings.TrimSpace(value[:open]))
	if err != nil {
		return Person{}, err
	}
	if quoted := strings.TrimSuffix(strings.TrimPrefix(name, `"`), `"`); len(quoted) == len(name)-2 {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(quoted)
	}
	person := Person{Name: name, Email: value[open+1 : len(value)-1]}
	if strings.ContainsAny(person.Name+person.Email, "<>\n\x00") || !utf8.ValidString(person.String()) {
		return Person{}, fmt.Errorf("from %q is not well formed", value)
	}
	return person, nil
}

func decodeWords(s string) (string, error) {
	decoded, err := (&mime.WordDecoder{}).DecodeHeader(s)
	if err != nil {
		return "", fmt.Errorf("header %q: %w", s, err)
	}
	if !utf8.ValidString(decoded) || strings.ContainsAny(decoded, "\n\r\x00") {
		return "", fmt.Errorf("header %q: is not one line of UTF-8", s)
	}
	return decoded, nil
}

// WithVerified returns the mail file with its Verified trailer set to value; all else stays byte for byte. A mail without a block
// of trailers gets one.
func WithVerified(content []byte, value string) []byte {
	head, rest, ok := strings.Cut(string(content), "\n\n")
	body, diff, found := strings.Cut("\n"+rest, "\n---\n")
	if !ok || !found {
		return content
	}
	var kept []string
	for line := range strings.SplitSeq(strings.TrimRight(strings.TrimPrefix(body, "\n"), "\n"), "\n") {
		if !strings.HasPrefix(line, TrailerVerified+": ") {
			kept = append(kept, line)
		}
	}
	text := strings.TrimRight(strings.Join(kept, "\n"), "\n")
	separator := "\n"
	switch {
	case text == "":
		separator = ""
	case git.Trailers("subject\n\n"+text) == nil:
		separator = "\n\n"
	}
	return []byte(head + "\n\n" + text + separator + TrailerVerified + ": " + value + "\n---\n" + diff)
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// PatchName is the file name of the n-th patch, counted from 1, with this subject.
func PatchName(n int, subject string) string {
	slug := strings.Trim(notInNames.ReplaceAllString(subject, "-"), "-")
	slug = strings.Trim(slug[:min(len(slug), 52)], "-")
	if slug == "" {
		slug = "patch"
	}
	return fmt.Sprintf("%04d-%s.patch", n, slug)
}

// breaksMail matches the lines of a message at which a reader of mail files would end the message.
var breaksMail = regexp.MustCompile(`(?m)^(---|diff -|Index: |From |@@ |>+From )`)

// ReplantMessage is the message of a commit that carries an upstream commit over: upstream's own, without what would break a mail file
// and without trailers of ours that somebody else wrote, then the trailers given.
func ReplantMessage(upstream string, trailers []git.Trailer) string {
	upstream = strings.ToValidUTF8(strings.ReplaceAll(upstream, "\r", ""), "\uFFFD")
	upstream = strings.ReplaceAll(upstream, "\x00", "")
	subject := strings.TrimSpace(git.Subject(upstream))
	if subject == "" {
		subject = "(no subject)"
	}
	_, body, _ := strings.Cut(strings.TrimLeft(upstream, "\n"), "\n\n")
	body = breaksMail.ReplaceAllString(strings.TrimSpace(dropOurs(body)), " $1")
	separator := "\n"
	switch {
	case body == "":
		separator = ""
	case git.Trailers(subject+"\n\n"+body) == nil:
		separator = "\n\n"
	}
	var own strings.Builder
	for _, t := range trailers {
		fmt.Fprintf(&own, "%s: %s\n", t.Key, t.Value)
	}
	return subject + "\n\n" + body + separator + own.String()
}

func dropOurs(body string) string {
	var kept []string
	for line := range strings.SplitSeq(body, "\n") {
		key, _, _ := strings.Cut(line, ":")
		ours := false
		for _, k := range []string{TrailerUpstream, TrailerCVE, TrailerVuln, TrailerPickedBy, TrailerResolved, TrailerVerified, TrailerImported} {
			ours = ours || strings.EqualFold(strings.TrimSpace(key), k)
		}
		if !ours {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
