// Package dist packs a built program as people install it: a tar.gz for every platform, and a Debian package for Linux.
//
// Names and versions are chosen so that a line's release follows upstream's of the same base and comes before upstream's next. A package is
// named as its component, which for kubelet, kubectl and kubeadm is the name that upstream's packages have too; an installation is
// upgraded from one to the other. The version of a package is the release's without the v. How dpkg orders the version schemes, after which the
// tests ask it:
//
//	+lts.N    1.28.15 and 1.28.15-1.1 (upstream's package) < 1.28.15+lts.1 < 1.28.15+lts.2 < 1.28.15+lts.10 < 1.28.16
//	-lts.N    the same for dpkg, which reads lts.N as a packager's revision; the hyphen must stay, for with ~ it would come before 1.28.15
//	.10N      1.28.15 < 1.28.16 < 1.28.101: upstream's next patch release would not replace it
//
// Promises: equal jobs give equal bytes, whatever the clock, the user, the umask and the directory are: all files belong to root and carry the
// job's date. A file appears under its name when it is complete. What control fields hold is checked, so that no input can add a field. Programs
// are taken to be linked statically: a package depends on nothing.
//
// It signs nothing and keeps no repository. The formats: deb(5), deb-control(5), deb-changelog(5),
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/.
package dist

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// Packager implements [upkeep.Packager]. It keeps no state and may be used from many goroutines.
type Packager struct{}

var _ upkeep.Packager = Packager{}

// Package implements [upkeep.Packager].
func (Packager) Package(ctx context.Context, job upkeep.PackageJob) ([]lts.Artifact, error) {
	artifacts, err := pack(ctx, job)
	if err != nil {
		return nil, fmt.Errorf("package %s for %s: %w", job.Component.Name, job.Platform, err)
	}
	return artifacts, nil
}

func pack(ctx context.Context, job upkeep.PackageJob) ([]lts.Artifact, error) {
	if err := validate(job); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(job.Binary)
	if err != nil {
		return nil, err
	}
	var artifacts []lts.Artifact
	if job.Platform.OS() == "linux" {
		debian, bad := save(job, debName(job), lts.KindDeb, func(w io.Writer) error { return writeDeb(job, program, w) })
		if bad != nil {
			return nil, bad
		}
		artifacts = append(artifacts, debian)
	}
	archive, err := save(job, tarName(job)+".tar.gz", lts.KindTarGz, func(w io.Writer) error { return writeTar(job, program, w) })
	if err != nil {
		return nil, err
	}
	// The names differ first where a deb's has _ and a tar.gz's has -, which sorts before it.
	return append([]lts.Artifact{archive}, artifacts...), ctx.Err()
}

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	versionForm = regexp.MustCompile(`^v?[0-9][A-Za-z0-9.+~-]*$`)
)

// validate refuses what could become more than one field, one line or one path element.
func validate(job upkeep.PackageJob) error {
	if !nameForm.MatchString(job.Component.Name) {
		return errs.New(errs.Invalid, "%q is no name for a package", job.Component.Name)
	}
	if !versionForm.MatchString(job.Version) {
		return errs.New(errs.Invalid, "%q is no version for a package", job.Version)
	}
	for what, value := range map[string]string{
		"maintainer": job.Maintainer.String(), "homepage": job.Defaults.Homepage, "license": job.Defaults.License, "section": job.Defaults.Section,
		"base": job.Base, "platform": string(job.Platform),
	} {
		if strings.ContainsFunc(value, unicode.IsControl) {
			return errs.New(errs.Invalid, "%s %q holds a control character", what, value)
		}
	}
	if job.SourceDate.Unix() <= 0 {
		return errs.New(errs.Invalid, "the date of the release is missing")
	}
	return nil
}

// number is the version without v.
func number(job upkeep.PackageJob) string { return strings.TrimPrefix(job.Version, "v") }

// programName is the name of the program's file.
func programName(job upkeep.PackageJob) string {
	if job.Platform.OS() == "windows" {
		return job.Component.Name + ".exe"
	}
	return job.Component.Name
}

// summary is the first line of a description.
func summary(job upkeep.PackageJob) string {
	text := strings.Join(strings.FieldsFunc(job.Component.Description, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if text == "" {
		return job.Component.Name + " of a release line kept alive"
	}
	return text
}

// save writes an artifact into the output directory, under another name until it is complete.
func save(job upkeep.PackageJob, name, kind string, write func(io.Writer) error) (lts.Artifact, error) {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return lts.Artifact{}, fmt.Errorf("%s: %w", name, err)
	}
	path := filepath.Join(job.OutputDir, name)
	part := filepath.Join(job.OutputDir, "."+name+".part")
	err := writeSynced(part, content.Bytes())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		os.Remove(part)
		return lts.Artifact{}, err
	}
	sum := sha256.Sum256(content.Bytes())
	return lts.Artifact{
		Name: name, Kind: kind, Component: job.Component.Name, Platform: job.Platform, SHA256: hex.EncodeToString(sum[:]), Size: int64(content.Len()),
	}, nil
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // releases are for everybody
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	return err
}
