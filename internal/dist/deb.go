package dist

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// debianArch is Debian's word for a GOARCH; see https://wiki.debian.org/SupportedArchitectures.
func debianArch(goarch string) (string, error) {
	switch goarch {
	case "amd64", "arm64", "s390x", "riscv64", "mips":
		return goarch, nil
	case "386":
		return "i386", nil
	case "arm":
		return "armhf", nil // GOARM is 7 unless the line says otherwise
	case "ppc64le":
		return "ppc64el", nil
	case "mipsle":
		return "mipsel", nil
	case "mips64le":
		return "mips64el", nil
	case "loong64":
		return "loong64", nil
	}
	return "", errs.WithHint(errs.New(errs.Invalid, "Debian has no architecture for GOARCH %q", goarch), "take the platform out of line.yaml")
}

func debName(job upkeep.PackageJob) string {
	arch, err := debianArch(job.Platform.Arch())
	if err != nil {
		arch = job.Platform.Arch() // writeDeb reports it
	}
	return fmt.Sprintf("%s_%s_%s.deb", job.Component.Name, number(job), arch)
}

// writeDeb writes a Debian package: the program in /usr/bin, changelog and copyright in /usr/share/doc.
func writeDeb(job upkeep.PackageJob, program []byte, w io.Writer) error {
	arch, err := debianArch(job.Platform.Arch())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kubelts-deb-") // nfpm reads what it packs from files
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	date := job.SourceDate.UTC().Truncate(time.Second)
	zipped, err := zip([]byte(debianChangelog(job)))
	if err != nil {
		return err
	}
	doc := "/usr/share/doc/" + job.Component.Name
	var contents files.Contents
	for i, f := range []struct {
		path    string
		mode    os.FileMode
		content []byte
	}{
		{"/usr/bin/" + job.Component.Name, 0o755, program},
		{doc + "/CHANGELOG.md", 0o644, []byte(job.Changelog)},
		{doc + "/changelog.gz", 0o644, zipped},
		{doc + "/copyright", 0o644, []byte(copyright(job))},
	} {
		source := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(source, f.content, 0o600); err != nil {
			return err
		}
		contents = append(contents, &files.Content{
			Source: source, Destination: f.path, Type: files.TypeFile,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: date},
		})
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: job.Component.Name, Arch: job.Platform.Arch(), Platform: "linux", Version: number(job), VersionSchema: "none",
		Section: cmp.Or(job.Defaults.Section, "admin"), Priority: "optional", Maintainer: job.Maintainer.String(), Homepage: job.Defaults.Homepage,
		Description: description(job), License: job.Defaults.License, MTime: date, DisableGlobbing: true,
		Overridables: nfpm.Overridables{Contents: contents, Umask: 0o022, Deb: nfpm.Deb{Arch: arch, Compression: "gzip"}},
	})
	return deb.Default.Package(info, w)
}

// zip compresses without a name and a time.
func zip(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(content); err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

func description(job upkeep.PackageJob) string {
	return fmt.Sprintf("%s\n%s %s, which is upstream's %s with fixes carried over after its end of life.\nThe changelog names them.",
		summary(job), job.Component.Name, job.Version, job.Base)
}

// debianChangelog is the job's changelog as deb-changelog(5) wants it: the lists of the Markdown become the entry's items.
func debianChangelog(job upkeep.PackageJob) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) stable; urgency=medium\n\n", job.Component.Name, number(job))
	title, items := "", 0
	for line := range strings.Lines(job.Changelog) {
		line = strings.TrimSpace(strings.ToValidUTF8(line, "\uFFFD"))
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			title = heading
			continue
		}
		item, star := strings.CutPrefix(line, "* ")
		if !star {
			if item, star = strings.CutPrefix(line, "- "); !star {
				continue
			}
		}
		if title != "" {
			fmt.Fprintf(&b, "  [ %s ]\n", title)
			title = ""
		}
		b.WriteString(wrap(item))
		items++
	}
	if items == 0 {
		fmt.Fprintf(&b, "  * Release %s on %s.\n", job.Version, job.Base)
	}
	fmt.Fprintf(&b, "\n -- %s  %s\n", job.Maintainer, job.SourceDate.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	return b.String()
}

// wrap breaks an item into lines of at most 78 bytes, words longer than that excepted.
func wrap(item string) string {
	var b strings.Builder
	line := "  *"
	for word := range strings.FieldsSeq(item) {
		if len(line)+1+len(word) > 78 && strings.TrimLeft(line, " *") != "" {
			b.WriteString(line + "\n")
			line = "   "
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}

// copyright points to upstream and to the license.
func copyright(job upkeep.PackageJob) string {
	var b strings.Builder
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n")
	fmt.Fprintf(&b, "Upstream-Name: %s\nUpstream-Contact: %s\n", job.Component.Name, job.Maintainer)
	if job.Defaults.Homepage != "" {
		fmt.Fprintf(&b, "Source: %s\n", job.Defaults.Homepage)
	}
	license := cmp.Or(job.Defaults.License, "unknown")
	fmt.Fprintf(&b, "\nFiles: *\nCopyright: the authors of %s\nLicense: %s\n", job.Component.Name, license)
	if common := map[string]string{
		"Apache-2.0": "Apache-2.0", "GPL-2.0-only": "GPL-2", "GPL-3.0-only": "GPL-3", "MPL-2.0": "MPL-2.0",
	}[license]; common != "" {
		fmt.Fprintf(&b, " On Debian systems the text is in /usr/share/common-licenses/%s.\n", common)
	} else {
		b.WriteString(" The text is in the file LICENSE of the sources.\n")
	}
	return b.String()
}
