package gitrepo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
)

// PathHistory implements [backport.PathHistory].
func (r *Repo) PathHistory(ctx context.Context, from, without git.OID, paths []string, limit int) ([]backport.Touch, error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, nil
	}
	args := []string{"--literal-pathspecs", "rev-list", "--topo-order", "--parents", "--max-count=" + strconv.Itoa(limit), from.String()}
	if !without.IsZero() {
		args = append(args, "^"+without.String())
	}
	var touches []backport.Touch
	err := r.run.Stream(ctx, ownGit(r.view, append(append(args, "--"), paths...)...), func(stdout io.Reader) error {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var ids []git.OID
			for field := range strings.FieldsSeq(lines.Text()) {
				oid, err := git.ParseOID(field)
				if err != nil {
					return err
				}
				ids = append(ids, oid)
			}
			touches = append(touches, backport.Touch{Commit: ids[0], Parents: ids[1:]})
		}
		return lines.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of %d paths: %w", len(paths), err)
	}
	return touches, nil
}
