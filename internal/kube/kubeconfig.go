package kube

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/pki"
)

const maxFile = 1 << 20 // bytes of a file that a kubeconfig names

// kubeconfigCertificates looks at what the kubeconfig itself holds: the authority of this cluster, and the client certificates of everybody who has a context for it.
func (t *taker) kubeconfigCertificates() {
	if text := t.access.authority(); len(text) > 0 {
		t.chain(bundle("cluster-ca/kubeconfig", "certificate authority in the kubeconfig", cluster.ClusterCA, text))
	}
	if t.access.loaded == nil {
		return
	}
	for _, name := range t.users() {
		user := t.access.loaded.AuthInfos[name]
		if user == nil {
			continue
		}
		text, where := user.ClientCertificateData, "user "+name
		if len(text) == 0 && user.ClientCertificate != "" {
			where += ", file " + user.ClientCertificate
			text = small(user.ClientCertificate)
		}
		if len(text) > 0 || user.ClientCertificate != "" {
			certificates, problem := pki.Bundle(text)
			t.chain(cluster.Chain{ID: "kubeconfig-client/" + bounded(name), Kind: cluster.KubeconfigClient, Where: bounded(where), Object: bounded(name), DER: certificates, Problem: problem})
		}
		if end, ok := tokenEnd(user); ok {
			t.add(func(s *cluster.Snapshot, _ *found) {
				s.Tokens = append(s.Tokens, cluster.Token{Kind: "kubeconfig", Name: bounded(name), Expires: &end})
			})
		}
	}
}

// users are those who have a context for this cluster.
func (t *taker) users() []string {
	all := t.access.loaded
	mine := all.Contexts[t.access.context]
	if mine == nil {
		return nil
	}
	server := func(name string) string {
		if c := all.Clusters[name]; c != nil {
			return c.Server
		}
		return ""
	}
	var out []string
	for _, c := range all.Contexts {
		if c != nil && c.AuthInfo != "" && (c.Cluster == mine.Cluster || server(c.Cluster) == server(mine.Cluster)) {
			out = append(out, c.AuthInfo)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// small reads a small file; nil where that does not work, or where it is not small.
func small(name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil || len(text) > maxFile {
		return nil // a part of it would look like all
	}
	return text
}

// tokenEnd is when a user's token ends, if it says so. Tokens of service accounts do. The token itself goes nowhere.
func tokenEnd(user *api.AuthInfo) (time.Time, bool) {
	token := user.Token
	if token == "" && user.TokenFile != "" {
		token = strings.TrimSpace(string(small(user.TokenFile)))
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}, false
	}
	var claims struct {
		Ends float64 `json:"exp"`
	}
	if json.Unmarshal(text, &claims) != nil || claims.Ends <= 0 || claims.Ends > maxSeconds {
		return time.Time{}, false
	}
	return time.Unix(int64(claims.Ends), 0).UTC(), true
}

const maxSeconds = 253402300799 // the year 9999, after which nothing prints
