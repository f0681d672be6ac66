package backport_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/gittest"
)

// BenchmarkPick picks onto a generated tree of 3,000 files in 150 directories, objects in memory: what the engine itself costs.
func BenchmarkPick(b *testing.B) {
	g := &generator{Rand: rand.New(rand.NewPCG(1, 1))}
	base := tree{}
	for i := range 3000 {
		base[fmt.Sprintf("pkg/d%d/e%d/f%d.go", i%10, i%150, i)] = file{mode: 0o100644, content: g.text(100)}
	}
	fixed, target, moved, clash := maps.Clone(base), maps.Clone(base), tree{}, maps.Clone(base)
	edit := func(tr tree, path, line string, at int) {
		lines := strings.SplitAfter(base[path].content, "\n")
		lines[at] = line + "\n"
		tr[path] = file{base[path].mode, strings.Join(lines, "")}
	}
	touched := []string{"pkg/d1/e1/f1.go", "pkg/d2/e2/f2.go", "pkg/d3/e3/f3.go"}
	for _, p := range touched {
		edit(fixed, p, "fixed", 10)
		edit(target, p, "other", 90)
		edit(clash, p, "other", 10)
	}
	for p, f := range target {
		moved["staging/"+p] = f
	}
	for _, bm := range []struct {
		name string
		onto tree
	}{{"apart", target}, {"moved", moved}, {"conflict", clash}} {
		b.Run(bm.name, func(b *testing.B) {
			store := gittest.NewMemory()
			parent := commit(b, store, base.write(b, store), 0)
			fix := commit(b, store, fixed.write(b, store), 1, parent)
			onto := commit(b, store, bm.onto.write(b, store), 2)
			b.ReportAllocs()
			for b.Loop() {
				res := backport.New(store, noHistory{}).Pick(b.Context(), backport.Request{Commit: fix, Onto: onto})
				if res.Outcome == backport.Error || (res.Outcome == backport.Conflicted) != (bm.name == "conflict") {
					b.Fatalf("%+v", res)
				}
			}
		})
	}
}
