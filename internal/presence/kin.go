package presence

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kubelts/kubelts/internal/equiv"
)

// maxWords bounds the names that one hunk keeps.
const maxWords = 40

// wordForm finds names that are put together: SetProcessGID, max_open_files.
var wordForm = regexp.MustCompile(`[\pL_][\pL\d_]{7,}`)

var joinForm = regexp.MustCompile(`\p{Ll}\d*\p{Lu}|[\pL\d]_[\pL\d]`)

// addWords keeps the names that a line uses and that are put together of several words: such a name says what code does, however its lines are written. In Go only
// calls of what a package exports count.
func (h *Hunk) addWords(raw string) {
	code, _, _ := strings.Cut(raw, " //")
	for _, at := range wordForm.FindAllStringIndex(code, -1) {
		word := code[at[0]:at[1]]
		first, _ := utf8.DecodeRuneInString(word)
		if isGo(h.Path) && (!unicode.IsUpper(first) || !strings.HasPrefix(code[at[1]:], "(")) || !joinForm.MatchString(word) {
			continue
		}
		if len(h.Words) < maxWords && !slices.Contains(h.Words, word) {
			h.Words = append(h.Words, word)
		}
	}
}

// namesakes are the functions of a file that have the name of another one, and another receiver.
func (f *File) namesakes(decl string) []string {
	if !strings.HasPrefix(decl, "func ") {
		return nil
	}
	last := func(decl string) string { return decl[strings.LastIndexByte(decl, ' ')+1:] }
	var found []string
	for _, s := range f.spans {
		if strings.HasPrefix(s.decl, "func ") && s.decl != decl && last(s.decl) == last(decl) && !slices.Contains(found, s.decl) {
			found = append(found, s.decl)
		}
	}
	return found
}

// Body are the plain lines of a declaration that say something by themselves, each once; none where there is no such declaration.
func (f *File) Body(decl string) []string {
	if !f.Has(decl) {
		return nil
	}
	body := slices.DeleteFunc(slices.Clone(f.scope(decl)), func(l string) bool { return len(l) < telling })
	slices.Sort(body)
	return slices.Compact(body)
}

// Kin finds the declaration that has most of some lines, and how much of their weight it has, in percent; nothing where no declaration has any. What declares the
// lines (the declaration's first line) need not be the same: a function that became a method is found.
func (f *File) Kin(body []string) (decl string, percent int) {
	total, most := Weigh(body), 0
	if total == 0 {
		return "", 0
	}
	decls := []string{""}
	for _, s := range f.spans {
		decls = append(decls, s.decl)
	}
	slices.Sort(decls)
	for _, d := range slices.Compact(decls) {
		if weight := Weigh(shared(f.scope(d), body)); weight > most {
			decl, most = d, weight
		}
	}
	return decl, most * 100 / total
}

// Shared keeps those of some lines that stand in the file, wherever.
func (f *File) Shared(body []string) []string {
	all := make([]string, len(f.lines))
	for i, line := range f.lines {
		all[i] = equiv.PlainLine(line, f.name)
	}
	return shared(all, body)
}

// shared keeps those of some lines that stand among others.
func shared(lines, body []string) []string {
	have := map[string]bool{}
	for _, l := range lines {
		have[l] = true
	}
	return slices.DeleteFunc(slices.Clone(body), func(l string) bool { return !have[l] })
}

// Weigh is how many bytes some lines have.
func Weigh(lines []string) int {
	n := 0
	for _, l := range lines {
		n += len(l)
	}
	return n
}
