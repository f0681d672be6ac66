package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubelts/kubelts/internal/cluster"
)

// The areas of a report, as NotObserved names them.
const (
	areaSupport      = string(cluster.Support)
	areaCertificates = string(cluster.Certificates)
	areaLoopback     = string(cluster.Loopback)
	areaSkew         = string(cluster.Skew)
	areaHoles        = string(cluster.Vulnerabilities)
	areaAPIs         = string(cluster.APIs)
	areaNodes        = string(cluster.Nodes)
)

// groups are the group versions that a server serves, v1 for the core's.
type groups map[string]bool

// first returns the first of some group versions that is served, "" where none is.
func (g groups) first(versions ...string) string {
	for _, v := range versions {
		if g[v] {
			return v
		}
	}
	return ""
}

// has says whether any version of a group is served.
func (g groups) has(group string) bool {
	for v := range g {
		if name, _ := split(v); name == group {
			return true
		}
	}
	return false
}

// split takes a group version apart; the core's group is "".
func split(groupVersion string) (group, version string) {
	for i := range len(groupVersion) {
		if groupVersion[i] == '/' {
			return groupVersion[:i], groupVersion[i+1:]
		}
	}
	return "", groupVersion
}

// root is where a group version's objects are.
func root(groupVersion string) string {
	if group, _ := split(groupVersion); group == "" {
		return "/api/" + groupVersion
	}
	return "/apis/" + groupVersion
}

// serverVersion is the answer to /version.
type serverVersion struct {
	version.Info
}

func (v *serverVersion) emulated() string { return minor(v.EmulationMajor, v.EmulationMinor) }
func (v *serverVersion) minimal() string {
	return minor(v.MinCompatibilityMajor, v.MinCompatibilityMinor)
}

func minor(major, minor string) string {
	if major == "" || minor == "" || len(major)+len(minor) > 8 {
		return ""
	}
	return major + "." + minor
}

// version asks a server for its version.
func (c *client) version(ctx context.Context) (*serverVersion, error) {
	text, err := c.read(ctx, question{verb: "get", path: "/version"})
	if err != nil {
		return nil, err
	}
	var v serverVersion
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("the answer is no version: %w", err)
	}
	if v.GitVersion == "" {
		return nil, fmt.Errorf("the answer has no gitVersion")
	}
	for _, field := range []*string{&v.GitVersion, &v.GoVersion, &v.BuildDate, &v.Platform} {
		*field = bounded(*field)
	}
	return &v, nil
}

const maxGroups = 5000

// discover asks for the version and for what is served. It returns false where lists need not be tried.
func (t *taker) discover(ctx context.Context) bool {
	var group sync.WaitGroup
	var versionErr, coreErr, groupsErr error
	var asked *serverVersion
	var core metav1.APIVersions
	var named metav1.APIGroupList
	group.Go(func() { asked, versionErr = t.api.version(ctx) })
	group.Go(func() { coreErr = t.api.get(ctx, "/api", &core) })
	group.Go(func() { groupsErr = t.api.get(ctx, "/apis", &named) })
	group.Wait()
	if versionErr != nil {
		t.miss(cluster.NotObserved{What: "version at " + t.access.address(), Area: areaSupport, Reason: reason(versionErr), Hint: remedy(versionErr), Asked: true})
	}
	if groupsErr == nil && len(named.Groups) == 0 {
		groupsErr = errors.New("the answer names no group")
	}
	t.blind = groupsErr != nil
	t.groups = groups{}
	for _, v := range core.Versions {
		t.groups[bounded(v)] = true
	}
	served := 0
	for _, g := range named.Groups {
		for _, v := range g.Versions {
			if served++; served <= maxGroups {
				t.groups[bounded(v.GroupVersion)] = true
			}
		}
	}
	t.beyond(cluster.NotObserved{What: "versions of API groups", Area: areaAPIs}, served, maxGroups)
	t.blind = t.blind || served > maxGroups
	if coreErr != nil && !absent(coreErr) {
		t.miss(cluster.NotObserved{What: "the core API's versions", Area: areaAPIs, Reason: reason(coreErr), Hint: remedy(coreErr), Asked: true})
	}
	if groupsErr != nil {
		t.miss(cluster.NotObserved{What: "the API groups that are served", Area: areaAPIs, Reason: reason(groupsErr), Hint: remedy(groupsErr), Asked: true})
	}
	t.add(func(s *cluster.Snapshot, found *found) {
		found.version = asked
		for v := range t.groups {
			s.Groups = append(s.Groups, v)
		}
		slices.Sort(s.Groups)
	})
	if len(t.groups) == 0 && coreErr != nil {
		t.miss(cluster.NotObserved{
			What: "nodes, components, webhooks and all other objects", Area: areaNodes, Asked: true,
			Reason: "the API does not say what it serves: " + reason(coreErr), Hint: remedy(coreErr),
		})
		return false
	}
	t.groups["v1"] = true // a server that does not let everybody see what it serves still has it
	return true
}
