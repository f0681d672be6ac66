package lts

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// The version schemes. N counts the line's releases on one base.
const (
	SchemePlus  = "+lts.N" // v1.28.15+lts.1: after v1.28.15 and before v1.28.16 for dpkg and rpm; equal to v1.28.15 for SemVer
	SchemeMinus = "-lts.N" // v1.28.15-lts.1: before v1.28.15 for SemVer
	SchemePatch = ".10N"   // v1.28.101: a patch number that upstream never reached
)

type scheme string

func (s scheme) validate() error {
	if slices.Contains([]string{SchemePlus, SchemeMinus, SchemePatch}, string(s)) {
		return nil
	}
	return errs.WithHint(errs.New(errs.Invalid, "versionScheme %q is not known", string(s)), "choose from %s, %s, %s", SchemePlus, SchemeMinus, SchemePatch)
}

var baseForm = regexp.MustCompile(`^v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)

// BaseVersion takes the version, as v1.28.15, out of an upstream tag with the project's tag pattern.
func BaseVersion(pattern, tag string) (string, error) {
	before, after, ok := strings.Cut(pattern, "{version}")
	number, okBefore := strings.CutPrefix(tag, before)
	number, okAfter := strings.CutSuffix(number, after)
	if !ok || !okBefore || !okAfter || !baseForm.MatchString("v"+number) {
		return "", errs.New(errs.Invalid, "tag %q is not a release tag: the pattern is %s", tag, pattern)
	}
	return "v" + number, nil
}

// Version is the version of the n-th release on a base, counted from 1. The base is as [BaseVersion] returns it.
func Version(versionScheme, base string, n int) (string, error) {
	m := baseForm.FindStringSubmatch(base)
	if m == nil || n < 1 {
		return "", errs.New(errs.Invalid, "release %d of base %q", n, base)
	}
	switch versionScheme {
	case SchemePlus:
		return base + "+lts." + strconv.Itoa(n), nil
	case SchemeMinus:
		return base + "-lts." + strconv.Itoa(n), nil
	case SchemePatch:
		return fmt.Sprintf("v%s.%s.%d", m[1], m[2], 100+n), nil
	}
	return "", scheme(versionScheme).validate()
}

// Number is the n of a version that [Version] returned, 0 for any other.
func Number(versionScheme, base, version string) int {
	n, err := strconv.Atoi(version[strings.LastIndexByte(version, '.')+1:])
	if versionScheme == SchemePatch {
		n -= 100
	}
	if made, bad := Version(versionScheme, base, n); err != nil || bad != nil || made != version {
		return 0
	}
	return n
}
