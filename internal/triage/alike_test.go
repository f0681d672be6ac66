package triage_test

import (
	"fmt"
	"strings"
	"testing"
)

// longer is a fix of many lines: how many of them are there, and which others.
func longer(safe, other int) string {
	var changes []string
	for i := range safe {
		changes = append(changes, fmt.Sprintf("%d=check that request %d is allowed", 10+i, i))
	}
	for i := range other {
		changes = append(changes, fmt.Sprintf("%d=something else entirely, number %d", 10+safe+i, i))
	}
	return text(changes...)
}

// TestElsewhere has the same change in a file of another name, as where the file was renamed later.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	// land renames server.go on main, and fixes it under the new name.
	land := func(w *world) {
		w.Checkout("main")
		w.Git("mv", "server.go", "serving.go")
		w.Commit("Rename a file")
		w.Write("serving.go", longer(10, 0))
		w.names("main", w.Commit("Fix it"))
	}
	run(t, []scenario{
		{"all lines, with the subject", func(w *world) {
			land(w)
			w.Checkout("release-1.0")
			w.Write("server.go", longer(10, 0))
			w.Commit("Fix it")
		}, "under_investigation changed_lines absent_symbol"},
		{"half of the lines, with the subject", func(w *world) {
			land(w)
			w.Checkout("release-1.0")
			w.Write("server.go", longer(6, 4))
			w.Commit("Fix it")
		}, "affected not_found introduced"},
		{"all lines, with another subject", func(w *world) {
			land(w)
			w.Checkout("release-1.0")
			w.Write("server.go", longer(10, 0))
			w.Commit("Make it safe")
		}, "affected not_found introduced"},
		{"all lines, and main has another commit of that subject", func(w *world) {
			land(w)
			w.Write("other.go", text("20=safe"))
			w.Commit("Fix it")
			w.Checkout("release-1.0")
			w.Write("server.go", longer(10, 0))
			w.Commit("Fix it")
		}, "affected not_found introduced"},
		{"most lines, with author, date and subject", func(w *world) {
			land(w)
			w.Checkout("release-1.0")
			w.Write("server.go", longer(7, 3))
			w.Git("commit", "-qa", "-C", "main")
		}, "fixed author_date_subject changed_lines"},
		{"few lines, with author, date and subject", func(w *world) {
			land(w)
			w.Checkout("release-1.0")
			w.Write("server.go", longer(3, 7))
			w.Git("commit", "-qa", "-C", "main")
		}, "affected not_found introduced"},
	})
}

// TestGivenBack has a fix that gives back what the branch has from before it was taken away.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	main := func(w *world, content, subject string) {
		w.Checkout("main")
		w.Write("server.go", content)
		w.Commit(subject)
	}
	run(t, []scenario{
		{"the branch left main before it was taken away", func(w *world) {
			main(w, longer(10, 0), "Bring it")
			w.Git("branch", "-qf", "release-1.0", "main")
			main(w, longer(0, 10), "Take it away")
			main(w, longer(10, 0), "Give it back")
			w.names("main", w.Rev("main"))
		}, "under_investigation not_found fix_lines"},
		{"the branch took it over before it was taken away", func(w *world) {
			main(w, longer(0, 10), "Bring something")
			w.Git("branch", "-qf", "release-1.0", "main")
			main(w, longer(10, 0), "Bring it")
			main(w, longer(0, 10), "Take it away")
			main(w, longer(10, 0), "Give it back")
			w.names("main", w.Rev("main"))
			w.Checkout("release-1.0")
			w.Write("server.go", longer(6, 4))
			w.Commit("Make room")
			w.Write("server.go", longer(10, 0))
			w.Commit("Bring it")
		}, "under_investigation not_found fix_lines"},
		{"the branch was given it by itself", func(w *world) {
			main(w, longer(0, 10), "Bring something")
			w.Git("branch", "-qf", "release-1.0", "main")
			main(w, longer(10, 0), "Make it safe")
			w.names("main", w.Rev("main"))
			w.Checkout("release-1.0")
			w.Write("server.go", longer(6, 4))
			w.Commit("One half")
			w.Write("server.go", longer(10, 0))
			w.Commit("The other half")
		}, "fixed post_image"},
	})
}

