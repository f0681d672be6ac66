package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/pki"
)

const (
	behindTries = 6 // requests for each instance that is known to be behind an address
	behindTime  = 5 * time.Second
)

// behind asks the instances behind a load balancer for their versions, by their loopback certificate: a connection for which that name was asked shows which instance it
// leads to, and carries the request. No credentials are sent, since the certificate proves nothing.
func (t *taker) behind(ctx context.Context, i *instance) map[string]*serverVersion {
	if len(i.sight.Loopback) < 2 || t.access.config.Proxy != nil {
		return nil
	}
	found := map[string]*serverVersion{}
	for range behindTries * len(i.sight.Loopback) {
		if len(found) == len(i.sight.Loopback) || ctx.Err() != nil {
			break
		}
		one, cancel := context.WithTimeout(ctx, behindTime)
		v, leaf, err := t.anyBehind(one, i.Address)
		cancel()
		if _, refused := errors.AsType[*answerError](err); refused {
			break // it answers nobody without credentials
		}
		if err == nil {
			found[leaf] = v
		}
	}
	return found
}

// anyBehind asks whichever instance an address leads to, and returns its version and its loopback certificate. Each call has a connection of its own: one that is late
// must not speak for the next.
func (t *taker) anyBehind(ctx context.Context, address string) (*serverVersion, string, error) {
	var leaf string
	asked := &client{
		base: &url.URL{Scheme: httpsPort, Host: address}, log: t.requests, gate: make(chan struct{}, 1),
		http: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
				ServerName:         pki.LoopbackName,
				InsecureSkipVerify: true, //nolint:gosec // nothing secret is sent, and the answer is held to be the certificate's owner's word only
				VerifyConnection: func(state tls.ConnectionState) error {
					if _, ok := pki.LoopbackStart(state.PeerCertificates[0]); !ok {
						return errors.New("no loopback certificate")
					}
					leaf = string(state.PeerCertificates[0].Raw)
					return nil
				},
			}},
		},
	}
	v, err := asked.version(ctx)
	if err != nil {
		return nil, "", err // what a late handshake writes is not read
	}
	return v, leaf, nil
}

// apart returns what is known at a shared address: one entry, or one for each version where the instances behind it are of several.
func (i *instance) apart() []cluster.APIServer {
	byVersion := map[string]*cluster.APIServer{}
	var order []string
	for n, chain := range i.sight.Loopback {
		v := i.behind[string(chain[0])]
		if v == nil {
			v = i.version
		}
		if v == nil {
			v = &serverVersion{}
		}
		a := byVersion[v.GitVersion]
		if a == nil {
			part := instance{APIServer: i.APIServer}
			part.fill(v)
			part.Loopback, part.ProcessStart = nil, nil
			a = &part.APIServer
			byVersion[v.GitVersion] = a
			order = append(order, v.GitVersion)
		}
		a.Loopback = append(a.Loopback, i.Loopback[n])
		if c, err := x509.ParseCertificate(chain[0]); err == nil {
			if start, ok := pki.LoopbackStart(c); ok && (a.ProcessStart == nil || start.Before(*a.ProcessStart)) {
				a.ProcessStart = &start
			}
		}
	}
	if len(order) < 2 {
		return []cluster.APIServer{i.APIServer}
	}
	var out []cluster.APIServer
	for _, v := range order {
		byVersion[v].Name = i.Name + ", " + v
		out = append(out, *byVersion[v])
	}
	return out
}
