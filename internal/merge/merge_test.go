package merge_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/merge"
)

func TestMerge(t *testing.T) {
	labels := merge.Labels{Base: "base", Ours: "ours", Theirs: "theirs"}
	tests := []struct {
		name               string
		style              merge.Style
		base, ours, theirs string
		want               string
		conflicts          int
	}{
		{name: "both sides, apart", base: "a\nb\nc\n", ours: "A\nb\nc\n", theirs: "a\nb\nC\n", want: "A\nb\nC\n"},
		{name: "the same change", base: "a\nb\nc\n", ours: "a\nX\nc\n", theirs: "a\nX\nc\n", want: "a\nX\nc\n"},
		{name: "same change and another", base: "a\nb\nc\nd\n", ours: "a\nX\nc\nd\n", theirs: "a\nX\nc\nD\n", want: "a\nX\nc\nD\n"},
		{
			name: "touching changes", base: "a\nb\n", ours: "A\nb\n", theirs: "a\nB\n", conflicts: 1,
			want: "<<<<<<< ours\nA\nb\n=======\na\nB\n>>>>>>> theirs\n",
		},
		{
			name: "common lines leave the conflict", base: "a\nz\n", ours: "x\n1\ny\nz\n", theirs: "x\n2\ny\nz\n", conflicts: 1,
			want: "x\n<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\ny\nz\n",
		},
		{
			name: "diff3 keeps them", style: merge.Diff3, base: "a\nz\n", ours: "x\n1\ny\nz\n", theirs: "x\n2\ny\nz\n", conflicts: 1,
			want: "<<<<<<< ours\nx\n1\ny\n||||||| base\na\n=======\nx\n2\ny\n>>>>>>> theirs\nz\n",
		},
		{
			name: "deleted against changed", base: "a\nb\nc\n", ours: "a\nc\n", theirs: "a\nB\nc\n", conflicts: 1,
			want: "a\n<<<<<<< ours\n=======\nB\n>>>>>>> theirs\nc\n",
		},
		{
			name: "no newline at the end", base: "a", ours: "b", theirs: "c", conflicts: 1,
			want: "<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\n",
		},
		{name: "newline added at the end", base: "a\nb\nc", ours: "A\nb\nc", theirs: "a\nb\nc\n", want: "A\nb\nc\n"},
		{
			name: "CR LF in markers", base: "a\r\nb\r\n", ours: "a\r\nx\r\n", theirs: "a\r\ny\r\n", conflicts: 1,
			want: "a\r\n<<<<<<< ours\r\nx\r\n=======\r\ny\r\n>>>>>>> theirs\r\n",
		},
		{
			name: "near conflicts join", base: "a\n1\n2\nb\n", ours: "x\n1\n2\nx\n", theirs: "y\n1\n2\ny\n", conflicts: 1,
			want: "<<<<<<< ours\nx\n1\n2\nx\n=======\ny\n1\n2\ny\n>>>>>>> theirs\n",
		},
		{name: "a binary that only one side touched", base: "\x00", ours: "\x00", theirs: "\x00b", want: "\x00b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := merge.Merge([]byte(tt.base), []byte(tt.ours), []byte(tt.theirs), merge.Options{Style: tt.style, Labels: labels})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(res.Text)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if len(res.Conflicts) != tt.conflicts {
				t.Errorf("%d conflicts, want %d", len(res.Conflicts), tt.conflicts)
			}
			for _, c := range res.Conflicts {
				lines := strings.Split(string(res.Text), "\n")
				if !strings.HasPrefix(lines[c.Line-1], "<<<<<<<") {
					t.Errorf("no marker on line %d: %q", c.Line, lines[c.Line-1])
				}
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	text := []byte("a\n")
	_, err := merge.Merge(text, []byte("b\n"), []byte("\x00\n"), merge.Options{})
	var binary *merge.BinaryError
	if !errors.As(err, &binary) || binary.Version != "theirs" {
		t.Errorf("binary theirs: %v", err)
	}
	var limit *merge.LimitError
	_, err = merge.Merge(text, []byte("b\n"), bytes.Repeat([]byte("\n"), merge.MaxLines+1), merge.Options{})
	if !errors.As(err, &limit) || limit.What != "lines" {
		t.Errorf("too many lines: %v", err)
	}
	_, err = merge.Merge(text, []byte("b\n"), bytes.Repeat([]byte("x"), merge.MaxBytes+1), merge.Options{})
	if !errors.As(err, &limit) || limit.What != "bytes" {
		t.Errorf("too many bytes: %v", err)
	}
	for _, o := range []merge.Options{{Algorithm: "patience"}, {Style: "zdiff3"}, {Joining: "all"}} {
		if _, err = merge.Merge(text, []byte("b\n"), []byte("c\n"), o); !errs.Is(err, errs.Invalid) {
			t.Errorf("options %v: %v", o, err)
		}
	}
}

// TestBoundedWork merges texts that are made to be slow. It may refuse, it may not run away.
func TestBoundedWork(t *testing.T) {
	const n = 100_000
	random := func(seed uint64, alphabet int) []byte {
		r := rand.New(rand.NewPCG(seed, 1))
		var b bytes.Buffer
		for range n {
			fmt.Fprintf(&b, "%d\n", r.IntN(alphabet))
		}
		return b.Bytes()
	}
	tests := []struct {
		name               string
		base, ours, theirs []byte
	}{
		{"few kinds of lines", random(1, 2), random(2, 2), random(3, 2)},
		{"many kinds of lines", random(1, 5000), random(2, 5000), random(3, 5000)},
		{"one kind of line", bytes.Repeat([]byte("a\n"), n), bytes.Repeat([]byte("a\n"), n/2), bytes.Repeat([]byte("a\nb\n"), n/2)},
		{"two by turns", bytes.Repeat([]byte("a\nb\n"), n/2), bytes.Repeat([]byte("b\na\n"), n/3), bytes.Repeat([]byte("a\nb\nb\n"), n/3)},
	}
	for _, tt := range tests {
		for _, a := range []merge.Algorithm{merge.Histogram, merge.Myers} {
			t.Run(tt.name+" "+string(a), func(t *testing.T) {
				_, err := merge.Merge(tt.base, tt.ours, tt.theirs, merge.Options{Algorithm: a})
				var limit *merge.LimitError
				if err != nil && !errors.As(err, &limit) {
					t.Errorf("merge: %v", err)
				}
			})
		}
	}
}

// lawful checks what must hold for any three texts.
func lawful(t *testing.T, base, ours, theirs []byte) {
	t.Helper()
	for _, o := range []merge.Options{{}, {Algorithm: merge.Myers, Joining: merge.JoinBlank}, {Style: merge.Diff3}} {
		res, err := merge.Merge(base, ours, theirs, o)
		back, backErr := merge.Merge(base, theirs, ours, o)
		if (err == nil) != (backErr == nil) {
			t.Fatalf("%v: %v, sides exchanged: %v", o, err, backErr)
		}
		if err == nil && (len(res.Conflicts) == 0) != (len(back.Conflicts) == 0) {
			t.Errorf("%v: %d conflicts, sides exchanged: %d", o, len(res.Conflicts), len(back.Conflicts))
		}
		if err == nil && len(res.Conflicts) == 0 && !bytes.Equal(res.Text, back.Text) {
			t.Errorf("%v: clean merges differ when sides are exchanged:\n%s", o, cmp.Diff(string(res.Text), string(back.Text)))
		}
		for _, same := range []struct{ name, base, ours, theirs, want []byte }{
			{[]byte("ours unchanged"), base, base, theirs, theirs},
			{[]byte("theirs unchanged"), base, ours, base, ours},
			{[]byte("sides equal"), base, ours, ours, ours},
		} {
			res, err := merge.Merge(same.base, same.ours, same.theirs, o)
			if err != nil || len(res.Conflicts) > 0 || !bytes.Equal(res.Text, same.want) {
				t.Errorf("%v: %s: got %q (%v), want %q", o, same.name, res.Text, err, same.want)
			}
		}
	}
	for _, a := range []merge.Algorithm{merge.Histogram, merge.Myers} {
		changes, err := merge.Diff(base, ours, a)
		if err != nil {
			t.Fatal(err)
		}
		if got := apply(base, ours, changes); !bytes.Equal(got, ours) {
			t.Errorf("%s: applying the diff gives %q, want %q", a, got, ours)
		}
	}
}

// apply makes new of old: unchanged lines from old, changed ones from new.
func apply(old, replacement []byte, changes []merge.Change) []byte {
	a, b := bytes.SplitAfter(old, []byte("\n")), bytes.SplitAfter(replacement, []byte("\n"))
	var out []byte
	next := 0
	for _, c := range changes {
		out = append(out, bytes.Join(a[next:c.Old.Lo], nil)...)
		out = append(out, bytes.Join(b[c.New.Lo:c.New.Hi], nil)...)
		next = c.Old.Hi
	}
	return append(out, bytes.Join(a[next:], nil)...)
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nX\nc\n"), []byte("a\nb\nY\n"))
	f.Add([]byte("a\n\na\n\na\n"), []byte("a\n\na\n"), []byte("\na\n\na\n\n"))
	f.Add([]byte("a"), []byte("a\r\n"), []byte(""))
	f.Add([]byte("\x00"), []byte("b"), []byte("c"))
	f.Add([]byte("}\n}\n}\nx\n}\n"), []byte("}\n}\n}\n}\nx\n"), []byte("x\n}\n}\n}\n"))
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) { lawful(t, base, ours, theirs) })
}

