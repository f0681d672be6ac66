package cli

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

func newDataExport(a *app) *cobra.Command {
	var keyFile string
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the facts as one signed file, for places without a network",
		Long: `Write everything that the folder holds, what each source said included, as one file that is signed with your key ("data keygen" makes one).
Where it is imported, nothing needs to be fetched, and the age of each source is kept. FILE may be - for standard output.`,
		Example: `  kubelts data export facts.kubelts --key release.key`,
		Args:    needArgs(1, 1, "the file"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := a.dataFolder()
			if err != nil {
				return err
			}
			now, err := a.now()
			if err != nil {
				return err
			}
			key, err := datadir.LoadPrivate(keyFile)
			if err != nil {
				return err
			}
			snapshot, err := datadir.OpenAll(folder)
			if errs.Is(err, errs.NotFound) {
				return errs.WithHint(err, "\"kubelts data update\" makes it")
			}
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err = datadir.Export(&b, snapshot.Contents, key, now); err != nil {
				return err
			}
			fmt.Fprintf(a.Stderr, "kubelts: %s, %d bytes, signed with %s\n", snapshot.Manifest, b.Len(), datadir.Fingerprint(key.Public().(ed25519.PublicKey)))
			return a.writeTo(args[0], b.Bytes())
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "sign with the private key in `FILE`")
	if err := cmd.MarkFlagRequired("key"); err != nil {
		panic(err) // the flag was defined a line above
	}
	return cmd
}

func newDataKeygen(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key to sign exported facts with",
		Long: `Make an Ed25519 key: the private half goes to FILE, which only you may read, the public half to FILE.pub. Both are PEM, as OpenSSL has them. Give
FILE.pub to those who import, by another way than the facts.`,
		Example: `  kubelts data keygen release.key`,
		Args:    needArgs(1, 1, "the file"),
		RunE: func(_ *cobra.Command, args []string) error {
			fingerprint, err := datadir.GenerateKey(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Stdout, fingerprint)
			return err
		},
	}
}

// dataImport is the command's flags.
type dataImport struct {
	*app

	trusted      []string
	older, fresh bool
}

func newDataImport(a *app) *cobra.Command {
	i := &dataImport{app: a}
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in facts that somebody exported and signed",
		Long: `Check the signature, then the archive and each file in it, and make it the facts of the folder in one step. The key must be one that --trusted
names, or one of $XDG_CONFIG_HOME/kubelts/trusted/*.pub (~/.config/kubelts/trusted). Facts that are older than those in the folder are refused, unless
--allow-older is given. FILE may be - for standard input.`,
		Example: `  kubelts data import facts.kubelts --trusted release.key.pub`,
		Args:    needArgs(1, 1, "the file"),
		RunE:    func(_ *cobra.Command, args []string) error { return i.run(args[0]) },
	}
	cmd.Flags().StringArrayVar(&i.trusted, "trusted", nil, "trust the public key in `FILE` (can be given several times)")
	cmd.Flags().BoolVar(&i.older, "allow-older", false, "take facts that are older than those in the folder")
	cmd.Flags().BoolVar(&i.fresh, "fresh", false, "replace a folder that is damaged")
	return cmd
}

func (i *dataImport) run(file string) error {
	folder, err := i.dataFolder()
	if err != nil {
		return err
	}
	now, err := i.now()
	if err != nil {
		return err
	}
	keys, err := i.keys()
	if err != nil {
		return err
	}
	contents, imported, err := i.read(file, keys)
	if err != nil {
		return err
	}
	if contents.Manifest.Created.After(now.Add(24 * time.Hour)) {
		return errs.WithHint(errs.New(errs.Invalid, "import: it says that it was made at %s", contents.Manifest.Created.Format(time.RFC3339)), "a clock is wrong, here or there; facts of the future would keep out all that come after")
	}
	before, err := i.before(folder, contents)
	if err != nil {
		return err
	}
	if err = readable(contents); err != nil {
		return fmt.Errorf("import %s: %w", file, err)
	}
	imported.At = now
	if err = datadir.Write(folder, contents, before, &imported); err != nil {
		return err
	}
	fmt.Fprintf(i.Stderr, "kubelts: %s: %s, signed with %s on %s\n", folder, contents.Manifest, imported.Key, imported.Signed.Format(time.DateOnly))
	return nil
}

// keys are the public keys that are trusted.
func (i *dataImport) keys() ([]ed25519.PublicKey, error) {
	files := slices.Clone(i.trusted)
	if folder := i.xdg("XDG_CONFIG_HOME", ".config"); folder != "" {
		found, err := filepath.Glob(filepath.Join(folder, "trusted", "*.pub"))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	var keys []ed25519.PublicKey
	for _, f := range files {
		key, err := datadir.LoadPublic(f)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errs.WithHint(errs.New(errs.Denied, "import: no key is trusted"), "name the public key of whoever exported with --trusted FILE")
	}
	return keys, nil
}

func (i *dataImport) read(file string, keys []ed25519.PublicKey) (datadir.Contents, datadir.Imported, error) {
	in := i.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return datadir.Contents{}, datadir.Imported{}, errs.New(errs.NotFound, "import: %w", err)
		}
		defer f.Close()
		in = f
	}
	return datadir.ReadBundle(in, keys)
}

// before is the generation that is replaced. One that is newer is not, so that nobody can bring back facts in which a hole was not known yet.
func (i *dataImport) before(folder string, c datadir.Contents) (string, error) {
	if i.fresh {
		return datadir.Any(), nil
	}
	old, err := openData(folder)
	if err != nil {
		return "", err
	}
	if old != nil && c.Manifest.Created.Before(old.Manifest.Created) && !i.older {
		return "", errs.WithHint(errs.New(errs.Conflict, "import: it is of %s, older than the folder, which is of %s", c.Manifest.Created.Format(time.RFC3339), old.Manifest.Created.Format(time.RFC3339)),
			"--allow-older takes it")
	}
	return generation(old), nil
}

// readable refuses facts that this program could not read.
func readable(c datadir.Contents) error {
	fsys, err := provenance.FS(c.Facts())
	if err != nil {
		return err
	}
	facts, err := catalog.Load(fsys)
	if err != nil {
		return err
	}
	if _, err = facts.Vulnerabilities(); err != nil {
		return err
	}
	_, err = c.Items()
	return err
}

// replaceFile writes a file under another name and renames it: there is the old one, or the whole new one.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".kubelts-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err = os.Chmod(f.Name(), 0o644); err != nil { //nolint:gosec // public facts
		return err
	}
	return os.Rename(f.Name(), name)
}
