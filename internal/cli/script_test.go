package cli_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubelts/kubelts/internal/cli"
	"github.com/kubelts/kubelts/internal/gittest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kubelts": func() {
			os.Exit(cli.Main(os.Args[1:], cli.Process{
				Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
				Clock: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
			}))
		},
	})
}

// TestScripts runs testdata/script/*.txtar: one behaviour a file, named for its command. Beside testscript's own commands there is
//
//	status N kubelts ARG...   run and expect this exit status
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			fixtures, err := filepath.Abs(filepath.Join("testdata", "fixture"))
			if err != nil {
				return err
			}
			cache, err := os.UserCacheDir()
			if err != nil {
				return err
			}
			// The build cache outlives the test: without it every script that builds would compile Go's library anew.
			env.Vars = append(env.Vars, "FIXTURES="+fixtures, "BUILD_CACHE="+filepath.Join(cache, "kubelts-test"))
			env.Vars = append(env.Vars, gittest.Environment()...)
			env.Vars = append(env.Vars,
				"PATH="+env.Getenv("PATH"), "HOME="+filepath.Join(env.WorkDir, "home"), "XDG_CACHE_HOME="+filepath.Join(env.WorkDir, "cache"),
				"GIT_AUTHOR_DATE=1577836800 +0000", "GIT_COMMITTER_DATE=1577836800 +0000",
				"GOCACHE="+goEnv("GOCACHE"), "GOMODCACHE="+goEnv("GOMODCACHE"), "GOFLAGS=", "COLUMNS=120",
			)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status},
	})
}

func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return ""
	}
	return string(out[:len(out)-1])
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [argument ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}
