package upkeep

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// known is what is known of an upstream beforehand; line.yaml and kubelts.yaml take it over, and people change it there.
type known struct {
	defaults   lts.PackageDefaults
	ldflags    []string
	components []string // programs below cmd/, in this order, when they are there
}

// knownUpstream knows Kubernetes and etcd, and forks of them by their name.
func knownUpstream(name string) known {
	apache := lts.PackageDefaults{License: "Apache-2.0", Section: "admin"}
	_, repository, _ := strings.Cut(name, "/")
	switch repository {
	case "kubernetes":
		apache.Homepage = "https://kubernetes.io"
		k := known{defaults: apache, components: []string{
			"kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy",
		}}
		for _, pkg := range []string{
			"k8s.io/component-base/version", "k8s.io/client-go/pkg/version", "k8s.io/kubernetes/pkg/version", "k8s.io/kubernetes/vendor/k8s.io/client-go/pkg/version",
		} {
			for _, set := range []string{"gitVersion={version}", "gitCommit={commit}", "gitTreeState=clean", "buildDate={date}", "gitMajor={major}", "gitMinor={minor}"} {
				k.ldflags = append(k.ldflags, "-X "+pkg+"."+set)
			}
		}
		return k
	case "etcd":
		apache.Homepage = "https://etcd.io"
		return known{defaults: apache, ldflags: []string{
			"-X go.etcd.io/etcd/version.Version={number}", "-X go.etcd.io/etcd/version.GitSHA={short}",
			"-X go.etcd.io/etcd/api/v3/version.Version={number}", "-X go.etcd.io/etcd/api/v3/version.GitSHA={short}",
		}}
	}
	return known{
		defaults: lts.PackageDefaults{Homepage: "https://github.com/" + name, Section: "admin"},
		ldflags:  []string{"-X main.version={version}"},
	}
}

var moduleForm = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)"?`)

// readModule returns the import path of a tree's root, from go.mod or, for a tree of the GOPATH era, from Godeps/Godeps.json; "" when
// neither is there.
func readModule(ctx context.Context, objects git.Objects, tree git.OID) (path string, godeps bool, err error) {
	content, err := readFile(ctx, objects, tree, "go.mod")
	if err != nil {
		return "", false, err
	}
	if m := moduleForm.FindSubmatch(content); m != nil {
		return string(m[1]), false, nil
	}
	content, err = readFile(ctx, objects, tree, "Godeps/Godeps.json")
	if err != nil || content == nil {
		return "", false, err
	}
	var file struct{ ImportPath string }
	if err := json.Unmarshal(content, &file); err != nil {
		return "", false, errs.WithHint(errs.New(errs.Invalid, "Godeps/Godeps.json of the base: %w", err), "name the import path with --gopath")
	}
	return file.ImportPath, file.ImportPath != "", nil
}

// readFile reads a file of a tree; nil when it is not there.
func readFile(ctx context.Context, objects git.Objects, tree git.OID, path string) ([]byte, error) {
	entry, err := lookup(ctx, objects, tree, path)
	if err != nil || entry == nil || !entry.Mode.IsRegular() {
		return nil, err
	}
	return objects.Blob(ctx, entry.OID)
}

var majorSuffix = regexp.MustCompile(`/v[0-9]+$`)

// repositoryOf tells the repository on GitHub from a module path, where that is known.
func repositoryOf(module string) string {
	module = majorSuffix.ReplaceAllString(module, "")
	parts := strings.Split(module, "/")
	switch {
	case parts[0] == "github.com" && len(parts) >= 3:
		return parts[1] + "/" + parts[2]
	case parts[0] == "k8s.io" && len(parts) == 2:
		return "kubernetes/" + parts[1]
	case strings.HasPrefix(module, "go.etcd.io/etcd"):
		return "etcd-io/etcd"
	}
	return ""
}

// guessComponents finds main packages: those below cmd/ that are known of the upstream, or else every main.go of a package main at the
// root, one directory below it, and below cmd/.
func guessComponents(ctx context.Context, objects git.Objects, tree git.OID, upstream string) ([]lts.Component, error) {
	wanted := knownUpstream(upstream).components
	var found []lts.Component
	add := func(name, dir string) error {
		main, err := isMain(ctx, objects, tree, dir)
		if main && !slices.ContainsFunc(found, func(c lts.Component) bool { return c.Name == name }) {
			pkg := "./" + dir
			if dir == "" {
				pkg = "."
			}
			found = append(found, lts.Component{Name: name, Package: pkg})
		}
		return err
	}
	if len(wanted) > 0 {
		return wantedComponents(ctx, objects, tree, wanted)
	}
	_, name, _ := strings.Cut(upstream, "/")
	if err := add(strings.ToLower(name), ""); err != nil {
		return nil, err
	}
	for _, parent := range []string{"", "cmd"} {
		dirs, err := directories(ctx, objects, tree, parent)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if err := add(dir[strings.LastIndexByte(dir, '/')+1:], dir); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func wantedComponents(ctx context.Context, objects git.Objects, tree git.OID, wanted []string) ([]lts.Component, error) {
	var found []lts.Component
	for _, name := range wanted {
		there, err := lookup(ctx, objects, tree, "cmd/"+name)
		if err != nil {
			return nil, err
		}
		if there != nil && there.Mode.IsTree() {
			found = append(found, lts.Component{Name: name, Package: "./cmd/" + name})
		}
	}
	return found, nil
}

var packageMain = regexp.MustCompile(`(?m)^package main\b`)

func isMain(ctx context.Context, objects git.Objects, tree git.OID, dir string) (bool, error) {
	content, err := readFile(ctx, objects, tree, strings.TrimPrefix(dir+"/main.go", "/"))
	return packageMain.Match(content), err
}

// directories are those below a path whose names can be those of components.
func directories(ctx context.Context, objects git.Objects, tree git.OID, path string) ([]string, error) {
	prefix := ""
	if path != "" {
		entry, err := lookup(ctx, objects, tree, path)
		if err != nil || entry == nil || !entry.Mode.IsTree() {
			return nil, err
		}
		tree, prefix = entry.OID, path+"/"
	}
	entries, err := objects.Tree(ctx, tree)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if e.Mode.IsTree() && len(e.Name) > 1 && !strings.ContainsAny(e.Name[:1], "._") && e.Name == strings.ToLower(e.Name) && e.Name != "vendor" {
			dirs = append(dirs, prefix+e.Name)
		}
	}
	return dirs, nil
}
