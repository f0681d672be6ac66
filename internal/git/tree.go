package git

import (
	"bytes"
	"sort"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// Mode is the mode of a tree entry, as git writes it in octal.
type Mode uint32

// The modes that git makes. Old trees may hold others, such as 0100664; [Mode.IsRegular] covers them.
const (
	ModeTree       Mode = 0o040000
	ModeFile       Mode = 0o100644
	ModeExecutable Mode = 0o100755
	ModeSymlink    Mode = 0o120000
	ModeSubmodule  Mode = 0o160000
)

func (m Mode) String() string {
	s := strconv.FormatUint(uint64(m), 8)
	return strings.Repeat("0", max(0, 6-len(s))) + s
}

// IsTree reports whether the entry is a directory.
func (m Mode) IsTree() bool { return m&0o170000 == ModeTree }

// IsRegular reports whether the entry is a file with content that can be merged: not a symbolic link, not a submodule.
func (m Mode) IsRegular() bool { return m&0o170000 == 0o100000 }

// Type is the type of the object that an entry of this mode names.
func (m Mode) Type() Type {
	switch {
	case m.IsTree():
		return TypeTree
	case m == ModeSubmodule:
		return TypeCommit
	}
	return TypeBlob
}

// TreeEntry is one name in a directory.
type TreeEntry struct {
	Name string // one path element: no slash, not empty
	Mode Mode
	OID  OID
}

// ParseTree reads a tree object's content. Names that could lead out of a directory are refused, for a tree may come from a stranger.
func ParseTree(content []byte) ([]TreeEntry, error) {
	entries := make([]TreeEntry, 0, len(content)/32)
	for len(content) > 0 {
		space := bytes.IndexByte(content, ' ')
		null := bytes.IndexByte(content, 0)
		if space <= 0 || null < space || len(content) < null+1+len(OID{}) {
			return nil, errs.New(errs.Invalid, "tree: entry %d is cut short", len(entries))
		}
		mode, err := strconv.ParseUint(string(content[:space]), 8, 32)
		if err != nil {
			return nil, errs.New(errs.Invalid, "tree: entry %d: mode %q", len(entries), content[:space])
		}
		e := TreeEntry{Name: string(content[space+1 : null]), Mode: Mode(mode), OID: OID(content[null+1 : null+21])}
		if !ValidName(e.Name) {
			return nil, errs.New(errs.Invalid, "tree: entry %d: name %q", len(entries), e.Name)
		}
		entries = append(entries, e)
		content = content[null+21:]
	}
	return entries, nil
}

// EncodeTree writes a tree object's content, in git's order whatever the order of entries.
func EncodeTree(entries []TreeEntry) []byte {
	sorted := append([]TreeEntry(nil), entries...)
	sort.Slice(sorted, func(i, j int) bool { return treeKey(sorted[i]) < treeKey(sorted[j]) })
	var b bytes.Buffer
	for _, e := range sorted {
		b.WriteString(strconv.FormatUint(uint64(e.Mode), 8) + " " + e.Name + "\x00")
		b.Write(e.OID[:])
	}
	return b.Bytes()
}

// treeKey sorts as git does: a directory as if its name ended in a slash.
func treeKey(e TreeEntry) string {
	if e.Mode.IsTree() {
		return e.Name + "/"
	}
	return e.Name
}

// ValidName reports whether name may stand in a tree: not empty, no slash or NUL, not "." or "..", and nothing that a file system
// could take for ".git".
func ValidName(name string) bool {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return false
	}
	return !strings.EqualFold(strings.TrimRight(name, ". "), ".git") && !strings.EqualFold(name, "git~1")
}

// ValidPath reports whether path is a clean relative path of valid names, as they stand in trees.
func ValidPath(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if !ValidName(name) {
			return false
		}
	}
	return true
}

// ShortRef takes refs/heads/, refs/tags/ or refs/remotes/ off a ref's full name.
func ShortRef(name string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			return short
		}
	}
	return name
}
