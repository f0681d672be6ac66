package findings

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/pki"

	"github.com/kubelts/kubelts/internal/cluster"
)

// ending is certificates of one kind or of one place that end within the bands.
type ending struct {
	name     string // of the CA, "" for others
	id       string
	severity Severity
	soonest  time.Time
	latest   time.Time // of those that are told
	chain    *chain    // of the soonest
	subjects []string
	evidence []string
}

// checkCertificates looks at every certificate but the loopback ones: until when it holds, and what else is wrong with it.
func (j *judge) checkCertificates() error {
	endings := map[string]*ending{}
	flaws := map[string]*Finding{}
	ends := map[deadlineKey]*deadlineGroup{}
	for _, c := range j.inOrder() {
		if c.Kind == cluster.APIServerLoopback {
			continue
		}
		j.unread(c, flaws)
		for i, cert := range c.certs {
			if cert == nil {
				continue
			}
			if i == 0 || c.Bundle {
				k := deadlineKey{c.group(cert), cert.NotAfter.UTC().Truncate(day)}
				ends[k] = ends[k].with(c, cert)
			}
			j.ending(endings, c, cert, i)
			j.flaws(flaws, c, cert, i)
		}
	}
	j.tellEndings(endings)
	for _, id := range keys(flaws) {
		j.add(*flaws[id])
	}
	j.certificateDeadlines(ends, endings)
	return nil
}

// deadlineKey is a group of certificates and a day.
type deadlineKey struct {
	group string
	day   time.Time
}

// deadlineGroup is the certificates of a group that end on one day.
type deadlineGroup struct {
	chain *chain
	name  string // of the CA, "" for others
	first time.Time
	count int
}

func (g *deadlineGroup) with(c *chain, cert *x509.Certificate) *deadlineGroup {
	if g == nil {
		g = &deadlineGroup{chain: c, first: cert.NotAfter}
	}
	g.count++
	if cert.NotAfter.Before(g.first) {
		g.first = cert.NotAfter
	}
	if authority(c, cert) {
		g.name = caName(cert)
		g.chain = rather(g.chain, c)
	}
	return g
}

// rather is the chain that says most of what a CA is for, of two that have it.
func rather(a, b *chain) *chain {
	order := []cluster.ChainKind{cluster.FrontProxyCA, cluster.ClusterCA}
	if slices.Index(order, b.Kind) > slices.Index(order, a.Kind) {
		return b
	}
	return a
}

// caName is what a CA calls itself.
func caName(cert *x509.Certificate) string {
	return cluster.Cut(cmp.Or(cert.Subject.CommonName, cert.Subject.String(), "without name"))
}

// group is what the end of a certificate goes by: a CA by itself, wherever it was seen, others by their place or kind.
func (c *chain) group(cert *x509.Certificate) string {
	if authority(c, cert) {
		sum := sha256.Sum256(cert.Raw)
		return "authority/" + hex.EncodeToString(sum[:6])
	}
	return c.key()
}

// groupName is what findings of a chain go by: its place, or nothing where there are many alike.
func (c *chain) groupName() string {
	if kindOf(c.Kind).many {
		return ""
	}
	return cluster.Cut(cluster.FirstOf(c.Where, c.Object, c.ID))
}

// key is the end of a finding's name for a chain.
func (c *chain) key() string {
	if name := c.groupName(); name != "" {
		return string(c.Kind) + "/" + name
	}
	return string(c.Kind)
}

// certificateDeadlines names the days on which certificates end, those of one kind and day together.
func (j *judge) certificateDeadlines(ends map[deadlineKey]*deadlineGroup, endings map[string]*ending) {
	for k, g := range ends {
		d := Deadline{When: g.first, What: g.chain.label(), Area: cluster.Certificates, Severity: Info, Kind: g.chain.Kind}
		switch {
		case g.name != "":
			d.What = fmt.Sprintf("CA %s (%s)", g.name, cluster.Cut(cluster.FirstOf(g.chain.Where, g.chain.Object, g.chain.ID)))
		case g.chain.groupName() == "":
			d.What = fmt.Sprintf("%s, %s of this kind", kindOf(g.chain.Kind).name, plural(g.count, "certificate"))
		}
		if e := endings["certificate-ends/"+k.group]; e != nil && !g.first.After(e.latest) {
			d.Severity, d.Finding = e.severity, e.id
		}
		j.end(d)
	}
}

// authority reports whether a certificate is one that signs others, of the kinds whose end is planned for years ahead.
func authority(c *chain, cert *x509.Certificate) bool {
	return cert.IsCA && slices.Contains([]cluster.ChainKind{cluster.ClusterCA, cluster.FrontProxyCA, cluster.HostFile, cluster.EtcdServing, cluster.EtcdPeer, cluster.APIServerServing}, c.Kind)
}

