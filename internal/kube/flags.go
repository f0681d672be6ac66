package kube

import (
	"net/url"
	"slices"
	"strings"
)

// wanted are the flags that are kept, by component. None of them holds a secret; those that name files or addresses hold just that.
func wanted(component string) []string {
	common := []string{"v", "vmodule", "feature-gates", "profiling", "tls-min-version", "tls-cipher-suites", "tls-cert-file", "cloud-provider", "bind-address", "emulated-version", "kubeconfig", "config"}
	switch component {
	case "kube-apiserver":
		return append(common,
			"admission-control", "admission-control-config-file", "advertise-address", "allow-privileged", "anonymous-auth", "apiserver-count", "audit-log-path", "audit-policy-file",
			"authentication-config", "authentication-token-webhook-config-file", "authorization-config", "authorization-mode", "authorization-webhook-config-file", "basic-auth-file",
			"client-ca-file", "disable-admission-plugins", "egress-selector-config-file", "emulation-forward-compatible", "enable-admission-plugins", "enable-aggregator-routing",
			"enable-bootstrap-token-auth", "encryption-provider-config", "endpoint-reconciler-type", "etcd-cafile", "etcd-certfile", "etcd-servers", "etcd-servers-overrides",
			"experimental-encryption-provider-config", "insecure-bind-address", "insecure-port", "kubelet-certificate-authority", "kubelet-client-certificate", "kubelet-https",
			"kubelet-preferred-address-types", "max-mutating-requests-inflight", "max-requests-inflight", "min-compatibility-version", "oidc-issuer-url", "proxy-client-cert-file", "requestheader-allowed-names",
			"requestheader-client-ca-file", "runtime-config", "runtime-config-emulation-forward-compatible", "secure-port", "service-account-issuer", "service-account-key-file",
			"service-account-lookup", "service-account-max-token-expiration", "service-account-extend-token-expiration", "shutdown-delay-duration", "storage-backend", "storage-media-type",
			"token-auth-file", "watch-cache")
	case "kube-controller-manager":
		return append(common,
			"address", "allocate-node-cidrs", "authentication-kubeconfig", "authorization-kubeconfig", "cluster-signing-cert-file", "cluster-signing-duration", "controllers",
			"enable-dynamic-provisioning", "enable-hostpath-provisioner", "experimental-cluster-signing-duration", "leader-elect", "port", "root-ca-file", "secure-port",
			"service-account-private-key-file", "use-service-account-credentials")
	case "kube-scheduler":
		return append(common, "address", "authentication-kubeconfig", "authorization-kubeconfig", "leader-elect", "port", "secure-port")
	case "etcd":
		return []string{
			"advertise-client-urls", "auto-tls", "cert-file", "client-cert-auth", "data-dir", "enable-v2", "initial-advertise-peer-urls", "listen-client-urls", "listen-metrics-urls", "listen-peer-urls",
			"name", "peer-auto-tls", "peer-cert-file", "peer-client-cert-auth", "peer-trusted-ca-file", "tls-min-version", "trusted-ca-file",
		}
	case "kube-proxy":
		return append(common, "proxy-mode", "metrics-bind-address", "masquerade-all", "conntrack-max-per-core")
	case "ingress-nginx":
		return []string{"annotations-prefix", "enable-annotation-validation", "validating-webhook", "publish-service", "watch-namespace", "disable-catch-all", "enable-ssl-passthrough", "enable-ssl-chain-completion"}
	}
	return []string{"feature-gates", "tls-min-version", "kubelet-insecure-tls", "cert-dir", "tls-cert-file", "secure-port", "cloud-provider", "v", "vmodule", "version"}
}

const (
	maxValue = 2000 // characters of a flag's value
	maxWords = 500  // of a command line
)

// flags reads a command line. A shell that starts the program is looked through.
func flags(component string, command, args []string) map[string]string {
	keep := wanted(component)
	out := map[string]string{}
	words := words(slices.Concat(command, args))
	for i, word := range words {
		if strings.HasPrefix(word, "$") {
			return nil // the environment has more of them, and may have any
		}
		name, value, ok := flagOf(word)
		if !strings.HasPrefix(word, "-") || !slices.Contains(keep, name) {
			continue
		}
		if !ok {
			value = "true"
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
				value = words[i+1]
			}
		}
		value = harmless(strings.ToValidUTF8(value, "\uFFFD")) // before it is cut, which could take away what tells a password
		if earlier, again := out[name]; again && strings.HasSuffix(name, "admission-plugins") || again && name == "admission-control" {
			value = earlier + "," + value // a list goes on where it is given again; of other flags the last one counts
		}
		if len(value) > maxValue {
			value = strings.ToValidUTF8(value[:maxValue], "") + "…"
		}
		out[name] = value
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// flagOf takes a word apart as Kubernetes' programs do: underscores in a name stand for dashes, and -v10 is --v=10.
func flagOf(word string) (name, value string, ok bool) {
	if level, short := strings.CutPrefix(word, "-v"); short && level != "" && strings.Trim(level, "0123456789") == "" {
		return "v", level, true
	}
	name, value, ok = strings.Cut(strings.TrimLeft(word, "-"), "=")
	return strings.ReplaceAll(name, "_", "-"), value, ok
}

// words splits what a shell would split, roughly: only words that hold a flag in their midst are split.
func words(all []string) []string {
	if len(all) > maxWords {
		return nil // a flag that was not read must not count as one that is not set
	}
	var out []string
	for _, word := range all {
		if strings.Contains(word, " -") || strings.Contains(word, "\n") {
			for part := range strings.FieldsSeq(word) {
				out = append(out, strings.Trim(part, `"'\`))
			}
			continue
		}
		out = append(out, word)
	}
	return out
}

// harmless takes the name and password out of addresses.
func harmless(value string) string {
	parts := strings.Split(value, ",")
	for i, p := range parts {
		if !strings.Contains(p, "://") || !strings.Contains(p, "@") {
			continue
		}
		u, err := url.Parse(p)
		if err != nil {
			parts[i] = "(an address with a secret)"
			continue
		}
		u.User = nil
		parts[i] = u.String()
	}
	return strings.Join(parts, ",")
}
