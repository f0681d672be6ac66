package candidate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/candidate"
)

// TestSigns has for each sign of the whole change a history that shows it.
func TestSigns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, subject string
		want          candidate.Sign // the note's beginning
		make          func(w *world, subject string)
	}{
		{"the next branch was kept and has it not", "Look first please", candidate.Sign{Kind: candidate.SignReach, Points: -14, Note: "release-1.1 was still kept"}, func(w *world, subject string) {
			w.change("server.go", fixed, subject, "release-1.2")
			w.Checkout("release-1.1")
			w.Commit("Live on")
		}},
		{"the next branch had ended", "Look first please", candidate.Sign{Kind: candidate.SignReach, Points: 14, Note: "release-1.2 took it, the oldest"}, func(w *world, subject string) { w.change("server.go", fixed, subject, "release-1.2") }},
		{"two took it", "Look first please", candidate.Sign{Kind: candidate.SignTaken, Points: 8, Note: "taken by release-1.1, release-1.2"}, func(w *world, subject string) {
			w.change("server.go", fixed, subject, strings.Fields(both)...)
		}},
		{"two took it in different lines", "Look whether there is one", candidate.Sign{Kind: candidate.SignTaken, Points: 8, Note: "taken by release-1.1, release-1.2"}, func(w *world, subject string) { w.twice(subject) }},
		{"one alone", "Look first please", candidate.Sign{Kind: candidate.SignClass, Points: -10, Note: "made for release-1.1 only"}, func(w *world, subject string) {
			w.Checkout("release-1.1")
			w.Write("server.go", fixed)
			w.Commit(subject)
		}},
		{"something new", "Add a look", candidate.Sign{Kind: candidate.SignFeature, Points: -16, Note: "speaks of something new"}, func(w *world, subject string) { w.change("server.go", fixed, subject, "release-1.1") }},
		{"tests", "Repair flaky watchers", candidate.Sign{Kind: candidate.SignNoise, Points: -24, Note: "speaks of tests"}, func(w *world, subject string) { w.change("server.go", fixed, subject, "release-1.1") }},
		{"the line has its namesake", "Look whether there is one", candidate.Sign{Kind: candidate.SignNamesake, Points: -24, Note: "the line has a commit of that subject"}, func(w *world, subject string) {
			w.Checkout("release-1.0")
			w.Write("server.go", edit("	encoded := encodeResponse(response)\n", "	encoded := encodeResponseForTheLine(response)\n"))
			w.Commit(subject)
			w.change("server.go", fixed, subject, "release-1.1")
		}},
		{"a dependency for a flaw", "Bump net for CVE-2023-1234", candidate.Sign{Kind: candidate.SignDependency, Points: -40, Note: "touches only what pins"}, func(w *world, subject string) {
			w.change("go.mod", "module example.org/server\n\nrequire example.org/net v0.2.0\n", subject, "release-1.1")
		}},
		{"places in another form", "Look first please", candidate.Sign{Kind: candidate.SignPlaces, Points: -12, Note: "the line has 1 of 1 places, with other lines"}, func(w *world, subject string) {
			w.Checkout("release-1.0")
			w.Write("server.go", edit("	handler := lookUpHandler(request.Path)\n	response := handler.Answer(request)\n", "	response := answerAll(request)\n"))
			w.Commit("Differ")
			w.change("server.go", fixed, subject, "release-1.1")
		}},
		{"some places", "Look first please", candidate.Sign{Kind: candidate.SignPlaces, Points: 5, Note: "1 of 2 places"}, func(w *world, subject string) {
			w.Checkout("release-1.0")
			w.Write("server.go", edit("	writeEverything(file, encoded)\n	return nil\n", "	return writeSomething(file, encoded)\n"))
			w.Commit("Differ")
			w.change("server.go", edit("	response := handler.Answer(request)\n", "	response := handler.AnswerAll(request)\n", "	writeEverything(file, encoded)\n", "	writeAll(file, encoded)\n"), subject, "release-1.1")
		}},
		{"with a known fix", "Look first please", candidate.Sign{Kind: candidate.SignKnown, Note: "came with a fix of CVE-2020-0001"}, func(w *world, subject string) {
			w.Branch("topic", "release-1.1")
			w.Write("server.go", stored)
			w.known(w.Commit("Cure it").String(), 0)
			w.Write("server.go", strings.ReplaceAll(stored, "ReadRequest", "ReadWholeRequest"))
			w.Commit(subject)
			w.Checkout("release-1.1")
			w.Merge("topic", "Merge pull request #9 from ada/topic\n\nCure it")
		}},
		{"large", "Look first please", candidate.Sign{Kind: candidate.SignSize, Points: -8, Note: "large: "}, func(w *world, subject string) {
			w.change("server.go", edit("	response := handler.Answer(request)\n", strings.Repeat("	response := handler.AnswerOnceMore(request)\n", 500)), subject, "release-1.1")
		}},
		{"with its test", "Look first please", candidate.Sign{Kind: candidate.SignTests, Points: 4, Note: "brings a test"}, func(w *world, subject string) {
			w.Write("server_test.go", "package server\n\nvar tested int\n")
			w.change("server.go", fixed, subject, "release-1.1")
		}},
		{"a revert of what the line has", `Revert "Write"`, candidate.Sign{Kind: candidate.SignRevert, Note: "takes back an earlier change"}, func(w *world, subject string) {
			w.change("server.go", edit("	writeEverything(file, encoded)\n", ""), subject, "release-1.1")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.make(w, c.subject)
			report := w.find(t)
			i := slices.IndexFunc(report.Candidates, func(o candidate.Candidate) bool { return o.Subject == c.subject })
			if i < 0 {
				t.Fatalf("no candidate: %+v", report)
			}
			if !slices.ContainsFunc(report.Candidates[i].Signs, func(s candidate.Sign) bool {
				return s.Kind == c.want.Kind && s.Points == c.want.Points && strings.HasPrefix(s.Note, c.want.Note)
			}) {
				t.Errorf("no sign %+v in %+v", c.want, report.Candidates[i].Signs)
			}
		})
	}
}

