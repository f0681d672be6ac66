package depmerge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/depmerge"
)

func sides(base, ours, theirs string) depmerge.Sides {
	return depmerge.Sides{Base: []byte(base), Ours: []byte(ours), Theirs: []byte(theirs)}
}

// mod is a go.mod of example.com/own/lib with these directives.
func mod(directives ...string) string {
	return "module example.com/own/lib\n\ngo 1.20\n\n" + strings.Join(directives, "\n\n") + "\n"
}

const (
	mine    = "v0.0.0-20200103000000-cccccccccccc"
	old     = "v0.0.0-20200101000000-aaaaaaaaaaaa"
	recent  = "v0.0.0-20200102000000-bbbbbbbbbbbb"
	beside  = "require example.com/own/api "
	yamlReq = "require example.org/yaml "
)

func TestGoMod(t *testing.T) {
	for _, c := range []struct {
		name               string
		base, ours, theirs string
		want               string // a refusal if it begins with !
		review             bool
	}{
		{
			name: "the changed requirement, not its neighbours",
			base: mod("require (\n\texample.org/a v1.0.0\n\texample.org/b v1.0.0\n)"), ours: mod("require (\n\texample.org/a v1.0.0\n\texample.org/b v1.0.0\n\texample.org/c v1.0.0\n)", "exclude example.org/d v1.0.0"),
			theirs: mod("require (\n\texample.org/a v1.1.0\n\texample.org/b v1.0.0\n)"),
			want:   mod("require (\n\texample.org/a v1.1.0\n\texample.org/b v1.0.0\n\texample.org/c v1.0.0\n)", "exclude example.org/d v1.0.0"),
		},
		{name: "the target is newer", base: mod(yamlReq + "v1.0.0"), ours: mod(yamlReq + "v1.2.0"), theirs: mod(yamlReq + "v1.1.0"), want: mod(yamlReq + "v1.2.0")},
		{
			name: "the target has a later minor than a patch release", base: mod(yamlReq + "v1.0.0"), ours: mod(yamlReq + "v1.2.0"), theirs: mod(yamlReq + "v1.0.1"),
			want: mod(yamlReq + "v1.2.0"), review: true,
		},
		{name: "the target has a later commit", base: mod(yamlReq + old), ours: mod(yamlReq + mine), theirs: mod(yamlReq + recent), want: mod(yamlReq + mine), review: true},
		{
			name: "the target replaces it", base: mod(yamlReq + "v1.0.0"), ours: mod(yamlReq+"v1.0.0", "replace example.org/yaml => example.org/fork v0.9.0"), theirs: mod(yamlReq + "v1.1.0"),
			want: "!the fix moves example.org/yaml to v1.1.0, and the target replaces it by example.org/fork@v0.9.0",
		},
		{
			name: "the target requires it, and replaces it by an older one", base: mod(yamlReq + "v1.0.0"), ours: mod(yamlReq+"v1.1.0", "replace example.org/yaml => example.org/yaml v1.0.0"),
			theirs: mod(yamlReq+"v1.1.0", "exclude example.org/d v1.0.0"),
			want:   "!the fix moves example.org/yaml to v1.1.0, and the target replaces it by example.org/yaml@v1.0.0",
		},
		{
			name: "the target excludes it", base: mod(yamlReq + "v1.0.0"), ours: mod(yamlReq+"v1.0.0", "exclude example.org/yaml v1.1.0"), theirs: mod(yamlReq + "v1.1.0"),
			want: "!the fix moves example.org/yaml to v1.1.0, which the target excludes",
		},
		{name: "the fix is newer", base: mod(yamlReq + "v1.1.0"), ours: mod(yamlReq + "v1.0.0"), theirs: mod(yamlReq + "v1.2.0"), want: "!the fix moves example.org/yaml from v1.1.0 to v1.2.0, the target has v1.0.0"},
		{name: "the fix is newer by a patch release", base: mod(yamlReq + "v1.1.2"), ours: mod(yamlReq + "v1.1.1"), theirs: mod(yamlReq + "v1.1.3"), want: mod(yamlReq + "v1.1.3"), review: true},
		{name: "the fix lowers", base: mod(yamlReq + "v1.1.0"), ours: mod(yamlReq+"v1.1.0", "exclude example.org/d v1.0.0"), theirs: mod(yamlReq + "v1.0.0"), want: mod(yamlReq+"v1.0.0", "exclude example.org/d v1.0.0"), review: true},
		{
			name: "other modules", base: mod("require (\n\texample.org/a v1.0.0\n\texample.org/b v1.0.0\n)"), ours: mod("require (\n\texample.org/a v1.0.0\n\texample.org/b v0.9.0\n)"),
			theirs: mod("require (\n\texample.org/a v1.1.0\n\texample.org/b v1.0.0\n)"),
			want:   mod("require (\n\texample.org/a v1.1.0\n\texample.org/b v0.9.0\n)"), review: true,
		},
		{name: "a sibling's commit of another branch", base: mod(beside + old), ours: mod(beside + mine), theirs: mod(beside + recent), want: mod(beside + mine), review: true},
		{name: "a sibling becomes a directory", base: mod(beside + old), ours: mod(beside + mine), theirs: mod(beside+"v0.0.0", "replace example.com/own/api => ../api"), want: mod(beside+"v0.0.0", "replace example.com/own/api => ../api")},
		{
			name:   "a recorded replacement becomes a directory, and the module's own is new",
			base:   mod(beside+old, "replace (\n\texample.com/own/api => example.com/own/api "+old+"\n\texample.org/x => example.org/x v1.0.0\n)"),
			ours:   mod(beside+mine, "replace (\n\texample.com/own/api => example.com/own/api "+mine+"\n\texample.org/x => example.org/x v1.2.0 // pinned\n)"),
			theirs: mod(beside+"v0.0.0", "replace (\n\texample.com/own/api => ../api\n\texample.com/own/lib => ../lib\n\texample.org/x => example.org/x v1.0.0\n)"),
			want:   mod(beside+"v0.0.0", "replace (\n\texample.com/own/api => ../api\n\texample.com/own/lib => ../lib\n\texample.org/x => example.org/x v1.2.0 // pinned\n)"),
		},
		{
			name: "a sibling that the fix does not know", base: mod(beside + old), ours: mod("require (\n\texample.com/own/api " + mine + "\n\texample.com/own/more " + mine + "\n)"),
			theirs: mod(beside+"v0.0.0", "replace example.com/own/api => ../api"),
			want:   "!the fix replaces its siblings by directories, and does not know example.com/own/more, which the target requires",
		},
		{
			name: "a sibling that the target does not know", base: mod("require (\n\texample.com/own/api " + old + "\n\texample.com/own/more " + old + "\n)"), ours: mod(beside + mine),
			theirs: mod("require (\n\texample.com/own/api v0.0.0\n\texample.com/own/more v0.0.0\n)", "replace (\n\texample.com/own/api => ../api\n\texample.com/own/more => ../more\n)"),
			want:   mod(beside+"v0.0.0", "replace example.com/own/api => ../api"),
		},
		{name: "another directory", base: mod(beside + old), ours: mod(beside+"v0.0.0", "replace example.com/own/api => ./api"), theirs: mod(beside+"v0.0.0", "replace example.com/own/api => ../api"), want: "!the fix replaces example.com/own/api by directory ../api, and the target has another replacement"},
		{name: "a dropped requirement", base: mod(yamlReq + "v1.0.0"), ours: mod(yamlReq + "v1.1.0"), theirs: mod(), want: "!the fix drops the requirement of example.org/yaml v1.0.0, the target has v1.1.0"},
		{name: "a module that the target does not use", base: mod(yamlReq + "v1.0.0"), ours: mod("require example.org/z v1.0.0"), theirs: mod(yamlReq + "v1.1.0"), want: "!the target does not require example.org/yaml, of which the fix wants v1.1.0"},
		{name: "go in both", base: mod(), ours: strings.Replace(mod(), "1.20", "1.22", 1), theirs: strings.Replace(mod(), "1.20", "1.21", 1), want: strings.Replace(mod(), "1.20", "1.22", 1)},
		{name: "go too old", base: mod(), ours: strings.Replace(mod(), "1.20", "1.19", 1), theirs: strings.Replace(mod(), "1.20", "1.21", 1), want: `!the fix changes go from "1.20" to "1.21", the target has "1.19"`},
		{name: "settings", base: mod("godebug default=go1.20"), ours: mod("godebug default=go1.20", yamlReq+"v1.0.0"), theirs: mod("godebug default=go1.20", "godebug x=1", "retract v1.0.0", "toolchain go1.21.1"), want: mod("toolchain go1.21.1", "godebug default=go1.20", "godebug x=1", yamlReq+"v1.0.0", "retract v1.0.0")},
		{name: "no go.mod", base: "<<<<<<<\n", ours: mod(), theirs: mod(yamlReq + "v1.0.0"), want: "!go.mod of the fix's parent: go.mod:1: unknown directive: <<<<<<<"},
		{name: "required twice", base: mod(), ours: mod(yamlReq+"v1.0.0", yamlReq+"v1.1.0"), theirs: mod(beside + old), want: "!go.mod of the target: example.org/yaml is required twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := depmerge.Merge(depmerge.GoMod, sides(c.base, c.ours, c.theirs), nil)
			check(t, res, c.want)
			if res.Review != c.review {
				t.Errorf("review is %v", res.Review)
			}
		})
	}
}

