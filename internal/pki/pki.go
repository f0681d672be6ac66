// Package pki describes X.509 certificates as data: what they are, until when they hold, and what is wrong with them.
//
// Words: a chain is what a server sends, the leaf first. The loopback certificate is the one that kube-apiserver makes for its own client in
// memory; its common name tells when that process started. A problem is something that a client would stumble over, or soon will.
//
// Promises: pure functions of certificates and a given time; texts from certificates are cut, never interpreted. It does not fetch
// anything and does not say what may be trusted unless roots are given.
package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Role is what a certificate is for, where it was seen.
type Role string

// The roles.
const (
	Serving   Role = "serving"   // the leaf that a server sends to anybody
	Loopback  Role = "loopback"  // the leaf that kube-apiserver sends to its own client
	Authority Role = "authority" // sent with a leaf, as what signed it
)

// Certificate is one certificate as it was seen.
type Certificate struct {
	Role       Role      `json:"role"`
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	Serial     string    `json:"serial"` // hexadecimal
	Names      []string  `json:"names"`  // subject alternative names: DNS names, addresses
	NotBefore  time.Time `json:"notBefore"`
	NotAfter   time.Time `json:"notAfter"`
	DaysLeft   int       `json:"daysLeft"` // whole days, rounded down: -1 on the first day after the end
	Key        string    `json:"key"`
	Signature  string    `json:"signature"`
	SelfSigned bool      `json:"selfSigned"`
	// ProcessStart is when the kube-apiserver that made the certificate started, as a loopback certificate tells.
	ProcessStart *time.Time `json:"processStart,omitempty"`
	Problems     []Problem  `json:"problems"`
}

// Kind is a kind of problem.
type Kind string

// The kinds of problems.
const (
	Expired       Kind = "expired"
	NotYetValid   Kind = "not-yet-valid"
	NoLife        Kind = "ends-before-it-begins"
	WeakSignature Kind = "weak-signature" // current clients refuse it
	WeakKey       Kind = "weak-key"
	NoNames       Kind = "no-names" // no subject alternative name: Go programs since 1.15 refuse it
	BadSerial     Kind = "bad-serial"
	WrongName     Kind = "wrong-name" // it is not for the host that was asked
	Untrusted     Kind = "untrusted"  // no chain to the given roots
	SignerEnds    Kind = "signer-ends-first"
)

// Problem is something that is wrong with a certificate.
type Problem struct {
	Kind Kind   `json:"kind"`
	Note string `json:"note"`
}

const (
	maxText  = 200 // characters of a text from a certificate
	maxNames = 50
	day      = 24 * time.Hour
)

// Describe says what a certificate is at a given time.
func Describe(c *x509.Certificate, role Role, now time.Time) Certificate {
	d := Certificate{
		Role: role, Subject: name(c.Subject), Issuer: name(c.Issuer), Serial: cut(c.SerialNumber.Text(16)), Names: names(c),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), DaysLeft: DaysLeft(c.NotAfter, now), Key: key(c), Signature: c.SignatureAlgorithm.String(),
		SelfSigned: string(c.RawSubject) == string(c.RawIssuer),
	}
	if start, ok := LoopbackStart(c); ok && role == Loopback {
		d.ProcessStart = &start
	}
	d.Problems = problems(c, role, now)
	return d
}

// DaysLeft is how many whole days are left until a time, rounded down.
func DaysLeft(end, now time.Time) int {
	return int(math.Floor(end.Sub(now).Hours() / day.Hours()))
}

