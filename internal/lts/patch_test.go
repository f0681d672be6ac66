package lts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

const mail = `From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?=C3=86gir?= <aegir@example.org>
Date: Wed, 1 Jan 2020 00:01:00 +0530
Subject: [PATCH] Close doors, which is a subject that is so long that it has
 two lines
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

A body.

Signed-off-by: Ada <ada@example.org>
Upstream-commit: 1111111111222222222233333333334444444444
Fixes-CVE: CVE-2020-0001
Fixes-Vulnerability: GHSA-aaaa-bbbb-cccc
Picked-by: verbatim
---
 door.go | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/door.go b/door.go
index 1111111111222222222233333333334444444444..2222222222222222222233333333334444444444 100644
--- a/door.go
+++ b/door.go
@@ -1 +1 @@
-open
+closed
`

func TestParsePatch(t *testing.T) {
	p, err := lts.ParsePatch("0001-x.patch", []byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	type view struct {
		Author, Subject, Date string
		Upstream              git.OID
		Fixes                 []string
		Diff                  string
	}
	got := view{p.Author.String(), p.Subject, p.Date.Format(time.RFC3339), p.Upstream(), p.Fixes(), string(p.Diff[:22])}
	want := view{
		"Ægir <aegir@example.org>", "Close doors, which is a subject that is so long that it has two lines", "2020-01-01T00:01:00+05:30",
		git.MustOID("1111111111222222222233333333334444444444"),
		[]string{"CVE-2020-0001", "GHSA-aaaa-bbbb-cccc"},
		"diff --git a/door.go b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	if message := p.Message(); !strings.HasPrefix(message, p.Subject+"\n\nA body.\n\nSigned-off-by: ") || !strings.HasSuffix(message, "Picked-by: verbatim\n") {
		t.Errorf("message %q", message)
	}
}

func TestParsePatchRefuses(t *testing.T) {
	tests := []struct{ name, old, replacement, want string }{
		{"no mail", "From 0000000000000000000000000000000000000000", "Index: x", "is no mail file"},
		{"date", "Wed, 1 Jan 2020", "Someday", "date "},
		{"author", "From: =?UTF-8?q?=C3=86gir?= <aegir@example.org>", "From: nobody", "names nobody"},
		{"subject", "Subject: [PATCH] Close doors, which", "Subject-less: which", "has no subject"},
		{"change", "diff --git", "nothing", "has no change"},
		{"encoding", "A body.", "A b\xffdy.", "is not UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := lts.ParsePatch("0001-x.patch", []byte(strings.ReplaceAll(mail, tt.old, tt.replacement)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestWithVerified(t *testing.T) {
	marked := lts.WithVerified([]byte(mail), "go1.26.8")
	want := strings.Replace(mail, "Picked-by: verbatim\n", "Picked-by: verbatim\nVerified: go1.26.8\n", 1)
	if diff := cmp.Diff(want, string(marked)); diff != "" {
		t.Errorf("marked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, string(lts.WithVerified(marked, "go1.26.8"))); diff != "" {
		t.Errorf("marked again (-want +got):\n%s", diff)
	}
	bare := strings.Replace(mail, mail[strings.Index(mail, "A body."):strings.Index(mail, "---\n door")], "", 1)
	p, err := lts.ParsePatch("x.patch", lts.WithVerified([]byte(bare), "yes"))
	if err != nil || cmp.Diff([]string{"yes"}, p.Trailers(lts.TrailerVerified)) != "" {
		t.Errorf("a mail without a body: %v, %v", p, err)
	}
}

func TestReplantMessage(t *testing.T) {
	own := []git.Trailer{{Key: lts.TrailerUpstream, Value: "1111111111222222222233333333334444444444"}, {Key: lts.TrailerPickedBy, Value: "verbatim"}}
	block := "Upstream-commit: 1111111111222222222233333333334444444444\nPicked-by: verbatim\n"
	tests := []struct{ name, upstream, want string }{
		{"subject only", "Fix it\n", "Fix it\n\n" + block},
		{"body", "Fix it\n\nBecause.\n", "Fix it\n\nBecause.\n\n" + block},
		{"trailers", "Fix it\n\nBecause.\n\nSigned-off-by: A <a@b>\n", "Fix it\n\nBecause.\n\nSigned-off-by: A <a@b>\n" + block},
		{"trailers only", "Fix it\n\nSigned-off-by: A <a@b>\n", "Fix it\n\nSigned-off-by: A <a@b>\n" + block},
		{"what would end the mail", "Fix it\n\n---\ndiff --git a b\nFrom here\n", "Fix it\n\n ---\n diff --git a b\n From here\n\n" + block},
		{"what claims to be ours", "Fix it\n\nPicked-by: person\nFixes-CVE: CVE-1-1\nverified: yes\n", "Fix it\n\n" + block},
		{"nothing", "", "(no subject)\n\n" + block},
		{"bytes", "Fix \xff it\r\n\r\nx\x00y\r\n", "Fix \uFFFD it\n\nxy\n\n" + block},
		{"two lines of subject", "Fix\nit\n\nBecause.\n", "Fix it\n\nBecause.\n\n" + block},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lts.ReplantMessage(tt.upstream, own)); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeries(t *testing.T) {
	s, err := lts.ParseSeries("series", []byte("# first\n\n0001-a.patch # why\n0003-b.patch"))
	if err != nil {
		t.Fatal(err)
	}
	s.Append("0004-c.patch")
	want := []lts.SeriesEntry{{Name: "0001-a.patch", Line: 3}, {Name: "0003-b.patch", Line: 4}, {Name: "0004-c.patch"}}
	if diff := cmp.Diff(want, s.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := string(s.Format()); got != "# first\n\n0001-a.patch # why\n0003-b.patch\n0004-c.patch\n" {
		t.Errorf("written %q", got)
	}
	for text, want := range map[string]string{
		"a.patch\n\na.patch\n": "series:3: a.patch stands in line 1 too",
		"../a.patch\n":         `series:1: "../a.patch" is no name of a patch`,
		"x\n":                  `series:1: "x" is no name of a patch`,
	} {
		if _, err := lts.ParseSeries("series", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPatchName(t *testing.T) {
	for subject, want := range map[string]string{
		"Fix: the ../door, now!":  "0007-Fix-the-door-now.patch",
		"":                        "0007-patch.patch",
		"дверь":                   "0007-patch.patch",
		strings.Repeat("ab ", 40): "0007-" + strings.TrimSuffix(strings.Repeat("ab-", 18), "-")[:52] + ".patch",
	} {
		got := lts.PatchName(7, subject)
		if got != want && !strings.HasPrefix(subject, "ab") {
			t.Errorf("%q: %s, want %s", subject, got, want)
		}
		if _, err := lts.ParseSeries("series", []byte(got)); err != nil {
			t.Error(err)
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add(mail, "go1.26.8")
	f.Add(strings.Replace(mail, "A body.", "A body\n---\nof two.", 1), "x")
	f.Fuzz(func(t *testing.T, text, note string) {
		p, err := lts.ParsePatch("a.patch", []byte(text))
		if err != nil {
			return
		}
		if strings.ContainsAny(note, "\n\r") || strings.TrimSpace(note) == "" {
			return
		}
		// A mark changes neither author nor change, and a second one nothing at all.
		marked := lts.WithVerified([]byte(text), note)
		q, err := lts.ParsePatch("a.patch", marked)
		if err != nil {
			return // the note is not UTF-8
		}
		if q.Author != p.Author || string(q.Diff) != string(p.Diff) {
			t.Errorf("the mark changed the patch:\n%q\n%q", text, marked)
		}
		if again := lts.WithVerified(marked, note); string(again) != string(marked) {
			t.Errorf("marked twice:\n%q\n%q", marked, again)
		}
	})
}

func FuzzReplantMessage(f *testing.F) {
	f.Add("Fix it\n\nBecause.\n\nSigned-off-by: A <a@b>\n")
	f.Add("\n\n---\n")
	f.Fuzz(func(t *testing.T, upstream string) {
		oid := "1111111111222222222233333333334444444444"
		message := lts.ReplantMessage(upstream, []git.Trailer{{Key: lts.TrailerUpstream, Value: oid}})
		if got := git.TrailerValue(message, lts.TrailerUpstream); got != oid {
			t.Errorf("the trailer is lost in %q", message)
		}
		if strings.Contains(message, "\n---\n") || strings.Contains(message, "\ndiff --git ") {
			t.Errorf("it would end a mail: %q", message)
		}
	})
}
