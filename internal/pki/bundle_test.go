package pki_test

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/pki"
)

func block(kind string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
}

func TestBundle(t *testing.T) {
	one, two := []byte("one"), []byte("two")
	for _, tt := range []struct {
		name, text string
		want       [][]byte
		problem    string
	}{
		{"a chain", block("CERTIFICATE", one) + "words\n" + block("CERTIFICATE", two), [][]byte{one, two}, ""},
		{"a key beside it", block("RSA PRIVATE KEY", two) + block("CERTIFICATE", one), [][]byte{one}, ""},
		{"only a key", block("PRIVATE KEY", one), nil, "no certificate in it"},
		{"nothing", "  \n", nil, "empty"},
		{"no PEM", "MIIB", nil, "not PEM"},
		{"too many", strings.Repeat(block("CERTIFICATE", one), 501), bytesOf(one, 500), "more than 500"},
		{"too large", block("CERTIFICATE", make([]byte, 300<<10)), nil, "more than 256 KiB"},
		{"broken off", "-----BEGIN CERTIFICATE-----\nMIIB", nil, "no certificate in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, problem := pki.Bundle([]byte(tt.text))
			if len(got) != len(tt.want) || !bytes.Equal(bytes.Join(got, nil), bytes.Join(tt.want, nil)) {
				t.Errorf("%d certificates, want %d", len(got), len(tt.want))
			}
			if (problem == "") != (tt.problem == "") || !strings.Contains(problem, tt.problem) {
				t.Errorf("problem %q, want %q", problem, tt.problem)
			}
		})
	}
}

func bytesOf(one []byte, n int) (all [][]byte) {
	for range n {
		all = append(all, one)
	}
	return all
}

// FuzzBundle: what comes out is certificates' blocks of what went in, and no certificate means a problem.
func FuzzBundle(f *testing.F) {
	f.Add([]byte(block("CERTIFICATE", []byte("one")) + block("PRIVATE KEY", []byte("key"))))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		certificates, problem := pki.Bundle(text)
		if len(certificates) == 0 && problem == "" {
			t.Error("no certificate and no problem")
		}
		var again []byte
		for _, der := range certificates {
			again = append(again, block("CERTIFICATE", der)...)
		}
		same, _ := pki.Bundle(again)
		if len(same) != len(certificates) {
			t.Errorf("%d certificates, written and read again %d", len(certificates), len(same))
		}
	})
}
