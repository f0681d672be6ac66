package backport

import (
	"bytes"
	"context"
	"path"
	"strings"
)

const rungGenerated = "generated"

// generatedRung refuses generated files that both sides changed: lines of two generator runs put together are the output of none. The file has to
// be made again in the resulting tree.
type generatedRung struct{}

func (generatedRung) name() string { return rungGenerated }

// takes knows generated files by the names that their generators give them.
func (generatedRung) takes(file string) bool {
	name := path.Base(file)
	return strings.HasPrefix(name, "zz_generated") || strings.HasSuffix(name, ".pb.go") || strings.HasSuffix(name, ".pb.gw.go") ||
		name == "openapi_generated.go" || name == "bindata.go"
}

// takesContent implements [contentRung]: a generated file says so, see https://go.dev/s/generatedcode.
func (generatedRung) takesContent(s fileSides) bool {
	return strings.HasSuffix(s.path, ".go") && (generated(s.ours) || generated(s.theirs))
}

// generated reports whether there is the line before the package clause.
func generated(content []byte) bool {
	const head = 16 << 10
	content = content[:min(len(content), head)]
	for line := range bytes.Lines(content) {
		line = bytes.TrimRight(line, "\r\n")
		if bytes.HasPrefix(line, []byte("package ")) {
			return false
		}
		if bytes.HasPrefix(line, []byte("// Code generated ")) && bytes.HasSuffix(line, []byte(" DO NOT EDIT.")) {
			return true
		}
	}
	return false
}

func (generatedRung) merge(_ context.Context, _ fileSides) (fileMerge, error) {
	return fileMerge{refusals: []refusal{{ReasonGenerated, "both sides changed a generated file: it has to be made again by the target's generator"}}}, nil
}
