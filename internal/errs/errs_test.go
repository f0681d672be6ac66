package errs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
)

func TestKindOf(t *testing.T) {
	cause := errors.New("no such file")
	tests := []struct {
		name string
		err  error
		want errs.Kind
	}{
		{"nil", nil, ""},
		{"unclassified", cause, errs.Internal},
		{"made here", errs.New(errs.Invalid, "version %q", "x"), errs.Invalid},
		{"wrapped", fmt.Errorf("read: %w", errs.New(errs.NotFound, "ref")), errs.NotFound},
		{"outermost wins", errs.New(errs.Unavailable, "read: %w", errs.New(errs.NotFound, "blob")), errs.Unavailable},
		{"hinted", errs.WithHint(errs.New(errs.Conflict, "dirty"), "commit"), errs.Conflict},
		{"joined", errors.Join(cause, errs.New(errs.Denied, "secrets")), errs.Denied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := errs.KindOf(tt.err); got != tt.want {
				t.Errorf("KindOf(%v) = %q, want %q", tt.err, got, tt.want)
			}
		})
	}
	if !errors.Is(errs.New(errs.Unavailable, "read: %w", cause), cause) {
		t.Error("the cause is lost")
	}
}

func TestHints(t *testing.T) {
	one := errs.WithHint(errors.New("a"), "do %s", "this")
	two := errs.WithHint(fmt.Errorf("b: %w", one), "first")
	if diff := cmp.Diff([]string{"first", "do this"}, errs.Hints(two)); diff != "" {
		t.Errorf("nested hints (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"do this", "do this"}, errs.Hints(errors.Join(one, one))); diff != "" {
		t.Errorf("joined hints (-want +got):\n%s", diff)
	}
	if errs.WithHint(nil, "x") != nil {
		t.Error("a hint made an error of nil")
	}
}

func TestNearest(t *testing.T) {
	tests := []struct {
		name, word string
		names      []string
		want       string
		edits      int
	}{
		{"typing error", "relaese-1.28", []string{"release-1.2", "release-1.28", "main"}, "release-1.28", 2},
		{"letter case", "cve-2022-3172", []string{"CVE-2022-3171", "CVE-2022-3172"}, "CVE-2022-3172", 0},
		{"last of equals", "v3", []string{"v1", "v2"}, "v2", 1},
		{"nothing", "x", nil, "", 0},
		{"long names are compared as far as is bounded", strings.Repeat("a", 500), []string{"b", strings.Repeat("a", 400)}, strings.Repeat("a", 400), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, edits := errs.Nearest(tt.word, slices.Values(tt.names))
			if got != tt.want || edits != tt.edits {
				t.Errorf("Nearest(%q) = %q, %d; want %q, %d", tt.word, got, edits, tt.want, tt.edits)
			}
		})
	}
}
