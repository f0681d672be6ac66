package equiv_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

func all(t *equiv.Table, tips []git.OID) []equiv.Commit {
	var list []equiv.Commit
	t.Reach(tips, nil, func(c *equiv.Commit) { list = append(list, *c) })
	return list
}

func TestEncode(t *testing.T) {
	h := newHistory(t)
	table, changed := h.build(equiv.NewTable(upstream), equiv.Options{})
	if !changed || table.Len() < 5 {
		t.Fatalf("built %d commits, changed %v", table.Len(), changed)
	}
	data := table.Encode()
	again, err := equiv.Decode(data, upstream)
	if err != nil {
		t.Fatal(err)
	}
	tips := equiv.RefTips(h.repo.Refs())
	if diff := cmp.Diff(all(table, tips), all(again, tips)); diff != "" {
		t.Errorf("read back, it differs:\n%s", diff)
	}
	if !bytes.Equal(again.Encode(), data) {
		t.Error("written again, it differs")
	}
	if _, err := equiv.Decode(data, "another/repository"); !errs.Is(err, errs.Invalid) {
		t.Errorf("for another repository: %v", err)
	}
	for at := range data {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x10
		if _, err := equiv.Decode(damaged, upstream); !errs.Is(err, errs.Invalid) {
			t.Fatalf("byte %d damaged: %v", at, err)
		}
		if _, err := equiv.Decode(data[:at], upstream); !errs.Is(err, errs.Invalid) {
			t.Fatalf("cut off at byte %d: %v", at, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	t := equiv.NewTable(upstream)
	f.Add(t.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := equiv.Decode(data, upstream)
		if err != nil {
			return
		}
		if again, err := equiv.Decode(table.Encode(), upstream); err != nil || again.Len() != table.Len() {
			t.Errorf("what was read cannot be written and read: %v", err)
		}
	})
}
