package importmap_test

import (
	"go/token"
	"slices"
	"testing"

	"github.com/kubelts/kubelts/internal/importmap"
)

func TestPackageName(t *testing.T) {
	tests := []struct {
		path, want string
		also       []string // names that it may have too
	}{
		{"fmt", "fmt", nil},
		{"net/http", "http", nil},
		{"a.b/c/d", "d", nil},
		{"a.b/klog/v2", "klog", []string{"v2"}},
		{"a.b/api/core/v1", "v1", []string{"core"}},
		{"math/rand/v2", "v2", []string{"rand"}},
		{"v3", "v3", nil},
		{"gopkg.in/yaml.v2", "yaml", nil},
		{"gopkg.in/natefinch/lumberjack.v2", "lumberjack", nil},
		{"a.b/name.vx", "name_vx", []string{"vx"}},
		{"a.b/go-cmp", "cmp", []string{"go_cmp", "gocmp"}},
		{"a.b/prometheus-go", "prometheus", []string{"go"}},
		{"a.b/nats.go", "nats", []string{"nats_go"}},
		{"a.b/docker-sdk", "docker_sdk", []string{"dockersdk", "sdk"}},
		{"a.b/jsonpatch/v5.1", "v5_1", nil},
		{"a.b/éa", "éa", nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if got := importmap.PackageName(tt.path); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			names := importmap.PackageNames(tt.path)
			if names[0] != tt.want {
				t.Errorf("the most likely of %q is not %q", names, tt.want)
			}
			for _, n := range tt.also {
				if !slices.Contains(names, n) {
					t.Errorf("%q lacks %q", names, n)
				}
			}
		})
	}
}

func FuzzPackageNames(f *testing.F) {
	for _, p := range []string{"", "/", ".v1", "v1", "a.b/v2", "a.b/-go", "go-", "a.b/c.v10"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		names := importmap.PackageNames(p)
		if len(names) == 0 || names[0] != importmap.PackageName(p) {
			t.Fatalf("%q: the first of %q is not %q", p, names, importmap.PackageName(p))
		}
		for i, n := range names {
			if slices.Index(names, n) != i {
				t.Errorf("%q: %q stands twice in %q", p, n, names)
			}
			if !token.IsIdentifier("x" + n) {
				t.Errorf("%q: %q could be no part of a name", p, n)
			}
		}
	})
}
