package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/feed"
	"github.com/kubelts/kubelts/internal/provenance"
)

// dataUpdate is the command's flags, and what it works with.
type dataUpdate struct {
	*app

	sources, files, addresses []string
	asOf, format              string
	offline, fresh, fewer     bool

	folder   string
	now      time.Time
	before   *datadir.Snapshot
	client   *feed.Client
	known    map[string]bool
	paths    map[string]string // by source: a file or folder
	urls     map[string]string // by source: another address
	states   []provenance.State
	contents map[string][]byte // what sources said, by file
	outcomes []sourceOutcome
	faults   []error
}

// sourceOutcome is one line of the report.
type sourceOutcome struct {
	Source     string `json:"source"`
	Outcome    string `json:"outcome"` // read, unchanged, resumed, failed
	Statements int    `json:"statements"`
	Refused    int    `json:"refused"`
	Malformed  int    `json:"malformed"` // things that are wrong with its records by themselves
	Skipped    int    `json:"skipped"`
	From       string `json:"from"`
	Reason     string `json:"reason,omitempty"`
}

// resumable is how old something that an interrupted update fetched may be to be used.
const resumable = time.Hour

func newDataUpdate(a *app) *cobra.Command {
	u := &dataUpdate{app: a}
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Join the facts with what others publish",
		Long: `Ask the sources for what is new, and write the facts anew in one step: until then, and if anything fails, the old ones stay. A source that does
not answer, or whose answer is of no use, keeps what it said before; the exit status is 1 then. An update that was interrupted goes on where it was, within an hour.

Without flags all sources with an address are asked. --source, --from-file and --url name those that are. --from-file reads a file, a folder, or a
zip archive, such as a clone of kubernetes-sigs/cve-feed-osv. With --offline nothing is fetched: what is there is joined again, with the files that are named.

GITHUB_TOKEN and NVD_API_KEY, where they are set, are sent to api.github.com and services.nvd.nist.gov, and nowhere else. A source that suddenly says
less than half of what it said before is refused, unless --allow-fewer is given.`,
		Example: `  kubelts data update
  kubelts data update --source kubernetes-osv --source nvd
  kubelts data update --offline --from-file kubernetes-osv=cve-feed-osv/vulns --from-file go-vulndb=vulndb.zip
  kubelts data update --url kubernetes-cve-feed=https://mirror.example.org/cve.json`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return u.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&u.sources, "source", nil, "ask only `NAME` (can be given several times)")
	flags.StringArrayVar(&u.files, "from-file", nil, "read a source from a file, folder or archive: `NAME=PATH`")
	flags.StringArrayVar(&u.addresses, "url", nil, "ask a source at another address: `NAME=URL`")
	flags.StringVar(&u.asOf, "as-of", "", "take what files say to be of `DATE`, instead of the day they were written")
	flags.BoolVar(&u.offline, "offline", false, "fetch nothing")
	flags.BoolVar(&u.fresh, "fresh", false, "begin anew: use nothing of the folder, even if it is damaged")
	flags.BoolVar(&u.fewer, "allow-fewer", false, "take an answer that says less than half of what the source said before")
	addOutput(cmd, &u.format, tableFormats)
	return cmd
}

func (u *dataUpdate) run(cmd *cobra.Command) error {
	selected, err := u.prepareUpdate(cmd)
	if err != nil {
		return err
	}
	for _, s := range selected {
		if err = u.source(cmd.Context(), s); err != nil {
			return err
		}
	}
	if len(u.faults) > 0 && len(u.faults) == len(selected) && u.before == nil {
		return errors.Join(u.faults...)
	}
	contents, joined, err := u.assemble(u.now, u.states, u.contents)
	if err != nil {
		return err
	}
	before := generation(u.before)
	if u.fresh {
		before = datadir.Any()
	}
	if err = datadir.Write(u.folder, contents, before, nil); err != nil {
		return err
	}
	if err = datadir.Unstage(u.folder); err != nil {
		return err
	}
	if err = u.report(contents, joined); err != nil {
		return err
	}
	return errors.Join(u.faults...)
}

