package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/replay"
)

// onOneCore makes what this goroutine starts run on one processor.
func onOneCore(b *testing.B) {
	b.Helper()
	runtime.LockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		b.Fatal(err)
	}
	for i := range len(before) * 64 {
		if before.IsSet(i) {
			one.Set(i)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := unix.SchedSetaffinity(0, &before); err != nil {
			b.Error(err)
		}
		runtime.UnlockOSThread()
	})
}

// times reports the distribution of single picks.
func times(b *testing.B, took []time.Duration) {
	b.Helper()
	sorted := slices.Sorted(slices.Values(took))
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(took[0]), "first-ms")
	b.ReportMetric(ms(sorted[len(sorted)/2]), "median-ms")
	b.ReportMetric(ms(sorted[len(sorted)*99/100]), "p99-ms")
	b.ReportMetric(ms(sorted[len(sorted)-1]), "max-ms")
	b.ReportMetric(float64(len(took)), "picks")
}

// BenchmarkRoundTrip measures single picks of KUBELTS_BENCH_PAIRS, all of them, on one core: from writing a line to "kubelts pick --stdin" to reading its
// result; and beside it git's merge-tree with the three commits that it needs. Run it with -benchtime 1x.
func BenchmarkRoundTrip(b *testing.B) {
	clone, program := benchClone(b), benchProgram(b)
	file, err := os.Open(os.Getenv("KUBELTS_BENCH_PAIRS"))
	if err != nil {
		b.Skipf("KUBELTS_BENCH_PAIRS names no list of backports: %v", err)
	}
	defer file.Close() // read only
	pairs, err := replay.ReadPairs(file)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("kubelts", func(b *testing.B) {
		onOneCore(b)
		for b.Loop() {
			roundTrips(b, pairs, program, "pick", "--stdin", "--repo", clone, "--jobs", "1", "--store", filepath.Join(b.TempDir(), "store.git"))
		}
	})
	b.Run("git-merge-tree", func(b *testing.B) {
		onOneCore(b)
		for b.Loop() {
			mergeTrees(b, pairs, clone)
		}
	})
}

func roundTrips(b *testing.B, pairs []replay.Pair, argv ...string) {
	b.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(gittest.Environment(), "TMPDIR="+os.TempDir(), "XDG_CACHE_HOME="+b.TempDir(), "PATH="+os.Getenv("PATH"))
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	results := bufio.NewReaderSize(out, 1<<20)
	took := make([]time.Duration, len(pairs))
	for i, p := range pairs {
		begin := time.Now()
		if _, err := fmt.Fprintf(in, `{"id":"%s","commit":"%s","onto":"%s"}`+"\n", p.Backport, p.Fix, p.Parent); err != nil {
			b.Fatal(err)
		}
		line, err := results.ReadBytes('\n')
		if err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(begin)
		var res struct{ ID string }
		if err := json.Unmarshal(line, &res); err != nil || res.ID != p.Backport.String() {
			b.Fatalf("result of %s: %s", p.Backport, line)
		}
	}
	in.Close() // the end of its input is how it is told to end
	if _, err := io.Copy(io.Discard, results); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		b.Fatal(err)
	}
	times(b, took)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MB")
	}
	// Other work on the machine changes processor time less than time on the wall. Git processes that were waited for are in it.
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	b.ReportMetric(float64(spent)/float64(time.Millisecond)/float64(len(pairs)), "cpu-ms/pick")
}

// mergeTrees lets git try the pairs in a repository of ours that borrows the clone's objects.
func mergeTrees(b *testing.B, pairs []replay.Pair, clone string) {
	b.Helper()
	store := filepath.Join(b.TempDir(), "git.git")
	var spent time.Duration
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Env = append(gittest.Environment(), "PATH="+os.Getenv("PATH"), "GIT_AUTHOR_DATE=1577836800 +0000", "GIT_COMMITTER_DATE=1577836800 +0000")
		out, err := cmd.Output()
		spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if err != nil && cmd.ProcessState.ExitCode() != 1 {
			b.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	objects := git("-C", clone, "rev-parse", "--path-format=absolute", "--git-path", "objects")
	git("init", "-q", "--bare", store)
	if err := os.WriteFile(filepath.Join(store, "objects", "info", "alternates"), []byte(objects+"\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	spent = 0
	took, merges := make([]time.Duration, len(pairs)), make([]time.Duration, len(pairs))
	for i, p := range pairs {
		begin := time.Now()
		base := git("-C", store, "commit-tree", p.Fix.String()+"^^{tree}", "-m", "base")
		ours := git("-C", store, "commit-tree", p.Parent.String()+"^{tree}", "-p", base, "-m", "ours")
		theirs := git("-C", store, "commit-tree", p.Fix.String()+"^{tree}", "-p", base, "-m", "theirs")
		made := time.Now()
		git("-C", store, "merge-tree", "--write-tree", ours, theirs)
		took[i], merges[i] = time.Since(begin), time.Since(made)
	}
	times(b, took)
	b.ReportMetric(float64(spent)/float64(time.Millisecond)/float64(len(pairs)), "cpu-ms/pick")
	slices.Sort(merges)
	b.ReportMetric(float64(merges[len(merges)/2])/float64(time.Millisecond), "merge-alone-median-ms")
	b.ReportMetric(float64(merges[len(merges)*99/100])/float64(time.Millisecond), "merge-alone-p99-ms")
}
