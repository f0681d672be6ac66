package lts

import (
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Imported returns the patch with a message that ends in these trailers, and without trailers of ours that somebody else wrote. The change stays byte for byte.
func (p *Patch) Imported(trailers []git.Trailer) *Patch {
	message := ReplantMessage(p.Message(), trailers)
	own := *p
	own.Subject, own.Body, _ = strings.Cut(message, "\n")
	own.Subject, own.Body = strings.TrimSpace(own.Subject), strings.TrimSpace(own.Body)
	return &own
}

// Format writes the patch as a mail file that ParsePatch and git am read. What cannot be said in one is an error.
func (p *Patch) Format() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "From %s Mon Sep 17 00:00:00 2001\nFrom: %s <%s>\nDate: %s\nSubject: [PATCH] %s\n", strings.Repeat("0", 40), headerName(p.Author.Name), p.Author.Email,
		p.Date.Format(mailDate), mime.QEncoding.Encode("utf-8", p.Subject))
	if !isASCII(p.Body) {
		b.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n")
	}
	b.WriteByte('\n')
	if p.Body != "" {
		b.WriteString(p.Body + "\n")
	}
	b.WriteString("---\n\n")
	b.Write(p.Diff)
	content := []byte(b.String())
	read, err := ParsePatch(p.Name, content)
	if err != nil {
		return nil, err
	}
	same := read.Author == p.Author && read.Subject == p.Subject && read.Body == p.Body && string(read.Diff) == string(p.Diff) && read.Date.Equal(p.Date)
	if !same {
		return nil, errs.New(errs.Invalid, "%s: author, subject or message cannot be written into a mail file", p.Name)
	}
	return content, nil
}

// headerName is a person's name as a mail's head has it.
func headerName(name string) string {
	switch {
	case !isASCII(name):
		return mime.QEncoding.Encode("utf-8", name)
	case strings.ContainsAny(name, `()<>@,;:\".[]`):
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
