package upkeep

import (
	"context"
	"time"

	"github.com/kubelts/kubelts/internal/lts"
)

// Builder runs the go program on sources that were exported for it. It is the only thing in a project's life that runs what a
// repository contains: environment scrubbed, no keys, no network unless the job says so, bounded in time, memory and processes.
// Calls may come from many goroutines.
type Builder interface {
	// Verify builds, vets and tests the packages that the job's paths touch and those that import them, on the line and on its base.
	// What fails is data, not an error. An empty set of packages, a toolchain that is not there, a tree that go list cannot read are
	// errors. The caller fills in Tree, BaseTree and Changes.
	Verify(ctx context.Context, job VerifyJob) (*lts.Verification, error)
	// Build builds one component for one platform. With equal sources, stamp and toolchain it gives equal bytes wherever the source
	// directory is, as far as the go program allows.
	Build(ctx context.Context, job BuildJob) (Built, error)
}

// VerifyJob is what to verify.
type VerifyJob struct {
	// Line and Base are the directories of the two trees. In gopath mode each ends in /src/<importPath>, and what stands before that
	// is a GOPATH for nothing else. The builder may write into them.
	Line, Base string
	// Changed are the paths that the series touches, relative to the tree's root, sorted, deleted ones included.
	Changed       []string
	Transitive    bool // all packages that import a changed one, not only those that do so directly
	CompileOnly   bool // build and vet the packages of the changed paths alone, and run no test
	Network       bool // the builds and tests may reach the network
	Toolchain     string
	Build         lts.BuildConfig
	KnownFailures []lts.KnownFailure
	// Progress, when set, is told how far the job is. Calls come one after another.
	Progress func(done, total int, what string)
}

// BuildJob is a component to build.
type BuildJob struct {
	Source     string // the directory of the tree; in gopath mode as VerifyJob.Line
	Output     string // the file to write; its directory exists
	Toolchain  string
	Build      lts.BuildConfig
	Component  lts.Component
	Platform   lts.Platform
	Stamp      lts.Stamp
	SourceDate time.Time // of the release: SOURCE_DATE_EPOCH
	Network    bool
}

// Built says what a build was done with.
type Built struct {
	Toolchain string // as it says of itself: go1.26.8
}

// Packager turns a program into what people install. With equal jobs it gives equal bytes.
type Packager interface {
	// Package writes the artifacts of one component for one platform into the job's output directory and returns them in the order
	// of their names: a tar.gz for every platform, and a deb for linux. Files of these names that a killed run left are replaced.
	Package(ctx context.Context, job PackageJob) ([]lts.Artifact, error)
}

// PackageJob is a program to package.
type PackageJob struct {
	Version    string // v3.4.20+lts.1
	Base       string // the upstream tag: v3.4.20
	Component  lts.Component
	Platform   lts.Platform
	Binary     string // path of the program
	OutputDir  string // exists
	Maintainer lts.Person
	Defaults   lts.PackageDefaults
	SourceDate time.Time // the time of every file in the artifacts
	Changelog  string    // Markdown, put into the package's documentation
}
