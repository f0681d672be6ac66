package lint

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/lts"
)

// patchesDir is where KLTS keeps patch files.
const patchesDir = "patches"

// klts looks at a releases.yml and what lies around it.
type klts struct {
	*collector

	config  *foreign.KLTS
	using   map[string][]string // leaves, by the name of the patch that their chains use
	changes map[string][]*change
}

// KLTS looks at a repository of KLTS. Everything stands in its releases.yml and the files that it names.
func KLTS(ctx context.Context, config *foreign.KLTS, files Files, o Options) (*Report, error) {
	k := &klts{collector: newCollector(KindKLTS, files, o), config: config, using: map[string][]string{}, changes: map[string][]*change{}}
	for _, key := range config.Unknown {
		k.add(Finding{Rule: UnknownKey, Subject: key.Value, Message: "key " + key.Value + " is not one of KLTS'", File: config.File, Row: key.Row})
	}
	k.lines()
	k.circles()
	k.names()
	k.bases()
	k.definitions()
	if err := k.orphans(); err != nil {
		return nil, err
	}
	if err := k.hunks(ctx); err != nil {
		return nil, err
	}
	if err := k.vulnerabilities(ctx); err != nil {
		return nil, err
	}
	k.tolerated()
	return k.finish(), nil
}

// lines lists the leaves and who uses what.
func (k *klts) lines() {
	for _, leaf := range k.config.Leaves() {
		chain, tag, err := k.config.Chain(leaf.Value)
		if err != nil {
			k.add(Finding{Rule: BrokenBase, Subject: leaf.Value, Message: err.Error(), File: k.config.File, Row: leaf.Row, Lines: []string{leaf.Value}})
			k.report.Lines = append(k.report.Lines, Line{Name: leaf.Value})
			continue
		}
		line := Line{Name: leaf.Value, Base: tag}
		var spoken []string
		for _, entry := range chain {
			for _, name := range entry.Patches {
				line.Patches++
				defined := k.config.Define(name.Value)
				if !k.available(defined) {
					line.Absent++
				}
				if len(defined) > 0 {
					spoken = append(spoken, foreign.CVEs(name.Value)...)
				}
				k.using[name.Value] = append(k.using[name.Value], leaf.Value)
			}
		}
		k.report.Lines = append(k.report.Lines, line)
		k.wanted = append(k.wanted, wanted{line: leaf.Value, tag: tag, upstream: k.config.Upstream(), spoken: spoken, at: Finding{File: k.config.File, Row: leaf.Row}})
	}
}

// circles reports entries that no line leads to.
func (k *klts) circles() {
	for _, entry := range k.config.Circles() {
		k.add(Finding{Rule: BrokenBase, Subject: entry.Value, Message: "the bases of " + entry.Value + " go in a circle", File: k.config.File, Row: entry.Row})
	}
}

// available reports whether all that a name stands for lies in the repository.
func (k *klts) available(defined []*foreign.Definition) bool {
	if len(defined) == 0 {
		return false
	}
	for _, d := range defined {
		if len(d.Items) == 0 || slices.ContainsFunc(d.Items, func(i foreign.Item) bool { return i.Path == "" }) {
			return false
		}
	}
	return true
}

// names finds what is named and not defined, defined and not named, and defined twice.
func (k *klts) names() {
	undefined := map[string]*Finding{}
	var order []string
	used := map[string]bool{}
	for _, entry := range k.config.Releases {
		for _, name := range entry.Patches {
			used[name.Value] = true
			if len(k.config.Define(name.Value)) > 0 {
				continue
			}
			f := undefined[name.Value]
			if f == nil {
				f = &Finding{Rule: UndefinedPatch, Subject: name.Value, File: k.config.File, Row: name.Row, Lines: k.using[name.Value]}
				undefined[name.Value] = f
				order = append(order, name.Value)
			}
			f.Items = append(f.Items, entry.Value)
		}
	}
	for _, name := range order {
		f := undefined[name]
		f.Message = name + " is named by " + strings.Join(f.Items, ", ") + " and defined nowhere"
		f.Hint = k.nearly(name)
		k.add(*f)
	}
	seen := map[string]int{}
	for _, d := range k.config.Patches {
		if !used[d.Value] {
			k.add(Finding{Rule: UnusedPatch, Subject: d.Value, Message: d.Value + " is used by no release", File: k.config.File, Row: d.Row})
		}
		k.twice(seen, "patch", d.Text)
	}
	seen = map[string]int{}
	for _, entry := range k.config.Releases {
		k.twice(seen, "release", entry.Text)
	}
}

func (k *klts) twice(seen map[string]int, what string, name foreign.Text) {
	if first := seen[name.Value]; first > 0 {
		k.add(Finding{Rule: Duplicate, Subject: name.Value, Message: what + " " + name.Value + " stands in row " + itoa(first) + " too", File: k.config.File, Row: name.Row})
		return
	}
	seen[name.Value] = name.Row
}

// nearly says what was probably meant by a name.
func (k *klts) nearly(name string) string {
	if len(k.config.Define(name+".patch")) > 0 {
		return "there is a definition " + name + ".patch"
	}
	file := patchesDir + "/" + name + ".patch"
	if names, err := k.files.List(patchesDir); err == nil && slices.Contains(names, name+".patch") {
		return file + " is there: define it"
	}
	return ""
}

