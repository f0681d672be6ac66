package depmerge

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// edit makes the target's file say what was decided, in place, so that its comments and blocks stay.
func (m *modMerge) edit(f *modfile.File) error {
	if err := m.editRequire(f); err != nil {
		return err
	}
	for _, old := range keys(m.ours.replace, m.merged.replace) {
		v, there := m.merged.replace[old]
		was, had := m.ours.replace[old]
		var err error
		switch {
		case there && !had:
			addReplace(f, old, v, m.merged.comments[old])
		case there && v != was:
			err = f.AddReplace(old.Path, old.Version, v.Path, v.Version)
		case !there:
			err = f.DropReplace(old.Path, old.Version)
		}
		if err != nil {
			return err
		}
	}
	m.editComments(f)
	for _, key := range keys(m.ours.settings, m.merged.settings) {
		if m.merged.settings[key] == m.ours.settings[key] {
			continue
		}
		if err := editSetting(f, key, m.merged.settings[key]); err != nil {
			return err
		}
	}
	for _, key := range keys(m.ours.sets, m.merged.sets) {
		if m.merged.sets[key] == m.ours.sets[key] {
			continue
		}
		edit := dropFromSet
		if m.merged.sets[key] {
			edit = addToSet
		}
		if err := edit(f, key); err != nil {
			return err
		}
	}
	return nil
}

// editComments changes the comments behind replacements that the target has.
func (m *modMerge) editComments(f *modfile.File) {
	for _, r := range f.Replace {
		if _, had := m.ours.replace[r.Old]; !had || m.merged.comments[r.Old] == m.ours.comments[r.Old] {
			continue
		}
		r.Syntax.Suffix = suffix(m.merged.comments[r.Old])
	}
}

func suffix(comment string) []modfile.Comment {
	if comment == "" {
		return nil
	}
	return []modfile.Comment{{Token: comment, Suffix: true}}
}

// addReplace adds a replacement to the last block of them. (AddReplace of x/mod starts a block of its own.)
func addReplace(f *modfile.File, old, v module.Version, comment string) {
	tokens := []string{modfile.AutoQuote(old.Path), "=>", modfile.AutoQuote(v.Path)}
	if old.Version != "" {
		tokens = slices.Insert(tokens, 1, old.Version)
	}
	if v.Version != "" {
		tokens = append(tokens, v.Version)
	}
	line := &modfile.Line{Token: tokens, InBlock: true}
	line.Suffix = suffix(comment)
	for i, stmt := range slices.Backward(f.Syntax.Stmt) {
		switch stmt := stmt.(type) {
		case *modfile.LineBlock:
			if stmt.Token[0] == verbReplace {
				stmt.Line = append(stmt.Line, line)
				return
			}
		case *modfile.Line:
			if len(stmt.Token) > 0 && stmt.Token[0] == verbReplace {
				stmt.Token, stmt.InBlock = stmt.Token[1:], true
				f.Syntax.Stmt[i] = &modfile.LineBlock{Token: []string{verbReplace}, Line: []*modfile.Line{stmt, line}}
				return
			}
		}
	}
	line.Token, line.InBlock = slices.Insert(tokens, 0, verbReplace), false
	f.Syntax.Stmt = append(f.Syntax.Stmt, line)
}

const verbReplace = "replace"

// addGodebug adds a setting behind the others, on a line of its own: the go command writes both styles and reads both.
func addGodebug(f *modfile.File, key, value string) error {
	for i, stmt := range slices.Backward(f.Syntax.Stmt) {
		if line, ok := stmt.(*modfile.Line); ok && len(line.Token) > 0 && line.Token[0] == "godebug" {
			f.Syntax.Stmt = slices.Insert(f.Syntax.Stmt, i+1, modfile.Expr(&modfile.Line{Token: []string{"godebug", key + "=" + value}}))
			return nil
		}
	}
	return f.AddGodebug(key, value)
}

// editRequire changes requirements in their places; new ones are put where the go command puts them.
func (m *modMerge) editRequire(f *modfile.File) error {
	for _, path := range keys(m.ours.require, m.merged.require) {
		r, there := m.merged.require[path]
		was, had := m.ours.require[path]
		switch {
		case !there:
			if err := f.DropRequire(path); err != nil {
				return err
			}
		case !had:
			f.AddNewRequire(path, r.version, r.indirect)
		case r != was:
			if err := f.AddRequire(path, r.version); err != nil {
				return err
			}
		}
	}
	f.Cleanup()
	if !m.blocksDiffer() {
		return nil
	}
	// Which block a requirement stands in follows from whether it is indirect, since go 1.17.
	wanted := make([]*modfile.Require, 0, len(m.merged.require))
	for _, path := range keys(m.merged.require, nil) {
		r := m.merged.require[path]
		wanted = append(wanted, &modfile.Require{Mod: module.Version{Path: path, Version: r.version}, Indirect: r.indirect})
	}
	if goVersion := m.merged.settings["go"]; goVersion != "" && semver.Compare("v"+goVersion, "v1.17") >= 0 {
		f.SetRequireSeparateIndirect(wanted)
	} else {
		f.SetRequire(wanted)
	}
	return nil
}

// blocksDiffer reports whether there are new requirements, or some became direct or indirect.
func (m *modMerge) blocksDiffer() bool {
	for path, r := range m.merged.require {
		was, had := m.ours.require[path]
		if !had || was.indirect != r.indirect {
			return true
		}
	}
	return false
}

func editSetting(f *modfile.File, key, value string) error {
	name, sub, _ := strings.Cut(key, " ")
	switch {
	case name == "module" && value != "":
		return f.AddModuleStmt(value)
	case name == "go" && value != "":
		return f.AddGoStmt(value)
	case name == "go":
		f.DropGoStmt()
		return nil
	case name == "toolchain" && value != "":
		return f.AddToolchainStmt(value)
	case name == "toolchain":
		f.DropToolchainStmt()
		return nil
	case name == "godebug" && value != "" && !slices.ContainsFunc(f.Godebug, func(g *modfile.Godebug) bool { return g.Key == sub }):
		return addGodebug(f, sub, value)
	case name == "godebug" && value != "":
		return f.AddGodebug(sub, value)
	case name == "godebug":
		return f.DropGodebug(sub)
	}
	return errors.New("directive " + name)
}

func dropFromSet(f *modfile.File, key string) error {
	name, rest, _ := strings.Cut(key, " ")
	first, second, _ := strings.Cut(rest, " ")
	switch name {
	case "exclude":
		return f.DropExclude(first, second)
	case "retract":
		return f.DropRetract(modfile.VersionInterval{Low: first, High: second})
	case "tool":
		return f.DropTool(first)
	}
	return f.DropIgnore(first)
}

func addToSet(f *modfile.File, key string) error {
	name, rest, _ := strings.Cut(key, " ")
	first, second, _ := strings.Cut(rest, " ")
	switch name {
	case "exclude":
		return f.AddExclude(first, second)
	case "retract":
		return f.AddRetract(modfile.VersionInterval{Low: first, High: second}, "")
	case "tool":
		return f.AddTool(first)
	}
	return f.AddIgnore(first)
}
