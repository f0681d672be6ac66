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
		if err := k.origins(ctx, applied{file: name, changes: k.changes[name]}, users, k.config.Upstream()); err != nil {
			return err
		}
	}
	for _, leaf := range k.config.Leaves() {
		if err := k.leaf(ctx, leaf.Value); err != nil {
			return err
		}
	}
	k.withoutClone()
	return nil
}

// leaf looks how the patches of a release stand on its base.
func (k *klts) leaf(ctx context.Context, name string) error {
	chain, tag, err := k.config.Chain(name)
	if err != nil {
		return nil //nolint:nilerr // broken-base has said so
	}
	var patches []applied
	at := slices.IndexFunc(k.wanted, func(w wanted) bool { return w.line == name })
	for _, entry := range chain {
		for _, patch := range entry.Patches {
			defined := k.config.Define(patch.Value)
			if len(defined) == 0 {
				patches = append(patches, applied{gap: true})
			}
			for _, d := range defined {
				for _, item := range d.Items {
					one := applied{file: item.Path, changes: k.changes[item.Path]}
					one.gap = one.changes == nil
					patches = append(patches, one)
					for _, c := range one.changes {
						k.wanted[at].changes = append(k.wanted[at].changes, c.told)
					}
				}
			}
		}
	}
	return k.stand(ctx, name, tag, patches)
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