func check(t *testing.T, res depmerge.Result, want string) {
	t.Helper()
	got := string(res.Text)
	if len(res.Refusals) > 0 {
		got = "!" + res.Refusals[0]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s\nnotes %q refusals %q", diff, res.Notes, res.Refusals)
	}
}

// sum are the two hashes of a module version.
func sum(path, version, hash string) string {
	return path + " " + version + " h1:" + hash + "=\n" + path + " " + version + "/go.mod h1:" + hash + "m=\n"
}

func TestGoSum(t *testing.T) {
	api, yaml, graph := "example.com/own/api", "example.org/yaml", "example.org/graph"
	local := mod(beside+"v0.0.0", "replace example.com/own/api => ../api")
	for _, c := range []struct {
		name               string
		base, ours, theirs string
		mods               depmerge.Modules
		want               string
		review             bool
	}{
		{
			name: "a sibling becomes a directory",
			base: sum(api, old, "a") + sum(yaml, "v1.0.0", "y"), ours: sum(api, mine, "m") + sum(yaml, "v1.0.0", "y"), theirs: sum(yaml, "v1.0.0", "y"),
			mods: depmerge.Modules{Base: []byte(mod(beside + old)), Ours: []byte(mod(beside + mine)), Theirs: []byte(local), Merged: []byte(local)},
			want: sum(yaml, "v1.0.0", "y"),
		},
		{
			name: "a sibling becomes a directory, and the graph is another",
			base: sum(api, old, "a") + sum(yaml, "v1.0.0", "y"), ours: sum(api, mine, "m") + sum(yaml, "v1.1.0", "z"), theirs: sum(yaml, "v1.0.0", "y"),
			mods: depmerge.Modules{Base: []byte(mod(beside + old)), Ours: []byte(mod(beside + mine)), Theirs: []byte(local), Merged: []byte(local)},
			want: sum(yaml, "v1.1.0", "z"), review: true,
		},
		{
			name: "directories, and go.sum is as when they last stood there",
			base: sum(api, old, "a") + sum(yaml, "v1.0.0", "y"), ours: sum(api, mine, "m") + sum(yaml, "v1.1.0", "z"), theirs: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "y"),
			mods: depmerge.Modules{
				Base: []byte(mod(beside + old)), Ours: []byte(mod(beside + mine)), Theirs: []byte(local), Merged: []byte(local),
				BaseEarlier: &depmerge.Pair{Mod: []byte(local), Sum: []byte(sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "y"))},
				OursEarlier: &depmerge.Pair{Mod: []byte(local), Sum: []byte(sum(graph, "v1.2.0", "g2") + sum(yaml, "v1.1.0", "z"))},
			},
			want: "!the fix changes the hashes of example.org/graph, and its go.mod does not say why; the target has other modules",
		},
		{
			name: "directories, and go.sum was another when they last stood there",
			base: sum(api, old, "a") + sum(yaml, "v1.0.0", "y"), ours: sum(api, mine, "m") + sum(yaml, "v1.1.0", "z"), theirs: sum(yaml, "v1.0.0", "y"),
			mods: depmerge.Modules{
				Base: []byte(mod(beside + old)), Ours: []byte(mod(beside + mine)), Theirs: []byte(local), Merged: []byte(local),
				BaseEarlier: &depmerge.Pair{Mod: []byte(local), Sum: []byte(sum(yaml, "v1.0.0", "y"))},
				OursEarlier: &depmerge.Pair{Mod: []byte(local), Sum: []byte(sum(graph, "v1.2.0", "g2") + sum(yaml, "v1.1.0", "z"))},
			},
			want: "!the fix replaces modules by directories, and go.sum would hold something else than when the target last had them",
		},
		{
			name: "the target's own version is superseded", base: sum(yaml, "v1.0.2", "y"), ours: sum(yaml, "v1.0.1", "o"), theirs: sum(yaml, "v1.0.3", "t"),
			mods: depmerge.Modules{Base: []byte(mod(yamlReq + "v1.0.2")), Ours: []byte(mod(yamlReq + "v1.0.1")), Theirs: []byte(mod(yamlReq + "v1.0.3")), Merged: []byte(mod(yamlReq + "v1.0.3"))},
			want: sum(yaml, "v1.0.3", "t"),
		},
		{
			name: "something else needs the version that the fix leaves",
			base: sum(yaml, "v1.0.0", "y"), ours: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "y"), theirs: yaml + " v1.0.0/go.mod h1:ym=\n" + sum(yaml, "v1.1.0", "t"),
			mods: depmerge.Modules{Base: []byte(mod(yamlReq + "v1.0.0")), Ours: []byte(mod(yamlReq + "v1.0.0")), Theirs: []byte(mod(yamlReq + "v1.1.0")), Merged: []byte(mod(yamlReq + "v1.1.0"))},
			want: "!the fix moves example.org/yaml, and something else needs the version that it had: whether that holds for the target is not known",
		},
		{
			name: "a version moves, and other hashes stay as the target has them",
			base: sum(yaml, "v1.0.0", "y"), ours: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "y"), theirs: sum(yaml, "v1.1.0", "z"),
			mods: depmerge.Modules{Base: []byte(mod(yamlReq + "v1.0.0")), Ours: []byte(mod(yamlReq + "v1.0.0")), Theirs: []byte(mod(yamlReq + "v1.1.0")), Merged: []byte(mod(yamlReq + "v1.1.0"))},
			want: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.1.0", "z"),
		},
		{
			name: "the target's version was kept", base: sum(yaml, "v1.0.0", "y"), ours: sum(yaml, "v1.2.0", "n"), theirs: sum(yaml, "v1.1.0", "z"),
			mods: depmerge.Modules{Base: []byte(mod(yamlReq + "v1.0.0")), Ours: []byte(mod(yamlReq + "v1.2.0")), Theirs: []byte(mod(yamlReq + "v1.1.0")), Merged: []byte(mod(yamlReq + "v1.2.0"))},
			want: sum(yaml, "v1.2.0", "n"),
		},
		{
			name: "a hash that go.mod does not explain", base: sum(yaml, "v1.0.0", "y"), ours: sum(yaml, "v1.0.0", "y") + sum("example.org/z", "v1.0.0", "z"), theirs: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "y"),
			mods: depmerge.Modules{Base: []byte(mod(yamlReq + "v1.0.0")), Ours: []byte(mod(yamlReq + "v1.0.0")), Theirs: []byte(mod(yamlReq + "v1.0.0")), Merged: []byte(mod(yamlReq + "v1.0.0"))},
			want: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "y") + sum("example.org/z", "v1.0.0", "z"), review: true,
		},
		{
			name: "different hashes of one version", base: sum(graph, "v1.0.0", "g"), ours: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "bad"), theirs: sum(graph, "v1.0.0", "g") + sum(yaml, "v1.0.0", "good"),
			mods: depmerge.Modules{Base: []byte(mod()), Ours: []byte(mod(yamlReq + "v1.0.0")), Theirs: []byte(mod(yamlReq + "v1.0.0")), Merged: []byte(mod(yamlReq + "v1.0.0"))},
			want: "!the fix and the target have different hashes of example.org/yaml v1.0.0",
		},
		{name: "no sums", base: "x\n", ours: sum(yaml, "v1.0.0", "y"), theirs: "", mods: depmerge.Modules{Base: []byte(mod()), Ours: []byte(mod()), Theirs: []byte(mod()), Merged: []byte(mod())}, want: "!go.sum of the fix's parent: line 1 has 1 words"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := depmerge.Merge(depmerge.GoSum, sides(c.base, c.ours, c.theirs), &c.mods)
			check(t, res, c.want)
			if res.Review != c.review && c.want[0] != '!' {
				t.Errorf("review is %v", res.Review)
			}
		})
	}
	t.Run("go.mod is not merged", func(t *testing.T) {
		check(t, depmerge.Merge(depmerge.GoSum, sides("", sum(yaml, "v1.0.0", "y"), sum(graph, "v1.0.0", "g")), nil), "!the go.mod beside it is not merged")
	})
}

