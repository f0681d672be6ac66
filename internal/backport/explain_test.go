package backport_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

func TestExplain(t *testing.T) {
	const source = "package a\n\nfunc One() int {\n\treturn 1\n}\n"
	tests := []struct {
		name              string
		base, ours, fixed string
		want              []string
	}{
		{"carried over as it is", source, source, strings.ReplaceAll(source, "1", "2"), []string{"verbatim decided"}},
		{"refused", source, strings.ReplaceAll(source, "1", "3"), strings.ReplaceAll(source, "1", "2"), []string{"verbatim left content", "go refused both-changed"}},
		{"distrusted", source, source, strings.ReplaceAll(source, "1", "lost()"), []string{"verbatim decided", "vouch withdrawn undeclared-name"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			commit := func(content string, parents ...git.OID) git.OID {
				files := tree{"a.go": file{git.ModeFile, content}, "go.mod": file{git.ModeFile, "module a\n"}}
				if content != tt.ours || len(parents) == 0 { // the target lacks it
					files["b.go"] = file{git.ModeFile, "package a\n\nfunc lost() int { return 3 }\n"}
				}
				id, err := store.WriteCommit(t.Context(), &git.Commit{Tree: files.write(t, store), Parents: parents, Message: "c\n"})
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			base := commit(tt.base)
			request := backport.Request{Commit: commit(tt.fixed, base), Onto: commit(tt.ours, base)}
			engine := backport.New(store, cutOff{})
			if plain := engine.Pick(t.Context(), request); plain.Steps != nil || plain.Files[0].Steps != nil || plain.Files[0].Versions != nil {
				t.Error("an explanation that nobody asked for")
			}
			request.Explain = true
			res := engine.Pick(t.Context(), request)
			if len(res.Files) != 1 || res.Files[0].Versions == nil {
				t.Fatalf("files %+v", res.Files)
			}
			var got []string
			for _, s := range res.Files[0].Steps {
				got = append(got, strings.TrimSpace(s.Rung+" "+string(s.Did)+" "+string(s.Reason)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			want := backport.Versions{Base: git.Hash(git.TypeBlob, []byte(tt.base)), Ours: git.Hash(git.TypeBlob, []byte(tt.ours)), Theirs: git.Hash(git.TypeBlob, []byte(tt.fixed))}
			want.Result = res.Files[0].Versions.Result
			if diff := cmp.Diff(want, *res.Files[0].Versions); diff != "" || want.Result.IsZero() {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
		})
	}
}
