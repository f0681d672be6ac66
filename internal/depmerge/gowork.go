package depmerge

import (
	"maps"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// work is a go.work file as a set of entries.
type work struct {
	file     *modfile.WorkFile
	use      map[string]bool
	replace  map[module.Version]module.Version
	settings map[string]string
}

func parseWork(text []byte) (*work, error) {
	f, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil, err
	}
	w := &work{file: f, use: map[string]bool{}, replace: map[module.Version]module.Version{}, settings: map[string]string{}}
	if f.Go != nil {
		w.settings["go"] = f.Go.Version
	}
	if f.Toolchain != nil {
		w.settings["toolchain"] = f.Toolchain.Name
	}
	for _, g := range f.Godebug {
		w.settings["godebug "+g.Key] = g.Value
	}
	for _, u := range f.Use {
		w.use[u.Path] = true
	}
	for _, r := range f.Replace {
		w.replace[r.Old] = r.New
	}
	return w, nil
}

func (w *work) equal(o *work) bool {
	return maps.Equal(w.use, o.use) && maps.Equal(w.replace, o.replace) && maps.Equal(w.settings, o.settings)
}

// mergeGoWork merges go.work: its modules are a set, of other directives there is one each.
func mergeGoWork(s Sides) Result {
	var sides [4]*work
	for i, side := range []struct {
		name string
		text []byte
	}{{"the fix's parent", s.Base}, {"the target", s.Ours}, {"the fix", s.Theirs}, {"the target", s.Ours}} {
		w, err := parseWork(side.text)
		if err != nil {
			return refused("go.work of %s: %v", side.name, err)
		}
		sides[i] = w
	}
	base, ours, theirs, out := sides[0], sides[1], sides[2], sides[3]
	var r Result
	for path := range theirs.use {
		if !base.use[path] {
			out.use[path] = true
		}
	}
	for path := range base.use {
		if !theirs.use[path] {
			delete(out.use, path)
		}
	}
	for _, old := range keys(base.replace, theirs.replace) {
		b, o, t := base.replace[old], ours.replace[old], theirs.replace[old]
		switch {
		case b == t, o == t:
		case o != b:
			r.refuse("both sides changed the replacement of %s", old.Path)
		case t == module.Version{}:
			delete(out.replace, old)
		default:
			out.replace[old] = t
		}
	}
	for _, key := range keys(base.settings, theirs.settings) {
		value, ok := carried(base.settings[key], ours.settings[key], theirs.settings[key])
		if !ok || value != ours.settings[key] && key != "go" && key != "toolchain" {
			r.refuse("the fix changes %s, and the target has %q", key, ours.settings[key])
		}
		if out.settings[key] = value; value == "" {
			delete(out.settings, key)
		}
	}
	if len(r.Refusals) > 0 {
		return r
	}
	return out.print(&r, ours)
}

// print edits the target's file. What is printed is read again: it has to say what was decided.
func (w *work) print(r *Result, ours *work) Result {
	f := w.file
	for _, path := range keys(ours.use, w.use) {
		var err error
		switch {
		case !w.use[path]:
			err = f.DropUse(path)
		case !ours.use[path]:
			err = f.AddUse(path, "")
		}
		if err != nil {
			return refused("go.work of the target cannot be edited: %v", err)
		}
	}
	for _, old := range keys(ours.replace, w.replace) {
		v, there := w.replace[old]
		var err error
		switch {
		case !there:
			err = f.DropReplace(old.Path, old.Version)
		case v != ours.replace[old]:
			err = f.AddReplace(old.Path, old.Version, v.Path, v.Version)
		}
		if err != nil {
			return refused("go.work of the target cannot be edited: %v", err)
		}
	}
	if err := w.printSettings(ours); err != nil {
		return refused("go.work of the target cannot be edited: %v", err)
	}
	f.SortBlocks()
	f.Cleanup()
	text := modfile.Format(f.Syntax)
	again, err := parseWork(text)
	if err != nil || !again.equal(w) {
		return refused("the merged go.work cannot be printed")
	}
	return r.finish(slices.Clip(text))
}

func (w *work) printSettings(ours *work) error {
	version, toolchain := w.settings["go"], w.settings["toolchain"]
	if version == "" {
		w.file.DropGoStmt()
	} else if version != ours.settings["go"] {
		if err := w.file.AddGoStmt(version); err != nil {
			return err
		}
	}
	if toolchain == "" {
		w.file.DropToolchainStmt()
	} else if toolchain != ours.settings["toolchain"] {
		return w.file.AddToolchainStmt(toolchain)
	}
	return nil
}