// endSeverity is how bad the end of a certificate is, and false where it is not worth a finding. In a bundle, one that has a living
// sibling of the same name was only left behind.
func (j *judge) endSeverity(c *chain, cert *x509.Certificate) (Severity, bool) {
	severity, near := j.band(cert.NotAfter)
	left := pki.DaysLeft(cert.NotAfter, j.o.At)
	switch {
	case near:
		for range kindOf(c.Kind).lowers {
			severity = lower(severity)
		}
	case authority(c, cert) && left < j.o.Authorities/2:
		severity = Medium
	case authority(c, cert) && left < j.o.Authorities:
		severity = Low
	default:
		return "", false
	}
	if c.Bundle && j.hasLiving(c, cert) {
		severity = Info
	}
	if c.Kind == cluster.WebhookCA && !j.fails(c.ID) {
		severity = lower(severity)
	}
	return severity, true
}

// ending takes a certificate in that ends within the bands. Of what a server sends, the leaf counts and what signed it; of a bundle each
// counts.
func (j *judge) ending(endings map[string]*ending, c *chain, cert *x509.Certificate, i int) {
	severity, near := j.endSeverity(c, cert)
	if !near || i == 0 && j.renewed[c.ID] {
		return
	}
	id := "certificate-ends/" + c.group(cert)
	e := endings[id]
	if e == nil {
		e = &ending{id: id, soonest: cert.NotAfter, latest: cert.NotAfter, chain: c}
		endings[id] = e
	}
	e.add(c, cert, severity)
	if len(e.evidence) >= maxEvidence {
		return
	}
	what := "leaf"
	if i > 0 && !c.Bundle {
		what = "sent with it"
	}
	if c.Bundle {
		what = "in the bundle"
	}
	e.evidence = append(e.evidence, fmt.Sprintf("%s, %s: %s, serial %s, ends %s", cluster.Cut(cluster.FirstOf(c.Where, c.ID)), what, cluster.Cut(cert.Subject.String()), cluster.Cut(cert.SerialNumber.Text(16)), cert.NotAfter.UTC().Format(time.RFC3339)))
}

// add takes one more certificate in.
func (e *ending) add(c *chain, cert *x509.Certificate, s Severity) {
	e.severity = worse(e.severity, s)
	e.subjects = append(e.subjects, c.label())
	if cert.NotAfter.Before(e.soonest) {
		e.soonest, e.chain = cert.NotAfter, c
	}
	if cert.NotAfter.After(e.latest) {
		e.latest = cert.NotAfter
	}
	if authority(c, cert) {
		e.name, e.chain = caName(cert), rather(e.chain, c)
	}
}

// hasLiving reports whether a bundle has a certificate of the same name that lasts. It is for certificates that do not.
func (j *judge) hasLiving(c *chain, cert *x509.Certificate) bool {
	if c.living == nil {
		c.living = map[string]bool{}
		for _, o := range c.certs {
			if o == nil {
				continue
			}
			if _, near := j.band(o.NotAfter); !near {
				c.living[string(o.RawSubject)] = true
			}
		}
	}
	_, near := j.band(cert.NotAfter)
	return near && c.living[string(cert.RawSubject)]
}

// fails reports whether a webhook with this CA bundle has the failure policy Fail. One that is not in the snapshot counts as if it had.
func (j *judge) fails(chainID string) bool {
	if len(j.policies) == 0 {
		for _, w := range j.s.Webhooks {
			j.policies[w.Chain] = j.policies[w.Chain] || !strings.EqualFold(w.Failure, "Ignore")
		}
	}
	fail, found := j.policies[chainID]
	return fail || !found
}

func (j *judge) tellEndings(endings map[string]*ending) {
	for _, id := range keys(endings) {
		e := endings[id]
		kind := kindOf(e.chain.Kind)
		end := e.soonest.UTC()
		left := pki.DaysLeft(end, j.o.At)
		_, n := bounded(e.subjects)
		title := fmt.Sprintf("the %s %s", e.chain.label(), ends(left, end))
		if e.name != "" {
			title = fmt.Sprintf("the CA %s %s", e.name, ends(left, end))
		} else if n > 1 {
			title = fmt.Sprintf("%s end or have ended: %s, the first %s", plural(n, "certificate"), kind.name, ends(left, end))
		}
		f := Finding{
			ID: id, Rule: "certificate-ends", Area: cluster.Certificates, Severity: e.severity, Title: title, Subjects: e.subjects, Evidence: e.evidence,
			Effect: kind.effect, When: &end, Broken: left < 1 && e.severity == Critical, Remedy: j.renewSteps(e.chain.Chain),
		}
		if e.severity == Info {
			f.Effect, f.Remedy = "Another certificate of the same name in the bundle lasts longer: this one can be taken out.", nil
		}
		j.add(f)
	}
}

// unread tells of what should be certificates and is not.
func (j *judge) unread(c *chain, flaws map[string]*Finding) {
	var faults []string
	if c.Problem != "" {
		faults = append(faults, cluster.Cut(c.Problem))
	}
	for _, f := range c.faults {
		if f != "" {
			faults = append(faults, f)
		}
	}
	if len(faults) == 0 {
		return
	}
	f := flaw(flaws, c, "certificate-unreadable", Medium, "cannot be read as certificates")
	f.Effect = "Until when it holds is not known. A client that has to trust it will refuse."
	f.Evidence = append(f.Evidence, faults...)
	j.unseen(cluster.NotObserved{What: "end of the " + c.label(), Area: string(cluster.Certificates), Reason: list(faults)})
}

