package triage_test

import "testing"

// TestWithoutModules has fixes that only raise a dependency, and branches that never needed it.
func TestWithoutModules(t *testing.T) {
	t.Parallel()
	const head = "module example.org/server\n\n"
	const sums = "example.org/other v1.0.0 h1:x\n"
	// land brings a dependency to main, and raises it.
	land := func(w *world, extra ...string) {
		w.Checkout("main")
		w.Write("go.mod", head+"require example.org/codec v1.0.0\n")
		w.Write("go.sum", sums+"example.org/codec v1.0.0 h1:x\n")
		w.Commit("Read messages with a codec")
		w.Write("go.mod", head+"require example.org/codec v1.0.2\n")
		w.Write("go.sum", sums+"example.org/codec v1.0.2 h1:x\n")
		for _, name := range extra {
			w.Write(name, text("20=safe"))
		}
		w.names("main", w.Commit("Bump example.org/codec to v1.0.2"))
	}
	// has writes files of the branch before main took the dependency.
	has := func(w *world, files map[string]string) {
		w.Checkout("release-1.0")
		for name, content := range files {
			w.Write(name, content)
		}
		w.Commit("Prepare the branch")
	}
	const other = head + "require example.org/other v1.0.0\n"
	run(t, []scenario{
		{"no file names it", func(w *world) {
			has(w, map[string]string{"go.mod": other, "go.sum": sums})
			land(w)
		}, "not_affected absent_symbol introduced"},
		{"nothing is needed", func(w *world) {
			has(w, map[string]string{"go.mod": head + "go 1.12\n"})
			land(w)
		}, "not_affected absent_symbol introduced"},
		{"nothing is needed, and Godeps.json says so", func(w *world) {
			has(w, map[string]string{"go.mod": head + "go 1.12\n", "go.sum": "", "Godeps/Godeps.json": "{\n\t\"ImportPath\": \"example.org/server\",\n\t\"Deps\": null\n}\n"})
			land(w)
		}, "not_affected absent_symbol introduced"},
		{"Godeps.json names others", func(w *world) {
			w.Checkout("release-1.0")
			w.Git("rm", "-q", "go.mod")
			has(w, map[string]string{"Godeps/Godeps.json": godeps("a", "b")})
			land(w)
		}, "not_affected absent_symbol introduced"},
		{"needed in another version", func(w *world) {
			has(w, map[string]string{"go.mod": head + "require example.org/codec v0.9.0\n", "go.sum": "example.org/codec v0.9.0 h1:x\n"})
			land(w)
		}, "affected not_found"},
		{"needed by way of another module", func(w *world) {
			has(w, map[string]string{"go.mod": other, "go.sum": sums + "example.org/codec v0.9.0 h1:x\n"})
			land(w)
		}, "affected not_found"},
		{"another module of that name", func(w *world) {
			has(w, map[string]string{"go.mod": head + "require old.example.org/gocodec v1.0.0\n", "go.sum": "old.example.org/gocodec v1.0.0 h1:x\n"})
			land(w)
		}, "affected not_found"},
		{"a copy below another directory", func(w *world) {
			has(w, map[string]string{"go.mod": other, "go.sum": sums, "third_party/codec.go": "package codec // import \"example.org/codec\"\n"})
			land(w)
		}, "affected not_found"},
		{"no sums, so what is needed by way of another module is not known", func(w *world) {
			has(w, map[string]string{"go.mod": other})
			land(w)
		}, "affected not_found"},
		{"main has needed it from the first commit on", func(w *world) {
			has(w, map[string]string{"go.mod": other, "go.sum": sums})
			w.Checkout("main")
			w.Write("go.mod", head+"require example.org/yaml v1.0.2\n")
			w.names("main", w.Commit("Bump example.org/yaml to v1.0.2"))
		}, "affected not_found"},
		{"the fix changes source besides", func(w *world) {
			has(w, map[string]string{"go.mod": other, "go.sum": sums})
			land(w, "server.go")
		}, "affected not_found hole_lines"},
	})
}