func problems(c *x509.Certificate, role Role, now time.Time) []Problem {
	found := []Problem{}
	add := func(k Kind, note string, args ...any) { found = append(found, Problem{k, fmt.Sprintf(note, args...)}) }
	switch {
	case c.NotAfter.Before(c.NotBefore):
		add(NoLife, "ends %s, begins %s", c.NotAfter.UTC().Format(time.RFC3339), c.NotBefore.UTC().Format(time.RFC3339))
	case now.After(c.NotAfter):
		add(Expired, "ended %s", c.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.NotBefore):
		add(NotYetValid, "begins %s", c.NotBefore.UTC().Format(time.RFC3339))
	}
	weak := []x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1}
	if slices.Contains(weak, c.SignatureAlgorithm) {
		add(WeakSignature, "%s: current clients refuse it", c.SignatureAlgorithm)
	}
	if c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		add(WeakSignature, "an algorithm that is not known here")
	}
	if rsaKey, ok := c.PublicKey.(*rsa.PublicKey); ok && rsaKey.N.BitLen() < 2048 {
		add(WeakKey, "RSA of %d bits", rsaKey.N.BitLen())
	}
	if ecKey, ok := c.PublicKey.(*ecdsa.PublicKey); ok && ecKey.Curve.Params().BitSize < 256 {
		add(WeakKey, "%s", ecKey.Curve.Params().Name)
	}
	if role != Authority && len(c.DNSNames) == 0 && len(c.IPAddresses) == 0 {
		add(NoNames, "no subject alternative name: programs built with Go 1.15 or later refuse it")
	}
	if c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() > 20*8 {
		add(BadSerial, "RFC 5280 wants a positive number of at most 20 octets: programs built with Go 1.23 or later refuse a negative one")
	}
	return found
}

// LoopbackStart tells whether a certificate is kube-apiserver's loopback one, and when the process that made it started: its common name is
// apiserver-loopback-client@ and the time in seconds since 1970.
func LoopbackStart(c *x509.Certificate) (time.Time, bool) {
	seconds, ok := strings.CutPrefix(c.Subject.CommonName, LoopbackName+"@")
	if !ok {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 || n > 253402300799 { // the year 9999, after which nothing prints
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}

// LoopbackName is the server name under which kube-apiserver serves its loopback certificate.
const LoopbackName = "apiserver-loopback-client"

// Listener names the software whose listener must not be asked for names that it does not know, if the chain is of such: k3s, RKE2 and
// Rancher's dynamiclistener of older versions put a name that they are asked for into their certificate (GHSA-m4hf-6vgr-75r2).
func Listener(chain []*x509.Certificate) (string, bool) {
	for _, c := range chain {
		for _, n := range []pkix.Name{c.Subject, c.Issuer} {
			text := strings.ToLower(n.String())
			for _, software := range []string{"k3s", "rke2", "dynamiclistener", "rancher"} {
				if strings.Contains(text, software) {
					return software, true
				}
			}
		}
	}
	return "", false
}

// Verify says what a client that connects to host and trusts roots would find wrong with a chain. With roots nil, only names and the ends of
// the signers that were sent are looked at. Expiry is not repeated: [Describe] has it.
func Verify(chain []*x509.Certificate, roots *x509.CertPool, host string, now time.Time) []Problem {
	var found []Problem
	leaf := chain[0]
	if err := leaf.VerifyHostname(host); err != nil && (len(leaf.DNSNames) > 0 || len(leaf.IPAddresses) > 0) {
		found = append(found, Problem{WrongName, "it is not for " + cut(host)})
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
		if string(c.RawSubject) == string(leaf.RawIssuer) && c.NotAfter.Before(leaf.NotAfter) {
			found = append(found, Problem{SignerEnds, "its signer ends " + c.NotAfter.UTC().Format(time.RFC3339)})
		}
	}
	if roots == nil {
		return found
	}
	at := now
	if at.After(leaf.NotAfter) || at.Before(leaf.NotBefore) {
		at = leaf.NotBefore // that it has expired is another problem
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		found = append(found, Problem{Untrusted, cut(err.Error())})
	}
	return found
}

func name(n pkix.Name) string { return cut(n.String()) }

func names(c *x509.Certificate) []string {
	out := []string{}
	for _, n := range c.DNSNames {
		out = append(out, cut(n))
	}
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if len(out) > maxNames {
		out = append(out[:maxNames], fmt.Sprintf("and %d more", len(out)-maxNames))
	}
	return out
}

func key(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}

// cut shortens a text from a stranger.
func cut(s string) string {
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return string(runes)
}