// prepareUpdate reads the flags and the folder, and returns the sources that are asked.
func (u *dataUpdate) prepareUpdate(cmd *cobra.Command) ([]feed.Source, error) {
	var err error
	if u.folder, err = u.dataFolder(); err != nil {
		return nil, usage(cmd, err)
	}
	if u.now, err = u.app.now(); err != nil {
		return nil, err
	}
	selected, err := u.choose()
	if err != nil {
		return nil, usage(cmd, err)
	}
	if !u.fresh {
		if u.before, err = openData(u.folder); err != nil {
			return nil, err
		}
	}
	var items provenance.Items
	u.contents = map[string][]byte{}
	if u.before != nil {
		if items, err = u.before.Items(); err != nil {
			return nil, err
		}
		u.states = slices.Clone(u.before.Manifest.Sources)
		for _, s := range u.states {
			if content, ok := u.before.Files[provenance.SourceFile(s.Name)]; ok {
				u.contents[provenance.SourceFile(s.Name)] = content
			}
		}
	}
	if u.known, err = knownNames(items); err != nil {
		return nil, err
	}
	u.client = &feed.Client{
		Now: func() time.Time { return u.Clock().UTC() }, Wait: pause, Agent: "kubelts/" + version(), Tokens: u.tokens(),
		Each: 5 * time.Minute, Stall: 30 * time.Second, Tries: 4, Offline: u.offline,
	}
	return selected, nil
}