// deps is a Godeps.json with entries of the form "path revision".
func deps(goVersion string, entries ...string) string {
	var b strings.Builder
	b.WriteString("{\n\t\"ImportPath\": \"example.com/own/lib\",\n\t\"GoVersion\": \"" + goVersion + "\",\n\t\"GodepVersion\": \"v80\",\n\t\"Deps\": [")
	for i, e := range entries {
		path, rev, _ := strings.Cut(e, " ")
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n\t\t{\n\t\t\t\"ImportPath\": \"" + path + "\",\n\t\t\t\"Rev\": \"" + rev + "\"\n\t\t}")
	}
	if len(entries) > 0 {
		b.WriteString("\n\t")
	}
	b.WriteString("]\n}\n")
	return b.String()
}

func TestGodeps(t *testing.T) {
	for _, c := range []struct {
		name               string
		base, ours, theirs string
		want               string
	}{
		{
			name: "a placeholder for a repository", base: deps("go1", "e/a/x aa", "e/b bb"), ours: deps("go1", "e/a/x cc", "e/b bb"),
			theirs: deps("go1", "e/a/x xx", "e/b bb"), want: deps("go1", "e/a/x xx", "e/b bb"),
		},
		{
			name: "a placeholder, and packages come and go", base: deps("go1", "e/a/x aa", "e/a/y aa", "e/b bb"), ours: deps("go1", "e/a/x cc", "e/a/y cc", "e/b bb"),
			theirs: deps("go2", "e/a/w xx", "e/a/x xx", "e/b bb"), want: deps("go2", "e/a/w xx", "e/a/x xx", "e/b bb"),
		},
		{name: "a package that only the target uses", base: deps("go1", "e/a/x aa"), ours: deps("go1", "e/a/x cc", "e/a/z cc"), theirs: deps("go1", "e/a/x xx"), want: "!the fix gives a placeholder to the repository of e/a/z, which only the target uses"},
		{name: "other packages", base: deps("go1", "e/b bb"), ours: deps("go1", "e/b bb", "e/c cc"), theirs: deps("go1", "e/b dd"), want: deps("go1", "e/b dd", "e/c cc")},
		{name: "both moved", base: deps("go1", "e/b bb"), ours: deps("go1", "e/b cc"), theirs: deps("go1", "e/b dd"), want: "!the fix moves e/b to dd, the target has cc"},
		{name: "other programs", base: deps("go1", "e/b bb"), ours: deps("gox", "e/b bb"), theirs: deps("go2", "e/b bb"), want: "!the list of the target was made by other programs (gox, godep v80) than the fix's (go2, godep v80)"},
		{name: "later programs", base: deps("go1.11", "e/b bb"), ours: deps("go1.12", "e/b bb"), theirs: deps("go1.11.1", "e/b dd"), want: deps("go1.11.1", "e/b dd")},
		{name: "earlier programs", base: deps("go1.11", "e/b bb"), ours: deps("go1.10", "e/b bb"), theirs: deps("go1.12", "e/b bb"), want: "!the list of the target was made by other programs (go1.10, godep v80) than the fix's (go1.12, godep v80)"},
		{
			name: "another layout", base: deps("go1", "e/b bb"), ours: strings.ReplaceAll(deps("go1", "e/b bb", "e/c cc"), "\t", "  "), theirs: deps("go1", "e/b dd"),
			want: strings.ReplaceAll(deps("go1", "e/b dd", "e/c cc"), "\t", "  "),
		},
		{name: "no layout", base: deps("go1"), ours: strings.ReplaceAll(deps("go1", "e/b bb"), "\t", " "), theirs: deps("go2"), want: "!Godeps.json of the target is not as godep prints it"},
		{name: "unknown field", base: "{\"X\":1}", ours: deps("go1"), theirs: deps("go2"), want: `!Godeps.json: json: unknown field "X"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t, depmerge.Merge(depmerge.Godeps, sides(c.base, c.ours, c.theirs), nil), c.want)
		})
	}
}

func TestTooLarge(t *testing.T) {
	large := strings.Repeat("\n", depmerge.MaxBytes+1)
	check(t, depmerge.Merge(depmerge.GoMod, sides("", "module a\n", large), nil), "!it has more than 4194304 bytes")
}
