package equiv

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/patch"
)

const (
	maxFiles   = 20_000  // files of one commit that are kept
	hashAtOnce = 2 << 10 // bytes that are collected before they are hashed
)

// DigestPatch computes what the table keeps of a change from its unified diff, which package gitrepo's Patches makes.
func DigestPatch(diff []byte) *Change {
	sections := patch.Sections(diff)
	total, each := patch.IDs(diff, sections)
	c := &Change{Patch: total}
	var sums [3]plainSum
	d := newDigester()
	if len(sections) > 0 {
		c.Files = make([]File, 0, min(len(sections), maxFiles))
	}
	for i, s := range sections {
		one := d.section(s)
		if i < maxFiles {
			c.Files = append(c.Files, File{
				Path: s.Path, Patch: binary.BigEndian.Uint64(each[i][:]), Plain: one.short(), Weight: uint32(min(one.weight, 1<<31)), //nolint:gosec // bounded
			})
		}
		switch {
		case IsSource(s.Path):
			sums[0].add(one)
		case !IsDependency(s.Path):
			sums[1].add(one)
		default:
			sums[2].add(one)
		}
	}
	for _, sum := range sums {
		if sum.weight > 0 {
			c.Plain, c.Inverse, c.Weight = sum.plain, sum.inverse, sum.weight
			break
		}
	}
	return c
}

// plainSum is a plain patch-id and its inverse, with their weight.
type plainSum struct {
	plain, inverse PlainID
	weight         int
}

func (s *plainSum) add(o plainSum) {
	for _, pair := range [][2]*PlainID{{&s.plain, &o.plain}, {&s.inverse, &o.inverse}} {
		carry := 0
		for i, b := range pair[1] {
			carry += int(pair[0][i]) + int(b)
			pair[0][i] = byte(carry) //nolint:gosec // the rest is carried
			carry >>= 8
		}
	}
	s.weight += o.weight
}

func (s plainSum) short() uint64 {
	if s.weight == 0 {
		return 0
	}
	return binary.BigEndian.Uint64(s.plain[:])
}

// digester makes plain patch-ids of sections, with what it needs for that kept between them.
type digester struct {
	lines      plainLines
	gone, come side
}

// side is the lines that a change takes away, or brings, on the way into a hash.
type side struct {
	sum    hash.Hash
	buffer []byte
}

func (s *side) add(text []byte) {
	s.buffer = append(append(s.buffer, text...), '\n')
	if len(s.buffer) >= hashAtOnce {
		s.flush()
	}
}

func (s *side) flush() {
	s.sum.Write(s.buffer)
	s.buffer = s.buffer[:0]
}

// take returns the hash of what was added, and begins anew.
func (s *side) take() []byte {
	s.flush()
	sum := s.sum.Sum(nil)
	s.sum.Reset()
	return sum
}

func newDigester() *digester {
	return &digester{gone: side{sum: sha256.New()}, come: side{sum: sha256.New()}}
}

// section hashes the lines that go and those that come, each in their order, under the file's base name.
func (d *digester) section(s patch.Section) plainSum {
	if !s.Content {
		return plainSum{}
	}
	d.lines.goSource = strings.HasSuffix(s.Path, ".go")
	weight := 0
	_, body, _ := bytes.Cut(s.Text, []byte("\n@@"))
	for line := range bytes.Lines(body) {
		var into *side
		switch line[0] {
		case '-':
			into = &d.gone
		case '+':
			into = &d.come
		default:
			continue
		}
		if text := d.lines.plain(line[1:]); len(text) > 0 {
			into.add(text)
			weight += len(text)
		}
	}
	if weight == 0 {
		return plainSum{}
	}
	name := path.Base(s.Path)
	a, b := d.gone.take(), d.come.take()
	return plainSum{plain: plainID(name, a, b), inverse: plainID(name, b, a), weight: weight}
}

func plainID(name string, gone, come []byte) PlainID {
	sum := sha256.Sum256(slices.Concat([]byte(name), []byte{0}, gone, come))
	return PlainID(sum[:16])
}

// plainLines takes from lines what differs from branch to branch without changing what is done.
type plainLines struct {
	goSource bool
	buffer   []byte
}

// plain returns a line without white space and, in Go, without comments; nothing for an import. It is valid until the next call.
func (p *plainLines) plain(line []byte) []byte {
	line = bytes.TrimSpace(line)
	if p.goSource {
		line = withoutComment(line)
		if isImport(line) {
			return nil
		}
	}
	p.buffer = patch.AppendDense(p.buffer[:0], line)
	return p.buffer
}

// PlainLine is a line of a file as plain patch-ids see it: without white space and, in Go, without comments; empty for an import.
func PlainLine(line, name string) string {
	p := plainLines{goSource: strings.HasSuffix(name, ".go")}
	return string(p.plain([]byte(line)))
}

// withoutComment cuts a comment off a line of Go. What stands in quotes is no comment; a line within a comment of several lines is known by its star.
func withoutComment(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("//")) || bytes.HasPrefix(line, []byte("/*")) || bytes.HasPrefix(line, []byte("* ")) || bytes.HasPrefix(line, []byte("*/")) {
		return nil
	}
	if !bytes.Contains(line, []byte("//")) {
		return line
	}
	var quote byte
	for i := 0; i+1 < len(line); i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '/' && line[i+1] == '/':
			return bytes.TrimSpace(line[:i])
		}
	}
	return line
}

// isImport recognises a line of an import declaration: a path in quotes, or a name and a path.
func isImport(line []byte) bool {
	line = bytes.TrimPrefix(line, []byte("import "))
	if len(line) < 3 || line[len(line)-1] != '"' {
		return false
	}
	start := bytes.IndexByte(line, '"')
	if bytes.IndexByte(line[start+1:], '"') != len(line)-start-2 || bytes.ContainsAny(line[start:], " \t%:") {
		return false
	}
	name := bytes.TrimSpace(line[:start])
	return !bytes.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) && !slices.Contains([]string{"return", "case", "panic"}, string(name))
}

// IsDependency reports whether a file only pins dependencies, or is a copy of one.
func IsDependency(file string) bool {
	switch path.Base(file) {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt", "Godeps.json", "Gopkg.toml", "Gopkg.lock", "glide.yaml", "glide.lock":
		return true
	}
	return inDirectory(file, "vendor", "Godeps", "third_party")
}

// IsSource reports whether a file is one that a repetition of a change must touch where it is there: not so tests, documents, what programs
// write, and files that pin dependencies.
func IsSource(file string) bool {
	name := path.Base(file)
	switch path.Ext(name) {
	case ".md", ".rst", ".txt", ".sum", ".lock", ".bazel":
		return false
	}
	switch {
	case IsDependency(file), name == "BUILD", name == "OWNERS",
		strings.Contains(name, "_test."), strings.HasPrefix(name, "zz_generated"), strings.Contains(name, ".pb."):
		return false
	}
	return !inDirectory(file, "test", "tests", "testing", "testdata", "docs", "Documentation")
}

func inDirectory(file string, names ...string) bool {
	return slices.ContainsFunc(strings.Split(path.Dir(file), "/"), func(dir string) bool { return slices.Contains(names, dir) })
}