// tokens are those that the environment has, each for the host of the sources that want it.
func (u *dataUpdate) tokens() []feed.Token {
	var tokens []feed.Token
	for _, s := range feed.Sources() {
		value := ""
		if s.Token != "" {
			value = u.Getenv(s.Token)
		}
		address, err := url.Parse(s.URL)
		if value == "" || err != nil || slices.ContainsFunc(tokens, func(t feed.Token) bool { return t.Host == address.Host }) {
			continue
		}
		token := feed.Token{Host: address.Host, Header: "apiKey", Value: value}
		if s.Token == feed.TokenGitHub {
			token.Header, token.Value = "Authorization", "Bearer "+value
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// choose returns the sources that the flags name; without any, all that have an address.
func (u *dataUpdate) choose() ([]feed.Source, error) {
	var err error
	names := slices.Clone(u.sources)
	if u.paths, err = pairs("--from-file", u.files); err != nil {
		return nil, err
	}
	if u.urls, err = pairs("--url", u.addresses); err != nil {
		return nil, err
	}
	for name := range u.paths {
		names = append(names, name)
	}
	for name, address := range u.urls {
		if err = feed.CheckURL(address); err != nil {
			return nil, fmt.Errorf("--url: %w", err)
		}
		names = append(names, name)
	}
	if u.asOf != "" {
		if at := moment(u.asOf); at.IsZero() || at.After(u.now) {
			return nil, errs.WithHint(errs.New(errs.Invalid, "--as-of %q is no past date", u.asOf), "write it as 2026-06-15 or 2026-06-15T12:00:00Z")
		}
	}
	for _, name := range names {
		if _, err = feed.SourceNamed(name); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 && u.offline {
		return nil, nil
	}
	return slices.DeleteFunc(feed.Sources(), func(s feed.Source) bool {
		return len(names) == 0 && s.URL == "" || len(names) > 0 && !slices.Contains(names, s.Name)
	}), nil
}

// pairs reads NAME=VALUE, each name once.
func pairs(flag string, values []string) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" || value == "" {
			return nil, errs.New(errs.Invalid, "%s %q: want NAME=VALUE", flag, v)
		}
		if _, twice := out[name]; twice {
			return nil, errs.New(errs.Invalid, "%s: %s is named twice", flag, name)
		}
		out[name] = value
	}
	return out, nil
}

// moment is a day or time that a person named; zero for what is none.
func moment(text string) time.Time {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// source reads one source and keeps what it says. That it fails is noted; an error ends the update.
func (u *dataUpdate) source(ctx context.Context, s feed.Source) error {
	old, _ := u.state(s.Name)
	outcome := "read"
	got, resumed, err := u.read(ctx, s, old)
	switch {
	case err != nil && ctx.Err() != nil: // the update was interrupted, or its time is up: what was fetched waits for the next one
		return err
	case err == nil && !got.Unchanged && !u.fewer && old.Statements >= 10 && got.Len()*2 < old.Statements:
		err = errs.WithHint(errs.New(errs.Invalid, "source %s: %s says %d things, and said %d before", s.Name, got.From, got.Len(), old.Statements), "look at it; --allow-fewer takes it")
	case resumed:
		outcome = "resumed"
	}
	if err != nil {
		u.fail(s, old, err)
		return nil
	}
	state := provenance.State{
		Name: s.Name, Rank: s.Rank, From: got.From, Fetched: got.Fetched, Checked: got.Fetched, Digest: got.Digest, Bytes: got.Bytes,
		ETag: got.ETag, Modified: got.Modified, Statements: got.Len(), Skipped: got.Skipped,
	}
	state.Refuse(got.Refused)
	if got.Unchanged {
		outcome = "unchanged"
		checked := got.Fetched
		state = old
		state.Checked, state.ETag, state.Modified, state.Failure, state.Failed = checked, got.ETag, got.Modified, "", time.Time{}
	} else {
		u.gone(s.Name, got.Items)
		learn(u.known, got.Items)
		if u.contents[provenance.SourceFile(s.Name)], err = jsonLines(got.Items); err != nil {
			return err
		}
	}
	u.keep(state)
	if _, file := u.paths[s.Name]; !file && outcome == "read" {
		if err = datadir.Stage(u.folder, datadir.Staged{State: state, Items: got.Items}); err != nil {
			return err
		}
	}
	u.note(sourceOutcome{Source: s.Name, Outcome: outcome, Statements: state.Statements, Refused: state.Refused, Skipped: state.Skipped, From: state.From})
	return nil
}

// read reads a source from where the flags say, or takes what an interrupted update fetched.
func (u *dataUpdate) read(ctx context.Context, s feed.Source, old provenance.State) (got feed.Reading, resumed bool, err error) {
	if file := u.paths[s.Name]; file != "" {
		got, err = feed.ReadPath(ctx, s, file, moment(u.asOf), u.known)
		return got, false, err
	}
	address := s.URL
	if other := u.urls[s.Name]; other != "" {
		address = other
	}
	if staged, ok := datadir.StagedOf(u.folder, s.Name, u.now, resumable); ok && staged.State.From == address && !u.fresh {
		got = feed.Reading{From: address, Fetched: staged.State.Fetched, Digest: staged.State.Digest, Bytes: staged.State.Bytes, ETag: staged.State.ETag, Modified: staged.State.Modified}
		got.Items, got.Refused, got.Skipped = staged.Items, staged.State.Refusals, staged.State.Skipped
		return got, true, nil
	}
	have := feed.Previous{From: old.From, ETag: old.ETag, Modified: old.Modified}
	if u.contents[provenance.SourceFile(s.Name)] == nil {
		have = feed.Previous{}
	}
	got, err = u.client.Fetch(ctx, s, address, have, u.known)
	return got, false, err
}

// gone says which records a source had before and has no more: a feed that loses some is worth a look.
func (u *dataUpdate) gone(name string, items provenance.Items) {
	if u.before == nil {
		return
	}
	old, err := provenance.ParseItems(name, u.before.Files[provenance.SourceFile(name)])
	if err != nil {
		return // it was never read
	}
	here := map[string]bool{}
	for _, c := range items.Candidates {
		here[c.Record.ID] = true
	}
	var missing []string
	for _, c := range old.Candidates {
		if !here[c.Record.ID] {
			missing = append(missing, c.Record.ID)
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(u.Stderr, "kubelts: note: %s: %d records that it had before are gone: %s\n", name, len(missing), few(missing))
	}
}

func (u *dataUpdate) state(name string) (provenance.State, bool) {
	return provenance.Manifest{Sources: u.states}.State(name)
}

// keep replaces a source's state.
func (u *dataUpdate) keep(s provenance.State) {
	u.states = slices.DeleteFunc(u.states, func(o provenance.State) bool { return o.Name == s.Name })
	u.states = append(u.states, s)
}

// fail notes that a source gave nothing; what it said before stays.
func (u *dataUpdate) fail(s feed.Source, old provenance.State, err error) {
	old.Name, old.Rank, old.Failure, old.Failed = s.Name, s.Rank, err.Error(), u.now
	u.keep(old)
	u.faults = append(u.faults, err)
	u.note(sourceOutcome{Source: s.Name, Outcome: "failed", Statements: old.Statements, Refused: old.Refused, Skipped: old.Skipped, From: old.From, Reason: err.Error()})
}

func (u *dataUpdate) note(o sourceOutcome) {
	u.outcomes = append(u.outcomes, o)
	fmt.Fprintf(u.Stderr, "kubelts: %s: %s, %d statements\n", o.Source, o.Outcome, o.Statements)
}

// jsonLines is JSON that people can read.
func jsonLines(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

func (u *dataUpdate) report(c datadir.Contents, joined *provenance.Facts) error {
	type result struct {
		Folder    string            `json:"folder"`
		Sources   []sourceOutcome   `json:"sources"`
		Records   int               `json:"records"`
		New       []string          `json:"new"`
		Conflicts int               `json:"conflicts"`
		Newer     int               `json:"newer"`
		Malformed int               `json:"malformed"`
		Leads     []provenance.Lead `json:"leads"`
	}
	m := c.Manifest
	g := grid{header: []string{"source", "outcome", "statements", "malformed", "refused", "not ours", "from"}, fold: true}
	for i := range u.outcomes {
		o := &u.outcomes[i]
		state, _ := m.State(o.Source)
		o.Malformed = state.Malformed
		g.rows = append(g.rows, []string{o.Source, o.Outcome, strconv.Itoa(o.Statements), strconv.Itoa(o.Malformed), strconv.Itoa(o.Refused), strconv.Itoa(o.Skipped), o.From})
		if text := kinds(joined.Malformed, o.Source); text != "" {
			fmt.Fprintf(u.Stderr, "kubelts: %s: records are malformed: %s (see \"kubelts data conflicts --field malformed\")\n", o.Source, text)
		}
	}
	fmt.Fprintf(u.Stderr, "kubelts: %s: %d records, %d of them new; %d conflicts, %d of them later than the review (see \"kubelts data conflicts\")\n",
		u.folder, m.Records, m.New, m.Conflicts, m.Newer)
	for _, lead := range joined.Leads[:min(len(joined.Leads), maxLeads)] {
		u.lead(lead)
	}
	return u.print(u.format, result{
		Folder: u.folder, Sources: append([]sourceOutcome{}, u.outcomes...), Records: m.Records, New: append([]string{}, joined.New...), Conflicts: m.Conflicts, Newer: m.Newer, Malformed: m.Malformed,
		Leads: append([]provenance.Lead{}, joined.Leads...),
	}, g)
}

// kinds counts what is wrong with the records of a source, by kind.
func kinds(malformed []provenance.Conflict, source string) string {
	count := map[string]int{}
	for _, c := range malformed {
		if c.Other.Source == source {
			count[c.Reason]++
		}
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[kind], kind))
	}
	return strings.Join(parts, ", ")
}
