package merge

import "strings"

// text is a version as lines and, for each line, the class of lines that are equal to it.
type text struct {
	lines   []string // with their line ends
	classes []int32
}

// interner gives equal lines the same number, over all texts that it reads.
type interner struct {
	numbers map[string]int32
}

func newInterner() *interner { return &interner{numbers: map[string]int32{}} }

func (in *interner) classes() int { return len(in.numbers) }

func (in *interner) read(content []byte) (text, error) {
	if len(content) > MaxBytes {
		return text{}, &LimitError{What: "bytes", Limit: MaxBytes}
	}
	lines, err := splitLines(string(content))
	if err != nil {
		return text{}, err
	}
	t := text{lines: lines, classes: make([]int32, len(lines))}
	for i, line := range lines {
		n, ok := in.numbers[line]
		if !ok {
			n = int32(len(in.numbers)) //nolint:gosec // at most three times MaxLines
			in.numbers[line] = n
		}
		t.classes[i] = n
	}
	return t, nil
}

// splitLines cuts after each newline. The last line may have none.
func splitLines(s string) ([]string, error) {
	n := strings.Count(s, "\n") + 1
	if n > MaxLines {
		return nil, &LimitError{What: "lines", Limit: MaxLines}
	}
	lines := make([]string, 0, n)
	for s != "" {
		end := strings.IndexByte(s, '\n') + 1
		if end == 0 {
			end = len(s)
		}
		lines = append(lines, s[:end])
		s = s[end:]
	}
	return lines, nil
}
