package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kubelts/kubelts/internal/gitrepo"
)

// indexCache is where equivalence indexes of clones are kept: the user's cache directory; nowhere when there is none. step may be nil.
func (a *app) indexCache(step func(done, total int, what string)) gitrepo.IndexCache {
	c := gitrepo.IndexCache{
		Note: func(text string) { fmt.Fprintf(a.Stderr, "kubelts: note: %s\n", text) },
	}
	if step != nil {
		c.Step = func(done, total int) { step(done, total, "commits") }
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		c.Note("what is read of the commits is not kept for the next run: " + err.Error())
		return c
	}
	c.Dir = filepath.Join(dir, "kubelts", "index")
	return c
}
