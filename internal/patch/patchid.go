package patch

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git's patch-ids are SHA-1
	"hash"
	"slices"
	"strconv"

	"github.com/kubelts/kubelts/internal/git"
)

// ID returns the patch-id of a unified diff in git's form, as "git patch-id --stable" (git 2.39 and newer) computes it: a name for the change
// that does not depend on line numbers, on white space, on the order of the files or on what stands around the diff. Two commits
// with the same one make the same change to the same paths. It is zero for a text that holds no diff. For binary files the names of the blobs
// decide, as the index line gives them: compare only diffs made with --full-index.
//
// The text is read up to its end: it is one commit's, with or without its message before the first line that starts with "diff ".
func ID(diff []byte) git.OID { return newIDSum().of(diff) }

func newIDSum() *idSum {
	return &idSum{file: sha1.New(), buffer: make([]byte, 0, 2*hashAtOnce)} //nolint:gosec // see above
}

// of is the patch-id of a diff. It may be asked again.
func (s *idSum) of(diff []byte) git.OID {
	s.state, s.old, s.new, s.indexes, s.total = beforeDiff, 0, 0, [2][]byte{}, git.OID{}
	for len(diff) > 0 {
		line := diff
		if end := bytes.IndexByte(diff, '\n'); end >= 0 {
			line = diff[:end]
		}
		diff = diff[min(len(line)+1, len(diff)):]
		if !s.line(line) {
			break
		}
	}
	if s.state != beforeDiff {
		s.endFile()
	}
	return s.total
}

// idState is where in a file's part of a diff a line stands.
type idState int

const (
	beforeDiff   idState = iota // nothing of a diff seen yet
	inHeader                    // from "diff " to "+++ "
	inHunks                     // between and in hunks
	behindBinary                // in what stands for a binary file's content
)

// hashAtOnce is how many bytes are collected before they are hashed.
const hashAtOnce = 2 << 10

// idSum adds up the hashes of the files' parts, so that their order does not matter.
type idSum struct {
	state    idState
	old, new int // lines that the current hunk still has on each side
	indexes  [2][]byte
	file     hash.Hash
	total    git.OID
	buffer   []byte
}

// line takes in one line and reports whether the diff may go on after it.
func (s *idSum) line(line []byte) bool {
	starts := func(prefix string) bool { return bytes.HasPrefix(line, []byte(prefix)) }
	switch {
	case s.state == inHunks && (s.old > 0 || s.new > 0):
		return s.hunkLine(line)
	case starts("\\ ") && len(line) > 11:
		return true // "\ No newline at end of file", in any language
	case starts("diff "):
		s.nextFile(line)
		return true
	case s.state == beforeDiff, s.state == behindBinary:
		return true
	case s.state == inHeader:
		return s.headerLine(line)
	case starts("@@ -"):
		s.old, s.new = hunkLengths(line)
		return true
	}
	return false
}

// nextFile begins a file's part. The line itself does not count behind a binary file: so git has it, and to agree with git is the point.
func (s *idSum) nextFile(line []byte) {
	if s.state == inHunks {
		s.endFile()
	}
	if s.state != behindBinary {
		s.feed(line)
	}
	s.state, s.old, s.new, s.indexes = inHeader, 0, 0, [2][]byte{}
}

func (s *idSum) hunkLine(line []byte) bool {
	if bytes.HasPrefix(line, []byte("\\ ")) && len(line) > 11 {
		return true
	}
	if len(line) > 0 {
		switch line[0] {
		case '-':
			s.old--
		case '+':
			s.new--
		case ' ':
			s.old--
			s.new--
		}
	}
	s.feed(line)
	return true
}

func (s *idSum) headerLine(line []byte) bool {
	starts := func(prefix string) bool { return bytes.HasPrefix(line, []byte(prefix)) }
	switch {
	case starts("index "):
		names, _, _ := bytes.Cut(line[len("index "):], []byte(" "))
		s.indexes[0], s.indexes[1], _ = bytes.Cut(names, []byte(".."))
	case starts("GIT binary patch"), starts("Binary files"):
		s.feed(s.indexes[0])
		s.feed(s.indexes[1])
		s.endFile()
		s.state = behindBinary
	case starts("--- "):
		s.feed(line)
	case starts("+++ "):
		s.feed(line)
		s.state = inHunks
	case len(line) == 0 || !isLetter(line[0]):
		return false
	default:
		s.feed(line)
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// feed hashes what is not white space, much at once.
func (s *idSum) feed(line []byte) {
	if s.buffer = AppendDense(s.buffer, line); len(s.buffer) >= hashAtOnce {
		s.flush()
	}
}

func (s *idSum) flush() {
	s.file.Write(s.buffer)
	s.buffer = s.buffer[:0]
}

// AppendDense appends what is not white space, as git's patch-ids take it, to dst.
func AppendDense(dst, text []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(text))[:n+len(text)]
	for _, c := range text {
		dst[n] = c
		// Two steps that the compiler makes without a jump: words and spaces alternate too fast for the processor to guess.
		if c-'\t' > '\r'-'\t' {
			n++
		}
		if c == ' ' {
			n--
		}
	}
	return dst[:n]
}

// endFile adds the file's hash to the total: a number of 20 bytes, the first of which is the smallest.
func (s *idSum) endFile() {
	s.flush()
	s.total = add(s.total, git.OID(s.file.Sum(nil)))
	s.file.Reset()
}

// hunkLengths reads the numbers of lines from "@@ -1,7 +1,6 @@".
func hunkLengths(line []byte) (removed, added int) {
	ranges, _, _ := bytes.Cut(line[len("@@ -"):], []byte(" @@"))
	before, after, _ := bytes.Cut(ranges, []byte(" +"))
	return rangeLength(before), rangeLength(after)
}

// rangeLength is the second number of "start,length"; it is 1 where it is left out.
func rangeLength(text []byte) int {
	_, length, counted := bytes.Cut(text, []byte(","))
	if !counted {
		return 1
	}
	n, err := strconv.Atoi(string(length))
	if err != nil {
		return 0
	}
	return max(n, 0)
}
