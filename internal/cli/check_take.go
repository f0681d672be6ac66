package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/kube"
)

// looking is where snapshots come from: files, or clusters.
type looking struct {
	clusterFlags

	all  bool   // every context
	save string // keep what was seen here
}

// checkSource says what is wrong with the flags about where snapshots come from.
func (c *looking) checkSource(cmd *cobra.Command, files []string) error {
	if c.all && c.context != "" {
		return usage(cmd, errs.New(errs.Invalid, "--all-contexts and --context %q: only one of them", c.context))
	}
	if c.all && c.host != "" {
		return usage(cmd, errs.New(errs.Invalid, "--all-contexts and --host: this host is of one cluster"))
	}
	if len(files) > 0 {
		for _, name := range []string{"kubeconfig", "context", "all-contexts", "save", "secrets", "kubelets", "probe", "each", "host"} {
			if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--%s says how to look at a cluster, and %q was saved before", name, files[0]), "leave one of them out"))
			}
		}
	}
	return c.check(cmd)
}

// taken is a snapshot, or why there is none.
type taken struct {
	name     string   // context or file
	also     []string // other contexts of the same cluster
	snapshot *cluster.Snapshot
	err      error
}

// atOnce is how many clusters are looked at at a time.
const atOnce = 8

// snapshots reads files, or looks at one cluster or at all. Of one, an error is the command's; of many it is kept beside the others.
func (c *looking) snapshots(ctx context.Context, files []string) ([]taken, error) {
	if len(files) > 0 {
		return c.readSnapshots(files)
	}
	if c.all {
		return c.takeAll(ctx)
	}
	step, end := c.progress("looking")
	var lock sync.Mutex
	s, err := c.take(ctx, c.context, func(what string) {
		lock.Lock()
		defer lock.Unlock()
		step(0, 0, what)
	})
	end()
	if err == nil {
		err = interrupted(ctx)
	}
	if err == nil && c.save != "" {
		err = saveSnapshot(c.save, s)
	}
	if err != nil {
		return nil, err
	}
	return []taken{{name: s.Context, snapshot: s}}, nil
}

// takeAll looks at the clusters of all contexts, some at a time. The result is in the order of the names.
func (c *looking) takeAll(ctx context.Context) ([]taken, error) {
	names, _, err := kube.Contexts(c.source())
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errs.WithHint(errs.New(errs.NotFound, "the kubeconfig has no context"), "name another one with --kubeconfig or KUBECONFIG")
	}
	if c.save != "" {
		if err := os.MkdirAll(c.save, 0o700); err != nil {
			return nil, fmt.Errorf("keep what was seen: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit())
	defer cancel()
	step, end := c.progress("looking")
	defer end()
	out := make([]taken, len(names))
	var lock sync.Mutex
	var wait sync.WaitGroup
	slots, done := make(chan struct{}, atOnce), 0
	files := fileNames(names)
	for i, name := range names {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			s, err := c.take(ctx, name, func(string) {})
			if err == nil && c.save != "" && interrupted(ctx) == nil {
				err = saveSnapshot(filepath.Join(c.save, files[i]), s)
			}
			out[i] = taken{name: name, snapshot: s, err: err}
			lock.Lock()
			defer lock.Unlock()
			done++
			step(done, len(names), name)
		})
	}
	wait.Wait()
	return oneEach(out), interrupted(ctx)
}

// interrupted is the error of somebody who stopped this. What was not observed then is nobody's fault; when the time is over, it is told.
func interrupted(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// fileNames are names for files that no context's name can lead elsewhere, and no two of which are one file, not even where a file system does not tell capitals from
// small letters. Those that would be get a hash of the context's name.
func fileNames(contexts []string) []string {
	const longest = 200
	out := make([]string, len(contexts))
	same := map[string]int{}
	for i, context := range contexts {
		name := url.PathEscape(context)
		if name == "." || name == ".." || name == "" {
			name = "_" + name
		}
		out[i] = name[:min(len(name), longest)]
		same[strings.ToLower(out[i])]++
	}
	for i, name := range out {
		if same[strings.ToLower(name)] > 1 || len(url.PathEscape(contexts[i])) > longest {
			sum := sha256.Sum256([]byte(contexts[i]))
			name += "," + hex.EncodeToString(sum[:8]) // a comma is in no escaped name
		}
		out[i] = name + ".json"
	}
	return out
}

// saveSnapshot writes a snapshot beside its place and puts it there when it is whole. It tells of a cluster: only its owner may read it.
func saveSnapshot(file string, s *cluster.Snapshot) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".kubelts-*")
	if err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	defer os.Remove(f.Name()) // it is not there any more when all went well
	if err := cluster.Write(f, s); err != nil {
		f.Close() // the first error counts
		return fmt.Errorf("keep what was seen: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	return nil
}

// readSnapshots reads saved snapshots; "-" is standard input.
func (c *looking) readSnapshots(files []string) ([]taken, error) {
	var out []taken
	for _, name := range files {
		s, err := c.readSnapshot(name)
		if err != nil {
			return nil, err
		}
		out = append(out, taken{name: name, snapshot: s})
	}
	return out, nil
}

func (c *looking) readSnapshot(name string) (*cluster.Snapshot, error) {
	if name == "-" {
		return cluster.Read("standard input", c.Stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "read a snapshot: %w", err), "make one with kubelts check --save FILE; a context is named with --context")
	}
	defer f.Close()
	return cluster.Read(name, f)
}

// readAcceptances reads the file of --accept.
func readAcceptances(file string) ([]findings.Acceptance, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, errs.New(errs.NotFound, "read acceptances: %w", err)
	}
	defer f.Close()
	return findings.ReadAcceptances(file, f)
}
