package probe

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// authorities reads the distinguished names in a server's request for a client certificate. What cannot be read is left out.
func authorities(raw [][]byte) []string {
	var out []string
	for _, der := range raw {
		if len(out) == maxClientCAs {
			return append(out, fmt.Sprintf("and %d more", len(raw)-maxClientCAs))
		}
		var rdn pkix.RDNSequence
		if rest, err := asn1.Unmarshal(der, &rdn); err != nil || len(rest) > 0 {
			continue
		}
		var name pkix.Name
		name.FillFromRDNSequence(&rdn)
		const limit = 200
		text := name.String()
		out = append(out, strings.ToValidUTF8(text[:min(len(text), limit)], ""))
	}
	return out
}
