package lint

import (
	"context"
	"maps"
	"slices"

	"github.com/kubelts/kubelts/internal/foreign"
)

// hunks looks at the places that the patches of the repository look for, on the bases that they are applied to.
func (k *klts) hunks(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(k.changes)) {
		users := k.users(name)
		var little []string
		total := 0
		for _, c := range k.changes[name] {
			little = append(little, c.little()...)
			total += len(c.hunks)
		}
		if len(little) > 0 {
			k.add(Finding{
				Rule: LittleContext, Subject: name, Message: name + ": " + itoa(len(little)) + " of " + plural(total, "hunk has", "hunks have") + " fewer than three lines above the change",
				File: name, Lines: users, Items: little,
			})
		}
		if err := k.places(ctx, name, users); err != nil {
			return err
		}
	}
	if k.options.Trees == nil {
		k.unseen("hunks that fit in several places: no clone of upstream was named")
	}
	return nil
}

// users are the leaves that a file is applied to.
func (k *klts) users(name string) []string {
	var found []string
	for _, d := range k.config.Patches {
		if !slices.ContainsFunc(d.Items, func(i foreign.Item) bool { return i.Path == name }) {
			continue
		}
		for _, leaf := range k.using[d.Value] {
			if !slices.Contains(found, leaf) {
				found = append(found, leaf)
			}
		}
	}
	return found
}

// places looks for the hunks of a file on the bases of the leaves that use it.
func (k *klts) places(ctx context.Context, name string, users []string) error {
	if k.options.Trees == nil {
		return nil
	}
	for _, leaf := range users {
		_, tag, err := k.config.Chain(leaf)
		if err != nil {
			continue // broken-base has said so
		}
		commit, there := k.options.Trees.Tag(tag)
		if !there {
			k.unseen("hunks that fit in several places on " + tag + ": the clone has no such tag")
			continue
		}
		for _, c := range k.changes[name] {
			found, absent, err := c.ambiguous(ctx, k.options.Trees, commit)
			if err != nil {
				return err
			}
			k.ambiguous(name, leaf, tag, found)
			if absent > 0 {
				k.unseen("places on " + tag + " of " + plural(absent, "hunk", "hunks") + " of " + name + ": the base does not have their lines; an earlier patch may make them")
			}
		}
	}
	return nil
}

// ambiguous reports hunks that fit in several places.
func (k *klts) ambiguous(name, leaf, tag string, hunks []string) {
	if len(hunks) == 0 {
		return
	}
	k.add(Finding{
		Rule: AmbiguousHunk, Subject: name, Message: name + " on " + tag + ": the lines of " + plural(len(hunks), "hunk stand", "hunks stand") + " more than once in the file",
		File: name, Lines: []string{leaf}, Items: hunks,
	})
}

// tolerated finds packages whose failures do not count, and patches that change them.
func (k *klts) tolerated() {
	for _, entry := range k.config.Releases {
		f := Finding{Rule: ToleratedPackage, Subject: entry.Value, File: k.config.File}
		for _, t := range slices.Concat(entry.Tolerated, entry.Integration) {
			f.Items = append(f.Items, t.Value)
			if f.Row == 0 {
				f.Row = t.Row
			}
		}
		if len(f.Items) == 0 {
			continue
		}
		f.Message = entry.Value + " tolerates all failures of " + plural(len(f.Items), "package", "packages")
		f.Lines = k.above(entry.Value)
		k.add(f)
	}
	for _, leaf := range k.config.Leaves() {
		chain, _, err := k.config.Chain(leaf.Value)
		if err != nil {
			continue // broken-base has said so
		}
		for _, entry := range chain {
			for _, t := range slices.Concat(entry.Tolerated, entry.Integration) {
				k.toleratedOwn(leaf.Value, chain, t)
			}
		}
	}
}

// above are the leaves whose chains have an entry.
func (k *klts) above(name string) []string {
	var found []string
	for _, leaf := range k.config.Leaves() {
		chain, _, err := k.config.Chain(leaf.Value)
		if err == nil && slices.ContainsFunc(chain, func(r *foreign.Release) bool { return r.Value == name }) {
			found = append(found, leaf.Value)
		}
	}
	return found
}

func (k *klts) toleratedOwn(leaf string, chain []*foreign.Release, pkg foreign.Text) {
	for _, entry := range chain {
		for _, name := range entry.Patches {
			for _, d := range k.config.Define(name.Value) {
				if !slices.ContainsFunc(d.Items, func(i foreign.Item) bool {
					return slices.ContainsFunc(k.changes[i.Path], func(c *change) bool { return c.touches(pkg.Value) })
				}) {
					continue
				}
				k.add(Finding{
					Rule: ToleratedOwn, Subject: pkg.Value, Message: leaf + " tolerates failures of " + pkg.Value + ", which its patch " + name.Value + " changes",
					File: k.config.File, Row: pkg.Row, Lines: []string{leaf}, Items: []string{name.Value},
				})
			}
		}
	}
}
