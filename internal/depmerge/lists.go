package depmerge

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// entryFile is a file whose lines, or blocks of lines, are entries with a key each, and what stands before the first entry.
type entryFile struct {
	head    string
	keys    []string
	entries map[string]string // with line ends
}

// maxEntries bounds one file.
const maxEntries = 10_000

func (f *entryFile) add(key, text string) error {
	if _, twice := f.entries[key]; twice {
		return fmt.Errorf("%s is there twice", key)
	}
	if len(f.keys) >= maxEntries {
		return fmt.Errorf("more than %d entries", maxEntries)
	}
	f.keys = append(f.keys, key)
	f.entries[key] = text
	return nil
}

// mergeEntries merges three files entry by entry. Both decides about an entry that both sides changed; it may be nil. The target's order stays, new entries
// stand behind the one that is less and nearest.
func mergeEntries(name string, s Sides, parse func([]byte) (*entryFile, error), both func(base, ours, theirs string) (string, bool)) Result {
	var sides [3]*entryFile
	for i, side := range []struct {
		of   string
		text []byte
	}{{"the fix's parent", s.Base}, {"the target", s.Ours}, {"the fix", s.Theirs}} {
		var err error
		if sides[i], err = parse(side.text); err != nil {
			return refused("%s of %s: %v", name, side.of, err)
		}
	}
	base, ours, theirs := sides[0], sides[1], sides[2]
	var r Result
	head, ok := carried(base.head, ours.head, theirs.head)
	if !ok {
		r.refuse("both sides changed what stands before the entries")
	}
	merged := map[string]string{}
	all := slices.Concat(ours.keys, theirs.keys, base.keys)
	for _, key := range all {
		b, o, t := base.entries[key], ours.entries[key], theirs.entries[key]
		text, ok := carried(b, o, t)
		if !ok && b != "" && o != "" && t != "" && both != nil {
			text, ok = both(b, o, t)
		}
		if !ok {
			r.refuse("both sides changed %s", key)
		}
		if text != "" {
			merged[key] = text
		}
	}
	return r.finish([]byte(head + order(ours.keys, merged)))
}

// carried is the plain three-way merge of one value; "" means that it is not there.
func carried(base, ours, theirs string) (string, bool) {
	switch {
	case base == theirs, ours == theirs:
		return ours, true
	case base == ours:
		return theirs, true
	}
	return "", false
}

// order writes entries in the order of a side; new ones go behind the last one that is less.
func order(keys []string, merged map[string]string) string {
	out := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return merged[key] == "" })
	old := map[string]bool{}
	for _, key := range keys {
		old[key] = true
	}
	for _, key := range sortedKeys(merged) {
		if old[key] {
			continue
		}
		at := 0
		for i, other := range out {
			if other < key {
				at = i + 1
			}
		}
		out = slices.Insert(out, at, key)
	}
	var b strings.Builder
	for _, key := range out {
		b.WriteString(merged[key])
		if !strings.HasSuffix(merged[key], "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func sortedKeys(m map[string]string) []string { return keys(m, nil) }

// mergeVendorConf merges vendor.conf: a module, a revision and perhaps a place a line, with comments before them, which belong to them.
func mergeVendorConf(s Sides) Result {
	return mergeEntries("vendor.conf", s, parseVendorConf, nil)
}

func parseVendorConf(text []byte) (*entryFile, error) {
	f := &entryFile{entries: map[string]string{}}
	pending := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n") + "\n"
		words := strings.Fields(line)
		switch {
		case len(words) == 0, strings.HasPrefix(words[0], "#"):
			pending += line
		case len(words) == 1:
			return nil, fmt.Errorf("%q has no revision", words[0])
		default:
			if err := f.add(words[0], pending+line); err != nil {
				return nil, err
			}
			pending = ""
		}
	}
	if strings.TrimSpace(pending) != "" {
		return nil, errors.New("a comment belongs to no entry")
	}
	return f, nil
}

// mergeWorkSum merges go.work.sum: the hashes that the go.sum files do not have. One too many does no harm.
func mergeWorkSum(s Sides) Result { return mergeEntries("go.work.sum", s, parseWorkSum, nil) }

func parseWorkSum(text []byte) (*entryFile, error) {
	f := &entryFile{entries: map[string]string{}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n") + "\n"
		words := strings.Fields(line)
		if len(words) != 3 || !semver.IsValid(strings.TrimSuffix(words[1], goModSuffix)) {
			return nil, fmt.Errorf("%q is no hash of a module", strings.TrimSpace(line))
		}
		if err := f.add(words[0]+" "+words[1], line); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// mergeModulesTxt merges vendor/modules.txt: a block for each module, with the packages that are vendored of it.
func mergeModulesTxt(s Sides) Result {
	return mergeEntries("modules.txt", s, parseModulesTxt, mergeModule)
}

func parseModulesTxt(text []byte) (*entryFile, error) {
	f := &entryFile{entries: map[string]string{}}
	key, block := "", ""
	flush := func() error {
		if key == "" {
			f.head = block
			return nil
		}
		return f.add(key, block)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n") + "\n"
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "#") && (len(words) != 1 || line != words[0]+"\n") {
			return nil, fmt.Errorf("%q is no package", strings.TrimSpace(line))
		}
		if strings.HasPrefix(line, "# ") && len(words) > 1 {
			if err := flush(); err != nil {
				return nil, err
			}
			if key, block = words[1], ""; len(words) > 2 && words[2] == "=>" {
				key += " =>"
			}
		}
		block += line
	}
	return f, flush()
}

// mergeModule merges the block of one module whose version and remarks only one side changed: its packages are a set.
func mergeModule(base, ours, theirs string) (string, bool) {
	b, o, t := map[string]string{}, map[string]string{}, map[string]string{}
	var heads [3]string
	for i, side := range []struct {
		text string
		into map[string]string
	}{{base, b}, {ours, o}, {theirs, t}} {
		for line := range strings.Lines(side.text) {
			if strings.HasPrefix(line, "#") {
				heads[i] += line
			} else {
				side.into[line] = line
			}
		}
	}
	remarks, ok := carried(heads[0], heads[1], heads[2])
	if !ok {
		return "", false
	}
	for _, line := range keys(b, t) {
		switch {
		case b[line] == "":
			o[line] = line
		case t[line] == "":
			delete(o, line)
		}
	}
	return remarks + strings.Join(sortedKeys(o), ""), true
}