// texts makes three related texts: lines of a small alphabet, so that there is much to slide and to confuse.
func texts(r *rand.Rand) (base, ours, theirs []byte) {
	n, alphabet := r.IntN(40), 1+r.IntN(12)
	ends := "\n"
	if r.IntN(8) == 0 {
		ends = "\r\n"
	}
	line := func() string {
		if k := r.IntN(alphabet); k < 3 {
			return []string{"", "}", "\treturn"}[k] + ends
		}
		return fmt.Sprintf("line %d%s", r.IntN(alphabet*2), ends)
	}
	var lines []string
	for range n {
		lines = append(lines, line())
	}
	edit := func() []byte {
		var out []string
		p := r.IntN(30)
		for _, l := range lines {
			switch k := r.IntN(100); {
			case k < p/2:
			case k < p:
				out = append(out, line())
			case k < p+p/2:
				out = append(out, l, line())
			default:
				out = append(out, l)
			}
		}
		text := strings.Join(out, "")
		if r.IntN(6) == 0 {
			text = strings.TrimSuffix(text, ends)
		}
		return []byte(text)
	}
	ours, theirs = edit(), edit()
	return []byte(strings.Join(lines, "")), ours, theirs
}

// TestAgainstMergeFile compares with the real git merge-file, which finds changes with Myers.
func TestAgainstMergeFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	count := 150
	if testing.Short() {
		count = 40
	}
	for seed := range uint64(count) {
		base, ours, theirs := texts(rand.New(rand.NewPCG(seed, 7)))
		lawful(t, base, ours, theirs)
		paths := []string{write("ours", ours), write("base", base), write("theirs", theirs)}
		for _, style := range []merge.Style{merge.Plain, merge.Diff3} {
			args := []string{"merge-file", "-p", "-q", "-L", "o", "-L", "b", "-L", "t"}
			if style == merge.Diff3 {
				args = append(args, "--diff3")
			}
			cmd := exec.CommandContext(t.Context(), "git", append(args, paths...)...)
			cmd.Dir, cmd.Env = dir, gittest.Environment()
			want, err := cmd.Output()
			var exit *exec.ExitError
			if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 127) {
				t.Fatalf("git merge-file: %v", err)
			}
			res, mergeErr := merge.Merge(base, ours, theirs, merge.Options{
				Algorithm: merge.Myers, Style: style, Joining: merge.JoinBlank, Labels: merge.Labels{Base: "b", Ours: "o", Theirs: "t"},
			})
			if mergeErr != nil {
				t.Fatal(mergeErr)
			}
			if diff := cmp.Diff(string(want), string(res.Text)); diff != "" || (err == nil) != (len(res.Conflicts) == 0) {
				t.Errorf("seed %d, %s: base %q ours %q theirs %q (-git +got):\n%s", seed, style, base, ours, theirs, diff)
			}
		}
	}
}
