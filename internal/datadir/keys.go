package datadir

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/kubelts/kubelts/internal/errs"
)

// The types of PEM blocks, which OpenSSL reads as well.
const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// maxKey bounds a key file, in bytes.
const maxKey = 16 << 10

// Fingerprint names a public key: SHA256: and the digest of its 32 bytes in base64.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// GenerateKey writes a new Ed25519 key to a file that only its owner may read, and the public half beside it, with .pub at the end. Neither
// may be there already.
func GenerateKey(file string) (fingerprint string, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	if err = create(file+".pub", 0o644, &pem.Block{Type: publicBlock, Bytes: open}); err != nil {
		return "", err
	}
	if err = create(file, 0o600, &pem.Block{Type: privateBlock, Bytes: secret}); err != nil {
		return "", errors.Join(err, os.Remove(file+".pub"))
	}
	return Fingerprint(public), nil
}

func create(name string, mode fs.FileMode, block *pem.Block) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return errs.WithHint(errs.New(errs.Conflict, "key: %w", err), "a key is never written over; choose another name")
	}
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	return errors.Join(pem.Encode(f, block), f.Sync(), f.Close())
}

// LoadPrivate reads a private key. A file that others may read is [errs.Denied].
func LoadPrivate(file string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, errs.New(errs.NotFound, "private key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, errs.WithHint(errs.New(errs.Denied, "private key %s: others may read it", file), "chmod 600 %s", file)
	}
	der, err := block(file, privateBlock)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if private, ok := key.(ed25519.PrivateKey); ok && err == nil {
		return private, nil
	}
	return nil, errs.New(errs.Invalid, "private key %s: not an Ed25519 key", file)
}

// LoadPublic reads a public key.
func LoadPublic(file string) (ed25519.PublicKey, error) {
	der, err := block(file, publicBlock)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if public, ok := key.(ed25519.PublicKey); ok && err == nil {
		return public, nil
	}
	return nil, errs.New(errs.Invalid, "public key %s: not an Ed25519 key", file)
}

// block reads the one PEM block of a file.
func block(file, kind string) ([]byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.WithHint(errs.New(errs.NotFound, "key: %w", err), "\"kubelts data keygen FILE\" makes one")
	}
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	b, _ := pem.Decode(data)
	if b == nil || b.Type != kind {
		return nil, errs.New(errs.Invalid, "key %s: no PEM block %q", file, kind)
	}
	return b.Bytes, nil
}
