package findings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// notApplicable says by what the snapshot shows that a vulnerability cannot be used in a component here, "" where it shows nothing.
func (j *judge) notApplicable(rules []catalog.Applicability, id, component string) string {
	for _, r := range rules {
		if !slices.Contains(r.IDs, id) || len(r.Components) > 0 && !slices.Contains(r.Components, component) {
			continue
		}
		for _, c := range r.Needs {
			if by := j.lacks(c); by != "" {
				return r.Why + ", and " + by
			}
		}
	}
	return ""
}

// lacks says what shows that a condition does not hold; "" where it holds or where that is not known.
func (j *judge) lacks(c catalog.Condition) string {
	switch {
	case c.Use != "":
		return j.unused(c.Use)
	case c.NodeOS != "":
		return j.noNodeWith(c.NodeOS)
	case c.Plugin != "":
		return j.pluginOff(c.Plugin)
	case c.WithoutPlugin != "":
		return j.pluginOn(c.WithoutPlugin)
	case c.Flag != nil:
		return j.flagOff(*c.Flag)
	}
	var all []string
	for _, n := range c.Any {
		by := j.lacks(n)
		if by == "" {
			return ""
		}
		all = append(all, by)
	}
	return strings.Join(all, " and ")
}

func (j *judge) unused(feature string) string {
	by := ""
	for _, u := range j.s.Uses {
		if u.Feature != feature {
			continue
		}
		if u.Used {
			return ""
		}
		by = "the snapshot shows that this is not so here: " + cluster.Cut(u.By)
	}
	return by
}

// noNodeWith needs all nodes to have been seen.
func (j *judge) noNodeWith(system string) string {
	if len(j.s.Nodes) == 0 || j.told(cluster.Nodes) {
		return ""
	}
	if slices.ContainsFunc(j.s.Nodes, func(n cluster.Node) bool { return n.OS == "" || strings.EqualFold(n.OS, system) }) {
		return ""
	}
	return fmt.Sprintf("none of the %s runs %s", plural(len(j.s.Nodes), "node"), system)
}

// flags are the flags of all instances of a component; nil unless all were seen. OpenShift's programs have most of theirs in files.
func (j *judge) flags(component string) []map[string]string {
	var all []map[string]string
	if j.s.Distribution.Vendor == release.VendorOpenShift {
		return nil
	}
	if component == "kube-apiserver" {
		for _, a := range j.s.APIServers {
			if len(a.Flags) == 0 || a.Shared {
				return nil
			}
			all = append(all, a.Flags)
		}
		return all
	}
	for _, c := range j.s.Components {
		if c.Name != component {
			continue
		}
		if len(c.Flags) == 0 {
			return nil
		}
		all = append(all, c.Flags)
	}
	return all
}

// plugins are the admission plugins that a kube-apiserver's flags switch on. Up to 1.9 the flag has another name.
func plugins(flags map[string]string) []string {
	return strings.Split(flags["enable-admission-plugins"]+","+flags["admission-control"], ",")
}

func (j *judge) pluginOff(plugin string) string {
	all := j.flags("kube-apiserver")
	on := func(f map[string]string) bool {
		return slices.ContainsFunc(plugins(f), func(p string) bool { return strings.TrimSpace(p) == plugin || unsettled(p) })
	}
	if len(all) == 0 || slices.ContainsFunc(all, on) {
		return ""
	}
	return "no kube-apiserver has " + plugin + " in its flags"
}

func (j *judge) pluginOn(plugin string) string {
	all := j.flags("kube-apiserver")
	if len(all) == 0 || slices.ContainsFunc(all, func(f map[string]string) bool { return !slices.Contains(plugins(f), plugin) }) {
		return ""
	}
	return "every kube-apiserver has " + plugin + " in its flags"
}

// unsettled reports whether a value is put in by the environment or a file, or was cut short, so that a snapshot does not show it.
func unsettled(value string) bool { return strings.ContainsAny(value, "$…") }

// same compares a flag's value with a wanted one; truth values have several spellings.
func same(value, wanted string) bool {
	a, notA := strconv.ParseBool(value)
	b, notB := strconv.ParseBool(wanted)
	if notA == nil && notB == nil {
		return a == b
	}
	return value == wanted
}

func (j *judge) flagOff(c catalog.FlagCondition) string {
	all := j.flags(c.Component)
	if len(all) == 0 {
		return ""
	}
	for _, flags := range all {
		if c.Name == "v" && flags["vmodule"] != "" {
			return "" // it raises the verbosity of some files above that of the rest
		}
		value, set := flags[c.Name]
		if !set {
			value = c.Default
		}
		if c.Is != "" {
			if unsettled(value) || same(value, c.Is) {
				return ""
			}
			continue
		}
		if n, err := strconv.Atoi(value); err != nil || n >= c.AtLeast {
			return ""
		}
	}
	return fmt.Sprintf("the flags of every %s show that --%s is otherwise", c.Component, c.Name)
}
