package lts

import (
	"regexp"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// Project is what kubelts.yaml says.
type Project struct {
	APIVersion    string          `yaml:"apiVersion"`
	Kind          string          `yaml:"kind"`
	Upstream      Upstream        `yaml:"upstream"`
	VersionScheme string          `yaml:"versionScheme"` // see [Version]
	Maintainer    Person          `yaml:"maintainer"`
	Package       PackageDefaults `yaml:"package,omitempty"`
}

// Upstream is the repository whose minors are kept alive.
type Upstream struct {
	Name       string `yaml:"name"` // owner/name, as vulnerability records call it
	URL        string `yaml:"url,omitempty"`
	Clone      string `yaml:"clone,omitempty"` // directory, relative to the project; --repo goes before it
	MainBranch string `yaml:"mainBranch"`
	Branches   string `yaml:"branches"` // glob of the release branches: release-*
	Tag        string `yaml:"tag"`      // pattern of the release tags: v{version}
}

// Person is somebody with a name and an address.
type Person struct {
	Name  string `yaml:"name" json:"name"`
	Email string `yaml:"email" json:"email"`
}

func (p Person) String() string { return p.Name + " <" + p.Email + ">" }

// ParsePerson reads "Name <address>".
func ParsePerson(s string) (Person, error) {
	m := personForm.FindStringSubmatch(s)
	if m == nil {
		return Person{}, errs.WithHint(errs.New(errs.Invalid, "%q names nobody", s), `write it as "Ada Author <ada@example.org>"`)
	}
	return Person{Name: m[1], Email: m[2]}, nil
}

// PackageDefaults is what all packages of a project say of themselves.
type PackageDefaults struct {
	License  string `yaml:"license,omitempty"` // SPDX expression
	Homepage string `yaml:"homepage,omitempty"`
	Section  string `yaml:"section,omitempty"` // Debian's: admin
}

var (
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+$`)
	personForm     = regexp.MustCompile(`^([^\s<>"\p{C}][^<>"\p{C}]{0,198}[^\s<>"\p{C}]) <([^\s<>"\p{C}]{1,200})>$`)
)

// ParseProject reads a kubelts.yaml. The name is for messages.
func ParseProject(name string, content []byte) (*Project, error) {
	p := &Project{}
	if err := decode(name, content, p); err != nil {
		return nil, err
	}
	if err := header(name, p.APIVersion, p.Kind, "Project"); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	return p, nil
}

// Format writes the project as ParseProject reads it.
func (p *Project) Format() ([]byte, error) {
	p.APIVersion, p.Kind = APIVersion, "Project"
	return encode(p)
}

// Validate checks what others rely on.
func (p *Project) Validate() error {
	switch {
	case !repositoryForm.MatchString(p.Upstream.Name):
		return errs.New(errs.Invalid, "upstream name %q is not owner/name", p.Upstream.Name)
	case p.Upstream.MainBranch == "" || p.Upstream.Branches == "":
		return errs.New(errs.Invalid, "upstream needs mainBranch and branches")
	case strings.Count(p.Upstream.Tag, "{version}") != 1:
		return errs.WithHint(errs.New(errs.Invalid, "upstream tag %q has no {version}", p.Upstream.Tag), "write tag: v{version}")
	case p.Maintainer.Name == "" || p.Maintainer.Email == "":
		return errs.New(errs.Invalid, "maintainer needs a name and an email")
	}
	if _, err := ParsePerson(p.Maintainer.String()); err != nil {
		return errs.New(errs.Invalid, "maintainer: %w", err)
	}
	if _, err := MatchBranch(p.Upstream.Branches, ""); err != nil {
		return err
	}
	return scheme(p.VersionScheme).validate()
}
