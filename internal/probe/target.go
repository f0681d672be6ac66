package probe

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// Kind is what a target is: which certificates it should have.
type Kind string

// The kinds, as they stand before :// in a target.
const (
	APIServer         Kind = "apiserver" // also the API servers that extend a cluster: they have a loopback certificate too
	Etcd              Kind = "etcd"
	Kubelet           Kind = "kubelet"
	ControllerManager Kind = "controller-manager"
	Scheduler         Kind = "scheduler"
	TLS               Kind = "tls" // any other server
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{APIServer, Etcd, Kubelet, ControllerManager, Scheduler, TLS} }

// port is the one that a kind listens on where a target names none.
func (k Kind) port() string {
	switch k {
	case APIServer:
		return "6443"
	case Etcd:
		return "2379"
	case Kubelet:
		return "10250"
	case ControllerManager:
		return "10257"
	case Scheduler:
		return "10259"
	default:
		return "443"
	}
}

// Target is a server to look at.
type Target struct {
	Name string // as it was given
	Kind Kind
	Host string // a name or an address
	Port string
}

const maxTarget = 500 // characters

// ParseTarget reads KIND://HOST:PORT. Kind is apiserver where it is left out, and the port the usual one of the kind. An IPv6 address with a
// port stands in brackets.
func ParseTarget(s string) (Target, error) {
	name := strings.TrimSpace(s)
	if len(name) > maxTarget {
		return Target{}, errs.New(errs.Invalid, "target %q...: longer than %d characters", name[:40], maxTarget)
	}
	kind, rest := string(APIServer), name
	if before, after, ok := strings.Cut(name, "://"); ok {
		kind, rest = before, strings.TrimSuffix(after, "/")
	}
	if !slices.Contains(Kinds(), Kind(kind)) {
		if kind == "https" {
			return Target{}, errs.WithHint(errs.New(errs.Invalid, "target %q: https says nothing of what it is", name), "write apiserver://%s, or tls://%s for any server", rest, rest)
		}
		return Target{}, errs.WithHint(errs.New(errs.Invalid, "target %q: kind %q is not known", name, kind), "use one of %s", kindNames())
	}
	t := Target{Name: name, Kind: Kind(kind), Host: rest, Port: Kind(kind).port()}
	if host, port, err := net.SplitHostPort(rest); err == nil {
		t.Host, t.Port = host, port
	} else if strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "]") {
		t.Host = rest[1 : len(rest)-1]
	}
	if n, err := strconv.ParseUint(t.Port, 10, 16); err != nil || n == 0 {
		return Target{}, errs.WithHint(errs.New(errs.Invalid, "target %q: port %q is no port", name, t.Port), "write HOST:PORT, with a port from 1 to 65535")
	}
	if !hostOK(t.Host) {
		return Target{}, errs.WithHint(errs.New(errs.Invalid, "target %q: %q is no host", name, t.Host), "write a name or an address, such as 10.0.0.1:6443 or [::1]:6443")
	}
	return t, nil
}

// hostOK accepts addresses, and names of letters, digits, dots, hyphens and underscores.
func hostOK(host string) bool {
	address, _, _ := strings.Cut(host, "%")
	if net.ParseIP(address) != nil {
		return true
	}
	return host != "" && len(host) <= 253 && !strings.HasPrefix(host, "-") && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

func kindNames() string {
	var out []string
	for _, k := range Kinds() {
		out = append(out, string(k)+"://")
	}
	return strings.Join(out, ", ")
}
