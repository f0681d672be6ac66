package dist_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/dist"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

const changelog = `# v1.28.15+lts.1 (2026-11-22)

v1.28.15 with 2 patches, made by kubelts.

## Vulnerabilities fixed

* CVE-2099-0001: a path of the request leads out of the directory that is served, so that any file of the machine can be read by anybody (0123456789 by verbatim)

## Patches

* server: clean the path (upstream 0123456789)
`

func newJob(t *testing.T, platform lts.Platform) upkeep.PackageJob {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "built")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho kubelet v1.28.15+lts.1\n"+strings.Repeat("#\n", 2000)), 0o700); err != nil {
		t.Fatal(err)
	}
	return upkeep.PackageJob{
		Version: "v1.28.15+lts.1", Base: "v1.28.15", Component: lts.Component{Name: "kubelet", Description: "Node agent"}, Platform: platform,
		Binary: binary, OutputDir: t.TempDir(), Maintainer: lts.Person{Name: "Ada Author", Email: "ada@example.org"},
		Defaults:   lts.PackageDefaults{License: "Apache-2.0", Homepage: "https://example.org"},
		SourceDate: time.Date(2026, 11, 22, 1, 2, 3, 4, time.FixedZone("", 3600)), Changelog: changelog,
	}
}

func pack(t *testing.T, job upkeep.PackageJob) []lts.Artifact {
	t.Helper()
	artifacts, err := dist.Packager{}.Package(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return artifacts
}

// run runs a real program and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestNamesAndChecksums(t *testing.T) {
	job := newJob(t, "linux/amd64")
	artifacts := pack(t, job)
	var names []string
	sums := ""
	for _, a := range artifacts {
		names = append(names, a.Kind+" "+a.Name)
		sums += a.SHA256 + "  " + a.Name + "\n"
		info, err := os.Stat(filepath.Join(job.OutputDir, a.Name))
		if err != nil || info.Size() != a.Size || a.Component != "kubelet" || a.Platform != "linux/amd64" {
			t.Errorf("artifact %+v: %v, %v", a, info, err)
		}
	}
	want := []string{"tar.gz kubelet-v1.28.15+lts.1-linux-amd64.tar.gz", "deb kubelet_1.28.15+lts.1_amd64.deb"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(job.OutputDir, "SHA256SUMS"), []byte(sums), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "sh", "-c", "cd "+job.OutputDir+" && sha256sum --strict -c SHA256SUMS"); strings.Count(got, ": OK") != 2 {
		t.Errorf("sha256sum says %s", got)
	}
	there, err := os.ReadDir(job.OutputDir)
	if err != nil || len(there) != 3 {
		t.Errorf("the directory holds %v, %v", there, err)
	}
}

func TestEqualJobsGiveEqualBytes(t *testing.T) {
	for _, platform := range []lts.Platform{"linux/arm64", "darwin/arm64", "windows/amd64"} {
		t.Run(string(platform), func(t *testing.T) {
			first := pack(t, newJob(t, platform))
			t.Setenv("SOURCE_DATE_EPOCH", "12345")
			t.Setenv("TZ", "Asia/Tokyo")
			if diff := cmp.Diff(first, pack(t, newJob(t, platform))); diff != "" {
				t.Errorf("artifacts of two runs (-first +second):\n%s", diff)
			}
		})
	}
}

