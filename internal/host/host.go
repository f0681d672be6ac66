// Package host reads the certificates on the disk of a control-plane node: what kubeadm and its kin keep in /etc/kubernetes, and the kubelet in /var/lib/kubelet/pki.
//
// A server that was not restarted since its certificate was renewed serves the old one. That shows only where both are seen: the file, and what is served.
//
// Words: a place is a folder that is read, with all below it. A kubeconfig is a YAML file that has users with certificates.
//
// Promises: only certificates leave this package; keys, tokens and everything else that stands beside them are overwritten after reading. Files are opened below their
// place only: a link that leads out of it is not followed, and named. Sizes, counts and depths are bounded. Nothing is written.
package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/pki"
)

// Bounds.
const (
	maxFile  = 4 << 20
	maxFiles = 2000 // of one place
	maxDepth = 8
)

// Places are the folders that hold certificates on a control-plane node: kubeadm's, the kubelet's, k3s' and RKE2's.
func Places() []string {
	return []string{"/etc/kubernetes", "/var/lib/kubelet/pki", "/etc/etcd/pki", "/etc/ssl/etcd", "/var/lib/rancher/k3s/server/tls", "/var/lib/rancher/rke2/server/tls"}
}

// Seen is what was read.
type Seen struct {
	Chains      []cluster.Chain // in order of their path
	NotObserved []cluster.NotObserved
}

// Read reads the places below a root: "/" on the node itself, or where its disk is mounted. Places that are not there are passed over; an error means that none is.
func Read(ctx context.Context, root string, places []string) (*Seen, error) {
	seen := &Seen{}
	found := false
	for _, place := range places {
		at := filepath.Join(root, place)
		dir, err := os.OpenRoot(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found = true
		if err != nil {
			seen.miss(place, err)
			continue
		}
		r := &reader{seen: seen, place: place, root: dir, left: maxFiles}
		r.walk(ctx, ".", 0)
		dir.Close()
	}
	if !found {
		return nil, errs.WithHint(errs.New(errs.NotFound, "read certificates of the host: none of %s is below %q", strings.Join(places, ", "), root), "run it on a control-plane node, or name where its disk is mounted")
	}
	slices.SortFunc(seen.Chains, func(a, b cluster.Chain) int { return strings.Compare(a.ID, b.ID) })
	return seen, nil
}

func (s *Seen) miss(name string, err error) {
	s.NotObserved = append(s.NotObserved, cluster.NotObserved{
		What: "certificates in " + name + " on this host", Area: string(cluster.Certificates), Reason: reason(err), Asked: true,
		Hint: map[bool]string{true: "run it as root"}[errors.Is(err, fs.ErrPermission)],
	})
}

// reason is an error without the path, which the line has.
func reason(err error) string {
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		return wrapped.Err.Error()
	}
	return err.Error()
}

// reader reads one place.
type reader struct {
	seen  *Seen
	place string
	root  *os.Root
	left  int
}

// walk reads a folder and those below it.
func (r *reader) walk(ctx context.Context, dir string, depth int) {
	if ctx.Err() != nil {
		r.seen.miss(path.Join(r.place, dir), errors.New("time was up"))
		return
	}
	for _, e := range r.entries(dir) {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			if stale(e.Name()) {
				r.seen.NotObserved = append(r.seen.NotObserved, cluster.NotObserved{
					What: "certificates in " + path.Join(r.place, name) + " on this host", Area: string(cluster.Certificates), Reason: "by its name the folder holds copies that nothing uses",
				})
				continue
			}
			if depth == maxDepth {
				r.seen.miss(path.Join(r.place, name), fmt.Errorf("it is more than %d folders deep", maxDepth))
				continue
			}
			r.walk(ctx, name, depth+1)
			continue
		}
		if !wanted(e.Name()) {
			continue
		}
		if r.left--; r.left < 0 {
			r.seen.miss(path.Join(r.place, dir), fmt.Errorf("there are more than %d files", maxFiles))
			return
		}
		if err := r.file(name); err != nil {
			r.seen.miss(path.Join(r.place, name), err)
		}
	}
}