// flaw is the finding of a rule for a chain, made when it is first needed.
func flaw(flaws map[string]*Finding, c *chain, rule string, s Severity, title string) *Finding {
	id := rule + "/" + c.key()
	f := flaws[id]
	if f == nil {
		f = &Finding{ID: id, Rule: rule, Area: cluster.Certificates, Severity: s, Title: "the " + c.label() + " " + title}
		if c.groupName() == "" {
			f.Title = kindOf(c.Kind).name + ": " + title
		}
		flaws[id] = f
	}
	f.Severity = worse(f.Severity, s)
	if label := c.label(); !slices.Contains(f.Subjects[:min(len(f.Subjects), maxSubjects)], label) {
		f.Subjects = append(f.Subjects, label)
	}
	return f
}

// longLife is the validity that only a slip makes.
const longLife = 100 * 366 * day

// flaws finds what is wrong with a certificate beside its end.
func (j *judge) flaws(flaws map[string]*Finding, c *chain, cert *x509.Certificate, i int) {
	role := pki.Serving
	client := c.Kind == cluster.KubeconfigClient || c.Kind == cluster.HostKubeconfig
	if cert.IsCA || i > 0 || c.Bundle || client || c.Kind == cluster.HostFile && !serves(cert) {
		role = pki.Authority // then no names are wanted
	}
	d := pki.Describe(cert, role, j.o.At)
	for _, p := range d.Problems {
		j.problem(flaws, c, d, p)
	}
	if i == 0 && !c.Bundle && c.Host != "" && !client {
		for _, p := range pki.Verify(known(c.certs), nil, c.Host, j.o.At) {
			j.problem(flaws, c, d, p)
		}
	} else if i == 0 && !c.Bundle {
		for _, p := range pki.Verify(known(c.certs), nil, "", j.o.At) {
			if p.Kind == pki.SignerEnds {
				j.problem(flaws, c, d, p)
			}
		}
	}
	if life := cert.NotAfter.Sub(cert.NotBefore); life >= longLife && cert.NotBefore.Before(cert.NotAfter) {
		f := flaw(flaws, c, "certificate-dates", Low, "has dates that only a slip makes")
		f.Effect = "Nothing ends by itself; a key that is lost is trusted for ever."
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: from %s to %s", d.Subject, cert.NotBefore.UTC().Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339)))
	}
}

// serves reports whether a certificate is for a server.
func serves(cert *x509.Certificate) bool {
	return slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
}

// known are the certificates that could be read.
func known(certs []*x509.Certificate) []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(certs), func(c *x509.Certificate) bool { return c == nil })
}

// problem makes a finding of what is wrong with a certificate. Its end is another rule's.
func (j *judge) problem(flaws map[string]*Finding, c *chain, d pki.Certificate, p pki.Problem) {
	type telling struct {
		rule     string
		severity Severity
		title    string
		effect   string
	}
	root := d.SelfSigned
	tell := map[pki.Kind]telling{
		pki.NotYetValid:   {"certificate-dates", High, "is not valid yet", "Clients refuse it until then, or a clock is wrong."},
		pki.NoLife:        {"certificate-dates", High, "ends before it begins", "Clients refuse it."},
		pki.WeakSignature: {"certificate-weak", Medium, "is signed with a weak algorithm", "Programs built with Go 1.18 or later, and other current ones, refuse it."},
		pki.WeakKey:       {"certificate-weak", Medium, "has a weak key", "The key can be broken with effort, and current programs refuse it."},
		pki.NoNames:       {"certificate-names", Medium, "names no host", "Programs built with Go 1.15 or later refuse it where they verify names: newer kube-apiservers and clients."},
		pki.WrongName:     {"certificate-names", Medium, "is not for the host that clients ask for", "Clients that verify names refuse it."},
		pki.BadSerial:     {"certificate-serial", Low, "has a serial number that is not allowed", "Programs built with Go 1.23 or later refuse a negative one."},
		pki.SignerEnds:    {"certificate-signer", Medium, "outlives what signed it", "It is worth nothing from the day on which its signer ends."},
	}
	t, ok := tell[p.Kind]
	if !ok || p.Kind == pki.WeakSignature && root {
		return // the signature of a root is not looked at
	}
	if kindOf(c.Kind).lowers > 0 && t.severity == High {
		t.severity = Medium
	}
	f := flaw(flaws, c, t.rule, t.severity, t.title)
	f.Effect = cmp.Or(f.Effect, t.effect)
	if len(f.Evidence) < maxEvidence {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s", cmp.Or(d.Subject, "no subject"), p.Note))
	}
	if f.Remedy == nil {
		f.Remedy = j.renewSteps(c.Chain)
	}
}
