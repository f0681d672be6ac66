package report

import (
	"cmp"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// metrics are a fleet as gauges: times, not what is left of them, so that they stay true when they are read later.
type metrics struct {
	fleet *Fleet
	descs map[string]*prometheus.Desc
	sent  map[string]bool
}

func newMetrics(f *Fleet) *metrics {
	m := &metrics{fleet: f, descs: map[string]*prometheus.Desc{}}
	for _, d := range []struct{ name, help, labels string }{
		{"kubelts_cluster_observed", "1 if something of the cluster was seen.", "cluster"},
		{"kubelts_cluster_score", "The report's score, 0 to 100.", "cluster"},
		{"kubelts_cluster_verdict", "1 for the report's verdict.", "cluster verdict version"},
		{"kubelts_cluster_support_end_timestamp_seconds", "When support of the version of the oldest API server ends.", "cluster track"},
		{"kubelts_certificate_not_after_timestamp_seconds", "When the certificate ends.", "cluster kind instance"},
		{"kubelts_apiserver_process_start_timestamp_seconds", "When the API server process started, by its loopback certificate.", "cluster instance address"},
		{"kubelts_apiserver_instances", "API server instances seen at the address, at least.", "cluster instance address"},
		{"kubelts_cves", "Vulnerabilities of the components, by what cures them.", "cluster severity state"},
		{"kubelts_findings", "Findings that nobody accepted.", "cluster severity area"},
		{"kubelts_findings_accepted", "Findings whose risk was accepted.", "cluster"},
		{"kubelts_skew_violations", "Findings of version skew, by the rule that is broken.", "cluster component"},
		{"kubelts_probe_unobservable", "Things that were looked for and not observed.", "cluster kind"},
		{"kubelts_last_scan_timestamp_seconds", "When the cluster was looked at.", "cluster"},
		{"kubelts_data_bundle_timestamp_seconds", "The day of the facts.", "cluster"},
	} {
		m.descs[d.name] = prometheus.NewDesc(d.name, d.help, strings.Fields(d.labels), nil)
	}
	return m
}

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range m.descs {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.sent = map[string]bool{}
	for _, r := range m.fleet.Clusters {
		m.cluster(ch, r)
		m.times(ch, r)
	}
	for _, missed := range m.fleet.Missed {
		m.gauge(ch, "kubelts_cluster_observed", 0, missed.Context)
	}
}

// gauge sends a value once: two things of one name are one series, of which the first counts. What comes first is what ends first.
func (m *metrics) gauge(ch chan<- prometheus.Metric, name string, value float64, labels ...string) {
	key := name + "\x00" + strings.Join(labels, "\x00")
	if m.sent[key] {
		return
	}
	m.sent[key] = true
	ch <- prometheus.MustNewConstMetric(m.descs[name], prometheus.GaugeValue, value, labels...)
}

// cluster sends counts.
func (m *metrics) cluster(ch chan<- prometheus.Metric, r *findings.Report) {
	c := name(r)
	m.gauge(ch, "kubelts_cluster_observed", 1, c)
	m.gauge(ch, "kubelts_cluster_score", float64(r.Score), c)
	m.gauge(ch, "kubelts_cluster_verdict", 1, c, string(r.Verdict), r.Cluster.Version)
	counts := map[[2]string]int{}
	for _, a := range cluster.Areas() {
		for _, s := range findings.Severities() {
			counts[[2]string{string(s), string(a)}] = 0
		}
	}
	skew := map[string]int{}
	for _, f := range r.Findings {
		if f.Accepted != nil {
			continue
		}
		counts[[2]string{string(f.Severity), string(f.Area)}]++
		if f.Area == cluster.Skew {
			skew[f.Rule]++
		}
	}
	for k, n := range counts {
		m.gauge(ch, "kubelts_findings", float64(n), c, k[0], k[1])
	}
	for rule, n := range skew {
		m.gauge(ch, "kubelts_skew_violations", float64(n), c, rule)
	}
	m.gauge(ch, "kubelts_findings_accepted", float64(count(r).accepted), c)
	unseen := map[string]int{}
	for _, a := range cluster.Areas() {
		unseen[string(a)] = 0
	}
	for _, n := range r.NotObserved {
		unseen[n.Area]++
	}
	for area, n := range unseen {
		m.gauge(ch, "kubelts_probe_unobservable", float64(n), c, area)
	}
	for _, g := range groupHoles(r.Holes) {
		ratings := map[string]int{}
		for _, h := range g.Holes {
			ratings[cmp.Or(h.Rating, "none")]++
		}
		for rating, n := range ratings {
			m.gauge(ch, "kubelts_cves", float64(n), c, rating, strings.ReplaceAll(g.Title, " ", "-"))
		}
	}
}

// times sends days and certificates. A series that several certificates share tells the one that ends first.
func (m *metrics) times(ch chan<- prometheus.Metric, r *findings.Report) {
	c := name(r)
	m.gauge(ch, "kubelts_last_scan_timestamp_seconds", float64(r.Cluster.Taken.Unix()), c)
	if d := r.Cluster.DataDay; !d.IsZero() {
		m.gauge(ch, "kubelts_data_bundle_timestamp_seconds", float64(d.Time().Unix()), c)
	}
	for _, s := range r.Cluster.APIServers {
		if s.LoopbackEnds != nil {
			m.gauge(ch, "kubelts_certificate_not_after_timestamp_seconds", float64(s.LoopbackEnds.Unix()), c, "apiserver-loopback", cmp.Or(s.Name, s.Address))
		}
		if s.ProcessStart != nil {
			m.gauge(ch, "kubelts_apiserver_process_start_timestamp_seconds", float64(s.ProcessStart.Unix()), c, s.Name, s.Address)
		}
		m.gauge(ch, "kubelts_apiserver_instances", float64(s.Instances), c, s.Name, s.Address)
	}
	for i := range r.Deadlines {
		if d := &r.Deadlines[i]; d.Area == cluster.Certificates {
			m.gauge(ch, "kubelts_certificate_not_after_timestamp_seconds", float64(d.When.Unix()), c, cmp.Or(string(d.Kind), "certificate"), d.What)
		}
	}
	if r.Support == nil {
		return
	}
	// Support lasts through its last day: it ends with the next one's first instant.
	if end := r.Support.EndOfLife; !end.IsZero() {
		m.gauge(ch, "kubelts_cluster_support_end_timestamp_seconds", float64(end.AddDays(1).Time().Unix()), c, "upstream")
	}
	for _, v := range r.Support.Vendors {
		if !v.Until.IsZero() {
			m.gauge(ch, "kubelts_cluster_support_end_timestamp_seconds", float64(v.Until.AddDays(1).Time().Unix()), c, strings.TrimSpace(v.Product+" "+v.Release))
		}
	}
}

// WriteMetrics prints Prometheus' text format, for a node exporter's textfile collector.
func (f *Fleet) WriteMetrics(w io.Writer) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newMetrics(f.Clean())); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}