// entries are what a folder holds, by name.
func (r *reader) entries(dir string) []fs.DirEntry {
	f, err := r.root.Open(dir)
	if err != nil {
		r.seen.miss(path.Join(r.place, dir), err)
		return nil
	}
	entries, err := f.ReadDir(maxFiles + 1)
	f.Close()
	if err != nil && !errors.Is(err, io.EOF) {
		r.seen.miss(path.Join(r.place, dir), err)
	}
	if len(entries) > maxFiles {
		r.seen.miss(path.Join(r.place, dir), fmt.Errorf("there are more than %d files", maxFiles))
		entries = entries[:maxFiles]
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries
}

// stale says whether a folder holds what was laid aside, by its name.
func stale(folder string) bool {
	name := strings.ToLower(folder)
	return name == "tmp" || strings.Contains(name, "backup") || strings.Contains(name, ".bak") || strings.Contains(name, ".old") || strings.HasSuffix(name, "-old")
}

// wanted says whether a file may hold certificates, by its name. Keys are not opened, other than those that the kubelet keeps in one file with their certificate.
func wanted(name string) bool {
	for _, kept := range []string{"kubelet-client-", "kubelet-server-"} {
		if rest, ok := strings.CutPrefix(name, kept); ok && rest != "current.pem" {
			return false // the kubelet keeps those that it has replaced; the current one is a link
		}
	}
	switch path.Ext(name) {
	case ".crt", ".pem", ".cert", ".cer", ".conf", ".kubeconfig", ".config":
		return !strings.HasSuffix(name, "-key.pem") && name != "key.pem"
	}
	return false
}

// file reads one file: a kubeconfig, or certificates.
func (r *reader) file(name string) error {
	text, err := r.read(name)
	if err != nil || text == nil {
		return err
	}
	defer clear(text)
	where := path.Join(r.place, name)
	if ext := path.Ext(name); ext == ".conf" || ext == ".kubeconfig" || ext == ".config" {
		return r.kubeconfig(where, text)
	}
	certificates, problem := pki.Bundle(text)
	if len(certificates) == 0 && path.Ext(name) == ".pem" && strings.Contains(string(text), "PRIVATE KEY") {
		return nil // a key by itself
	}
	r.seen.Chains = append(r.seen.Chains, cluster.Chain{
		ID: string(cluster.HostFile) + where, Kind: cluster.HostFile, Where: where, Object: purpose(where), Bundle: authority(name), DER: certificates, Problem: problem,
	})
	return nil
}

// read returns a file's content; nil for what is no plain file.
func (r *reader) read(name string) ([]byte, error) {
	// A pipe would hold whoever opens it, so one asks first what it is. Links that stay below the place are followed.
	info, err := r.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		clear(text)
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	return text, nil
}

// kubeconfig reads the client certificates of a kubeconfig. A file that is none is no error: others end in .conf too.
func (r *reader) kubeconfig(where string, text []byte) error {
	var config struct {
		Kind  string `yaml:"kind"`
		Users []struct {
			Name string `yaml:"name"`
			User struct {
				Data string `yaml:"client-certificate-data"`
				File string `yaml:"client-certificate"`
			} `yaml:"user"`
		} `yaml:"users"`
		Clusters []struct {
			Cluster struct {
				Data string `yaml:"certificate-authority-data"`
			} `yaml:"cluster"`
		} `yaml:"clusters"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil || config.Kind != "Config" {
		return nil //nolint:nilerr // another file
	}
	const most = 50
	for i, u := range config.Users[:min(len(config.Users), most)] {
		if u.User.Data == "" {
			continue // its certificate is a file, which is read as such, or it has a token
		}
		id := string(cluster.HostKubeconfig) + where
		if i > 0 {
			id += fmt.Sprintf("/%d", i)
		}
		c := cluster.Chain{ID: id, Kind: cluster.HostKubeconfig, Where: where, Object: purpose(where)}
		c.DER, c.Problem = decoded(u.User.Data)
		r.seen.Chains = append(r.seen.Chains, c)
	}
	if len(config.Users) > most || len(config.Clusters) > most {
		r.seen.miss(where, fmt.Errorf("the kubeconfig has more than %d users or clusters", most))
	}
	for i, c := range config.Clusters[:min(len(config.Clusters), most)] {
		if c.Cluster.Data == "" {
			continue
		}
		id := string(cluster.HostKubeconfig) + where + "/ca"
		if i > 0 {
			id += fmt.Sprintf("/%d", i)
		}
		chain := cluster.Chain{ID: id, Kind: cluster.HostKubeconfig, Where: where + ", certificate-authority-data", Bundle: true}
		chain.DER, chain.Problem = decoded(c.Cluster.Data)
		r.seen.Chains = append(r.seen.Chains, chain)
	}
	return nil
}
