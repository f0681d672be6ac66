package triage_test

import (
	"fmt"
	"strings"
	"testing"
)

// handler is a Go file with functions, of which each checks or does not.
func handler(checked ...string) string {
	var b strings.Builder
	b.WriteString("package server\n\nimport \"net/http\"\n")
	for _, name := range []string{"read", "write", "remove"} {
		fmt.Fprintf(&b, "\n// %[1]s answers a request.\nfunc %[1]s(w http.ResponseWriter, r *http.Request) {\n\tname := r.URL.Query().Get(\"name-of-%[1]s\")\n", name)
		for _, c := range checked {
			if c == name {
				fmt.Fprintf(&b, "\tif strings.Contains(name, \"..\") {\n\t\thttp.Error(w, \"no such thing to %s\", http.StatusNotFound)\n\t\treturn\n\t}\n", name)
			}
		}
		fmt.Fprintf(&b, "\tanswerWith(w, filepath.Join(root, name), \"%s\")\n}\n", name)
	}
	return b.String()
}

// serve starts main and release-1.0 with the handler, and lands the fix of all three functions on main.
func (w *world) serve() {
	w.Checkout("release-1.0")
	w.Write("handler.go", handler())
	w.Commit("Serve")
	w.Checkout("main")
	w.Write("handler.go", handler())
	w.Commit("Serve")
	w.Write("handler.go", handler("read", "write", "remove"))
	w.names("main", w.Commit("Refuse names that lead out"))
}

// on commits the handler to release-1.0.
func (w *world) on(message, content string) {
	w.Checkout("release-1.0")
	w.Write("handler.go", content)
	w.Commit(message)
}

func TestLines(t *testing.T) {
	t.Parallel()
	const picked = "Refuse names that lead out\n\n(cherry picked from commit %s)\n"
	all := handler("read", "write", "remove")
	run(t, []scenario{
		{"nothing of it", func(w *world) { w.serve() }, "affected not_found hole_lines hole_lines hole_lines"},
		{"made anew by others, with other comments", func(w *world) {
			w.serve()
			w.on("Be careful", strings.ReplaceAll(all, "answers a request", "answers"))
		}, "fixed normalized_patch_id"},
		{"made anew by others, with more beside it", func(w *world) {
			w.serve()
			w.on("Be careful", all+"\nfunc more() {\n\tdoSomethingElseAsWell()\n}\n")
			w.Tag("v1.0.1")
		}, "fixed v1.0.1 post_image"},
		{"made anew in two steps", func(w *world) {
			w.serve()
			w.on("Be careful", handler("read"))
			w.Tag("v1.0.1")
			w.on("Be more careful", all)
			w.Tag("v1.0.2")
		}, "fixed v1.0.2 post_image"},
		{"made anew in part", func(w *world) {
			w.serve()
			w.on("Be careful", handler("read", "write"))
		}, "affected not_found fix_lines fix_lines hole_lines"},
		{"made anew, and taken out again", func(w *world) {
			w.serve()
			w.on("Be careful", all)
			w.on("Be quick", handler())
		}, "affected reverted"},
		{"picked, with some of the lines", func(w *world) {
			w.serve()
			w.on(fmt.Sprintf(picked, w.Rev("main")), handler("read"))
		}, "under_investigation trailer hole_lines hole_lines fix_lines"},
		{"picked, and undone in part without a word", func(w *world) {
			w.serve()
			w.on(fmt.Sprintf(picked, w.Rev("main")), all)
			w.on("Make it quicker", handler("read", "write"))
		}, "under_investigation patch_id trailer undone"},
		{"picked, and undone in part by what was merged", func(w *world) {
			w.serve()
			w.on(fmt.Sprintf(picked, w.Rev("main")), all)
			w.Branch("topic", "release-1.0")
			w.Write("handler.go", handler("read", "write"))
			w.Commit("Make it quicker")
			w.Checkout("release-1.0")
			w.Merge("topic", "Merge pull request #9 from eve/topic\n\nQuicker")
		}, "under_investigation patch_id trailer undone"},
		{"picked, then the code went on", func(w *world) {
			w.serve()
			w.on(fmt.Sprintf(picked, w.Rev("main")), all)
			w.on("Answer in another way", strings.ReplaceAll(all, "answerWith(w, filepath.Join(root, name)", "answer(w, name"))
		}, "fixed patch_id trailer"},
	})
}

