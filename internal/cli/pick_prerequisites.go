package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
)

// maxTaken is how many prerequisites may be taken at most: the sets to try grow with it.
const maxTaken = 4

// carry does a pick, with what was asked for about its prerequisites.
func (s *picking) carry(ctx context.Context, r backport.Request) backport.Result {
	explained := !s.stdin && (s.explain || s.format == formatHTML)
	if !s.prerequisites && s.withPrerequisites == 0 && !explained {
		return s.engine.Pick(ctx, r)
	}
	return s.engine.PickWith(ctx, r, s.withPrerequisites, s.repo)
}

// printPrerequisites names what the fix leans on.
func (s *picking) printPrerequisites(res backport.Result) error {
	if len(res.Prerequisites) == 0 {
		return nil
	}
	g := grid{header: []string{"prerequisite", "subject", "explains", "taken"}}
	for _, p := range res.Prerequisites {
		taken := ""
		if p.Taken {
			taken = "yes"
		}
		g.rows = append(g.rows, []string{p.Commit.Short(), p.Subject, shorten(p.Explains), taken})
	}
	if _, err := fmt.Fprintln(s.Stdout); err != nil {
		return err
	}
	return s.print("table", nil, g)
}

// shorten joins the first of some words.
func shorten(words []string) string {
	const most = 3
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}
