package pki

import (
	"bytes"
	"encoding/pem"
)

// Bounds of a bundle.
const (
	maxBundle      = 16 << 20 // bytes of text that are read
	maxBundled     = 500      // certificates
	maxCertificate = 256 << 10
)

// Bundle takes the certificates out of PEM text, as DER, in their order. Anything else in the text, keys above all, is left behind. Problem says why there are no
// certificates, or why there may be more than are returned; it is empty where all is well.
func Bundle(text []byte) (certificates [][]byte, problem string) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, "empty"
	}
	if len(text) > maxBundle {
		text, problem = text[:maxBundle], "longer than 16 MiB: the rest was not read"
	}
	armoured := bytes.Contains(text, []byte("-----BEGIN"))
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		switch {
		case block.Type != "CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" && block.Type != "X509 CERTIFICATE":
			clear(block.Bytes)
		case len(block.Bytes) == 0:
			problem = "a certificate without content was left out"
		case len(block.Bytes) > maxCertificate:
			problem = "a certificate of more than 256 KiB was left out"
		case len(certificates) == maxBundled:
			return certificates, "more than 500 certificates: the rest was not read"
		default:
			certificates = append(certificates, block.Bytes)
		}
	}
	if len(certificates) == 0 && problem == "" {
		problem = "no certificate in it"
		if !armoured {
			problem = "not PEM"
		}
	}
	return certificates, problem
}
