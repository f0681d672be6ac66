package dist

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"github.com/kubelts/kubelts/internal/upkeep"
)

// tarName is the name of a tar.gz without its ending, and of the directory in it.
func tarName(job upkeep.PackageJob) string {
	return job.Component.Name + "-" + job.Version + "-" + strings.ReplaceAll(string(job.Platform), "/", "-")
}

// writeTar writes a directory with the program and the changelog.
func writeTar(job upkeep.PackageJob, program []byte, w io.Writer) error {
	zip, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zip)
	dir := tarName(job) + "/"
	add := func(name string, mode int64, content []byte) error {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: dir + name, Mode: mode, Size: int64(len(content)), ModTime: job.SourceDate.UTC().Truncate(1e9),
			Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		}
		if name == "" {
			h.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	return errors.Join(
		add("", 0o755, nil),
		add("CHANGELOG.md", 0o644, []byte(job.Changelog)),
		add(programName(job), 0o755, program),
		archive.Close(),
		zip.Close(),
	)
}
