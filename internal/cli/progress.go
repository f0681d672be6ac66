package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work is, on standard error and only on a terminal. It returns a function that is told how much is done of how
// much, and what is being done; and one that takes the bar away. A total of 0 means that the end is not known.
func (a *app) progress(title string) (step func(done, total int, what string), end func()) {
	if _, ok := terminal(a.Stderr); !ok || a.trace {
		return func(int, int, string) {}, func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(a.Stderr),
		progressbar.OptionSetDescription(title),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionEnableColorCodes(a.Getenv("NO_COLOR") == ""),
	)
	step = func(done, total int, what string) {
		if total > 0 && bar.GetMax() != total {
			bar.ChangeMax(total)
		}
		if what != "" {
			bar.Describe(title + " " + clean(what))
		}
		bar.Set(done) //nolint:errcheck // a bar that cannot be drawn must not stop the work
	}
	return step, func() {
		bar.Finish() //nolint:errcheck // likewise
		bar.Clear()  //nolint:errcheck // likewise
	}
}
