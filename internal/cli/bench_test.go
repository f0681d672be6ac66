package cli_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubelts/kubelts/internal/gittest"
)

// The benchmarks in this file run the program as people do, on a real clone beside what they would use without it. The clone is not
// part of this repository: name one with KUBELTS_BENCH_REPO (such as a bare clone of kubernetes/apiserver), and for picks a list of backports
// as [{"fix","backport","backport_parent"}, ...] with KUBELTS_BENCH_PAIRS. Beside the time they report the largest resident set of any process, peak-MB.

func benchClone(b *testing.B) string {
	b.Helper()
	clone := os.Getenv("KUBELTS_BENCH_REPO")
	if clone == "" {
		b.Skip("KUBELTS_BENCH_REPO names no clone to measure on")
	}
	clone, err := filepath.Abs(clone)
	if err != nil {
		b.Fatal(err)
	}
	return clone
}

func benchProgram(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "kubelts")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/kubelts").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// measured runs a command line with an empty cache, of which exit status 3 is a success, and reports its peak memory.
func measured(b *testing.B, input []byte, argv ...string) {
	b.Helper()
	measuredWith(b, b.TempDir(), input, argv...)
}

// measuredWith is measured with a cache directory that may hold something.
func measuredWith(b *testing.B, cache string, input []byte, argv ...string) {
	b.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(gittest.Environment(), "TMPDIR="+os.TempDir(), "XDG_CACHE_HOME="+cache)
	cmd.Stdin = bytes.NewReader(input)
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		b.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MB")
	}
}

// forget drops the clone's files from the page cache, as far as the system agrees.
func forget(b *testing.B, dir string) {
	b.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTriageOfClone judges a clone: the first time, when its index is made, with the clone's files in memory (first) and not (first-cold), and when the index is there
// (second). Before each run stands one of what finds backports without us, in the same state of the machine: git log -p of all that the index covers, into git patch-id,
// which gives equal patches and no verdict. x-git is the ratio, below 1 where we are faster; git-s are git's seconds.
func BenchmarkTriageOfClone(b *testing.B) {
	clone, program := benchClone(b), benchProgram(b)
	kept := b.TempDir()
	for _, bench := range []struct {
		name  string
		cold  bool
		cache func() string
	}{
		{"first-cold", true, b.TempDir},
		{"first", false, b.TempDir},
		{"second", false, func() string { return kept }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			measuredWith(b, kept, nil, program, "triage", "--repo", clone, "-o", "json")
			prepare := func() {
				if bench.cold {
					forget(b, clone)
				}
			}
			var git time.Duration
			for b.Loop() {
				b.StopTimer()
				prepare()
				begin := time.Now()
				measured(b, nil, "sh", "-c", `git -C "$0" log -p --branches --tags --remotes | git patch-id --stable >/dev/null`, clone)
				git += time.Since(begin)
				prepare()
				cache := bench.cache()
				b.StartTimer()
				measuredWith(b, cache, nil, program, "triage", "--repo", clone, "-o", "json")
			}
			b.ReportMetric(git.Seconds()/float64(b.N), "git-s")
			b.ReportMetric(b.Elapsed().Seconds()/git.Seconds(), "x-git")
		})
	}
}

func BenchmarkPicksOfClone(b *testing.B) {
	clone, program := benchClone(b), benchProgram(b)
	file := os.Getenv("KUBELTS_BENCH_PAIRS")
	if file == "" {
		b.Skip("KUBELTS_BENCH_PAIRS names no list of backports")
	}
	content, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var pairs []struct {
		Fix    string `json:"fix"`
		Parent string `json:"backport_parent"`
	}
	if err := json.Unmarshal(content, &pairs); err != nil || len(pairs) == 0 {
		b.Fatalf("%s: %d pairs, %v", file, len(pairs), err)
	}
	pairs = pairs[:min(len(pairs), 300)]
	var picks, merges bytes.Buffer
	for _, p := range pairs {
		line, err := json.Marshal(map[string]string{"id": p.Fix, "commit": p.Fix, "onto": p.Parent})
		if err != nil {
			b.Fatal(err)
		}
		picks.Write(append(line, '\n'))
		merges.WriteString(p.Fix + " " + p.Parent + "\n")
	}
	b.Run("kubelts", func(b *testing.B) {
		for b.Loop() {
			measured(b, picks.Bytes(), program, "pick", "--stdin", "--repo", clone, "--jobs", "1", "--store", filepath.Join(b.TempDir(), "store.git"))
		}
		b.ReportMetric(float64(len(pairs)*b.N)/b.Elapsed().Seconds(), "picks/s")
	})
	b.Run("git-merge-tree", func(b *testing.B) { // a pick as git 2.39 can do it without a work tree: two helper commits and a merge
		store := filepath.Join(b.TempDir(), "store.git")
		script := `git init -q --bare "$1" && echo "$0/objects" > "$1/objects/info/alternates" && cd "$1" && while read -r fix onto; do
b=$(git commit-tree "$fix^^{tree}" -m b) && o=$(git commit-tree "$onto^{tree}" -p "$b" -m o) && t=$(git commit-tree "$fix^{tree}" -p "$b" -m t) &&
git merge-tree --write-tree "$o" "$t" > /dev/null; done; true`
		objects, err := exec.Command("git", "-C", clone, "rev-parse", "--path-format=absolute", "--git-common-dir").Output()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			measured(b, merges.Bytes(), "sh", "-c", script, strings.TrimSpace(string(objects)), store)
		}
		b.ReportMetric(float64(len(pairs)*b.N)/b.Elapsed().Seconds(), "picks/s")
	})
}