func TestTar(t *testing.T) {
	job := newJob(t, "windows/amd64")
	artifacts := pack(t, job)
	if len(artifacts) != 1 {
		t.Fatalf("%d artifacts for windows, want only a tar.gz", len(artifacts))
	}
	got := run(t, "tar", "--full-time", "-tvzf", filepath.Join(job.OutputDir, artifacts[0].Name))
	want := `drwxr-xr-x root/root         0 2026-11-22 00:02:03 kubelet-v1.28.15+lts.1-windows-amd64/
-rw-r--r-- root/root       322 2026-11-22 00:02:03 kubelet-v1.28.15+lts.1-windows-amd64/CHANGELOG.md
-rwxr-xr-x root/root      4038 2026-11-22 00:02:03 kubelet-v1.28.15+lts.1-windows-amd64/kubelet.exe
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tar says (-want +got):\n%s", diff)
	}
}

func TestDebAsDpkgReadsIt(t *testing.T) {
	job := newJob(t, "linux/amd64")
	deb := filepath.Join(job.OutputDir, pack(t, job)[1].Name)
	want := `Package: kubelet
Version: 1.28.15+lts.1
Section: admin
Priority: optional
Architecture: amd64
Maintainer: Ada Author <ada@example.org>
Installed-Size: 4
Homepage: https://example.org
Description: Node agent
 kubelet v1.28.15+lts.1, which is upstream's v1.28.15 with fixes carried over after its end of life.
 The changelog names them.
`
	if diff := cmp.Diff(want, run(t, "dpkg-deb", "-f", deb)); diff != "" {
		t.Errorf("control fields (-want +got):\n%s", diff)
	}
	contents := run(t, "dpkg-deb", "-c", deb)
	for _, name := range []string{"./usr/bin/kubelet", "./usr/share/doc/kubelet/changelog.gz", "./usr/share/doc/kubelet/copyright", "./usr/share/doc/kubelet/CHANGELOG.md"} {
		if !strings.Contains(contents, " root/root ") || !strings.Contains(contents, "2026-11-22 00:02 "+name+"\n") {
			t.Errorf("%s is not in the package:\n%s", name, contents)
		}
	}
	for line := range strings.Lines(contents) {
		if !strings.Contains(line, " root/root ") || !strings.Contains(line, " 2026-11-22 00:02 ") {
			t.Errorf("owner or date in %s", line)
		}
	}
}

// TestDebInstalls installs with the real dpkg into an empty root, and upgrades there from what upstream's package would be.
func TestDebInstalls(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	arch := strings.TrimSpace(run(t, "dpkg", "--print-architecture"))
	for _, version := range []string{"v1.28.15", "v1.28.15+lts.1", "v1.28.15+lts.2"} {
		job := newJob(t, lts.Platform("linux/"+arch))
		job.Version = version
		deb := filepath.Join(job.OutputDir, pack(t, job)[1].Name)
		run(t, "dpkg", "--root="+root, "--force-not-root", "--force-script-chrootless", "--refuse-downgrade", "--log=/dev/null", "-i", deb)
		got := run(t, "dpkg-query", "--admindir="+filepath.Join(root, "var/lib/dpkg"), "-W", "-f", "${Package} ${Version} ${Status}", "kubelet")
		if want := "kubelet " + version[1:] + " install ok installed"; got != want {
			t.Errorf("dpkg has %q, want %q", got, want)
		}
	}
	if got := run(t, filepath.Join(root, "usr/bin/kubelet")); got != "kubelet v1.28.15+lts.1\n" {
		t.Errorf("the installed program prints %q", got)
	}
}

func TestDebianChangelogIsOne(t *testing.T) {
	job := newJob(t, "linux/amd64")
	deb := filepath.Join(job.OutputDir, pack(t, job)[1].Name)
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", deb, dir)
	text := run(t, "gzip", "-dc", filepath.Join(dir, "usr/share/doc/kubelet/changelog.gz"))
	want := `kubelet (1.28.15+lts.1) stable; urgency=medium

  [ Vulnerabilities fixed ]
  * CVE-2099-0001: a path of the request leads out of the directory that is
    served, so that any file of the machine can be read by anybody (0123456789
    by verbatim)
  [ Patches ]
  * server: clean the path (upstream 0123456789)

 -- Ada Author <ada@example.org>  Sun, 22 Nov 2026 00:02:03 +0000
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("changelog (-want +got):\n%s", diff)
	}
	if _, err := exec.LookPath("dpkg-parsechangelog"); err == nil { // of dpkg-dev, which not every Debian has
		name := filepath.Join(dir, "changelog")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := run(t, "dpkg-parsechangelog", "-l", name, "-S", "Version"); got != "1.28.15+lts.1\n" {
			t.Errorf("dpkg-parsechangelog reads %q", got)
		}
	}
}

