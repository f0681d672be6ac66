package backport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/godialect"
	"github.com/kubelts/kubelts/internal/gomerge"
	"github.com/kubelts/kubelts/internal/gotypes"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// Bounds on the bytes of source that are read closely in one pick to learn names: more than any pick took that came out whole, and less once a
// person has to look at the pick anyway.
const (
	maxStudied     = 896 << 10
	maxStudiedLeft = 128 << 10
)

// dialectRung merges Go source after it has said the fix's side in the names that the target has for the same things.
type dialectRung struct{}

func (dialectRung) name() string { return "dialect" }

func (dialectRung) takes(string) bool { return false }

func (dialectRung) merge(context.Context, fileSides) (fileMerge, error) { return fileMerge{}, nil }

// inDialect merges what the rung go left. It reports whether it could.
func (m *treeMerge) inDialect(ctx context.Context, s fileSides) (fileMerge, bool, error) {
	if !strings.HasSuffix(s.path, ".go") || s.added {
		return fileMerge{}, false, nil
	}
	others, ids, err := m.siblings(ctx, s)
	if err != nil || !m.study(s, others, ids) {
		return fileMerge{}, false, err
	}
	d := m.engine.dialects.Learn(godialect.Pair{Base: s.base, Ours: s.ours}, others, godialect.Carried{Package: packageOf(s.theirs), Declares: m.declares(ctx, path.Dir(s.path))})
	t := d.Translate(s.base, s.ours, s.theirs)
	if len(t.Notes) == 0 && !s.faulty {
		return fileMerge{}, false, nil
	}
	merged, ok, err := m.translated(ctx, s, t)
	if err != nil || !ok || bytes.Equal(merged.text, s.ours) {
		return fileMerge{}, false, err
	}
	if merged.confidence == "" {
		merged.confidence = Adapted
	}
	var notes []string
	for _, n := range t.Notes {
		notes = append(notes, n.String())
	}
	merged.notes = append(notes, merged.notes...)
	return merged, true, nil
}

// study reports whether so much may be read closely for one file, and notes that it was. What pairs taught is remembered: they count once.
func (m *treeMerge) study(s fileSides, pairs []godialect.Pair, ids [][2]git.OID) bool {
	cost, most := 2*(len(s.base)+len(s.ours)+len(s.theirs)), maxStudied
	for i, p := range pairs {
		if m.known[ids[i]] {
			continue
		}
		cost += len(p.Base)
		if ids[i][0] != ids[i][1] {
			cost += len(p.Ours)
		}
	}
	for _, it := range m.items {
		if it.path != s.path && len(it.conflicts) > 0 {
			most = maxStudiedLeft
		}
	}
	if m.studied += cost; m.studied > most {
		m.studied -= cost
		return false
	}
	if m.known == nil {
		m.known = map[[2]git.OID]bool{}
	}
	for _, id := range ids {
		m.known[id] = true
	}
	return true
}

// packageOf is the name in a text's package clause; empty if it does not parse.
func packageOf(text []byte) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly)
	if err != nil {
		return ""
	}
	return f.Name.Name
}

