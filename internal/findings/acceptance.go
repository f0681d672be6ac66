package findings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/errs"

	"github.com/kubelts/kubelts/internal/cluster"
)

const (
	maxAcceptanceFile = 1 << 20
	maxAcceptances    = 10_000
)

// ReadAcceptances reads a file of accepted risks: YAML with a list under "acceptances", each with finding, owner, reason and expires, and
// cluster where it is for one. The name is for messages. It is strict: an unknown key, or one of the four missing, is [errs.Invalid].
func ReadAcceptances(name string, r io.Reader) ([]Acceptance, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxAcceptanceFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxAcceptanceFile {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, maxAcceptanceFile)
	}
	var doc struct {
		Acceptances []Acceptance `yaml:"acceptances"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, acceptanceFault(errs.New(errs.Invalid, "%s: holds nothing", name))
	} else if err != nil {
		return nil, acceptanceFault(errs.New(errs.Invalid, "%s: %s", name, strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "%s: more than one document", name)
	}
	if len(doc.Acceptances) > maxAcceptances {
		return nil, errs.New(errs.Invalid, "%s: more than %d acceptances", name, maxAcceptances)
	}
	for i, a := range doc.Acceptances {
		for _, want := range []struct{ key, value string }{
			{"finding", a.Finding}, {"owner", a.Owner}, {"reason", a.Reason}, {"expires", a.Expires.String()},
		} {
			if strings.TrimSpace(want.value) == "" {
				return nil, acceptanceFault(errs.New(errs.Invalid, "%s: acceptance %d (%s) has no %s", name, i+1, cluster.Cut(a.Finding), want.key))
			}
		}
	}
	return doc.Acceptances, nil
}

func acceptanceFault(err error) error {
	return errs.WithHint(err, "write acceptances: [{finding: ID, owner: who, reason: why, expires: 2027-01-31}]; docs/check.md has the rest")
}