// bases finds what releases stand on.
func (k *klts) bases() {
	on := map[string][]string{}
	var tags []string
	for _, entry := range k.config.Releases {
		on[entry.Base] = append(on[entry.Base], entry.Value)
		if k.config.Release(entry.Base) == nil && foreign.IsTag(entry.Base) && !slices.Contains(tags, entry.Base) {
			tags = append(tags, entry.Base)
		}
	}
	for _, entry := range k.config.Releases {
		if on[entry.Value] == nil {
			continue
		}
		k.add(Finding{
			Rule: MutableBase, Subject: entry.Value, Message: entry.Value + " is edited in place under " + strings.Join(on[entry.Value], ", "),
			File: k.config.File, Row: entry.Row, Lines: on[entry.Value], Items: on[entry.Value],
		})
	}
	if len(tags) > 0 {
		k.add(Finding{
			Rule: BaseNotPinned, Subject: k.config.File, Message: plural(len(tags), "upstream tag is a base", "upstream tags are bases") + ", none with its commit",
			File: k.config.File, Items: tags,
		})
	}
}

// definitions looks at what each patch is made of.
func (k *klts) definitions() {
	var urls []*Finding
	for i := range k.config.Patches {
		d := &k.config.Patches[i]
		if len(d.Items) == 0 {
			f := Finding{Rule: EmptyPatch, Subject: d.Value, Message: d.Value + " names neither file nor URL", File: k.config.File, Row: d.Row, Lines: k.using[d.Value]}
			if len(f.Lines) == 0 {
				f.Severity = Note
			}
			k.add(f)
		}
		for _, item := range d.Items {
			if item.Kind == foreign.KindFile {
				k.file(d, item)
				continue
			}
			at := slices.IndexFunc(urls, func(f *Finding) bool { return f.Subject == item.Text })
			if at < 0 {
				at = len(urls)
				urls = append(urls, k.url(item))
			}
			urls[at].Items = append(urls[at].Items, d.Value)
			urls[at].Lines = append(urls[at].Lines, k.using[d.Value]...)
		}
	}
	for _, f := range urls {
		f.Message = f.Subject + " is fetched without a digest for " + strings.Join(f.Items, ", ")
		if len(f.Lines) == 0 {
			f.Severity = Note
			f.Message += ", which no release uses"
		}
		k.add(*f)
	}
}

// url begins the finding of an address.
func (k *klts) url(item foreign.Item) *Finding {
	f := &Finding{Rule: NoDigest, Subject: item.Text, File: k.config.File, Row: item.Row}
	if item.Floats() {
		f.Rule = FloatingURL
	}
	return f
}

// file looks at a patch file of the repository.
func (k *klts) file(d *foreign.Definition, item foreign.Item) {
	at := Finding{Subject: item.Text, File: k.config.File, Row: item.Row, Lines: k.using[d.Value]}
	if item.Path == "" {
		at.Rule, at.Message = BadPath, item.Text+" of "+d.Value+" is no path in the repository"
		k.add(at)
		return
	}
	names, err := k.files.List(path.Dir(item.Path))
	if err == nil && !slices.Contains(names, path.Base(item.Path)) {
		at.Rule, at.Message = MissingFile, item.Text+" of "+d.Value+" is not there"
		k.add(at)
		return
	}
	if _, done := k.changes[item.Path]; done {
		return
	}
	k.changes[item.Path] = nil
	changes, err := readChanges(k.files, item.Path)
	if err != nil {
		at.Rule, at.Message = BadPatch, item.Text+" of "+d.Value+": "+sentence(err)
		k.add(at)
		return
	}
	k.changes[item.Path] = changes
}

// readChanges reads a patch file: all its mails.
func readChanges(files Files, name string) ([]*change, error) {
	content, err := files.Read(name, foreign.MaxPatch)
	if err != nil {
		return nil, err
	}
	mails, err := foreign.SplitMails(content)
	if err != nil {
		return nil, err
	}
	if mails == nil {
		mails = [][]byte{content} // ParsePatch says that it is none
	}
	var found []*change
	for _, mail := range mails {
		p, err := lts.ParsePatch(path.Base(name), mail)
		if err != nil {
			return nil, err
		}
		c, err := look(p.Diff)
		if err != nil {
			return nil, err
		}
		c.tell(name, p)
		found = append(found, c)
	}
	return found, nil
}

// orphans finds patch files that no definition names.
func (k *klts) orphans() error {
	named, dirs := map[string]bool{}, []string{patchesDir}
	for _, d := range k.config.Patches {
		for _, item := range d.Items {
			named[item.Path] = true
			if dir := path.Dir(item.Path); item.Path != "" && !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, dir := range dirs {
		names, err := k.files.List(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if file := path.Join(dir, name); strings.HasSuffix(name, ".patch") && !named[file] {
				k.orphan(file)
			}
		}
	}
	return nil
}

func (k *klts) orphan(file string) {
	f := Finding{Rule: OrphanFile, Subject: file, Message: file + " is named by no patch", File: file}
	name := strings.TrimSuffix(path.Base(file), ".patch")
	if len(k.config.Define(name)) == 0 && k.using[name] != nil {
		f.Lines, f.Hint = k.using[name], strings.Join(k.using[name], ", ")+" names a patch "+name+" that nobody defines"
	}
	k.add(f)
}
