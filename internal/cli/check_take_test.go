package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFileNames(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, tt := range []struct {
		name     string
		contexts []string
		want     []string
	}{
		{"plain", []string{"prod", "arn:aws:eks:eu-west-1:1:cluster/shop"}, []string{"prod.json", "arn:aws:eks:eu-west-1:1:cluster%2Fshop.json"}},
		{"no way out", []string{"", ".", "..", "../x"}, []string{"_.json", "_..json", "_...json", "..%2Fx.json"}},
		{"capitals", []string{"Prod", "prod"}, []string{"Prod,5f56359ef193c076.json", "prod,6754af9632a2745e.json"}},
		{"equal beginnings", []string{long + "1", long + "2"}, nil},
		{"a name like one that has a hash", []string{long, strings.Repeat("a", 200)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := fileNames(tt.contexts)
			seen := map[string]bool{}
			for _, name := range got {
				if seen[strings.ToLower(name)] || strings.ContainsAny(name, `/\`) || len(name) > 230 || !strings.HasSuffix(name, ".json") {
					t.Errorf("%q", got)
				}
				seen[strings.ToLower(name)] = true
			}
			if d := cmp.Diff(tt.want, got); tt.want != nil && d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
