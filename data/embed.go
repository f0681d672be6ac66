// Package data is the facts that kubelts judges by: releases, support policy, vendors' windows, vulnerabilities of Kubernetes with
// their fixes, Go versions, and the loopback certificate. They are plain files, in forms that docs/data.md describes, each fact
// with its source and with how sure it is. This package holds no code but the embedding; internal/catalog reads the files, from
// here or from a directory that has the same names. The tests here lint them.
package data

import "embed"

// Files are the files of this directory, under their own names.
//
//go:embed releases.yaml support.yaml vendors.yaml loopback.yaml toolchains.yaml applicability.yaml removals.yaml vulnerabilities/*.json
var Files embed.FS
