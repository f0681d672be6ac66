package git

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
)

// Signature says who did something to a commit, and when, to the second and with the offset that was recorded.
type Signature struct {
	Name, Email string
	When        time.Time
}

// String is the signature as it stands in an object. What would break its line (angle brackets, newlines) is left out, as git does.
func (s Signature) String() string {
	when := s.When
	if when.IsZero() {
		when = time.Unix(0, 0).UTC()
	}
	return fmt.Sprintf("%s <%s> %d %s", uncrud(s.Name), uncrud(s.Email), when.Unix(), when.Format("-0700"))
}

func uncrud(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '<' || r == '>' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, s))
}

// Commit is a commit object. Headers other than these (gpgsig, mergetag, encoding) are not kept: a commit that is written again is unsigned.
type Commit struct {
	OID       OID // its name; zero for one that was not written yet
	Tree      OID
	Parents   []OID
	Author    Signature
	Committer Signature
	Message   string // as recorded, trailing newline included
}

// Subject is the message's first paragraph on one line, as git log --format=%s shows it.
func (c *Commit) Subject() string { return Subject(c.Message) }

// Subject is the first paragraph of a commit message on one line.
func Subject(message string) string {
	paragraph, _, _ := strings.Cut(strings.TrimLeft(message, "\n"), "\n\n")
	return strings.Join(strings.FieldsFunc(paragraph, func(r rune) bool { return r == '\n' }), " ")
}

// ParseCommit reads a commit object's content.
func ParseCommit(id OID, content []byte) (*Commit, error) {
	c := &Commit{OID: id}
	head, message, _ := bytes.Cut(content, []byte("\n\n"))
	c.Message = string(message)
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, _ := strings.Cut(line, " ")
		var err error
		switch key {
		case "tree":
			c.Tree, err = ParseOID(value)
		case "parent":
			var p OID
			p, err = ParseOID(value)
			c.Parents = append(c.Parents, p)
		case "author":
			c.Author = ParseSignature(value)
		case "committer":
			c.Committer = ParseSignature(value)
		}
		if err != nil {
			return nil, fmt.Errorf("commit %s: %s: %w", id, key, err)
		}
	}
	if c.Tree.IsZero() {
		return nil, errs.New(errs.Invalid, "commit %s names no tree", id)
	}
	return c, nil
}

// EncodeCommit writes a commit object's content.
func EncodeCommit(c *Commit) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s", c.Author, c.Committer, c.Message)
	return b.Bytes()
}

// ParseSignature reads "Name <email> seconds offset". History holds malformed ones: what cannot be read is left zero.
func ParseSignature(s string) Signature {
	var sig Signature
	open, shut := strings.IndexByte(s, '<'), strings.LastIndexByte(s, '>')
	if open < 0 || shut < open {
		sig.Name = strings.TrimSpace(s)
		return sig
	}
	sig.Name, sig.Email = strings.TrimSpace(s[:open]), s[open+1:shut]
	fields := strings.Fields(s[shut+1:])
	if len(fields) == 0 {
		return sig
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return sig
	}
	zone := time.UTC
	if len(fields) > 1 {
		zone = parseZone(fields[1])
	}
	sig.When = time.Unix(seconds, 0).In(zone)
	return sig
}

// parseZone reads "+hhmm"; anything else is taken as UTC: history holds offsets that no place ever had.
func parseZone(s string) *time.Location {
	n, err := strconv.Atoi(strings.TrimLeft(s, "+-"))
	if err != nil || len(s) != 5 || s[0] != '+' && s[0] != '-' || n%100 > 59 {
		return time.UTC
	}
	offset := (n/100*60 + n%100) * 60
	if s[0] == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset)
}

// Trailer is one "Key: value" line at the end of a commit message.
type Trailer struct{ Key, Value string }

// Trailers returns the trailers of a message: the lines of its last paragraph when each of them is a trailer, a continuation of one, or a
// "(cherry picked from commit ...)" note. The message's first paragraph is never a block of trailers.
func Trailers(message string) []Trailer {
	message = strings.TrimRight(message, "\n ")
	at := strings.LastIndex(message, "\n\n")
	if at < 0 {
		return nil
	}
	var found []Trailer
	for line := range strings.SplitSeq(message[at+2:], "\n") {
		if strings.HasPrefix(line, "(cherry picked from commit ") {
			continue
		}
		if len(found) > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			found[len(found)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || !isTrailerKey(key) {
			return nil
		}
		found = append(found, Trailer{Key: key, Value: strings.TrimSpace(value)})
	}
	return found
}

func isTrailerKey(key string) bool {
	for _, r := range key {
		if r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return key != ""
}

// TrailerValue returns the value of the last trailer with this key, letter case ignored, or "".
func TrailerValue(message, key string) string {
	value := ""
	for _, t := range Trailers(message) {
		if strings.EqualFold(t.Key, key) {
			value = t.Value
		}
	}
	return value
}
