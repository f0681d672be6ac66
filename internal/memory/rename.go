package memory

import (
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxRenamed is how many names may differ between a record and the conflict that it answers.
const maxRenamed = 6

// renaming is a one-to-one mapping of identifiers from a record to the file at hand, built up while they are compared.
type renaming struct {
	to, from map[string]string
	words    [][2]string // that differ in comments
}

func newRenaming() *renaming {
	return &renaming{to: map[string]string{}, from: map[string]string{}}
}

func (r *renaming) clone() *renaming {
	return &renaming{to: maps.Clone(r.to), from: maps.Clone(r.from), words: slices.Clone(r.words)}
}

// name reports whether a may be called b.
func (r *renaming) name(a, b string) bool {
	if a != b && (universal(a) || universal(b)) {
		return false
	}
	to, known := r.to[a]
	from, taken := r.from[b]
	if known || taken {
		return known && taken && to == b && from == a
	}
	r.to[a], r.from[b] = b, a
	return true
}

// universal reports whether a name means the same everywhere.
func universal(name string) bool {
	return name == "_" || name == "init" || name == "main" || types.Universe.Lookup(name) != nil
}

// lexemes reports whether a is b but for names.
func (r *renaming) lexemes(a, b []lexeme) bool {
	return slices.EqualFunc(a, b, func(x, y lexeme) bool {
		switch {
		case x.kind != y.kind:
			return false
		case x.kind == token.IDENT:
			return r.name(x.text, y.text)
		case x.kind == token.COMMENT:
			return r.comment(x.text, y.text)
		}
		return x.text == y.text
	})
}

var word = regexp.MustCompile(`[\pL_][\pL\pN_]*`) //nolint:gochecknoglobals // a constant

// comment reports whether a is b but for words, which must turn out to be renamed names.
func (r *renaming) comment(a, b string) bool {
	if a == b {
		return true
	}
	if !slices.Equal(word.Split(a, -1), word.Split(b, -1)) {
		return false
	}
	theirs := word.FindAllString(b, -1)
	for i, w := range word.FindAllString(a, -1) {
		if w != theirs[i] {
			r.words = append(r.words, [2]string{w, theirs[i]})
		}
	}
	return true
}

// renamed are the names that differ, sorted.
func (r *renaming) renamed() []string {
	var out []string
	for a, b := range r.to {
		if a != b {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return out
}

// sound reports whether the renaming is one that people make: few names, most others as they were, and comments that go with the code.
func (r *renaming) sound() bool {
	n := len(r.renamed())
	for _, w := range r.words {
		if r.to[w[0]] != w[1] {
			return false
		}
	}
	return n <= maxRenamed && n <= len(r.to)-n
}

// apply renames what a resolution names. It fails where the resolution uses a name that the file at hand uses for something else.
func (r *renaming) apply(text string) (string, bool) {
	if len(r.renamed()) == 0 {
		return text, true
	}
	lexemes, ok := lex(text)
	if !ok || strings.Contains(text, "\r") { // tokens do not say where a carriage return stood
		return "", false
	}
	var b strings.Builder
	next := 0
	for _, l := range lexemes {
		replacement := l.text
		switch l.kind { //nolint:exhaustive // only names are changed
		case token.IDENT:
			to, known := r.to[l.text]
			from, taken := r.from[l.text]
			switch {
			case known:
				replacement = to
			case taken && from != l.text:
				return "", false
			}
		case token.COMMENT:
			replacement = word.ReplaceAllStringFunc(l.text, r.inComment)
		}
		if replacement == l.text {
			continue
		}
		b.WriteString(text[next:l.offset])
		b.WriteString(replacement)
		next = l.offset + len(l.text)
	}
	b.WriteString(text[next:])
	return b.String(), true
}

// inComment renames a word of a comment if it looks like a name: ordinary words are left alone.
func (r *renaming) inComment(w string) string {
	to, ok := r.to[w]
	if !ok || strings.ToLower(w) == w && !strings.ContainsAny(w, "_0123456789") {
		return w
	}
	return to
}
