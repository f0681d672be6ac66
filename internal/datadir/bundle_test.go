package datadir_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

// key is a new one.
func key(tb testing.TB) (ed25519.PrivateKey, ed25519.PublicKey) {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "key")
	if _, err := datadir.GenerateKey(file); err != nil {
		tb.Fatal(err)
	}
	private, err := datadir.LoadPrivate(file)
	if err != nil {
		tb.Fatal(err)
	}
	public, err := datadir.LoadPublic(file + ".pub")
	if err != nil {
		tb.Fatal(err)
	}
	return private, public
}

func export(tb testing.TB, private ed25519.PrivateKey) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := datadir.Export(&b, contents(1), private, noon); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestBundle(t *testing.T) {
	private, public := key(t)
	_, stranger := key(t)
	bundle := export(t, private)
	if !bytes.Equal(bundle, export(t, private)) {
		t.Error("the same contents do not give the same file")
	}
	got, imported, err := datadir.ReadBundle(bytes.NewReader(bundle), []ed25519.PublicKey{stranger, public})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(contents(1), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if imported.Key != datadir.Fingerprint(public) || !imported.Signed.Equal(noon) {
		t.Errorf("imported: %+v", imported)
	}
	for name, trusted := range map[string][]ed25519.PublicKey{"nobody": nil, "somebody else": {stranger}} {
		if _, _, err = datadir.ReadBundle(bytes.NewReader(bundle), trusted); !errs.Is(err, errs.Denied) || len(errs.Hints(err)) == 0 {
			t.Errorf("%s is trusted: %v", name, err)
		}
	}
}

// TestBundleDamage: a bundle with one byte changed, or cut anywhere, is refused.
func TestBundleDamage(t *testing.T) {
	private, public := key(t)
	bundle := export(t, private)
	for i := range bundle {
		changed := bytes.Clone(bundle)
		changed[i] ^= 1
		c, _, err := datadir.ReadBundle(bytes.NewReader(changed), []ed25519.PublicKey{public})
		// White space and the case of names in the header's JSON may change without changing what is signed.
		if err == nil && cmp.Diff(contents(1), c) != "" {
			t.Fatalf("byte %d of %d changed, and other contents were taken", i, len(bundle))
		}
		if err == nil && i > bytes.IndexByte(bundle[20:], '\n')+20 {
			t.Fatalf("byte %d of %d changed within the archive, and it was taken", i, len(bundle))
		}
	}
	for cut := range bundle {
		if _, _, err := datadir.ReadBundle(bytes.NewReader(bundle[:cut]), []ed25519.PublicKey{public}); err == nil {
			t.Fatalf("cut after %d of %d bytes, and taken", cut, len(bundle))
		}
	}
	if _, _, err := datadir.ReadBundle(io.MultiReader(bytes.NewReader(bundle), strings.NewReader("x")), []ed25519.PublicKey{public}); err == nil {
		t.Error("something was added at the end, and it was taken")
	}
}

// sealed signs an archive of anything, as somebody would whose key is trusted and whose machine is not.
func sealed(t *testing.T, private ed25519.PrivateKey, payload []byte, size int64) []byte {
	t.Helper()
	fingerprint := datadir.Fingerprint(private.Public().(ed25519.PublicKey))
	digest := provenance.DigestOf(payload)
	message := fmt.Sprintf("kubelts data bundle, form 1\nkey %s\nsigned %s\nsize %d\ndigest %s\n", fingerprint, noon.Format(time.RFC3339), size, digest)
	header, err := json.Marshal(map[string]any{
		"key": fingerprint, "signed": noon, "size": size, "digest": digest, "signature": base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(message))),
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join([][]byte{[]byte("kubelts-data 1\n"), header, []byte("\n"), payload}, nil)
}

type member struct {
	header  tar.Header
	content string
}

func archive(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, m := range members {
		if m.header.Typeflag == 0 {
			m.header.Typeflag = tar.TypeReg
		}
		if m.header.Size == 0 && m.header.Typeflag == tar.TypeReg {
			m.header.Size = int64(len(m.content))
		}
		if err := w.WriteHeader(&m.header); err != nil {
			t.Fatal(err)
		}
		if m.content == "bomb" {
			if _, err := io.CopyN(w, zeros{}, m.header.Size); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := io.WriteString(w, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHostileArchives(t *testing.T) {
	private, public := key(t)
	manifest := func(change func(*datadir.Contents)) member {
		c := contents(1)
		for name := range c.Files {
			delete(c.Files, name)
		}
		c.Manifest.Sources = nil
		c.Files["facts/releases.yaml"] = []byte("n: 1\n")
		if change != nil {
			change(&c)
		}
		c.Seal()
		text, err := json.Marshal(c.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		return member{tar.Header{Name: "manifest.json"}, string(text)}
	}
	good := member{tar.Header{Name: "facts/releases.yaml"}, "n: 1\n"}
	tests := []struct {
		name    string
		members []member
		want    string
	}{
		{"as it should be", []member{manifest(nil), good}, ""},
		{"a path that leads out", []member{manifest(nil), good, {tar.Header{Name: "../../evil"}, "x"}}, `"../../evil" does not belong here`},
		{"an absolute path", []member{manifest(nil), good, {tar.Header{Name: "/etc/cron.d/evil"}, "x"}}, "does not belong here"},
		{"a path that leads out, in the manifest too", []member{manifest(func(c *datadir.Contents) { c.Files["facts/../../evil"] = nil }), good}, "does not belong here"},
		{"a symbolic link", []member{manifest(nil), {tar.Header{Name: "facts/releases.yaml", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""}}, "not a regular file"},
		{"a hard link", []member{manifest(nil), {tar.Header{Name: "facts/releases.yaml", Typeflag: tar.TypeLink, Linkname: "manifest.json"}, ""}}, "not a regular file"},
		{"a device", []member{manifest(nil), {tar.Header{Name: "facts/releases.yaml", Typeflag: tar.TypeBlock}, ""}}, "not a regular file"},
		{"a directory", []member{manifest(nil), {tar.Header{Name: "facts/", Typeflag: tar.TypeDir}, ""}}, "not a regular file"},
		{"a file twice", []member{manifest(nil), good, good}, "does not belong here"},
		{"a file of other content", []member{manifest(nil), {tar.Header{Name: "facts/releases.yaml"}, "n: 2\n"}}, "not what was written"},
		{"a file is missing", []member{manifest(nil)}, "0 files, 1 in its manifest"},
		{"no manifest", []member{good}, "not with its manifest"},
		{"a manifest of another form", []member{{tar.Header{Name: "manifest.json"}, `{"version": 2}`}}, "version 2 is not known"},
		{"a file larger than it says", []member{manifest(nil), {tar.Header{Name: "facts/releases.yaml", Size: 1 << 20}, "bomb"}}, "larger than it should be"},
		{"a manifest that is too large", []member{{tar.Header{Name: "manifest.json", Size: 33 << 20}, "bomb"}}, "larger than it should be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			payload := archive(t, tt.members...)
			_, _, err := datadir.ReadBundle(bytes.NewReader(sealed(t, private, payload, int64(len(payload)))), []ed25519.PublicKey{public})
			if tt.want == "" && err != nil || tt.want != "" && (!errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	for name, size := range map[string]int64{"more than a bundle may have": 1 << 40, "less than nothing": -1} {
		if _, _, err := datadir.ReadBundle(bytes.NewReader(sealed(t, private, []byte("x"), size)), []ed25519.PublicKey{public}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if _, err := datadir.GenerateKey(file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key: %v, %v", info.Mode(), err)
	}
	if _, err = datadir.GenerateKey(file); !errs.Is(err, errs.Conflict) {
		t.Errorf("written over: %v", err)
	}
	if _, err = datadir.LoadPrivate(file + ".pub"); err == nil {
		t.Error("a public key was taken for a private one")
	}
	if _, err = datadir.LoadPublic(file); !errs.Is(err, errs.Invalid) {
		t.Errorf("a private key for a public one: %v", err)
	}
	if err = os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = datadir.LoadPrivate(file); !errs.Is(err, errs.Denied) {
		t.Errorf("a private key that all may read: %v", err)
	}
	if _, err = datadir.LoadPublic(file + ".nowhere"); !errs.Is(err, errs.NotFound) {
		t.Errorf("no key: %v", err)
	}
}

// FuzzReadBundle: whatever comes, nothing is taken that the key did not sign, and nothing breaks.
func FuzzReadBundle(f *testing.F) {
	private, public := key(f)
	f.Add(export(f, private))
	f.Add([]byte("kubelts-data 1\n{}\n"))
	want := contents(1)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := datadir.ReadBundle(bytes.NewReader(data), []ed25519.PublicKey{public})
		if err == nil && cmp.Diff(want, c) != "" {
			t.Fatal("contents that were never signed")
		}
	})
}