// reworded is the handler whose functions do the same in other words.
func reworded(checked ...string) string {
	return strings.ReplaceAll(strings.ReplaceAll(handler(checked...), "r.URL.Query().Get(", "parameterOf(r, "), "answerWith(w, filepath.Join(root, name), ", "reply(w, name, ")
}

func TestOtherWords(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{"older code in other words", func(w *world) {
			w.serve()
			w.on("Serve in other words", reworded())
		}, "affected not_found drifted drifted drifted"},
		{"a commit with the fix's subject that fixes it in other words", func(w *world) {
			w.serve()
			w.on("Serve in other words", reworded())
			w.on("Refuse names that lead out", strings.NewReplacer("strings.Contains(name, \"..\")", "leadsOut(name)", "http.Error(w, \"no such thing to ", "refuse(w, \"", ", http.StatusNotFound", "").Replace(reworded("read", "write", "remove")))
		}, "under_investigation not_found drifted drifted drifted drifted"},
		{"an older commit with the fix's subject", func(w *world) {
			w.on("Refuse names that lead out", "package server\n")
			w.serve()
			w.on("Serve in other words", reworded())
		}, "affected not_found drifted drifted drifted"},
		{"the fix of another release branch only", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("handler.go", handler())
			w.Commit("Serve")
			w.Branch("release-0.9", "release-1.0")
			w.Write("handler.go", handler("read", "write", "remove"))
			w.names("release-0.9", w.Commit("Refuse names that lead out"))
			w.on("Serve in other words", reworded())
		}, "under_investigation not_found drifted drifted drifted drifted"},
	})
}

// late brings the function that the fix changes to main, after release-1.0 left.
func (w *world) late(message, also string) {
	w.Checkout("main")
	w.Write("handler.go", handler())
	if also != "" {
		w.Write("server.go", also)
	}
	w.Commit(message)
	w.Write("handler.go", handler("read", "write", "remove"))
	w.names("main", w.Commit("Refuse names that lead out"))
}

func TestNotThere(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{"the code came later", func(w *world) { w.late("Serve names", "") }, "not_affected introduced introduced introduced absent_symbol absent_symbol absent_symbol"},
		{"it says that it moved", func(w *world) { w.late("Move the handler here", "") }, "under_investigation not_found introduced introduced introduced"},
		{"its file is older than the commit", func(w *world) {
			w.Checkout("main")
			w.Write("handler.go", "// Copyright 2011 The Authors\n\n"+handler())
			w.Commit("Serve names")
			w.Write("handler.go", "// Copyright 2011 The Authors\n\n"+handler("read", "write", "remove"))
			w.names("main", w.Commit("Refuse names that lead out"))
		}, "under_investigation not_found introduced introduced introduced"},
		{"other code went with it", func(w *world) { w.late("Serve names", "package server\n") }, "under_investigation not_found introduced introduced introduced"},
		{"the branch has a line of it in another file", func(w *world) {
			w.late("Serve names", "")
			w.Checkout("release-1.0")
			w.Write("old.go", "package server\n\nfunc get() {\n\tanswerWith(w, filepath.Join(root, name), \"remove\")\n}\n")
			w.Commit("Serve, in an older way")
		}, "affected not_found hole_lines"},
		{"the branch has the code by another name of the directory", func(w *world) {
			w.late("Serve names", "")
			w.Checkout("release-1.0")
			w.Write("pkg/old/handler.go", handler())
			w.Commit("Have it here too")
		}, "affected not_found hole_lines hole_lines hole_lines"},
		{"the branch took the code, and lost it", func(w *world) {
			w.late("Serve names", "")
			w.Checkout("release-1.0")
			w.CherryPick(w.Rev("main~1"))
			w.Git("rm", "-q", "handler.go")
			w.Commit("Drop it")
		}, "under_investigation not_found introduced"},
		{"the fix only brings what is new", func(w *world) {
			w.Checkout("main")
			w.Write("handler.go", handler())
			w.names("main", w.Commit("Serve with care"))
		}, "affected not_found introduced"},
	})
}