// godeps is a Godeps.json with the revisions of two packages.
func godeps(patch, other string) string {
	revision := func(c string) string { return strings.Repeat(c, 40) }
	return `{
	"ImportPath": "example.org/server",
	"Deps": [
		{
			"ImportPath": "example.org/json-patch",
			"Rev": "` + revision(patch) + `"
		},
		{
			"ImportPath": "example.org/sibling",
			"Rev": "` + revision(other) + `"
		}
	]
}
`
}

func TestRaised(t *testing.T) {
	t.Parallel()
	goMod := func(version string, more ...string) string {
		return "module example.org/server\n\ngo " + version + "\n\nrequire (\n\texample.org/yaml v1.0.0\n" + strings.Join(more, "") + ")\n"
	}
	start := func(w *world, file, one, two string) {
		for branch, content := range map[string]string{"main": one, "release-1.0": two} {
			w.Checkout(branch)
			w.Write(file, content)
			w.Commit("Pin dependencies of " + branch)
		}
	}
	const file, subject = "Godeps/Godeps.json", "vendor: bump json-patch"
	raise := func(w *world, branch, content, subject string) {
		w.Checkout(branch)
		w.Write(file, content)
		w.Commit(subject)
	}
	run(t, []scenario{
		{"a revision in Godeps.json", func(w *world) {
			start(w, file, godeps("a", "x"), godeps("b", "y"))
			raise(w, "main", godeps("c", "x"), subject)
			w.names("main", w.Rev("main"))
			raise(w, "release-1.0", godeps("c", "z"), subject)
		}, "fixed changed_lines dependency"},
		{"another revision", func(w *world) {
			start(w, file, godeps("a", "x"), godeps("b", "y"))
			raise(w, "main", godeps("c", "x"), subject)
			w.names("main", w.Rev("main"))
			raise(w, "release-1.0", godeps("d", "z"), subject)
		}, "affected not_found"},
		{"a sibling's revision, which publishing crosses out", func(w *world) {
			start(w, file, godeps("a", "1"), godeps("b", "2"))
			raise(w, "main", godeps("a", "x"), "generated")
			w.names("main", w.Rev("main"))
			raise(w, "release-1.0", godeps("b", "x"), "generated")
		}, "affected not_found"},
		{"what another commit of that subject brings, too", func(w *world) {
			start(w, file, godeps("a", "1"), godeps("b", "2"))
			raise(w, "main", godeps("c", "1"), subject)
			w.names("main", w.Rev("main"))
			raise(w, "main", godeps("a", "1"), "Take it back for now")
			raise(w, "main", godeps("c", "1"), subject)
			raise(w, "release-1.0", godeps("c", "3"), subject)
		}, "affected not_found"},
		{"the version of the language", func(w *world) {
			start(w, "go.mod", goMod("1.18", "\texample.org/a v1.0.0\n"), goMod("1.16"))
			w.Checkout("main")
			w.Write("go.mod", goMod("1.19", "\texample.org/a v1.0.1\n"))
			w.names("main", w.Commit("Update go.mod to go1.19"))
			w.Checkout("release-1.0")
			w.Write("go.mod", goMod("1.19"))
			w.Commit("Update go.mod to go1.19")
		}, "fixed dependency"},
		{"the version of the language, of which the subject does not speak", func(w *world) {
			start(w, "go.mod", goMod("1.18", "\texample.org/a v1.0.0\n"), goMod("1.16"))
			w.Checkout("main")
			w.Write("go.mod", goMod("1.19", "\texample.org/a v1.0.1\n"))
			w.names("main", w.Commit("hack/update-vendor.sh"))
			w.Checkout("release-1.0")
			w.Write("go.mod", goMod("1.19"))
			w.Commit("hack/update-vendor.sh")
		}, "affected not_found"},
	})
}