// twice carries a change over to two branches in different lines.
func (w *world) twice(subject string) {
	w.Checkout("release-1.1")
	w.Write("server.go", fixed)
	w.Commit(subject)
	w.Checkout("release-1.2")
	w.Write("server.go", strings.ReplaceAll(edit("	encoded := encodeResponse(response)\n", "	encoded := encodeResponseAgain(response)\n"), "openResponseFile", "createResponseFile"))
	w.Commit(subject)
}

// TestVariants has a change that was carried over in other lines: one row; and none where the line has one of the two.
func TestVariants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twice("Look whether there is one")
	report := w.find(t)
	if len(report.Candidates) != 1 || report.LeftOut[candidate.Variant] != 1 || len(report.Candidates[0].Taken) != 2 || report.Candidates[0].Class != candidate.ClassPicked {
		t.Errorf("%+v", report)
	}
	w.Checkout("release-1.0")
	w.CherryPick(w.Rev("release-1.2"))
	report = w.find(t)
	if len(report.Candidates) != 0 || report.LeftOut[candidate.OnLine] != 1 || report.LeftOut[candidate.Variant] != 1 {
		t.Errorf("the line has the other one: %+v", report)
	}
}

// TestPieceOfWork has a pull request of many commits: one row, which says so.
func TestPieceOfWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Branch("topic", "release-1.1")
	for i := range 8 {
		w.Write("server.go", edit("	encoded := encodeResponse(response)\n", "	encoded := encodeResponse"+strings.Repeat("Again", i+1)+"(response)\n"))
		w.Commit("Go on with it " + strings.Repeat("further ", i))
	}
	w.Checkout("release-1.1")
	w.Merge("topic", "Merge pull request #9 from ada/topic\n\nMuch work on the server")
	report := w.find(t)
	if len(report.Candidates) != 1 || len(report.Candidates[0].Commits) != 8 || report.Candidates[0].Headline() != "Much work on the server" {
		t.Fatalf("%+v", report)
	}
	if !slices.ContainsFunc(report.Candidates[0].Signs, func(s candidate.Sign) bool { return s.Kind == candidate.SignSize && s.Points == -10 }) {
		t.Errorf("no sign of it: %+v", report.Candidates[0].Signs)
	}
}
