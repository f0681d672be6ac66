package cli

import (
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/report"
)

// pictureFormats are those of --timeline.
var pictureFormats = []string{"table", "svg", "html"} //nolint:gochecknoglobals // a constant list

// drawPicture writes the timeline in a format of its own.
func (s *support) drawPicture(states []*catalog.Support) error {
	at, err := s.today()
	if err != nil {
		return err
	}
	p := report.SupportPicture(states, at)
	if s.format == "svg" {
		return p.SVG(s.Stdout)
	}
	return p.HTML(s.Stdout)
}
