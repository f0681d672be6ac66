package cli

import (
	"os"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// facts reads the catalog: those built in, or of the directory that --data names.
func (a *app) facts() (*catalog.Catalog, error) {
	if a.dataDir == "" {
		return catalog.Load(data.Files)
	}
	info, err := os.Stat(a.dataDir)
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "--data: %w", err), "name a directory with the files that docs/data.md lists")
	}
	if !info.IsDir() {
		return nil, errs.New(errs.Invalid, "--data %q: not a directory", a.dataDir)
	}
	return catalog.Load(os.DirFS(a.dataDir))
}

// today is the day of the present time.
func (a *app) today() (release.Date, error) {
	now, err := a.now()
	return release.DateOf(now), err
}

// notPublished stands for a day that no source gives.
const notPublished = "not published"

func day(d release.Date) string {
	if d.IsZero() {
		return notPublished
	}
	return d.String()
}
