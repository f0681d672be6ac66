package datadir

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

// A bundle is one file: a line that says what it is, a line of JSON with the signature, and a tar archive, compressed with gzip, that holds the
// manifest and its files. The signature is over the archive's size and digest, so that it is checked before anything of the archive is read.

// magic is the first line of a bundle.
const magic = "kubelts-data 1\n"

// Bounds of a bundle.
const (
	maxHeaderLine = 4 << 10
	maxPayload    = 256 << 20
	maxUnpacked   = 1 << 30
)

// header is the second line of a bundle.
type header struct {
	Key       string    `json:"key"`
	Signed    time.Time `json:"signed"`
	Size      int64     `json:"size"`   // of the archive, compressed
	Digest    string    `json:"digest"` // of the same
	Signature string    `json:"signature"`
}

// message is what is signed. It names its purpose, so that no other signature of the key can pass for it.
func (h header) message() []byte {
	return fmt.Appendf(nil, "kubelts data bundle, form 1\nkey %s\nsigned %s\nsize %d\ndigest %s\n", h.Key, h.Signed.UTC().Format(time.RFC3339), h.Size, h.Digest)
}

// Export writes contents as one signed file. The same contents, key and time give the same bytes.
func Export(w io.Writer, c Contents, key ed25519.PrivateKey, now time.Time) error {
	manifest, err := json.MarshalIndent(c.Manifest, "", " ")
	if err != nil {
		return err
	}
	payload, err := pack(manifest, c)
	if err != nil {
		return err
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok || len(payload) > maxPayload {
		return errs.New(errs.Invalid, "export: %d bytes are more than a bundle may have, or the key is none", len(payload))
	}
	h := header{Key: Fingerprint(public), Signed: now.UTC().Truncate(time.Second), Size: int64(len(payload)), Digest: provenance.DigestOf(payload)}
	h.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, h.message()))
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{[]byte(magic), line, []byte("\n"), payload} {
		if _, err = w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func pack(manifest []byte, c Contents) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	add := func(name string, content []byte) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: c.Manifest.Created.UTC().Truncate(time.Second), Format: tar.FormatPAX}
		return errors.Join(t.WriteHeader(h), writing(t, content))
	}
	if err = add(manifestFile, manifest); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		if err = add(name, c.Files[name]); err != nil {
			return nil, err
		}
	}
	err = errors.Join(t.Close(), z.Close())
	return b.Bytes(), err
}

func writing(w io.Writer, content []byte) error {
	_, err := w.Write(content)
	return err
}

// ReadBundle reads a bundle that one of the trusted keys signed. A key that is not trusted is [errs.Denied]; anything that is not as it was signed, or
// is not a bundle, [errs.Invalid]. No file is written.
func ReadBundle(r io.Reader, trusted []ed25519.PublicKey) (Contents, Imported, error) {
	in := bufio.NewReaderSize(r, maxHeaderLine)
	first, err := in.ReadSlice('\n')
	if err != nil || string(first) != magic {
		return Contents{}, Imported{}, errs.New(errs.Invalid, "import: not a bundle of kubelts data")
	}
	line, err := in.ReadSlice('\n')
	if err != nil {
		return Contents{}, Imported{}, errs.New(errs.Invalid, "import: the header is cut short or too long")
	}
	var h header
	if err = json.Unmarshal(line, &h); err != nil {
		return Contents{}, Imported{}, errs.New(errs.Invalid, "import: header: %w", err)
	}
	if err = h.check(trusted); err != nil {
		return Contents{}, Imported{}, err
	}
	payload, err := io.ReadAll(io.LimitReader(in, h.Size+1))
	if err != nil {
		return Contents{}, Imported{}, fmt.Errorf("import: %w", err)
	}
	if int64(len(payload)) != h.Size || provenance.DigestOf(payload) != h.Digest {
		return Contents{}, Imported{}, errs.New(errs.Invalid, "import: the archive is not the one that was signed")
	}
	c, err := unpack(payload)
	if err != nil {
		return Contents{}, Imported{}, fmt.Errorf("import: %w", err)
	}
	return c, Imported{Key: h.Key, Signed: h.Signed}, nil
}

// check verifies the signature, before anything else of the file is read.
func (h header) check(trusted []ed25519.PublicKey) error {
	i := slices.IndexFunc(trusted, func(k ed25519.PublicKey) bool { return Fingerprint(k) == h.Key })
	if i < 0 {
		return errs.WithHint(errs.New(errs.Denied, "import: it is signed with the key %q, which is not trusted", h.Key), "name the public key with --trusted, if it is one that you know")
	}
	signature, err := base64.StdEncoding.DecodeString(h.Signature)
	if err != nil || !ed25519.Verify(trusted[i], h.message(), signature) {
		return errs.New(errs.Invalid, "import: the signature does not fit")
	}
	if h.Size < 0 || h.Size > maxPayload {
		return errs.New(errs.Invalid, "import: %d bytes, more than %d", h.Size, maxPayload)
	}
	return nil
}

// unpack reads the archive into memory: regular files of the manifest only, each once, within bounds.
func unpack(payload []byte) (Contents, error) {
	z, err := gzip.NewReader(bytes.NewReader(payload))
	if err != nil {
		return Contents{}, errs.New(errs.Invalid, "archive: %w", err)
	}
	z.Multistream(false)
	limited := &io.LimitedReader{R: z, N: maxUnpacked}
	t := tar.NewReader(limited)
	c := Contents{Files: map[string][]byte{}}
	for {
		if err = c.next(t); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) {
		return Contents{}, err
	}
	if len(c.Files) != len(c.Manifest.Files) || len(c.Files) == 0 {
		return Contents{}, errs.New(errs.Invalid, "archive: %d files, %d in its manifest", len(c.Files), len(c.Manifest.Files))
	}
	return c, nil
}

// next takes the next file of an archive: the first is the manifest, by which all others are judged.
func (c *Contents) next(t *tar.Reader) error {
	h, err := t.Next()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return errs.New(errs.Invalid, "archive: %w", err)
	}
	if h.Typeflag != tar.TypeReg {
		return errs.New(errs.Invalid, "archive: %q is not a regular file", h.Name)
	}
	first := c.Manifest.Version == 0
	if first && h.Name != manifestFile {
		return errs.New(errs.Invalid, "archive: begins with %q, not with its manifest", h.Name)
	}
	limit := int64(maxManifest)
	if !first {
		known, ok := c.Manifest.Files[h.Name]
		if _, twice := c.Files[h.Name]; !ok || twice {
			return errs.New(errs.Invalid, "archive: %q does not belong here", h.Name)
		}
		limit = known.Size
	}
	if h.Size > limit {
		return errs.New(errs.Invalid, "archive: %q is larger than it should be", h.Name)
	}
	content, err := io.ReadAll(t)
	if err != nil {
		return errs.New(errs.Invalid, "archive: %q: %w", h.Name, unexpected(err))
	}
	if first {
		c.Manifest, err = provenance.ParseManifest(content)
		return err
	}
	c.Files[h.Name] = content
	return matches(h.Name, content, c.Manifest.Files[h.Name])
}

// unexpected keeps an end in the middle of a file from passing for the end of the archive.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
