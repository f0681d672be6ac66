// Package upgrade makes a plan: by which hops a cluster gets from its version to another, what stands in the way of each, in which order
// components go, by when each hop must be done to stay supported, and what there is beside it: to stay on a line that others keep alive.
//
// Words: a hop takes the kube-apiservers to the next minor; none is ever skipped. A blocker must be out of the way before a hop; what
// could not be observed and might block is a blocker that is not certain. A stay is a line on which the cluster could remain.
//
// Promises: pure functions of a snapshot, the catalogue and a given time. Nothing that was not observed is called free of blockers.
package upgrade

import (
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
)

// Plan is the road from the version that a cluster has to another.
type Plan struct {
	Context      string               `json:"context"`
	Server       string               `json:"server"`
	Distribution cluster.Distribution `json:"distribution"`
	At           time.Time            `json:"at"`
	From         string               `json:"from"` // of the oldest kube-apiserver
	To           string               `json:"to"`   // the patch release that the last hop ends at
	Hops         []Hop                `json:"hops"` // none when the cluster is there already
	// Now are the things to do before the first hop whatever it is, such as finishing an upgrade that was begun.
	Now         []Blocker             `json:"now"`
	Stays       []Stay                `json:"stays"` // the ones that last longest first
	Notes       []string              `json:"notes"`
	NotObserved []cluster.NotObserved `json:"notObserved"` // what could hide a blocker
	DataDay     release.Date          `json:"dataDay"`
}

// Hop takes the control plane, and then the nodes, to the next minor.
type Hop struct {
	From     string       `json:"from"`     // a version for the first hop, otherwise the patch release before
	To       string       `json:"to"`       // the newest patch release of the minor on the day of the plan
	Minor    string       `json:"minor"`    // that it ends at
	Released release.Date `json:"released"` // of the patch release
	// SupportUntil is the last day of upstream's support for the minor that it ends at; null when it is not published.
	SupportUntil release.Date `json:"supportUntil"`
	// VendorUntil is until when the vendor whose build this is supports that minor; null where there is none, or none is known.
	VendorUntil release.Date `json:"vendorUntil"`
	// By is the last day on which the minor before it is supported, by the vendor where this is a vendor's build: do the hop before.
	By       release.Date `json:"by"`
	DaysLeft *int         `json:"daysLeft"` // to By, negative when it is too late
	// Late says that By is over.
	Late     bool      `json:"late"`
	Blockers []Blocker `json:"blockers"`
	Removed  []Removed `json:"removed"` // API versions that the minor no longer serves
	Steps    []Step    `json:"steps"`   // in order
	Notes    []string  `json:"notes"`
}

// Kind is what stands in the way.
type Kind string

// The kinds of blockers.
const (
	BySkew         Kind = "skew"
	ByAPI          Kind = "removed-api"
	ByStored       Kind = "stored-version"
	ByCertificate  Kind = "certificate"
	ByRuntime      Kind = "runtime"
	ByEmulation    Kind = "emulation"
	ByAvailability Kind = "availability" // something is broken already
)

// Blocker must be out of the way before a hop.
type Blocker struct {
	Kind     Kind            `json:"kind"`
	What     string          `json:"what"` // one line
	Subjects []string        `json:"subjects"`
	Count    int             `json:"count"` // of all subjects
	Remedy   []findings.Step `json:"remedy"`
	// Certain is false where it could not be observed whether it stands in the way.
	Certain bool `json:"certain"`
}

// Removed is an API version that a minor no longer serves.
type Removed struct {
	API         string `json:"api"`         // group/version and resources
	Replacement string `json:"replacement"` // "" when there is none
	// Use is seen, not-seen or unknown.
	Use string `json:"use"`
}

// What is known of the use of an API.
const (
	UseSeen    = "seen"
	UseNotSeen = "not-seen" // it is counted, and nobody asked for it since the API servers started
	UseUnknown = "unknown"  // nothing counts it here
)

// Step is one component's turn within a hop.
type Step struct {
	Component string `json:"component"`
	Text      string `json:"text"`
	Command   string `json:"command,omitempty"`
}

// Stay is a line on which the cluster could remain.
type Stay struct {
	Minor   string `json:"minor"`
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
	Release string `json:"release,omitempty"` // its name for it
	Phase   string `json:"phase"`             // where it stands on the day of the plan
	// Until is the last day; null when none is published: then LastRelease is the newest release that was seen.
	Until       release.Date `json:"until"`
	LastRelease release.Date `json:"lastRelease"`
	DaysLeft    *int         `json:"daysLeft"`
	// Own says that the cluster runs this product already.
	Own  bool   `json:"own"`
	Note string `json:"note,omitempty"`
}
