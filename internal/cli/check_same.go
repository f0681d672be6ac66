package cli

import (
	"bytes"
	"slices"

	"github.com/kubelts/kubelts/internal/cluster"
)

// oneEach puts the contexts of one cluster together: the snapshot that saw most stands for all, with the client certificates and tokens that the others have. Contexts of
// which nothing shows that they lead to one cluster stay apart.
func oneEach(seen []taken) []taken {
	var out []taken
	for _, t := range seen {
		i := -1
		if t.err == nil {
			i = slices.IndexFunc(out, func(o taken) bool { return o.err == nil && sameCluster(o.snapshot, t.snapshot) })
		}
		if i < 0 {
			out = append(out, t)
			continue
		}
		better, other := out[i], t
		if sawMore(other.snapshot, better.snapshot) {
			better, other = other, better
		}
		better.also = append(append(slices.Clone(better.also), other.also...), other.name)
		slices.Sort(better.also)
		addUsers(better.snapshot, other.snapshot)
		out[i] = better
	}
	return out
}

// sameCluster reports whether two snapshots are of one cluster. Their UIDs do not do: a cluster that was made anew from a backup of another has the other's. It takes one
// address and one authority beside one UID, for a proxy has many clusters at one address, or a loopback certificate that both show, which only one process can have.
func sameCluster(a, b *cluster.Snapshot) bool {
	if a.UID != "" && b.UID != "" && a.UID != b.UID {
		return false
	}
	authority := func(s *cluster.Snapshot) []byte {
		i := slices.IndexFunc(s.Certificates, func(c cluster.Chain) bool { return c.ID == "cluster-ca/kubeconfig" })
		if i < 0 {
			return nil
		}
		return bytes.Join(s.Certificates[i].DER, nil)
	}
	if ca := authority(a); a.UID != "" && a.UID == b.UID && a.Server == b.Server && len(ca) > 0 && bytes.Equal(ca, authority(b)) {
		return true
	}
	for _, c := range a.Certificates {
		if c.Kind != cluster.APIServerLoopback || len(c.DER) == 0 {
			continue
		}
		if slices.ContainsFunc(b.Certificates, func(o cluster.Chain) bool {
			return o.Kind == cluster.APIServerLoopback && len(o.DER) > 0 && bytes.Equal(o.DER[0], c.DER[0])
		}) {
			return true
		}
	}
	return false
}

// sawMore reports whether a snapshot missed less than another of the same cluster.
func sawMore(a, b *cluster.Snapshot) bool {
	if (a.UID == "") != (b.UID == "") {
		return a.UID != ""
	}
	return len(a.NotObserved) < len(b.NotObserved)
}

// addUsers adds what somebody's context has and the other has not: the certificates and tokens of the kubeconfig's users.
func addUsers(s, from *cluster.Snapshot) {
	for _, c := range from.Certificates {
		if c.Kind == cluster.KubeconfigClient && !slices.ContainsFunc(s.Certificates, func(o cluster.Chain) bool { return o.ID == c.ID }) {
			s.Certificates = append(s.Certificates, c)
		}
	}
	for _, t := range from.Tokens {
		if t.Kind == "kubeconfig" && !slices.ContainsFunc(s.Tokens, func(o cluster.Token) bool { return o.Kind == t.Kind && o.Name == t.Name }) {
			s.Tokens = append(s.Tokens, t)
		}
	}
}