func TestDpkgOrdersTheSchemes(t *testing.T) {
	tests := []struct {
		name     string
		versions []string // ascending
	}{
		{"plus", []string{"1.28.15", "1.28.15-1.1", "1.28.15+lts.1", "1.28.15+lts.2", "1.28.15+lts.10", "1.28.16", "1.28.16-1.1"}},
		{"minus", []string{"1.28.15", "1.28.15-1.1", "1.28.15-lts.1", "1.28.15-lts.2", "1.28.15-lts.10", "1.28.16"}},
		{"minus as a tilde comes before upstream", []string{"1.28.15~lts.1", "1.28.15"}},
		{"patch goes past upstream's next", []string{"1.28.15", "1.28.16", "1.28.101", "1.28.102", "1.28.110"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.versions[1:] {
				run(t, "dpkg", "--compare-versions", tt.versions[i], "lt", tt.versions[i+1])
			}
		})
	}
}

func TestVersionSchemesReachDpkgUnchanged(t *testing.T) {
	for _, scheme := range []string{lts.SchemePlus, lts.SchemeMinus, lts.SchemePatch} {
		t.Run(scheme, func(t *testing.T) {
			version, err := lts.Version(scheme, "v1.28.15", 2)
			if err != nil {
				t.Fatal(err)
			}
			job := newJob(t, "linux/amd64")
			job.Version = version
			deb := filepath.Join(job.OutputDir, pack(t, job)[1].Name)
			if got := run(t, "dpkg-deb", "-f", deb, "Version"); got != version[1:]+"\n" {
				t.Errorf("dpkg reads version %q, want %q", got, version[1:])
			}
		})
	}
}

func TestHostileFieldsAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*upkeep.PackageJob)
		want   string
	}{
		{"maintainer", func(j *upkeep.PackageJob) { j.Maintainer.Name = "A\nDepends: evil" }, "control character"},
		{"homepage", func(j *upkeep.PackageJob) { j.Defaults.Homepage = "x\nPre-Depends: evil" }, "control character"},
		{"name", func(j *upkeep.PackageJob) { j.Component.Name = "../evil" }, "no name for a package"},
		{"version", func(j *upkeep.PackageJob) { j.Version = "v1/../../x" }, "no version for a package"},
		{"architecture", func(j *upkeep.PackageJob) { j.Platform = "linux/z80" }, "no architecture"},
		{"date", func(j *upkeep.PackageJob) { j.SourceDate = time.Time{} }, "date of the release"},
		{"binary", func(j *upkeep.PackageJob) { j.Binary = "/no/such/program" }, "no such file"},
		{"output", func(j *upkeep.PackageJob) { j.OutputDir = "/no/such/directory" }, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			job := newJob(t, "linux/amd64")
			tt.change(&job)
			if _, err := (dist.Packager{}).Package(t.Context(), job); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if left, err := os.ReadDir(newJob(t, "linux/amd64").OutputDir); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func TestADescriptionIsOneLine(t *testing.T) {
	job := newJob(t, "linux/amd64")
	job.Component.Description = "Node agent\nDepends: evil\n\tand more"
	deb := filepath.Join(job.OutputDir, pack(t, job)[1].Name)
	if got := run(t, "dpkg-deb", "-f", deb, "Depends"); strings.TrimSpace(got) != "" {
		t.Errorf("a description made the field Depends: %q", got)
	}
}

// FuzzPackage has the law that whatever stands in the texts, dpkg reads the package with the fields that it should have and no others.
func FuzzPackage(f *testing.F) {
	f.Add("Node agent", "* fixed\n")
	f.Add("a\nDepends: evil", "\n -- Mallory <m@example.org>  now\n\nkubelet (9) evil\n")
	f.Add("\x00\xff", "* \x00\xff\u2028")
	f.Fuzz(func(t *testing.T, description, changelog string) {
		job := newJob(t, "linux/amd64")
		job.Component.Description, job.Changelog = description, changelog
		deb := filepath.Join(job.OutputDir, pack(t, job)[1].Name)
		if got := run(t, "dpkg-deb", "-f", deb, "Package", "Version", "Depends"); got != "Package: kubelet\nVersion: 1.28.15+lts.1\n" {
			t.Errorf("dpkg reads %q", got)
		}
	})
}
