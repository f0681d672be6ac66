package candidate

import (
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
)

// reasonOf says why a change that touches only these files is no candidate; empty when it touches source.
func reasonOf(files []equiv.File) Reason {
	if len(files) == 0 {
		return NothingKept
	}
	seen := map[Reason]bool{}
	for _, f := range files {
		kind := kindOf(f.Path)
		if kind == "" {
			return ""
		}
		seen[kind] = true
	}
	// A change of several kinds is called by the one that says most.
	for _, kind := range []Reason{Tests, Dependencies, Building, Generated, Docs} {
		if seen[kind] {
			return kind
		}
	}
	return NothingKept
}

// kindOf is why a file does not count as source; empty for source.
func kindOf(file string) Reason {
	name := path.Base(file)
	switch {
	case within(file, "test", "tests", "testing", "testdata", "e2e", "integration", "fixtures") || isTest(name):
		return Tests
	case equiv.IsDependency(file) || name == ".go-version" || name == "bill-of-materials.json" || name == "dependencies.yaml" || name == "import-restrictions.yaml":
		return Dependencies
	case isGenerated(file, name):
		return Generated
	case isDocument(file, name):
		return Docs
	case isBuild(file, name):
		return Building
	}
	return ""
}

func isTest(name string) bool {
	return strings.Contains(name, "_test.") || strings.HasSuffix(name, ".test") || strings.HasPrefix(name, "testing_") || strings.HasSuffix(name, "_testutil.go")
}

func isGenerated(file, name string) bool {
	return strings.HasPrefix(name, "zz_generated") || strings.HasPrefix(name, "generated.") || strings.Contains(name, ".pb.") || strings.HasSuffix(name, "_generated.go") ||
		name == "bindata.go" || strings.HasSuffix(name, ".swagger.json") || strings.HasPrefix(file, "api/openapi-spec/") || strings.HasPrefix(file, "api/discovery/") ||
		strings.HasSuffix(name, ".golden")
}

func isDocument(file, name string) bool {
	switch path.Ext(name) {
	case ".md", ".rst", ".txt", ".adoc", ".png", ".svg":
		return true
	}
	return within(file, "docs", "doc", "Documentation", "CHANGELOG") || strings.HasPrefix(name, "CHANGELOG") ||
		slices.Contains([]string{"OWNERS", "OWNERS_ALIASES", "LICENSE", "NOTICE", "CODEOWNERS", "SECURITY_CONTACTS", "MAINTAINERS"}, name)
}

func isBuild(file, name string) bool {
	first, _, below := strings.Cut(file, "/")
	switch {
	case below && slices.Contains([]string{"scripts", "hack", "tools", "build", ".github", ".circleci", ".semaphore", ".semaphoreci", "contrib", "logo", "examples", "cluster"}, first):
		return true
	case strings.HasSuffix(file, "version/version.go"), strings.HasSuffix(file, "version/base.go"):
		return true
	case path.Ext(name) == ".sh", path.Ext(name) == ".bazel", path.Ext(name) == ".bzl", strings.HasPrefix(name, "Dockerfile"), strings.HasPrefix(name, "."):
		return true
	}
	return slices.Contains([]string{"Makefile", "BUILD", "Procfile", "build", "build.sh", "codecov.yml", "doc.go"}, name)
}

func within(file string, names ...string) bool {
	return slices.ContainsFunc(strings.Split(path.Dir(file), "/"), func(dir string) bool { return slices.Contains(names, dir) })
}
