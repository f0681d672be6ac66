package patch

import "bytes"

// Reverse returns the unified diff that takes another one back, in the form in which git prints it: within a run of changed lines those that go stand
// before those that come. Only what [ID] looks at is right in it: the numbers of lines in hunks and the names of blobs are.
func Reverse(diff []byte) []byte {
	out := make([]byte, 0, len(diff))
	var gone, come [][]byte // of the run, in the result
	flush := func() {
		for _, l := range append(gone, come...) {
			out = append(out, l...)
		}
		gone, come = gone[:0], come[:0]
	}
	old, added := 0, 0 // lines that the current hunk still has
	var minus []byte
	for line := range bytes.Lines(diff) {
		switch {
		case (old > 0 || added > 0) && line[0] == '-':
			old--
			come = append(come, flip(line, '+'))
			continue
		case (old > 0 || added > 0) && line[0] == '+':
			added--
			gone = append(gone, flip(line, '-'))
			continue
		case (old > 0 || added > 0) && line[0] == ' ':
			old--
			added--
		case line[0] == '\\':
			continue // does not count for the patch-id
		case bytes.HasPrefix(line, []byte("@@ -")):
			old, added = hunkLengths(line)
			line = reverseHunk(line)
		case bytes.HasPrefix(line, []byte("--- ")):
			minus = line
			continue
		}
		flush()
		out = append(out, header(line, minus)...)
	}
	flush()
	return out
}

// flip is a line with another sign.
func flip(line []byte, sign byte) []byte {
	flipped := append([]byte{sign}, line[1:]...)
	if !bytes.HasSuffix(flipped, []byte("\n")) {
		flipped = append(flipped, '\n')
	}
	return flipped
}

func reverseHunk(line []byte) []byte {
	ranges, rest, _ := bytes.Cut(line[len("@@ -"):], []byte(" @@"))
	before, after, _ := bytes.Cut(ranges, []byte(" +"))
	return bytes.Join([][]byte{[]byte("@@ -"), after, []byte(" +"), before, []byte(" @@"), rest}, nil)
}

// header reverses a line of a file's header; minus is its line "--- ".
func header(line, minus []byte) []byte {
	cut := func(prefix string) ([]byte, bool) { return bytes.CutPrefix(line, []byte(prefix)) }
	if rest, ok := cut("new file mode "); ok {
		return append([]byte("deleted file mode "), rest...)
	}
	if rest, ok := cut("deleted file mode "); ok {
		return append([]byte("new file mode "), rest...)
	}
	if rest, ok := cut("index "); ok {
		names, mode, _ := bytes.Cut(bytes.TrimSuffix(rest, []byte("\n")), []byte(" "))
		before, after, _ := bytes.Cut(names, []byte(".."))
		return bytes.Join([][]byte{[]byte("index "), after, []byte(".."), before, []byte(" "), mode, []byte("\n")}, nil)
	}
	if rest, ok := cut("+++ "); ok {
		return bytes.Join([][]byte{[]byte("--- "), side(rest, "b/", "a/"), []byte("+++ "), side(bytes.TrimPrefix(minus, []byte("--- ")), "a/", "b/")}, nil)
	}
	return line
}

// side is a file's name as it stands on the other side.
func side(name []byte, from, to string) []byte {
	for _, quote := range []string{"", `"`} {
		if rest, ok := bytes.CutPrefix(name, []byte(quote+from)); ok {
			return append([]byte(quote+to), rest...)
		}
	}
	return name
}