// declares are the names that the fix adds to a directory's packages.
func (m *treeMerge) declares(ctx context.Context, dir string) []string {
	var out []string
	for p, it := range m.items {
		if path.Dir(p) != dir || !strings.HasSuffix(p, ".go") {
			continue
		}
		before := m.declared(ctx, it.base)
		for _, name := range m.declared(ctx, it.theirs) {
			if !slices.Contains(before, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// declared are the names that a file declares; none if it cannot be read.
func (m *treeMerge) declared(ctx context.Context, e patch.Entry) []string {
	if !e.Mode.IsRegular() {
		return nil
	}
	text, err := m.engine.store.Blob(ctx, e.OID)
	if err != nil {
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	return gomerge.Declared(f)
}

// again translates and merges the files anew in which something is used that the target does not have. They stay as they were unless all that was wrong
// with the pick is then right.
func (m *treeMerge) again(ctx context.Context, faults []gotypes.Fault) (gotypes.Verdict, bool, error) {
	if slices.ContainsFunc(faults, func(f gotypes.Fault) bool { it := m.items[f.Path]; return it == nil || it.result == it.ours }) {
		return gotypes.Verdict{}, false, nil // what is wrong with a file that the fix leaves alone stays
	}
	was := map[*item]item{}
	undo := func() {
		for it, before := range was {
			*it = before
		}
	}
	for _, f := range faults {
		it := m.items[f.Path]
		if _, done := was[it]; done {
			continue
		}
		before := *it
		changed, err := m.retranslate(ctx, it)
		if err != nil {
			return gotypes.Verdict{}, false, err
		}
		if !changed {
			undo() // what is wrong with this file stays
			return gotypes.Verdict{}, false, nil
		}
		was[it] = before
	}
	verdict, err := m.judge(ctx)
	if err != nil {
		return gotypes.Verdict{}, false, err
	}
	if len(verdict.Faults) > 0 {
		undo()
		return gotypes.Verdict{}, false, nil
	}
	return verdict, true, nil
}

// retranslate merges one file anew.
func (m *treeMerge) retranslate(ctx context.Context, it *item) (bool, error) {
	s := fileSides{path: it.path, from: it.from, faulty: true}
	for _, v := range []struct {
		entry patch.Entry
		to    *[]byte
	}{{it.base, &s.base}, {it.ours, &s.ours}, {it.theirs, &s.theirs}} {
		if !v.entry.Mode.IsRegular() {
			continue
		}
		text, err := m.engine.store.Blob(ctx, v.entry.OID)
		if _, large := errors.AsType[*git.OversizeError](err); large {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		*v.to = text
	}
	if s.theirs == nil || (s.base == nil) != (s.ours == nil) {
		return false, nil
	}
	merged, ok, err := m.inDialect(ctx, s)
	if err != nil || !ok {
		return false, err
	}
	markers, keep, conflicts := it.result.OID, len(it.conflicts), it.conflicts[len(it.conflicts):]
	if it.by != nil {
		markers, keep, conflicts = it.by.markers, it.by.keep, it.by.conflicts
	}
	if it.result.OID, err = m.engine.store.WriteBlob(ctx, merged.text); err != nil {
		return false, err
	}
	it.by = &settledBy{rung: dialectRung{}, sides: s, merged: merged, markers: markers, keep: keep, conflicts: conflicts, confidence: merged.confidence}
	return true, nil
}

// translated merges three versions that use the same names: by line with the imports left out, and if that leaves conflicts by their parts.
func (m *treeMerge) translated(ctx context.Context, s fileSides, t godialect.Translation) (fileMerge, bool, error) {
	if s.base == nil {
		return fileMerge{text: t.Theirs}, true, nil
	}
	res, err := merge.Merge(gomerge.WithImports(t.Base, s.ours), s.ours, gomerge.WithImports(t.Theirs, s.ours), merge.Options{Labels: m.labels})
	if err == nil && len(res.Conflicts) == 0 {
		text, notes, unsettled := gomerge.SettleImports(t.Base, s.ours, t.Theirs, res.Text)
		if unsettled == nil {
			return fileMerge{text: text, notes: notes}, true, nil
		}
	}
	s.base, s.theirs, s.translated = t.Base, t.Theirs, len(t.Notes) > 0
	merged, err := goRung{}.merge(ctx, s)
	return merged, len(merged.refusals) == 0, err
}

// siblings pairs the other Go files in the directories of a file on both sides. They come with their objects' names.
func (m *treeMerge) siblings(ctx context.Context, s fileSides) (pairs []godialect.Pair, ids [][2]git.OID, err error) {
	from, to := cmp.Or(s.from, s.path), s.path
	base, err := m.goFiles(ctx, m.source.Base, path.Dir(from))
	if err != nil {
		return nil, nil, err
	}
	ours, err := m.goFiles(ctx, m.ours, path.Dir(to))
	if err != nil {
		return nil, nil, err
	}
	delete(base, path.Base(from))
	delete(ours, path.Base(to))
	for _, name := range sortedKeys(base, ours) {
		var p godialect.Pair
		if id, ok := base[name]; ok {
			if p.Base, err = m.engine.store.Blob(ctx, id); err != nil {
				return nil, nil, err
			}
		}
		if id, ok := ours[name]; ok {
			if p.Ours, err = m.engine.store.Blob(ctx, id); err != nil {
				return nil, nil, err
			}
		}
		pairs = append(pairs, p)
		ids = append(ids, [2]git.OID{base[name], ours[name]})
	}
	return pairs, ids, nil
}

// goFiles are the Go files of a directory, by name.
func (m *treeMerge) goFiles(ctx context.Context, tree git.OID, dir string) (map[string]git.OID, error) {
	at := patch.Entry{Mode: git.ModeTree, OID: tree}
	if dir != "." {
		var err error
		if at, err = m.engine.lookup(ctx, tree, dir); err != nil {
			return nil, err
		}
	}
	out := map[string]git.OID{}
	if !at.Mode.IsTree() {
		return out, nil
	}
	entries, err := patch.ReadTree(ctx, m.engine.store, at.OID)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Mode.IsRegular() && strings.HasSuffix(e.Name, ".go") && len(out) < godialect.MaxFiles {
			out[e.Name] = e.OID
		}
	}
	return out, nil
}

// sortedKeys are the keys of both.
func sortedKeys(a, b map[string]git.OID) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
