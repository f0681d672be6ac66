package feed

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

// pullRequestPage is an answer of GitHub's search (https://docs.github.com/en/rest/search/search#search-issues-and-pull-requests).
type pullRequestPage struct {
	Total      *int `json:"total_count"`
	Incomplete bool `json:"incomplete_results"`
	Items      []struct {
		Number int    `json:"number"`
		Title  string `json:"title"`
		Body   string `json:"body"`
		URL    string `json:"html_url"`
		Closed string `json:"closed_at"`
		Pull   *struct {
			Merged string `json:"merged_at"`
		} `json:"pull_request"`
		Labels []struct {
			Name string `json:"name"`
		} `json:"labels"`
	} `json:"items"`
}

// Bounds on what is kept of one pull request.
const (
	maxNames  = 50 // vulnerabilities that it names
	maxLabels = 50
)

func parsePullRequests(b *Batch, origin provenance.Origin, data []byte) error {
	var page pullRequestPage
	if err := decode(data, &page); err != nil {
		return err
	}
	if page.Total == nil {
		return errs.New(errs.Invalid, "not an answer of GitHub's search: it has no total_count")
	}
	if page.Incomplete {
		return errs.New(errs.Unavailable, "GitHub says that its search was cut short (incomplete_results)")
	}
	for _, item := range page.Items {
		if item.Number <= 0 || item.Pull == nil {
			b.refuse(origin.URL, errs.New(errs.Invalid, "item %d is no pull request", item.Number))
			continue
		}
		merged := item.Pull.Merged
		if merged == "" {
			merged = item.Closed
		}
		p := provenance.PullRequest{Origin: origin, Number: item.Number, Title: bounded(item.Title), Closed: moment(merged)}
		for _, ref := range references(link{"FIX", item.URL}) {
			p.URL = ref.URL
		}
		for _, name := range cveName.FindAllString(item.Title+"\n"+item.Body, maxNames) {
			if name = strings.ToUpper(name); !slices.Contains(p.Names, name) {
				p.Names = append(p.Names, name)
			}
		}
		for _, label := range item.Labels[:min(len(item.Labels), maxLabels)] {
			p.Labels = append(p.Labels, bounded(label.Name))
		}
		if len(p.Names) == 0 { // the search matches "CVE" in any text
			b.Skipped++
			continue
		}
		b.PullRequests = append(b.PullRequests, p)
	}
	return nil
}
