package host

import (
	"encoding/base64"
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/pki"
)

// decoded reads certificates that stand in base64 within YAML.
func decoded(text string) (certificates [][]byte, problem string) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, "no base64"
	}
	return pki.Bundle(raw)
}

// authority says whether a file holds authorities, by its name: they stand for themselves and are no chain.
func authority(name string) bool {
	base := path.Base(name)
	return base == "ca.crt" || base == "ca.pem" || strings.HasSuffix(base, "-ca.crt") || strings.HasSuffix(base, "-ca.pem")
}

// purpose is who serves or uses the certificate in a file, by the names that kubeadm, the kubelet, k3s and RKE2 give: what is served can then be compared with it. It is
// empty where the name says nothing.
func purpose(where string) string {
	base := path.Base(where)
	if path.Base(path.Dir(where)) == "etcd" {
		switch base {
		case "server.crt", "server-client.crt":
			return "etcd"
		case "peer.crt", "peer-server-client.crt":
			return "etcd-peer"
		case "client.crt":
			return "etcd-client"
		}
	}
	return map[string]string{
		"apiserver.crt":              "kube-apiserver",
		"serving-kube-apiserver.crt": "kube-apiserver",
		"apiserver-etcd-client.crt":  "kube-apiserver to etcd", "apiserver-kubelet-client.crt": "kube-apiserver to kubelets",
		"client-kube-apiserver.crt": "kube-apiserver to kubelets", "front-proxy-client.crt": "kube-apiserver to extension API servers",
		"client-auth-proxy.crt": "kube-apiserver to extension API servers", "healthcheck-client.crt": "etcd's health check",
		"kubelet.crt": "kubelet", "kubelet-server-current.pem": "kubelet", "kubelet-client-current.pem": "kubelet's client", "serving-kubelet.crt": "kubelet",
		"admin.conf": "administrator", "super-admin.conf": "administrator", "controller-manager.conf": "kube-controller-manager", "scheduler.conf": "kube-scheduler",
		"kubelet.conf": "kubelet's client", "client-controller.crt": "kube-controller-manager", "client-scheduler.crt": "kube-scheduler", "client-admin.crt": "administrator",
	}[base]
}
