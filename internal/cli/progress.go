package cli

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work is, on standard error and only on a terminal. It returns a function that is told how much is done of how
// much, and what is being done; and one that takes the bar away. A total of 0 means that the end is not known.
func (a *app) progress(title string) (step func(done, total int, what string), end func()) {
	f, ok := terminal(a.Stderr)
	if !ok || a.trace {
		return func(int, int, string) {}, func() {}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 40 {
		width = 80
	}
	m := &meter{out: a.Stderr, title: title, width: width, colour: a.Getenv("NO_COLOR") == ""}
	return m.step, m.end
}

// meter draws a bar for work whose end is known and a spinner for other work, on one line that is never wider than the terminal.
type meter struct {
	out    io.Writer
	title  string
	width  int // of the terminal, in columns
	colour bool

	bar   *progressbar.ProgressBar
	total int
}

func (m *meter) step(done, total int, what string) {
	if m.bar == nil || total != m.total {
		m.end()
		m.start(total)
	}
	m.bar.Describe(m.label(what))
	if total > 0 {
		m.bar.Set(min(done, total)) //nolint:errcheck // a bar that cannot be drawn must not stop the work
	} else {
		m.bar.Add(1) //nolint:errcheck // likewise
	}
}

func (m *meter) start(total int) {
	m.total = total
	length := total
	if total <= 0 {
		length = -1
	}
	m.bar = progressbar.NewOptions(length,
		progressbar.OptionSetWriter(m.out),
		progressbar.OptionSetDescription(m.label("")),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(m.width/5),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionEnableColorCodes(m.colour),
	)
}

// label is the title with what is being done, padded or cut to a third of the terminal, so that the bar stands still.
func (m *meter) label(what string) string {
	text := []rune(m.title)
	if what != "" {
		text = append(text, []rune(" "+clean(what))...)
	}
	room := m.width / 3
	if len(text) > room {
		return string(text[:room-1]) + "…"
	}
	for len(text) < room {
		text = append(text, ' ')
	}
	return string(text)
}

func (m *meter) end() {
	if m.bar == nil {
		return
	}
	io.WriteString(m.out, "\r\x1b[K") //nolint:errcheck // the bar's own Clear leaves what an earlier, longer one drew
	m.bar = nil
}
